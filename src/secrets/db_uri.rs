//! `DB_URI`: user, password, host and port of the database in one value, as the container expects it.
//!
//! Terraform writes it, from `osmt/<env>/rds`. This module parses it for comparison.

use secrecy::{ExposeSecret as _, SecretString};

/// The last part of its name in Secrets Manager. It is not in the catalog, because Terraform writes it.
pub const REMOTE: &str = "db-uri";
/// The key in its JSON object.
pub const KEY: &str = "DB_URI";

/// The parts of a `DB_URI`.
#[derive(Clone, Debug)]
pub struct DbUri {
    /// The database's user.
    pub user: SecretString,
    /// The user's password.
    pub password: SecretString,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl DbUri {
    /// `user:password@host:port`, which the app appends to `jdbc:mysql://`.
    pub fn compose(&self) -> SecretString {
        format!("{}:{}@{}:{}", self.user.expose_secret(), self.password.expose_secret(), self.host, self.port)
            .into()
    }

    /// The parts; `None` where the text is not of this form.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let (login, place) = text.expose_secret().split_once('@')?;
        let (user, password) = login.split_once(':')?;
        let (host, port) = place.split_once(':')?;
        let is_complete = ![user, password, host].contains(&"") && !password.contains(':');
        Some(Self {
            user: user.into(),
            password: password.into(),
            host: host.to_owned(),
            port: port.parse().ok()?,
        })
        .filter(|_| is_complete)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;

    use super::*;
    use crate::secrets::catalog::Catalog;

    proptest! {
        #[test]
        fn parsing_undoes_composing(seed: u64, host in "[a-z][a-z0-9.-]{0,60}", port in 1u16..) {
            let mut random = rand::rngs::StdRng::seed_from_u64(seed);
            let all = Catalog::all();
            let mut make = |name| all.find(name).unwrap().generate(&mut random).unwrap();
            let made = DbUri { user: make("rds/username"), password: make("rds/password"), host, port };
            let read = DbUri::parse(&made.compose()).unwrap();
            prop_assert_eq!(read.user.expose_secret(), made.user.expose_secret());
            prop_assert_eq!(read.password.expose_secret(), made.password.expose_secret());
            prop_assert_eq!((read.host, read.port), (made.host, made.port));
        }
    }

    #[test]
    fn a_doubled_port_is_not_a_db_uri() {
        for text in ["u:p@h:3306:3306", "u@h:1", "u:p@h", "", "u:p:q@h:1"] {
            assert!(DbUri::parse(&text.into()).is_none(), "{text}");
        }
    }
}
