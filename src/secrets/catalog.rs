//! The secrets, as one table: name, place in Secrets Manager, rules of form, how a value is made.
//!
//! A secret is added by one row here; its name must then occur in `terraform/` and in `schemas/secrets.schema.json`.

use rand::Rng;
use secrecy::{ExposeSecret as _, SecretString};

use crate::explain::{Exit, Explain};

/// One secret.
#[derive(Debug)]
pub struct Secret {
    /// The name on the command line and in the keyring: `rds/password`.
    pub name: &'static str,
    /// The last part of the secret's name in Secrets Manager: `rds` for `osmt/<env>/rds`.
    pub remote: &'static str,
    /// The key in its JSON object.
    pub key: &'static str,
    /// The variable that the container reads it from.
    pub variable: &'static str,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    /// Which values can work.
    pub form: Form,
    /// Where a new value comes from.
    pub origin: Origin,
}

/// Which values can work.
#[derive(Debug)]
pub enum Form {
    /// Exactly this one.
    Only(&'static str),
    /// Characters and length.
    Made {
        /// Whether a character may occur.
        of: fn(char) -> bool,
        /// The alphabet in words.
        words: &'static str,
        /// Fewest and most characters.
        length: (usize, usize),
    },
}

/// Where a new value comes from.
#[derive(Debug)]
pub enum Origin {
    /// There is only one, and it needs no entry in the keyring.
    Fixed(&'static str),
    /// Drawn from the operating system's randomness.
    Random,
    /// Somebody else issues it; the words name who.
    Issued(&'static str),
}

/// Every secret, in the order in which it is listed.
pub const CATALOG: [Secret; 3] = [
    Secret {
        name: "rds/username",
        remote: "rds",
        key: "username",
        variable: "DB_USER",
        purpose: "the database's user; Terraform creates the instance with it, and RDS cannot rename it",
        form: Form::Only("osmt_admin"),
        origin: Origin::Fixed("osmt_admin"),
    },
    Secret {
        name: "rds/password",
        remote: "rds",
        key: "password",
        variable: "DB_PASSWORD",
        purpose: "the database user's password",
        form: Form::Made { of: unreserved, words: "letters, digits and _ . ~ -", length: (8, 41) },
        origin: Origin::Random,
    },
    Secret {
        name: "app/oauth_client_secret",
        remote: "app",
        key: "oauth_client_secret",
        variable: "OAUTH_CLIENTSECRET",
        purpose: "what OSMT shows the identity provider to prove who it is",
        form: Form::Made {
            of: plain,
            words: "visible ASCII characters other than * ? [ \\ {",
            length: (1, 1024),
        },
        origin: Origin::Issued("the identity provider"),
    },
];

/// The row of a name.
pub fn find(name: &str) -> Option<&'static Secret> {
    CATALOG.iter().find(|secret| secret.name == name)
}

/// The rows that share a secret in Secrets Manager.
pub fn of_remote(remote: &str) -> impl Iterator<Item = &'static Secret> + '_ {
    CATALOG.iter().filter(move |secret| secret.remote == remote)
}

/// The secrets in Secrets Manager, each once.
pub fn remotes() -> Vec<&'static str> {
    let mut remotes: Vec<_> = CATALOG.iter().map(|secret| secret.remote).collect();
    remotes.dedup();
    remotes
}

/// What a secret in Secrets Manager says it is.
pub fn description(remote: &str) -> String {
    let keys: Vec<_> = of_remote(remote).map(|secret| secret.key).collect();
    format!("OSMT: {}; written by osmt-secrets", keys.join(", "))
}

/// A value that cannot work. Says what is wrong with it, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct Malformed {
    /// `rds/password`
    pub name: &'static str,
    /// What is wrong.
    pub problem: String,
    /// What would be right, and why.
    pub remedy: String,
}

impl Explain for Malformed {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some(self.remedy.clone())
    }
}

impl Secret {
    /// Whether a value can work.
    ///
    /// The container's entrypoint passes values through an unquoted shell expansion, then Spring expands `${…}`, and
    /// the database's are part of a JDBC URL; RDS takes passwords of 8 to 41 characters.
    pub fn check(&self, value: &SecretString) -> Result<(), Malformed> {
        let value = value.expose_secret();
        let broken = |problem: String, remedy: String| Err(Malformed { name: self.name, problem, remedy });
        match &self.form {
            Form::Only(only) if value == *only => Ok(()),
            Form::Only(only) => broken(
                "has a value that cannot work".to_owned(),
                format!("it must be `{only}`: {}", self.purpose),
            ),
            Form::Made { of, words, length } => {
                let count = value.chars().count();
                if count < length.0 || count > length.1 {
                    return broken(
                        format!("is {count} characters long"),
                        format!("it must have {} to {} characters", length.0, length.1),
                    );
                }
                let mut wrong: Vec<&str> = value.chars().filter(|char| !of(*char)).map(kind_of).collect();
                wrong.sort_unstable();
                wrong.dedup();
                if wrong.is_empty() {
                    return Ok(());
                }
                broken(
                    format!("holds {}", wrong.join(", ")),
                    format!(
                        "use {words}: the container's shell, Spring and JDBC change or refuse the others"
                    ),
                )
            }
        }
    }

