//! Why a session could not be opened, or must not be used.

use super::{CallError, Why};
use crate::explain::{Exit, Explain};

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
    #[error(
        "the endpoint {endpoint} of {service} is not encrypted and not on this machine; nothing was sent"
    )]
    InClear {
        /// The service.
        service: &'static str,
        /// Its URL.
        endpoint: String,
    },
    /// The credentials of a profile were not accepted, or not to be had.
    #[error("could not sign in with the profile `{profile}`")]
    SignIn {
        /// The profile.
        profile: String,
        /// How it gets its credentials.
        from: Source,
        /// What failed.
        source: CallError,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Error {
    /// A first call that failed: where credentials are the cause, the profile is named.
    pub(super) fn sign_in(error: CallError, profile: Option<&str>, from: Source) -> Self {
        let credentials = matches!(
            error.why,
            Why::NoCredentials | Why::CredentialsFailed | Why::BadCredentials | Why::Expired | Why::NoRole
        );
        // The default profile is named only where it says how to sign in.
        let profile = profile.or((from != Source::Other).then_some("default"));
        match profile {
            Some(profile) if credentials => Self::SignIn { profile: profile.to_owned(), from, source: error },
            _ => Self::Call(error),
        }
    }
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NoRegion | Self::Setting { .. } => Exit::Usage,
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
            Self::SignIn { profile, from, source, .. } => match (from, source.why) {
                (Source::Sso, _) => {
                    format!("`aws sso login --profile {}`, then run it again", quoted(profile))
                }
                (Source::Login, _) => format!(
                    "`aws login --profile {0}`, then `eval \"$(aws configure export-credentials --profile {0} --format env)\"`, and run it again without `--profile`",
                    quoted(profile)
                ),
                (Source::Process, Why::CredentialsFailed) => {
                    format!(
                        "run the command that `credential_process` of the profile `{profile}` names, and see what it prints"
                    )
                }
                (_, Why::NoCredentials) => {
                    format!(
                        "the profile `{profile}` is defined and says nothing of credentials: `aws configure --profile {}`",
                        quoted(profile)
                    )
                }
                _ => return source.help(),
            },
            Self::Call(error) => return error.help(),
        })
    }
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let plain = name.chars().all(|char| char.is_ascii_alphanumeric() || "_-/.@:+".contains(char));
    if plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}
