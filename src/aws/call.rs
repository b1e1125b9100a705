//! A failed AWS call, with its reason and help.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::date_time::{DateTime, Format};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::codes;
use super::endpoint::chosen_by;
use super::messages;
use super::messages::Policy;
use super::why::Why;
use crate::explain::Explain;
use crate::web::is_certificate;

/// A host that could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("{host}{}", .proxy.as_deref().map(|proxy| format!(", through the proxy {proxy}")).unwrap_or_default())]
pub(super) struct Unreached {
    pub(super) host: String,
    pub(super) proxy: Option<String>,
    pub(super) source: Box<dyn std::error::Error + Send + Sync>,
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
    /// The kind of policy that denied it, if AWS names it.
    policy: Option<Policy>,
    /// The host and the route to it, if it could not be reached.
    unreached: Option<String>,
    cause: Option<Cause>,
}

/// The message of AWS or of the connection.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, code, unreached, .. } = self;
        let from = unreached.as_deref().map(|host| format!(" ({host})")).unwrap_or_default();
        match self.why {
            Why::NoCredentials => write!(f, "found no AWS credentials"),
            Why::CredentialsFailed => write!(f, "could not load the AWS credentials"),
            Why::BadCredentials => write!(f, "AWS does not accept these credentials"),
            Why::Expired => write!(f, "the AWS credentials have expired"),
            Why::ClockSkew => write!(f, "AWS does not accept the time of this computer's clock"),
            Why::NoRole => write!(f, "the profile's role could not be assumed"),
            Why::NoAssignment => {
                write!(f, "IAM Identity Center does not assign the profile's role in its account to you")
            }
            Why::Denied => write!(f, "{operation} was denied"),
            Why::DeniedExplicitly => {
                let policy = self.policy.map_or("a policy that denies it explicitly", Policy::denies);
                write!(f, "{operation} was denied by {policy}")
            }
            Why::DeniedByLimit => {
                let policy = self.policy.map_or("a policy that limits the caller", Policy::name);
                write!(f, "{operation} was denied: {policy} does not allow it")
            }
            Why::DeniedByKey => write!(f, "{operation} was denied: its KMS key may not be used"),
            Why::NotEnabled => write!(f, "{operation} is not enabled for this account or Region"),
            Why::WrongRegion => write!(f, "{operation} was sent to the wrong Region"),
            Why::Unreachable => write!(f, "could not reach AWS for {operation}{from}"),
            Why::NotTrusted => write!(f, "the TLS certificate is not trusted for {operation}{from}"),
            Why::NotAws => write!(f, "the answer to {operation} does not come from AWS"),
            Why::Throttled => write!(f, "{operation} was throttled, also after several tries"),
            Why::Quota => match code {
                Some(code) => write!(f, "{operation} exceeds a quota of the account ({code})"),
                None => write!(f, "{operation} exceeds a quota of the account"),
            },
            Why::NotFreeYet => {
                write!(f, "{operation} failed: the name is not free yet, or another change is in progress")
            }
            Why::Taken => write!(f, "{operation} failed: the name belongs to another account"),
            Why::KeyUnusable | Why::Malformed | Why::Unavailable | Why::NotFound | Why::Other => match code {
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
        let operation = self.operation;
        Some(match self.why {
            Why::NoCredentials => {
                "sign in (`aws sso login`), name a profile with `--profile`, or set AWS_PROFILE".into()
            }
            Why::CredentialsFailed => "`aws sts get-caller-identity` with the same profile shows whether the AWS CLI can load them".into(),
            Why::BadCredentials if self.is("InvalidToken") || self.is("InvalidClientTokenId") || self.is("UnrecognizedClientException") => {
                "sign in again (`aws sso login`), or check which profile is used; in a Region that an account must enable (opt-in) only tokens of a regional STS endpoint are valid: set AWS_STS_REGIONAL_ENDPOINTS=regional, and check with `aws account list-regions` that the Region is enabled".into()
            }
            Why::BadCredentials => "sign in again (`aws sso login`), or check which profile is used".into(),
            Why::Expired => "sign in again (`aws sso login`), or renew the session that the environment variables hold".into(),
            Why::ClockSkew => "set this computer's clock (AWS allows five minutes of difference), then run it again".into(),
            Why::NoRole => self.help_with_role("NAME"),
            Why::NoAssignment => "compare `sso_account_id` and `sso_role_name` of the profile with what `aws sso login` offers in the access portal, or ask who administers IAM Identity Center for the assignment; signing in again does not help".into(),
            Why::Denied if self.policy == Some(Policy::Resource) => {
                format!("the policy of the resource itself must allow `{operation}`: ask its owner")
            }
            Why::Denied => format!(
                "the caller needs `{operation}`; docs/permissions.md lists what the admin role may do and what an administrator does"
            ),
            Why::DeniedExplicitly | Why::DeniedByLimit => match self.policy {
                Some(policy) => policy.remedy().to_owned(),
                None => "a grant does not help: ask who owns the policy that denies it (the organisation for a service control policy, the account's administrator for a permissions boundary, the resource's owner for its policy)".into(),
            },
            Why::DeniedByKey => match self.key() {
                Some(key) => format!("the caller needs `kms:Decrypt` and `kms:GenerateDataKey` on {key}, in the key's policy too"),
                None => "the caller needs `kms:Decrypt` and `kms:GenerateDataKey` on the key that encrypts it, in the key's policy too".into(),
            },
            Why::NotEnabled => "the account's owner signs up for the service or enables the Region (`aws account enable-region`), then run it again".into(),
            Why::WrongRegion => "check the region of the config, AWS_REGION and `--endpoint-url`".into(),
            Why::Unreachable => match self.unreached.as_deref().and_then(|host| chosen_by(host.split(',').next()?)) {
                Some(setting) => format!("check the network and the proxy (HTTPS_PROXY, NO_PROXY); the host was chosen by {setting}, and not every service has such an endpoint in every Region (\"Dual-stack and FIPS endpoints\", AWS SDKs and Tools Reference Guide)"),
                None => "check the network, the region, `--endpoint-url` and the proxy (HTTPS_PROXY, NO_PROXY), then run it again".into(),
            },
            Why::NotTrusted => "where a proxy or web filter opens TLS, name the file of its CA in AWS_CA_BUNDLE or in `ca_bundle` of the profile".into(),
            Why::NotAws => "a captive portal, a proxy or a web filter answered: open a web page to sign in to the network, or ask who runs the network to let requests to AWS pass".into(),
            Why::Throttled => "wait a minute and run it again: finished actions are not repeated".into(),
            Why::Quota => "delete what is not needed or have the quota raised (Service Quotas), then run it again".into(),
            Why::KeyUnusable => "enable the KMS key, cancel its deletion, or choose another key, then run it again".into(),
            Why::Malformed => "the policy document must change before a second run can succeed: look at the principals that it names, an account or role may not exist".into(),
            Why::NotFreeYet => "AWS frees a name some minutes after a deletion: run it again in two minutes".into(),
            Why::Taken => "choose another name".into(),
            Why::Unavailable => "this is an error at AWS; the AWS Health Dashboard shows known ones: run it again in a few minutes".into(),
            Why::NotFound | Why::Other => return None,
        })
    }
}