    /// A new value; `None` where somebody else issues it.
    pub fn generate(&self, random: &mut dyn Rng) -> Option<SecretString> {
        match self.origin {
            Origin::Fixed(value) => Some(SecretString::from(value)),
            Origin::Random => Some(password(random)),
            Origin::Issued(_) => None,
        }
    }
}

/// RFC 3986 calls these unreserved: they mean themselves in a shell, a URL, Spring and RDS.
fn unreserved(char: char) -> bool {
    char.is_ascii_alphanumeric() || "_.~-".contains(char)
}

/// Visible, and neither a glob nor the opening of Spring's `${…}` and `#{…}`.
fn plain(char: char) -> bool {
    char.is_ascii_graphic() && !"*?[\\{".contains(char)
}

/// A character's class, so that a message need not show the character.
fn kind_of(char: char) -> &'static str {
    match char {
        char if char.is_whitespace() => "white space",
        char if char.is_control() => "a control character",
        '*' | '?' | '[' | '\\' => "a character that the shell expands (* ? [ \\)",
        '{' => "an opening brace, which Spring may expand",
        char if char.is_ascii() => "punctuation with a meaning elsewhere",
        _ => "a character outside ASCII",
    }
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~-";

/// 32 characters, 193 bits; begins with a letter.
fn password(random: &mut dyn Rng) -> SecretString {
    let mut text = String::with_capacity(32);
    for at in 0..32 {
        let from = if at == 0 { LETTERS } else { ALPHABET };
        text.push(char::from(pick(random, from)));
    }
    SecretString::from(text)
}

/// Every byte equally likely: draws that would favour the first ones are thrown away.
fn pick(random: &mut dyn Rng, from: &[u8]) -> u8 {
    let fair = 256 - 256 % from.len();
    loop {
        let mut drawn = [0u8; 1];
        random.fill_bytes(&mut drawn);
        let drawn = usize::from(drawn[0]);
        if drawn < fair {
            return from[drawn % from.len()];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;

    use super::*;

    proptest! {
        #[test]
        fn generated_values_obey_every_rule(seed: u64) {
            let mut random = rand::rngs::StdRng::seed_from_u64(seed);
            for secret in &CATALOG {
                let Some(value) = secret.generate(&mut random) else { continue };
                prop_assert_eq!(secret.check(&value), Ok(()));
                let text = value.expose_secret();
                prop_assert!(text.starts_with(|c: char| c.is_ascii_alphabetic()));
                let special = |c: char| "/@\" '`$&|;<>()*?[]#\\{}:%+=!,".contains(c);
                prop_assert!(!text.contains(special), "RDS, a shell or a URL would take offence");
            }
        }

        #[test]
        fn a_refusal_never_shows_the_value(text in "[ -~é\t]{1,60}") {
            for secret in &CATALOG {
                if let Err(error) = secret.check(&SecretString::from(text.clone())) {
                    let shown = format!("{error} {error:?}");
                    prop_assert!(text.chars().count() < 12 || !shown.contains(&text));
                }
            }
        }
    }

    #[test]
    fn a_password_survives_shell_url_and_rds_or_is_refused() {
        let password = find("rds/password").unwrap();
        for (value, good) in [
            ("Abc.def~g-h_1", true),
            ("short", false),
            ("has a space", false),
            ("has@sign99", false),
            ("dollar$sign", false),
            ("glob*glob*", false),
            ("umlautäöü", false),
            (&"x".repeat(42), false),
            (&"x".repeat(41), true),
        ] {
            assert_eq!(password.check(&value.into()).is_ok(), good, "{value}");
        }
    }

    #[test]
    fn a_client_secret_may_hold_what_providers_issue() {
        let client = find("app/oauth_client_secret").unwrap();
        for value in ["a-b_c", "abc+/=", "x:y@z,w;v|u!t%s^r&q(p)o<n>m$l}k#j'i\"h`g"] {
            assert_eq!(client.check(&value.into()), Ok(()), "{value}");
        }
        for value in ["", "a b", "${x}", "#{x}", "a*b", "a?b", "a[b", "a\\b", "é", "a\nb"] {
            assert!(client.check(&value.into()).is_err(), "{value}");
        }
    }

    #[test]
    fn names_are_the_places() {
        for secret in &CATALOG {
            assert_eq!(secret.name, format!("{}/{}", secret.remote, secret.key));
        }
        assert_eq!(remotes(), ["rds", "app"]);
    }
}
