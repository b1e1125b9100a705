//! Why a session could not be opened, or must not be used.

use super::call::CallError;
use super::cli::{Cli, FIRST_WITH_LOGIN, quoted};
use super::sso::Token;
use super::why::Why;
use crate::explain::{Exit, Explain, shown};

/// How a profile gets its credentials, as far as the remedy differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// IAM Identity Center.
    Sso,
    /// `aws login`.
    Login,
    /// A program, `credential_process`.
    Process,
    /// A role that is assumed.
    Role,
    /// Keys in a file, or anything else.
    Other,
}

/// Where the credentials of a profile come from, over any number of roles.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The profile that was asked for.
    pub asked: String,
    /// The profile that has or fetches them: the same, or the last `source_profile`.
    pub profile: String,
    /// How that profile gets them.
    pub source: Source,
    /// Its token of IAM Identity Center, where the SDK cannot read it.
    pub token: Option<Token>,
    /// The AWS CLI, where that loads them and was looked at.
    pub cli: Option<Cli>,
    /// The account and the role that the profile asks IAM Identity Center for.
    pub assignment: Option<(String, String)>,
}

/// A session could not be opened, or must not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither flag nor config nor environment names a region.
    #[error("no AWS region is known")]
    NoRegion,
    /// The credentials belong to another account than the config.
    #[error("these credentials belong to account {actual}, the config is for account {expected}")]
    WrongAccount {
        /// The config's `account_id`.
        expected: String,
        /// The caller's.
        actual: String,
        /// The caller's ARN.
        caller: String,
    },
    /// No file defines the profile.
    #[error("the profile `{name}` is not defined in {} or {}", .paths[0], .paths[1])]
    UnknownProfile {
        /// As it was given.
        name: String,
        /// The profiles that are defined.
        known: Vec<String>,
        /// The files that were read.
        paths: [String; 2],
    },
    /// A file of profiles is not valid.
    #[error("could not read the AWS profiles: {0}")]
    ProfileFile(String),
    /// A file of CA certificates cannot be used.
    #[error("could not read the CA certificates of {path}, which {name} names: {reason}")]
    Bundle {
        /// The variable or setting.
        name: String,
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A variable does not name a proxy that can be used.
    #[error("{name} does not name a usable proxy: {reason}")]
    Proxy {
        /// The variable.
        name: String,
        /// Why.
        reason: String,
    },
    /// A setting has a value that the AWS CLI does not take either.
    #[error("{name} is {value:?}: it should be {wanted}")]
    Setting {
        /// The variable, or the profile's setting.
        name: String,
        /// What it is.
        value: String,
        /// What it may be.
        wanted: &'static str,
    },
    /// Requests would leave this machine unencrypted.
    #[error("the endpoint {endpoint} of {service} is not encrypted and not on this machine")]
    InClear {
        /// The service.
        service: &'static str,
        /// Its URL.
        endpoint: String,
    },
    /// The credentials of a profile were not accepted, or not to be had.
    #[error("could not sign in with the profile `{}`", .origin.asked)]
    SignIn {
        /// The profile, and where its credentials come from.
        origin: Box<Origin>,
        /// What failed.
        source: CallError,
    },
    /// AWS has no FIPS endpoints there.
    #[error("{name} asks for FIPS endpoints, and AWS has none in the Region {region}; nothing was sent")]
    NoFips {
        /// The variable or setting.
        name: &'static str,
        /// The Region.
        region: String,
    },
    /// An endpoint of AWS's is asked for, and another one is named.
    #[error(
        "{name} asks for an endpoint of AWS, and {service} has another one, {endpoint}; nothing was sent"
    )]
    OtherEndpoint {
        /// The variable or setting.
        name: &'static str,
        /// The service.
        service: &'static str,
        /// Its URL.
        endpoint: String,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Error {
    /// A first call that failed: where credentials are the cause, the profile is named.
    pub(super) fn sign_in(error: CallError, is_chosen: bool, origin: Origin) -> Self {
        // The default profile is named only where it says how to sign in.
        let is_named = is_chosen || origin.source != Source::Other;
        if is_named && error.is_sign_in() {
            Self::SignIn { origin: Box::new(origin), source: error }
        } else {
            Self::Call(error)
        }
    }
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NoRegion | Self::Setting { .. } | Self::NoFips { .. } | Self::OtherEndpoint { .. } => {
                Exit::Usage
            }
            Self::WrongAccount { .. } | Self::InClear { .. } => Exit::Refused,
            Self::Call(error) => error.exit(),
            Self::UnknownProfile { .. }
            | Self::ProfileFile(_)
            | Self::Bundle { .. }
            | Self::Proxy { .. }
            | Self::SignIn { .. } => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoRegion => "give `--region`, or set AWS_REGION".into(),
            Self::WrongAccount { expected, caller, .. } => format!(
                "you are {caller}; choose a profile of account {expected} with `--profile` or AWS_PROFILE"
            ),
            Self::UnknownProfile { known, .. } if known.is_empty() => {
                "these files define no profile: `aws configure sso` or `aws configure` adds one".into()
            }
            Self::UnknownProfile { known, .. } => format!("defined are: {}", known.join(", ")),
            Self::ProfileFile(_) => "correct the file; `aws configure list` reads it too".into(),
            Self::Bundle { name, .. } => {
                format!("name a file of PEM certificates in {name}, or remove the setting")
            }
            Self::Proxy { .. } => "write it as http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT".into(),
            Self::Setting { .. } => "correct it, or unset it".into(),
            Self::InClear { .. } => "use an https:// endpoint, or one on this machine".into(),
            Self::NoFips { name, .. } => format!(
                "unset {name}, or choose a Region of the United States or Canada (\"FIPS endpoints by service\" on the AWS compliance pages)"
            ),
            Self::OtherEndpoint { name, .. } => {
                format!(
                    "unset {name}, or the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL, `endpoint_url` of the profile)"
                )
            }
            Self::SignIn { origin, source, .. } => return sign_in(origin, source),
            Self::Call(error) => return error.help(),
        })
    }
}

