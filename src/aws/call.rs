//! An AWS call that failed: why, as far as the remedy differs.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::explain::Explain;

/// Why a call failed, as far as the remedy differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No credentials, or none that could be loaded.
    NoCredentials,
    /// Credentials that AWS does not know, or no longer.
    BadCredentials,
    /// The profile names a role that may not be assumed.
    NoRole,
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
        let Self { operation, code, .. } = self;
        match self.why {
            Why::NoCredentials => write!(f, "found no AWS credentials"),
            Why::BadCredentials => write!(f, "AWS does not accept these credentials"),
            Why::NoRole => write!(f, "the profile's role could not be assumed"),
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
            Why::BadCredentials => "sign in again (`aws sso login`), or check which profile is used",
            Why::NoRole => {
                "a role that wants a second factor is assumed with the AWS CLI, which asks for it: `eval \"$(aws configure export-credentials --profile NAME --format env)\"`, and then without `--profile`"
            }
            Why::Denied => {
                return Some(format!(
                    "the caller needs `{}`; docs/permissions.md says what the admin role may do and what is an administrator's",
                    self.operation
                ));
            }
            Why::Unreachable => "check the network, the region and `--endpoint-url`, then run it again",
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
                why: if chain(other).any(|cause| cause.to_string().contains("sts:AssumeRole")) {
                    Why::NoRole
                } else if chain(other).any(<dyn StdError>::is::<CredentialsError>) {
                    Why::NoCredentials
                } else if matches!(other, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)) {
                    Why::Unreachable
                } else {
                    Why::Other
                },
                code: None,
                cause: chain(other).last().map(|cause| Cause(cause.to_string())),
            },
        }
    }

    /// A call that succeeded as a whole and failed in a part, as the answer tells.
    pub fn told(operation: &'static str, code: &str, message: Option<&str>) -> Self {
        Self {
            operation,
            why: why(Some(code), 200),
            code: Some(code.to_owned()),
            cause: message.map(|text| Cause(text.to_owned())),
        }
    }

    /// An answer that came and cannot be read.
    pub fn unreadable(operation: &'static str, error: &(dyn StdError + 'static)) -> Self {
        Self {
            why: Why::Other,
            code: Some("an answer that cannot be read".to_owned()),
            ..Self::broken(operation, error)
        }
    }

    /// An answer that broke off.
    pub fn broken(operation: &'static str, error: &(dyn StdError + 'static)) -> Self {
        Self {
            operation,
            why: Why::Unreachable,
            code: None,
            cause: chain(error).last().map(|cause| Cause(cause.to_string())),
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

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
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
