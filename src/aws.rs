//! Opens a session with AWS and refuses the wrong account; turns every SDK error into one that a person can act on.
//!
//! Knows no resource: what is read and written is the slices' business.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use aws_config::BehaviorVersion;
use aws_config::Region;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::retry::RetryMode;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::config_bag::Storable;
use aws_smithy_types::config_bag::StoreReplace;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::explain::Exit;
use crate::explain::Explain;

/// How the user wants AWS to be reached; what is `None` comes from the AWS default chain.
#[derive(Clone, Default)]
pub struct Settings {
    /// `--profile`
    pub profile: Option<String>,
    /// `--region`, or the config's.
    pub region: Option<String>,
    /// `--endpoint-url`
    pub endpoint_url: Option<String>,
    /// Told of every call: service, operation, time; never a value.
    pub log: Option<CallLog>,
}

/// Who hears of each call.
pub type CallLog = Arc<dyn Fn(&Call<'_>) + Send + Sync>;

/// One AWS call that has ended.
#[derive(Debug)]
pub struct Call<'a> {
    /// `S3`
    pub service: &'a str,
    /// `PutBucketVersioning`
    pub operation: &'a str,
    /// Retries included.
    pub took: Duration,
    /// Whether it succeeded.
    pub ok: bool,
}

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

/// Opens a session. With an expected account, another one is refused before anything is written.
pub async fn open(settings: &Settings, expected: Option<&str>) -> Result<Session, Error> {
    let http = HttpClient::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https();
    let mut chain = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(3))
                .operation_attempt_timeout(Duration::from_secs(30))
                .build(),
        );
    if let Some(profile) = &settings.profile {
        chain = chain.profile_name(profile);
    }
    if let Some(region) = &settings.region {
        chain = chain.region(Region::new(region.clone()));
    }
    if let Some(url) = &settings.endpoint_url {
        chain = chain.endpoint_url(url);
    }
    let loaded = chain.load().await;
    let retry = loaded
        .retry_config()
        .cloned()
        .unwrap_or_else(RetryConfig::standard)
        .with_retry_mode(RetryMode::Adaptive);
    let config = loaded.into_builder().retry_config(retry).build();
    let region = config
        .region()
        .map(|region| region.as_ref().to_owned())
        .ok_or(Error::NoRegion)?;
    let mut session = Session {
        config,
        log: settings.log.clone(),
        account_id: String::new(),
        caller: String::new(),
        region,
    };
    let identity = call(
        "sts:GetCallerIdentity",
        session.sts().get_caller_identity().send().await,
    )?;
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
        /// Container services.
        ecs, aws_sdk_ecs
    );
    client!(
        /// Roles and policies.
        iam, aws_sdk_iam
    );
    client!(
        /// DNS.
        route53, aws_sdk_route53
    );
    client!(
        /// Secrets Manager.
        secretsmanager, aws_sdk_secretsmanager
    );
    client!(
        /// Who am I.
        sts, aws_sdk_sts
    );

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
}

/// Whether an endpoint URL names this machine.
pub fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local))
}

/// A session could not be opened, or must not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither flag nor config nor environment names a region.
    #[error("no AWS region is known")]
    NoRegion,
    /// The credentials belong to another account than the config.
    #[error(
        "these credentials belong to account {actual}, the config is for account {expected}; nothing was written"
    )]
    WrongAccount {
        /// The config's `account_id`.
        expected: String,
        /// The caller's.
        actual: String,
        /// The caller's ARN.
        caller: String,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NoRegion => Exit::Usage,
            Self::WrongAccount { .. } => Exit::Refused,
            Self::Call(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoRegion => Some("give `--region`, or set AWS_REGION".into()),
            Self::WrongAccount {
                expected, caller, ..
            } => Some(format!(
                "you are {caller}; choose a profile of account {expected} with `--profile` or AWS_PROFILE"
            )),
            Self::Call(error) => error.help(),
        }
    }
}

/// Why a call failed, as far as the remedy differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No credentials, or none that could be loaded.
    NoCredentials,
    /// Credentials that AWS does not know, or no longer.
    BadCredentials,
    /// IAM, a boundary or an organisation's policy says no.
    Denied,
    /// No connection, or no answer in time.
    Unreachable,
    /// AWS asks to slow down, and went on asking.
    Throttled,
    /// The thing does not exist.
    NotFound,
    /// Anything else; the code tells.
    Other,
}