/// The result of a call; an error contains the operation and the reason.
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
                let code = answer.err().code();
                let message = answer.err().message();
                Self::answered(operation, code, message, Some(answer.raw()))
            }
            SdkError::ResponseError(answer) if !is_from_aws(answer.raw()) => {
                Self::answered(operation, None, None, Some(answer.raw()))
            }
            other => Self::unanswered(operation, other),
        }
    }

    /// An error response of AWS, or of a proxy or gateway.
    fn answered(
        operation: &'static str,
        code: Option<&str>,
        message: Option<&str>,
        raw: Option<&HttpResponse>,
    ) -> Self {
        let status = raw.map_or(200, |raw| raw.status().as_u16());
        let mut why = codes::why(operation, code, message, status);
        if code.is_none() {
            why = match status {
                // A HEAD has no body that could name a code.
                403 if operation == "s3:HeadBucket" || raw.is_some_and(is_from_aws) => Why::Denied,
                200..=399 | 401 | 403 | 407 => Why::NotAws,
                _ => why,
            };
        }
        let unsure = matches!(why, Why::BadCredentials | Why::Expired | Why::Denied);
        if unsure && code.is_some() && raw.is_some_and(is_far_from_now) {
            why = Why::ClockSkew;
        }
        let said = message.filter(|text| !text.is_empty()).map(str::to_owned);
        let said = said.or_else(|| {
            (why == Why::NotAws).then(|| format!("HTTP status {status} without an error code of AWS"))
        });
        Self {
            operation,
            why,
            code: code.map(str::to_owned).or_else(|| Some(format!("HTTP status {status}"))),
            policy: message.and_then(messages::policy),
            unreached: None,
            cause: said.map(Cause),
        }
    }

    /// An error without a response: no credentials, no connection, a timeout.
    fn unanswered<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: StdError + Send + Sync + 'static,
    {
        let unreached = chain(error).find_map(|cause| cause.downcast_ref::<Unreached>());
        let credentials = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
        let answered = chain(error).find_map(answer_of_sign_in);
        let policy = answered.as_ref().and_then(|answer| answer.policy);
        let said = answered.as_ref().and_then(|answer| answer.said.clone());
        let why = if chain(error).any(is_certificate) {
            Why::NotTrusted
        } else if unreached.is_some() {
            Why::Unreachable
        } else if let Some(answer) = answered {
            answer.why
        } else if let Some(credentials) = credentials {
            match credentials {
                CredentialsError::CredentialsNotLoaded(_) => Why::NoCredentials,
                _ => Why::CredentialsFailed,
            }
        } else if matches!(error, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)) {
            Why::Unreachable
        } else {
            Why::Other
        };
        Self {
            operation,
            why,
            code: None,
            policy,
            unreached: unreached.map(Unreached::to_string),
            cause: said.or_else(|| chain(error).last().map(ToString::to_string)).map(Cause),
        }
    }

    /// An error in a part of a successful response.
    pub fn in_answer(operation: &'static str, code: &str, message: Option<&str>) -> Self {
        Self::answered(operation, Some(code), message, None)
    }

    /// A response that cannot be parsed.
    pub fn unreadable(operation: &'static str, error: &(dyn StdError + 'static)) -> Self {
        Self {
            why: Why::Other,
            code: Some("an answer that cannot be read".to_owned()),
            ..Self::broken(operation, error)
        }
    }

    /// An incomplete response.
    pub fn broken(operation: &'static str, error: &(dyn StdError + 'static)) -> Self {
        Self {
            operation,
            why: Why::Unreachable,
            code: None,
            policy: None,
            unreached: None,
            cause: chain(error).last().map(|cause| Cause(cause.to_string())),
        }
    }

    /// The remedy where a profile's role could not be assumed; the profile's name is quoted for the shell.
    pub(super) fn help_with_role(&self, profile: &str) -> String {
        let second_factor = format!(
            "a role that wants a second factor is assumed with the AWS CLI, which asks for it: `eval \"$(aws configure export-credentials --profile {profile} --format env)\"`, and then without `--profile`"
        );
        match self.policy {
            // A second factor is a condition of the trust policy.
            Some(policy @ Policy::Trust) => format!("{}; {second_factor}", policy.remedy()),
            Some(policy) => policy.remedy().to_owned(),
            None => second_factor,
        }
    }

    /// Whether AWS returned this error code.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the credentials are the reason.
    pub(super) fn is_sign_in(&self) -> bool {
        matches!(
            self.why,
            Why::NoCredentials
                | Why::CredentialsFailed
                | Why::BadCredentials
                | Why::Expired
                | Why::NoRole
                | Why::NoAssignment
        )
    }

    /// Whether a policy denied the call.
    pub fn is_denied(&self) -> bool {
        matches!(self.why, Why::Denied | Why::DeniedExplicitly | Why::DeniedByLimit | Why::DeniedByKey)
    }

    /// The reason why a fact is unknown: `acm:DescribeCertificate was denied`.
    pub fn reason(&self) -> String {
        match &self.cause {
            Some(cause) if self.why != Why::Denied => format!("{self}: {cause}"),
            _ => self.to_string(),
        }
    }

    /// The ARN of the KMS key in AWS's message.
    fn key(&self) -> Option<&str> {
        let mut words = self.cause.as_ref()?.0.split([' ', ',', '"', '\'']);
        let is_key = |word: &&str| word.starts_with("arn:") && word.contains(":kms:");
        words.find(is_key).map(|arn| arn.trim_end_matches('.'))
    }
}

