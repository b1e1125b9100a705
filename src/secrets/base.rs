//! The origin of a keyring entry: when it was set, and the last version in AWS that had the same value.
//!
//! It is a separate entry of the keyring. It contains a digest of the common value, so that a later run can see which side
//! changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::catalog::Secret;

/// The origin of a keyring entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// When this machine set the value.
    pub set: Option<Timestamp>,
    agreed: Option<Agreed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Agreed {
    version: String,
    digest: String,
}

impl Base {
    /// The name of its entry in the keyring.
    pub fn entry(name: &str) -> String {
        format!("base/{name}")
    }

    /// The keyring and this version in AWS have the same value.
    pub fn agreed(secret: &Secret, version: &str, value: &SecretString, set: Option<Timestamp>) -> Self {
        Self { set, agreed: Some(Agreed { version: version.to_owned(), digest: digest(secret, value) }) }
    }

    /// The same origin, for a value that was just set on this machine.
    #[must_use]
    pub fn set_at(self, now: Timestamp) -> Self {
        Self { set: Some(now), ..self }
    }

    /// Whether this was the last common value; `None` if there never was one.
    pub fn agreed_on(&self, secret: &Secret, value: &SecretString) -> Option<bool> {
        self.agreed.as_ref().map(|agreed| agreed.digest == digest(secret, value))
    }

    /// The last version in AWS with the common value.
    pub fn version(&self) -> Option<&str> {
        self.agreed.as_ref().map(|agreed| agreed.version.as_str())
    }

    /// The text of the keyring entry.
    pub fn text(&self) -> SecretString {
        let set = self.set.map(|set| set.to_string()).unwrap_or_default();
        let (version, digest) =
            self.agreed.as_ref().map_or(("", ""), |agreed| (&agreed.version, &agreed.digest));
        format!("1\n{set}\n{version}\n{digest}").into()
    }

    /// Parses the text of the keyring entry. A text of another form is an unknown origin.
    pub fn parse(text: &SecretString) -> Self {
        let fields: Vec<&str> = text.expose_secret().split('\n').collect();
        let ["1", set, version, digest] = fields[..] else {
            return Self::default();
        };
        let agreed = Agreed { version: version.to_owned(), digest: digest.to_owned() };
        Self { set: set.parse().ok(), agreed: Some(agreed).filter(|agreed| !agreed.digest.is_empty()) }
    }
}

fn digest(secret: &Secret, value: &SecretString) -> String {
    let mut hash = Sha256::new();
    hash.update(secret.name.as_bytes());
    hash.update([0]);
    hash.update(value.expose_secret().as_bytes());
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::catalog::Catalog;

    #[test]
    fn a_base_is_parsed_back_and_does_not_contain_the_value() {
        let catalog = Catalog::all();
        let secret = catalog.find("rds/password").unwrap();
        let value = SecretString::from("the-very-value");
        let now: Timestamp = "2026-11-26T21:00:00Z".parse().unwrap();
        for base in [
            Base::default(),
            Base::default().set_at(now),
            Base::agreed(secret, "version-1", &value, None),
            Base::agreed(secret, "version-1", &value, Some(now)),
        ] {
            assert_eq!(Base::parse(&base.text()), base);
            assert!(!base.text().expose_secret().contains("the-very-value"));
        }
        assert_eq!(Base::parse(&"garbage".into()), Base::default());
        let base = Base::agreed(secret, "version-1", &value, None);
        assert_eq!(base.agreed_on(secret, &value), Some(true));
        assert_eq!(base.agreed_on(secret, &"another".into()), Some(false));
        assert_eq!(Base::default().agreed_on(secret, &value), None);
    }
}