/// The remedy where credentials are the cause.
fn sign_in(origin: &Origin, error: &CallError) -> Option<String> {
    let Origin { profile, source, token, cli, assignment, .. } = origin;
    let shell = quoted(profile);
    let [major, minor, _] = FIRST_WITH_LOGIN;
    Some(match (source, error.why) {
        // The role is at fault, not where its credentials come from.
        (_, Why::NoRole) => error.help_with_role(&quoted(&origin.asked)),
        (_, Why::NoAssignment) => match assignment {
            Some((account, role)) => format!(
                "ask who administers IAM Identity Center to assign the permission set {role} in account {account} to you, or correct `sso_account_id` and `sso_role_name` of the profile `{profile}`; signing in again does not help"
            ),
            None => return error.help(),
        },
        (Source::Sso, _) => {
            let again = format!("`aws sso login --profile {shell}`, then run it again");
            match token {
                Some(token) => format!(
                    "{again}; the field `{}` of {} is {:?}, which only the AWS CLI can read: sign in with a current AWS CLI 2",
                    token.field,
                    shown(&token.file),
                    token.value
                ),
                None => again,
            }
        }
        (Source::Login, _) => match cli {
            Some(Cli::Missing) => format!(
                "the profile `{profile}` signs in with `aws login`, and the AWS CLI, which loads its credentials, is not installed: install version {major}.{minor} or later"
            ),
            Some(Cli::WithoutLogin(version)) => format!(
                "the profile `{profile}` signs in with `aws login`, which the installed AWS CLI {version} does not have: install version {major}.{minor} or later"
            ),
            Some(Cli::WithLogin) | None => {
                format!("`aws login --profile {shell}`, then run it again")
            }
        },
        (Source::Process, Why::CredentialsFailed) => format!(
            "run the command that `credential_process` of the profile `{profile}` names, and see what it prints"
        ),
        (_, Why::NoCredentials) => format!(
            "the profile `{profile}` is defined, but has no credentials: `aws configure --profile {shell}`"
        ),
        _ => return error.help(),
    })
}
