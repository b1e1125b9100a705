//! Copies secrets between the keyring and Secrets Manager. No function prints a value.
//!
//! This module compares the keyring ([`Local`]) with Secrets Manager ([`Remote`]). [`base::Base`] records which version in AWS
//! an entry of the keyring came from; from that follows which side is newer. [`push`] plans the writes.

pub mod base;
pub mod catalog;
pub mod check;
pub mod db_uri;
pub mod dotenv;
pub mod object;
pub mod push;
pub mod redact;
mod refusal;
pub mod remote;
pub mod revision;
pub mod rotation;

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

pub use self::refusal::{Newer, Refusal};
use base::Base;
use catalog::{Catalog, Origin, Secret};
use object::Entry;
use remote::{RemoteSecret, Value};

/// The entries of the keyring, by the catalog's names.
#[derive(Clone, Debug, Default)]
pub struct Local {
    /// The values.
    pub values: BTreeMap<String, SecretString>,
    /// Where the values came from.
    pub bases: BTreeMap<String, Base>,
    /// Entries that exist but cannot be read, with the reason.
    pub unreadable: BTreeMap<String, String>,
}

impl Local {
    /// The keyring's value; for a secret with a fixed value, that value.
    pub fn get(&self, secret: &Secret) -> Option<SecretString> {
        match (self.values.get(&secret.name), &secret.origin) {
            (Some(value), _) => Some(value.clone()),
            (None, Origin::Fixed(value)) => Some(SecretString::from(*value)),
            (None, _) => None,
        }
    }

    /// Where an entry came from.
    pub fn base(&self, secret: &Secret) -> Base {
        self.bases.get(&secret.name).cloned().unwrap_or_default()
    }
}

/// The secrets in Secrets Manager, by the last part of their names.
#[derive(Clone, Debug, Default)]
pub struct Remote(pub BTreeMap<&'static str, RemoteSecret>);

impl Remote {
    /// The value of a secret.
    pub fn get(&self, secret: &Secret) -> Option<SecretString> {
        match self.entry(secret) {
            Entry::Text(value) => Some(value),
            Entry::Absent | Entry::NotText => None,
        }
    }

    fn entry(&self, secret: &Secret) -> Entry {
        match self.0.get(secret.remote).map(|found| &found.value) {
            Some(Value::Object(object)) => object.entry(&secret.key),
            _ => Entry::Absent,
        }
    }
}

/// How the keyring and AWS compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Both have the same value.
    Same,
    /// Both have a value, and the values differ.
    Differs,
    /// Only this machine has one.
    LocalOnly,
    /// Only AWS has one.
    RemoteOnly,
    /// Neither has one.
    Missing,
    /// AWS does not show the value: the secret is scheduled for deletion.
    Scheduled,
    /// The value in AWS is not a string: a number, an object, a list.
    NotText,
    /// The secret in AWS is not a JSON object.
    NotObject,
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
            Self::NotText => "not a string in AWS",
            Self::NotObject => "not a JSON object in AWS",
        }
    }
}

/// Compares the two sides of a secret.
pub fn state(secret: &Secret, local: &Local, in_aws: &Remote) -> State {
    match in_aws.0.get(secret.remote).map(|found| &found.value) {
        Some(Value::Scheduled) => return State::Scheduled,
        Some(Value::Binary | Value::Text { .. }) => return State::NotObject,
        Some(Value::Object(_) | Value::Nothing) | None => {}
    }
    match (local.get(secret), in_aws.entry(secret)) {
        (_, Entry::NotText) => State::NotText,
        (Some(local), Entry::Text(remote)) if local.expose_secret() == remote.expose_secret() => State::Same,
        (Some(_), Entry::Text(_)) => State::Differs,
        (Some(_), Entry::Absent) => State::LocalOnly,
        (None, Entry::Text(_)) => State::RemoteOnly,
        (None, Entry::Absent) => State::Missing,
    }
}

/// Which side of a secret is newer; `None` unless both have a value and the values differ.
///
/// If no common version is recorded, the dates decide. A secret without the toolkit's tags was not written by the toolkit;
/// there the keyring's value counts as newer, so that `push` takes the secret over.
pub fn newer(env: &str, secret: &Secret, local: &Local, in_aws: &Remote) -> Option<Newer> {
    if state(secret, local, in_aws) != State::Differs {
        return None;
    }
    let (mine, found) = (local.get(secret)?, in_aws.0.get(secret.remote)?);
    let theirs = in_aws.get(secret)?;
    let base = local.base(secret);
    Some(match (base.agreed_on(secret, &mine), base.agreed_on(secret, &theirs)) {
        (_, Some(true)) => Newer::Keyring,
        (Some(true), _) => Newer::Aws,
        (Some(false), _) => Newer::Both,
        (None, _) if !found.has_tags(env) => Newer::Keyring,
        (None, _) => match (base.set, found.created) {
            (Some(set), Some(created)) if set > created => Newer::Keyring,
            (Some(_), Some(_)) => Newer::Aws,
            _ => Newer::Unknown,
        },
    })
}

