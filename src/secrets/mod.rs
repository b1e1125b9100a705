//! Carries secrets between the keyring and Secrets Manager; never shows a value.
//!
//! What is in the keyring ([`Local`]) and in AWS ([`Seen`]) is compared here; [`push`] makes a plan of the difference.

pub mod catalog;
pub mod check;
pub mod db_uri;
pub mod object;
pub mod push;
pub mod redact;
pub mod remote;
pub mod revision;
pub mod rotation;

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::explain::{Exit, Explain};
use catalog::{Origin, Secret};
use remote::{Held, Value};

/// What the keyring holds, by the catalogue's names.
#[derive(Clone, Debug, Default)]
pub struct Local(pub BTreeMap<&'static str, SecretString>);

impl Local {
    /// The value that this machine stands for: the keyring's, or the only one there is.
    pub fn get(&self, secret: &Secret) -> Option<SecretString> {
        match (self.0.get(secret.name), &secret.origin) {
            (Some(value), _) => Some(value.clone()),
            (None, Origin::Fixed(value)) => Some(SecretString::from(*value)),
            (None, _) => None,
        }
    }
}

/// What Secrets Manager holds, by the last part of the name.
#[derive(Clone, Debug, Default)]
pub struct Seen(pub BTreeMap<&'static str, Held>);

impl Seen {
    /// The value at a catalogue's place.
    pub fn get(&self, secret: &Secret) -> Option<SecretString> {
        match &self.0.get(secret.remote)?.value {
            Value::Object(object) => object.get(secret.key),
            _ => None,
        }
    }
}

/// How keyring and AWS stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Both have the same value.
    Same,
    /// Both have a value, and not the same.
    Differs,
    /// Only this machine has one.
    LocalOnly,
    /// Only AWS has one.
    RemoteOnly,
    /// Neither has one.
    Missing,
    /// AWS keeps its value hidden: the secret is scheduled for deletion.
    Scheduled,
}

impl State {
    /// The state in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::LocalOnly => "only in the keyring",
            Self::RemoteOnly => "only in AWS",
            Self::Missing => "missing in both",
            Self::Scheduled => "scheduled for deletion in AWS",
        }
    }
}

/// Compares the two sides of a secret.
pub fn state(secret: &Secret, local: &Local, seen: &Seen) -> State {
    if let Some(Value::Scheduled) = seen.0.get(secret.remote).map(|held| &held.value) {
        return State::Scheduled;
    }
    match (local.get(secret), seen.get(secret)) {
        (Some(local), Some(remote)) if local.expose_secret() == remote.expose_secret() => State::Same,
        (Some(_), Some(_)) => State::Differs,
        (Some(_), None) => State::LocalOnly,
        (None, Some(_)) => State::RemoteOnly,
        (None, None) => State::Missing,
    }
}

/// Why nothing may be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A value is nowhere.
    #[error("{name} is neither in the keyring nor in AWS; nothing was written")]
    Missing {
        /// `rds/password`
        name: &'static str,
        /// How to get one.
        remedy: String,
    },
    /// A value that cannot work.
    #[error("{0}; nothing was written")]
    Malformed(catalog::Malformed),
    /// Not ours to write.
    #[error("{name} is not ours to write: {why}; nothing was written")]
    Managed {
        /// `osmt/test/rds`
        name: String,
        /// Who manages it.
        why: String,
    },
    /// Binary, or not JSON.
    #[error("{name} does not hold a JSON object; nothing was written")]
    NotObject {
        /// `osmt/test/rds`
        name: String,
    },
    /// It would take other people's keys with it.
    #[error("{name} also holds {keys}, which are not osmt-secrets' own; nothing was removed")]
    Foreign {
        /// `osmt/test/rds`
        name: String,
        /// The keys.
        keys: String,
    },
}

impl Explain for Refusal {
    fn exit(&self) -> Exit {
        Exit::Refused
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Missing { remedy, .. } => remedy.clone(),
            Self::Malformed(malformed) => malformed.remedy.clone(),
            Self::Managed { .. } => {
                "turn that off in the AWS console first; OSMT's DB_URI could not follow it".into()
            }
            Self::NotObject { .. } => {
                "look at it in the AWS console; if nobody needs it, delete it there and run this again".into()
            }
            Self::Foreign { .. } => "move those keys to a secret of their own first".into(),
        })
    }
}

/// Refuses what is not ours, or not a JSON object.
pub fn ours(name: &str, held: &Held) -> Result<(), Refusal> {
    if let Some(why) = &held.managed {
        return Err(Refusal::Managed { name: name.to_owned(), why: why.clone() });
    }
    match held.value {
        Value::Binary | Value::Other => Err(Refusal::NotObject { name: name.to_owned() }),
        Value::Nothing | Value::Scheduled | Value::Object(_) => Ok(()),
    }
}
