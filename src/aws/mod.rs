//! Opens a session with AWS and refuses the wrong account; turns every SDK error into one that a person can act on.
//!
//! Knows no resource: what is read and written is the slices' business.

mod call;
mod cli;
mod codes;
mod endpoint;
mod error;
mod listener;
mod plain;
mod profiles;
mod proxy;
mod retry;
mod sso;
mod tunnel;
mod variant;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::date_time::{DateTime, Format};
use aws_smithy_types::retry::RetryConfig;
use aws_types::service_config::ServiceConfigKey;
use url::{Host, Url};

pub use self::call::{CallError, Cause, call};
pub use self::cli::Cli;
pub use self::codes::Why;
pub use self::error::{Error, Origin, Source};
use self::listener::Listener;
pub use self::listener::{Call, CallLog, Outcome};
pub use self::plain::{Answer, ecs, route53};
use self::profiles::Profiles;
pub use self::retry::{Policy, retry};
pub use self::sso::Token;
use self::variant::Variant;

/// How the user wants AWS to be reached; what is `None` comes from the AWS default chain.
#[derive(Clone, Default)]
pub struct Settings {
    /// `--profile`
    pub profile: Option<String>,
    /// `--region`, or the config's.
    pub region: Option<String>,
    /// `--endpoint-url`
    pub endpoint_url: Option<String>,
    /// Reports every call: service, operation, time; never a value.
    pub log: Option<CallLog>,
    /// The environment: where the profiles are, which proxy and which certificates are used.
    pub variables: Variables,
}

/// Environment variables; an empty one counts as unset.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }
}

impl Variables {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// How long credentials may take: a `credential_process` may ask for a second factor.
const CREDENTIALS: Duration = Duration::from_secs(300);

/// Services whose endpoint another setting than `--endpoint-url` may name.
const SERVICES: [&str; 12] = [
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
    config: SdkConfig,
    log: Option<CallLog>,
    /// 12 digits.
    pub account_id: String,
    /// The caller's ARN.
    pub caller: String,
    /// The region that calls go to.
    pub region: String,
}

/// The one HTTP stack: AWS, registries and the application itself are reached through it, by the user's proxy and with the
/// certificates that the user trusts.
pub fn http_client(variables: &Variables) -> Result<SharedHttpClient, Error> {
    let bundle = variables.get("AWS_CA_BUNDLE").map(|path| wire::certificates("AWS_CA_BUNDLE", path));
    trusting(variables, bundle.transpose()?)
}

fn trusting(variables: &Variables, bundle: Option<Vec<u8>>) -> Result<SharedHttpClient, Error> {
    if let Some(path) = variables.get("SSL_CERT_FILE").filter(|_| bundle.is_none()) {
        wire::certificates("SSL_CERT_FILE", path)?;
    }
    wire::client(variables, bundle)
}

/// Opens a session. With an expected account, another one is refused before anything is written.
pub async fn open(settings: &Settings, expected: Option<&str>) -> Result<Session, Error> {
    prepare(settings).await?.verified(expected).await
}

/// A session whose account AWS has not confirmed yet.
pub struct Unverified {
    session: Session,
    profiles: Profiles,
    profile: Option<String>,
}

impl Unverified {
    /// A session for reads beside the question whose account it is: what they find counts only if the account is this one.
    #[must_use]
    pub fn assuming(&self, account_id: &str) -> Session {
        Session { account_id: account_id.to_owned(), ..self.session.clone() }
    }