/// An AWS call that failed.
#[derive(Clone, Debug)]
pub struct CallError {
    /// `s3:PutBucketVersioning`
    pub operation: &'static str,
    /// Why.
    pub why: Why,
    /// AWS's error code, if AWS answered.
    pub code: Option<String>,
    cause: Option<Cause>,
}

/// What AWS or the connection said.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation, code, ..
        } = self;
        match self.why {
            Why::NoCredentials => write!(f, "found no AWS credentials"),
            Why::BadCredentials => write!(f, "AWS does not accept these credentials"),
            Why::Denied => write!(f, "{operation} was denied"),
            Why::Unreachable => write!(f, "could not reach AWS for {operation}"),
            Why::Throttled => write!(f, "{operation} was throttled, also after several tries"),
            Why::NotFound | Why::Other => match code {
                Some(code) => write!(f, "{operation} failed with {code}"),
                None => write!(f, "{operation} failed"),
            },
        }
    }
}

impl StdError for CallError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

impl Explain for CallError {
    fn help(&self) -> Option<String> {
        let text = match self.why {
            Why::NoCredentials => {
                "sign in (`aws sso login`), name a profile with `--profile`, or set AWS_PROFILE"
            }
            Why::BadCredentials => {
                "sign in again (`aws sso login`), or check which profile is used"
            }
            Why::Denied => {
                return Some(format!(
                    "the caller needs `{}`; the admin role that `osmt-bootstrap` makes has it",
                    self.operation
                ));
            }
            Why::Unreachable => {
                "check the network, the region and `--endpoint-url`, then run it again"
            }
            Why::Throttled => "wait a minute and run it again: what was done stays done",
            Why::NotFound | Why::Other => return None,
        };
        Some(text.to_owned())
    }
}

/// Gives the answer of a call, or an error that names the operation and why.
pub fn call<T, E>(
    operation: &'static str,
    result: Result<T, SdkError<E, HttpResponse>>,
) -> Result<T, CallError>
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    result.map_err(|error| CallError::new(operation, &error))
}

impl CallError {
    fn new<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().map(str::to_owned);
                let status = answer.raw().status().as_u16();
                Self {
                    operation,
                    why: why(code.as_deref(), status),
                    cause: answer.err().message().map(|text| Cause(text.to_owned())),
                    code: code.or_else(|| Some(format!("HTTP status {status}"))),
                }
            }
            other => Self {
                operation,
                why: if chain(other).any(<dyn StdError>::is::<CredentialsError>) {
                    Why::NoCredentials
                } else if matches!(
                    other,
                    SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)
                ) {
                    Why::Unreachable
                } else {
                    Why::Other
                },
                code: None,
                cause: chain(other).last().map(|cause| Cause(cause.to_string())),
            },
        }
    }

    /// Whether AWS answered with this code.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The reason a fact is unknown: `acm:DescribeCertificate was denied`.
    pub fn reason(&self) -> String {
        match &self.cause {
            Some(cause) if self.why != Why::Denied => format!("{self}: {cause}"),
            _ => self.to_string(),
        }
    }
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

fn why(code: Option<&str>, status: u16) -> Why {
    match code.unwrap_or_default() {
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "Forbidden"
        | "AccessDeniedFault" => Why::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId"
        | "InvalidSignatureException"
        | "AuthFailure" => Why::BadCredentials,
        "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "SlowDown"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException" => Why::Throttled,
        code if code.starts_with("NoSuch") || code.contains("NotFound") => Why::NotFound,
        _ => match status {
            401 | 403 => Why::Denied,
            404 => Why::NotFound,
            429 => Why::Throttled,
            _ => Why::Other,
        },
    }
}

#[derive(Debug)]
struct Started(Instant);

impl Storable for Started {
    type Storer = StoreReplace<Self>;
}

struct Listener(CallLog);

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "osmt call log"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Started(Instant::now()));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let took = cfg
            .load::<Started>()
            .map_or(Duration::ZERO, |started| started.0.elapsed());
        let ok = context
            .output_or_error()
            .is_some_and(|result| result.is_ok());
        if let Some(metadata) = cfg.load::<Metadata>() {
            (self.0)(&Call {
                service: metadata.service(),
                operation: metadata.name(),
                took,
                ok,
            });
        }
        Ok(())
    }
}