/// Refuses a secret that another service writes, or that is not a JSON object.
pub fn writable(name: &str, found: &RemoteSecret) -> Result<(), Refusal> {
    if let Some(why) = &found.managed {
        return Err(Refusal::Managed { name: name.to_owned(), why: why.clone() });
    }
    readable(name, found)
}

/// Refuses a secret that is not a JSON object.
pub fn readable(name: &str, found: &RemoteSecret) -> Result<(), Refusal> {
    let refused = |encoded_twice| Err(Refusal::NotObject { name: name.to_owned(), encoded_twice });
    match found.value {
        Value::Binary => refused(false),
        Value::Text { encoded_twice } => refused(encoded_twice),
        Value::Nothing | Value::Scheduled | Value::Object(_) => Ok(()),
    }
}

/// The rows of the catalog with these names; all rows if there are no names.
pub fn selected<'a>(catalog: &'a Catalog, names: &[String]) -> Vec<&'a Secret> {
    let chosen = |secret: &&Secret| names.is_empty() || names.contains(&secret.name);
    catalog.0.iter().filter(chosen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::object::Object;

    fn remote_secret(text: &str, created: &str, tagged: bool) -> RemoteSecret {
        RemoteSecret {
            value: Value::Object(Object::parse(text.into()).unwrap()),
            version: Some("v2".into()),
            created: Some(created.parse().unwrap()),
            tags: if tagged {
                crate::deployment::tags::of("test").map(|(key, value)| (key.to_owned(), value)).into()
            } else {
                BTreeMap::new()
            },
            ..RemoteSecret::default()
        }
    }

    #[test]
    fn the_side_that_changed_since_they_agreed_is_newer() {
        let catalog = Catalog::all();
        let secret = catalog.find("rds/password").unwrap();
        let agreed = |value: &str| Base::agreed(secret, "v1", &value.into(), None);
        let set = |at: &str| Base::default().set_at(at.parse().unwrap());
        let (early, late) = ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z");
        for (base, tagged, expected) in [
            (Some(agreed("mine-mine")), true, Newer::Aws),
            (Some(agreed("theirs-theirs")), true, Newer::Keyring),
            (Some(agreed("another-value")), true, Newer::Both),
            (Some(set(early)), true, Newer::Aws),
            (Some(set(late)), true, Newer::Keyring),
            (None, true, Newer::Unknown),
            (None, false, Newer::Keyring),
        ] {
            let mut local = Local::default();
            local.values.insert("rds/password".into(), "mine-mine".into());
            local.bases.extend(base.map(|base| ("rds/password".to_owned(), base)));
            let mut in_aws = Remote::default();
            let created = "2026-02-01T00:00:00Z";
            in_aws.0.insert("rds", remote_secret(r#"{"password":"theirs-theirs"}"#, created, tagged));
            assert_eq!(newer("test", secret, &local, &in_aws), Some(expected));
            in_aws.0.insert("rds", remote_secret(r#"{"password":"mine-mine"}"#, created, tagged));
            assert_eq!(newer("test", secret, &local, &in_aws), None);
        }
    }

    #[test]
    fn a_value_that_is_not_a_string_is_neither_same_nor_absent() {
        let catalog = Catalog::all();
        let secret = catalog.find("rds/password").unwrap();
        let mut local = Local::default();
        local.values.insert("rds/password".into(), "8412973650".into());
        for (text, expected) in [
            (r#"{"password":8412973650}"#, State::NotText),
            (r#"{"password":null}"#, State::NotText),
            (r#"{"password":{"a":"8412973650"}}"#, State::NotText),
            (r#"{"password":"8412973650"}"#, State::Same),
            (r"{}", State::LocalOnly),
        ] {
            let mut in_aws = Remote::default();
            in_aws.0.insert("rds", remote_secret(text, "2026-02-01T00:00:00Z", true));
            assert_eq!(state(secret, &local, &in_aws), expected, "{text}");
        }
    }
}