    /// Asks AWS whose account it is. With an expected account, another one is refused.
    pub async fn verified(self, expected: Option<&str>) -> Result<Session, Error> {
        let Self { mut session, profiles, profile } = self;
        let identity = call("sts:GetCallerIdentity", session.sts().get_caller_identity().send().await);
        let identity = match identity {
            Ok(identity) => identity,
            Err(error) => {
                let mut origin = profiles.origin(profile.as_deref().unwrap_or("default"));
                if error.is_sign_in() && origin.source == Source::Login {
                    origin.cli = tokio::task::spawn_blocking(cli::installed).await.ok();
                }
                return Err(Error::sign_in(error, profile.is_some(), origin));
            }
        };
        session.account_id = identity.account.unwrap_or_default();
        session.caller = identity.arn.unwrap_or_default();
        match expected {
            Some(expected) if expected != session.account_id => Err(Error::WrongAccount {
                expected: expected.to_owned(),
                actual: session.account_id,
                caller: session.caller,
            }),
            _ => Ok(session),
        }
    }
}

/// Everything that a session needs but the answer whose account it is.
pub async fn prepare(settings: &Settings) -> Result<Unverified, Error> {
    let variables = &settings.variables;
    let profiles = Profiles::load(variables).await?;
    let named = settings.profile.as_deref();
    // In the order of the AWS CLI.
    let profile = named.or(variables.get("AWS_DEFAULT_PROFILE")).or(variables.get("AWS_PROFILE"));
    let alias = profile.map(|profile| profiles.select(profile)).transpose()?;
    let bundle = match variables.get("AWS_CA_BUNDLE") {
        Some(path) => Some(wire::certificates("AWS_CA_BUNDLE", path)?),
        None => match profiles.setting(profile.unwrap_or("default"), "ca_bundle") {
            Some(path) => Some(wire::certificates("ca_bundle", path)?),
            None => None,
        },
    };
    let http = trusting(variables, bundle)?;
    let setting = |key: &'static str| profiles.setting(profile.unwrap_or("default"), key);
    let retries = retries(variables, setting)?;
    let variant = Variant::of(variables, setting)?;
    let mut chain = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http.clone())
        .retry_config(retries)
        .profile_files(profiles.files.clone())
        .use_fips(variant.fips.is_some())
        .use_dual_stack(variant.dual.is_some())
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS).build())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                // Of an answer, not of the whole attempt: that would count the time in which credentials are loaded.
                .read_timeout(Duration::from_secs(30))
                .build(),
        );
    if let Some(alias) = &alias {
        chain = chain.profile_name(alias);
    }
    if let (Some(_), Some(alias)) = (named, &alias) {
        let own = variables.get("AWS_REGION").or(variables.get("AWS_DEFAULT_REGION"));
        let region = settings.region.as_deref().or(own);
        let region = region.or_else(|| profiles.setting(profile.unwrap_or("default"), "region"));
        let provider = ProviderConfig::without_region()
            .with_http_client(http.clone())
            .with_region(region.map(|region| Region::new(region.to_owned())));
        // As in the AWS CLI a profile that is named is meant, whatever keys the environment holds.
        let named = ProfileFileCredentialsProvider::builder()
            .configure(&provider)
            .profile_files(profiles.files.clone())
            .profile_name(alias);
        chain = chain.credentials_provider(named.build());
    }
    if let Some(region) = &settings.region {
        chain = chain.region(Region::new(region.clone()));
    }
    if let Some(url) = &settings.endpoint_url {
        chain = chain.endpoint_url(url);
    }
    let config = chain.load().await;
    let region = config.region().map(|region| region.as_ref().to_owned()).ok_or(Error::NoRegion)?;
    let session = Session {
        config,
        log: settings.log.clone(),
        account_id: String::new(),
        caller: String::new(),
        region,
    };
    if let Some(service) = SERVICES.into_iter().find(|service| session.is_in_clear(service)) {
        let endpoint = session.endpoint(service).unwrap_or_default();
        return Err(Error::InClear { service, endpoint });
    }
    variant.possible(&session.region, |service| session.endpoint(service))?;
    Ok(Unverified { session, profile: profile.map(str::to_owned), profiles })
}

/// How often a call is tried: `AWS_RETRY_MODE` and `AWS_MAX_ATTEMPTS`, or the profile's settings.
///
/// Each mode of the AWS CLI is that of `standard`: `legacy` has no meaning in the SDK, and the limit on its own pace that
/// `adaptive` adds takes 40 s for three attempts at a throttled call (measured with a local server).
fn retries<'a>(
    variables: &'a Variables,
    setting: impl Fn(&'static str) -> Option<&'a str>,
) -> Result<RetryConfig, Error> {
    let one = |name: &'static str, key: &'static str| {
        let variable = variables.get(name).map(|value| (name, value));
        variable.or_else(|| setting(key).map(|value| (key, value)))
    };
    let wrong = |(name, value): (&str, &str), wanted| {
        Err(Error::Setting { name: name.to_owned(), value: value.to_owned(), wanted })
    };
    if let Some(given) = one("AWS_RETRY_MODE", "retry_mode")
        && !["standard", "adaptive", "legacy"].contains(&given.1.to_lowercase().as_str())
    {
        return wrong(given, "standard, adaptive or legacy");
    }
    let retries = RetryConfig::standard();
    match one("AWS_MAX_ATTEMPTS", "max_attempts") {
        None => Ok(retries),
        Some(given) => match given.1.trim().parse() {
            Ok(attempts) if attempts > 0 => Ok(retries.with_max_attempts(attempts)),
            _ => wrong(given, "a number above 0"),
        },
    }
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
    fn endpoint(&self, service: &'static str) -> Option<String> {
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

/// Whether an endpoint URL names this machine.
pub fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A time of AWS as RFC 3339; `None` where it is out of range.
pub fn rfc3339(time: &DateTime) -> Option<String> {
    time.fmt(Format::DateTime).ok()
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_this_machine() {
        for local in
            ["http://127.0.0.1:5555", "http://127.8.0.1", "https://LOCALHOST:4566/x", "http://[::1]:80"]
        {
            assert!(is_loopback(local), "{local}");
        }
        for other in [
            "http://localhost.example.org",
            "http://127.evil.example",
            "http://127.0.0.1@example.org",
            "http://10.0.0.1:5555",
            "127.0.0.1:5555",
            "",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