/// A refusal by STS or IAM Identity Center while credentials were loaded.
struct Refusal {
    why: Why,
    policy: Option<Policy>,
    /// The code and the message. An error that the service's model does not have has only its debug form as its text.
    said: Option<String>,
}

fn code_and_message(error: &impl ProvideErrorMetadata) -> Option<String> {
    error.code().zip(error.message()).map(|(code, message)| format!("{code}: {message}"))
}

/// The error code of STS or IAM Identity Center if loading the credentials failed.
fn answer_of_sign_in(cause: &(dyn StdError + 'static)) -> Option<Refusal> {
    if let Some(error) = cause.downcast_ref::<GetRoleCredentialsError>() {
        let why = match error.code()? {
            // The token was accepted, and the role is not the user's: it is not assigned, or there is none of this name.
            "ForbiddenException" | "ResourceNotFoundException" | "InvalidRequestException" => {
                Why::NoAssignment
            }
            "UnauthorizedException" => Why::Expired,
            code => codes::why("sso:GetRoleCredentials", Some(code), error.message(), 403),
        };
        return Some(Refusal { why, policy: None, said: code_and_message(error) });
    }
    let error = cause.downcast_ref::<AssumeRoleError>()?;
    let why = codes::why("sts:AssumeRole", error.code(), error.message(), 403);
    let why = match why {
        Why::Denied | Why::DeniedExplicitly | Why::DeniedByLimit => Why::NoRole,
        why => why,
    };
    Some(Refusal { why, policy: error.message().and_then(messages::policy), said: code_and_message(error) })
}

/// Whether AWS sent the response: every response of AWS has a request id.
fn is_from_aws(raw: &HttpResponse) -> bool {
    ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"]
        .iter()
        .any(|name| raw.headers().get(name).is_some())
}

/// Whether the answer's date is more than five minutes from this computer's time ("Troubleshooting IAM" and
/// "Signature Version 4": a request is valid for five minutes).
fn is_far_from_now(raw: &HttpResponse) -> bool {
    let date = raw.headers().get("date").and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
    date.is_some_and(|date| (date.secs() - jiff::Timestamp::now().as_second()).abs() > 300)
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}
