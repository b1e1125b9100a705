//! An open session with AWS: one client a service, and which endpoint each goes to.

use aws_config::{Region, SdkConfig};
use aws_types::service_config::ServiceConfigKey;

use super::endpoint::is_loopback;
use super::listener::{CallLog, Listener};

/// Services whose endpoint another setting than `--endpoint-url` may name.
pub(super) const SERVICES: [&str; 12] = [
    "STS",
    "S3",
    "S3 Control",
    "DynamoDB",
    "Secrets Manager",
    "IAM",
    "ACM",
    "ECS",
    "Route 53",
    "EC2",
    "CloudTrail",
    "AccessAnalyzer",
];

/// An open session: the account is known and is the expected one.
#[derive(Clone)]
pub struct Session {
    pub(super) config: SdkConfig,
    pub(super) log: Option<CallLog>,
    /// 12 digits.
    pub account_id: String,
    /// The caller's ARN.
    pub caller: String,
    /// The region that calls go to.
    pub region: String,
}

/// One client a service, each with the call log attached.
macro_rules! client {
    ($(#[$doc:meta])* $name:ident, $sdk:ident) => {
        $(#[$doc])*
        pub fn $name(&self) -> $sdk::Client {
            let mut builder = $sdk::config::Builder::from(&self.config);
            if let Some(log) = &self.log {
                builder = builder.interceptor(Listener(log.clone()));
            }
            $sdk::Client::from_conf(builder.build())
        }
    };
}

impl Session {
    client!(
        /// Certificate Manager.
        acm, aws_sdk_acm
    );
    client!(
        /// `DynamoDB`.
        dynamodb, aws_sdk_dynamodb
    );
    client!(
        /// Roles and policies.
        iam, aws_sdk_iam
    );
    client!(
        /// Secrets Manager.
        secretsmanager, aws_sdk_secretsmanager
    );
    client!(
        /// Who am I.
        sts, aws_sdk_sts
    );

    /// Certificate Manager of another region.
    pub fn acm_in(&self, region: &str) -> aws_sdk_acm::Client {
        let region = Region::new(region.to_owned());
        let config = self.config.clone().into_builder().region(region).build();
        let session = Self { config, ..self.clone() };
        session.acm()
    }

    /// S3; addressed by path where an endpoint of one's own is used, which rarely has a name for each bucket.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let mut builder = aws_sdk_s3::config::Builder::from(&self.config);
        if self.config.endpoint_url().is_some() {
            builder = builder.force_path_style(true);
        }
        if let Some(log) = &self.log {
            builder = builder.interceptor(Listener(log.clone()));
        }
        aws_sdk_s3::Client::from_conf(builder.build())
    }

    /// Whether calls go to an endpoint on loopback: an emulator, not AWS.
    pub fn is_local(&self) -> bool {
        self.config.endpoint_url().is_some_and(is_loopback)
    }

    /// Whether calls to a service leave this machine unencrypted.
    pub fn is_in_clear(&self, service: &'static str) -> bool {
        let endpoint = self.endpoint(service);
        endpoint.is_some_and(|url| !is_loopback(&url) && !url.starts_with("https:"))
    }

    /// Another endpoint than AWS's own: `--endpoint-url`, else the service's (`AWS_ENDPOINT_URL_S3_CONTROL` and its like
    /// in a profile), else that of all services. `service` is its id, as in `S3 Control`.
    pub(super) fn endpoint(&self, service: &'static str) -> Option<String> {
        let all = || self.config.endpoint_url().map(str::to_owned);
        if self.config.get_origin("endpoint_url").is_client_config() {
            return all();
        }
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        let one = || self.config.service_config()?.load_config(key.ok()?);
        one().or_else(all)
    }
}
