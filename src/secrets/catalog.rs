//! The secrets: name, location in Secrets Manager, allowed values, how a value is generated.
//!
//! A built-in secret is one row of [`Catalog::all`]; its name must then occur in `terraform/` and in
//! `schemas/secrets.schema.json`. Which rows a deployment has follows from its config.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use rand::seq::IndexedRandom as _;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::deployment::osmt_line;
use crate::deployment::osmt_line::OsmtLine;
use crate::document::{Document, Kind};
use crate::explain::{self, Exit, Explain};

/// One secret.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The name on the command line and in the keyring: `rds/password`.
    pub name: String,
    /// The last part of the secret's name in Secrets Manager: `rds` for `osmt/<env>/rds`.
    pub remote: &'static str,
    /// The key in its JSON object.
    pub key: String,
    /// The variable that the container reads it from.
    pub variable: String,
    /// Its purpose, in a few words.
    pub purpose: &'static str,
    /// The values that OSMT and AWS accept.
    pub form: Form,
    /// Where a new value comes from.
    pub origin: Origin,
    /// What users notice of a rotation, if anything.
    pub effect: Option<&'static str>,
}

/// The values that OSMT and AWS accept.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Exactly this one.
    Only(&'static str),
    /// Characters and length.
    Characters {
        /// Whether a character may occur.
        is_allowed: fn(char) -> bool,
        /// The alphabet in words.
        words: &'static str,
        /// Fewest and most characters.
        length: (usize, usize),
    },
    /// Standard base64 of at least this many bytes.
    Base64(usize),
    /// Any text that an environment variable can hold.
    Text,
}

/// Where a new value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// It is always this value, which needs no entry in the keyring.
    Fixed(&'static str),
    /// 32 characters from the operating system's randomness.
    Random,
    /// Base64 of 32 bytes from the operating system's randomness.
    RandomBytes,
    /// Another party issues it: this one.
    Issued(&'static str),
}

/// The last parts of the names in Secrets Manager of the secrets that every deployment has.
pub const REMOTES: [&str; 2] = ["rds", "app"];

/// The secrets of one deployment, in the order in which they are listed.
#[derive(Clone, Debug)]
pub struct Catalog(pub Vec<Secret>);

/// The settings of a config that decide which secrets a deployment has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// OSMT 4 signs its session tokens with a key.
    pub session_token: bool,
    /// Elasticsearch requires a password.
    pub elasticsearch: bool,
    /// `app.extra_secrets`
    pub extra: Vec<String>,
}

impl Wanted {
    /// Reads a config.
    pub fn of(config: &Document) -> Self {
        let text = |pointer: &str| match &config.get(pointer)?.kind {
            Kind::String(text) => Some(text.clone()),
            _ => None,
        };
        let (stated, tag) = (text("/config/app/version"), text("/config/ecs/task/app/docker_tag"));
        let version = osmt_line::deployed(stated.as_deref(), tag.as_deref().unwrap_or_default());
        let line = version.and_then(OsmtLine::of);
        let authentication = config.get("/config/ecs/task/elasticsearch/authentication");
        let extra = match config.get("/config/app/extra_secrets").map(|node| &node.kind) {
            Some(Kind::Array(items)) => items
                .iter()
                .filter_map(|item| match &item.kind {
                    Kind::String(name) => Some(name.clone()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        Self {
            session_token: line.is_some_and(|line| line.traits().session_token_secret),
            elasticsearch: matches!(authentication.map(|node| &node.kind), Some(Kind::Bool(true))),
            extra,
        }
    }
}

impl Catalog {
    /// The secrets of a deployment.
    pub fn of(wanted: &Wanted) -> Self {
        let mut rows = Self::all().0;
        rows.retain(|row| match row.name.as_str() {
            "app/session_token_secret" => wanted.session_token,
            "elasticsearch/password" => wanted.elasticsearch,
            _ => true,
        });
        rows.extend(wanted.extra.iter().map(|name| Secret {
            name: format!("extra/{name}"),
            remote: "extra",
            key: name.clone(),
            variable: name.clone(),
            purpose: "from `app.extra_secrets`; the app reads it as an environment variable",
            form: Form::Text,
            origin: Origin::Issued("the service that it belongs to"),
            effect: None,
        }));
        Self(rows)
    }

    /// Every built-in secret.
    pub fn all() -> Self {
        let row = |name: &str, remote, variable: &str, purpose, form, origin| Secret {
            name: name.to_owned(),
            remote,
            key: name.rsplit('/').next().unwrap_or_default().to_owned(),
            variable: variable.to_owned(),
            purpose,
            form,
            origin,
            effect: None,
        };
        let password = |longest| Form::Characters {
            is_allowed: is_unreserved,
            words: "letters, digits and _ . ~ -",
            length: (8, longest),
        };
        Self(vec![
            row(
                "rds/username",
                "rds",
                "DB_USER",
                "the database user; Terraform creates the instance with it, and RDS cannot rename it",
                Form::Only("osmt_admin"),
                Origin::Fixed("osmt_admin"),
            ),
            row(
                "rds/password",
                "rds",
                "DB_PASSWORD",
                "the database user's password",
                password(41),
                Origin::Random,
            ),
            row(
                "app/oauth_client_secret",
                "app",
                "OAUTH_CLIENTSECRET",
                "the secret that OSMT shows the identity provider",
                Form::Characters {
                    is_allowed: is_plain,
                    words: "visible ASCII characters other than * ? [ \\ {",
                    length: (1, 1024),
                },
                Origin::Issued("the identity provider"),
            ),
            Secret {
                effect: Some("signs out every user: the tokens that OSMT has issued are no longer valid"),
                ..row(
                    "app/session_token_secret",
                    "app",
                    "APP_SESSION_TOKEN_SECRET",
                    "the key with which OSMT 4 signs its session tokens",
                    Form::Base64(32),
                    Origin::RandomBytes,
                )
            },
            row(
                "elasticsearch/password",
                "elasticsearch",
                "ES_PASSWORD",
                "the password of the Elasticsearch user",
                password(128),
                Origin::Random,
            ),
        ])
    }

    /// The row with a name.
    pub fn find(&self, name: &str) -> Option<&Secret> {
        self.0.iter().find(|secret| secret.name == name)
    }

    /// The rows that share a secret in Secrets Manager.
    pub fn of_remote(&self, remote: &str) -> impl Iterator<Item = &Secret> {
        self.0.iter().filter(move |secret| secret.remote == remote)
    }

    /// The secrets in Secrets Manager, each once.
    pub fn remotes(&self) -> Vec<&'static str> {
        let mut remotes: Vec<_> = self.0.iter().map(|secret| secret.remote).collect();
        remotes.dedup();
        remotes
    }

    /// The names, separated by commas.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|secret| secret.name.as_str()).collect();
        names.join(", ")
    }

    /// The description of a secret in Secrets Manager.
    pub fn description(&self, remote: &str) -> String {
        let keys: Vec<_> = self.of_remote(remote).map(|secret| secret.key.as_str()).collect();
        format!("OSMT: {}; written by osmt-secrets", keys.join(", "))
    }
}

/// A value that OSMT or AWS does not accept. The error never contains the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct Malformed {
    /// `rds/password`
    pub name: String,
    /// What is wrong.
    pub problem: String,
    /// Which values are accepted, and why.
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
    /// Whether OSMT and AWS accept a value.
    ///
    /// The container's entrypoint passes values through an unquoted shell expansion, then Spring expands `${…}`. The database's
    /// user and password are part of a JDBC URL. RDS accepts passwords of 8 to 41 characters.
    pub fn check(&self, value: &SecretString) -> Result<(), Malformed> {
        let value = value.expose_secret();
        let broken =
            |problem: String, remedy: String| Err(Malformed { name: self.name.clone(), problem, remedy });
        match &self.form {
            Form::Only(only) if value == *only => Ok(()),
            Form::Only(only) => broken(
                "has another value than the deployment needs".to_owned(),
                format!("it must be `{only}`: {}", self.purpose),
            ),
            Form::Characters { is_allowed, words, length } => {
                let count = value.chars().count();
                if count < length.0 || count > length.1 {
                    return broken(
                        format!("has {}", explain::count(count, "character")),
                        format!("it must have {} to {} characters", length.0, length.1),
                    );
                }
                let mut wrong: Vec<&str> =
                    value.chars().filter(|char| !is_allowed(*char)).map(kind_of).collect();
                wrong.sort_unstable();
                wrong.dedup();
                if wrong.is_empty() {
                    return Ok(());
                }
                broken(
                    format!("contains {}", wrong.join(", ")),
                    format!(
                        "use {words}: the container's shell, Spring or JDBC change or reject other characters"
                    ),
                )
            }
            Form::Base64(least) => match STANDARD.decode(value).map(Zeroizing::new) {
                Ok(bytes) if bytes.len() >= *least => Ok(()),
                Ok(bytes) => broken(
                    format!("is base64 of {}", explain::count(bytes.len(), "byte")),
                    self.base64_remedy(*least),
                ),
                Err(_) => broken("is not base64".to_owned(), self.base64_remedy(*least)),
            },
            Form::Text if value.is_empty() => broken("is empty".to_owned(), "give it a value".to_owned()),
            Form::Text if value.contains('\0') => broken(
                "contains a null character".to_owned(),
                "an environment variable cannot contain a null character".to_owned(),
            ),
            Form::Text => Ok(()),
        }
    }

    fn base64_remedy(&self, least: usize) -> String {
        format!(
            "it must be base64 of at least {least} bytes; `osmt-secrets generate {}` generates it",
            self.name
        )
    }

    /// A new value; `None` if another party issues it.
    pub fn generate(&self, random: &mut dyn Rng) -> Option<SecretString> {
        match self.origin {
            Origin::Fixed(value) => Some(SecretString::from(value)),
            Origin::Random => Some(password(random)),
            Origin::RandomBytes => {
                let mut bytes = Zeroizing::new([0u8; 32]);
                random.fill_bytes(&mut bytes[..]);
                Some(SecretString::from(STANDARD.encode(&bytes[..])))
            }
            Origin::Issued(_) => None,
        }
    }
}

/// RFC 3986 calls these unreserved: they have no special meaning in a shell, a URL, Spring or RDS.
fn is_unreserved(char: char) -> bool {
    char.is_ascii_alphanumeric() || "_.~-".contains(char)
}

/// Visible, not a shell wildcard, and not the brace of Spring's `${…}` and `#{…}`.
fn is_plain(char: char) -> bool {
    char.is_ascii_graphic() && !"*?[\\{".contains(char)
}

/// The class of a character, for messages: the character itself is part of a secret.
fn kind_of(char: char) -> &'static str {
    match char {
        char if char.is_whitespace() => "white space",
        char if char.is_control() => "a control character",
        '*' | '?' | '[' | '\\' => "a character that the shell expands (* ? [ \\)",
        '{' => "an opening brace, which Spring may expand",
        char if char.is_ascii() => "punctuation with a special meaning in a shell or URL",
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
        text.extend(from.choose(random).map(|byte| char::from(*byte)));
    }
    SecretString::from(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;

    use super::*;

    proptest! {
        #[test]
        fn generated_values_are_accepted(seed: u64) {
            let mut random = rand::rngs::StdRng::seed_from_u64(seed);
            for secret in &Catalog::all().0 {
                let Some(value) = secret.generate(&mut random) else { continue };
                prop_assert_eq!(secret.check(&value), Ok(()));
                let text = value.expose_secret();
                if matches!(secret.origin, Origin::RandomBytes) {
                    prop_assert_eq!(text.len(), 44);
                    continue;
                }
                prop_assert!(text.starts_with(|c: char| c.is_ascii_alphabetic()));
                let special = |c: char| "/@\" '`$&|;<>()*?[]#\\{}:%+=!,".contains(c);
                prop_assert!(!text.contains(special), "RDS, a shell or a URL would change it");
            }
        }

        #[test]
        fn an_error_never_contains_the_value(text in "[ -~é\t]{1,60}") {
            for secret in &Catalog::all().0 {
                if let Err(error) = secret.check(&SecretString::from(text.clone())) {
                    let shown = format!("{error} {error:?}");
                    prop_assert!(text.chars().count() < 12 || !shown.contains(&text));
                }
            }
        }
    }

    #[test]
    fn a_password_that_a_shell_url_or_rds_would_change_is_refused() {
        let all = Catalog::all();
        let password = all.find("rds/password").unwrap();
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
    fn a_client_secret_as_providers_issue_it_is_accepted() {
        let all = Catalog::all();
        let client = all.find("app/oauth_client_secret").unwrap();
        for value in ["a-b_c", "abc+/=", "x:y@z,w;v|u!t%s^r&q(p)o<n>m$l}k#j'i\"h`g"] {
            assert_eq!(client.check(&value.into()), Ok(()), "{value}");
        }
        for value in ["", "a b", "${x}", "#{x}", "a*b", "a?b", "a[b", "a\\b", "é", "a\nb"] {
            assert!(client.check(&value.into()).is_err(), "{value}");
        }
    }

    #[test]
    fn a_name_is_the_remote_name_and_the_key() {
        for secret in &Catalog::all().0 {
            assert_eq!(secret.name, format!("{}/{}", secret.remote, secret.key));
        }
        assert_eq!(Catalog::of(&Wanted::default()).remotes(), REMOTES);
    }

    #[test]
    fn the_config_decides_which_secrets_a_deployment_has() {
        let names = |config: &str| Catalog::of(&Wanted::of(&Document::parse(config).unwrap())).names();
        let usual = "rds/username, rds/password, app/oauth_client_secret";
        for tag in ["3.0.0", "latest", "sha256:4.0", "4a5b6c"] {
            let config = format!(r#"{{"config":{{"ecs":{{"task":{{"app":{{"docker_tag":"{tag}"}}}}}}}}}}"#);
            assert_eq!(names(&config), usual, "{tag}");
        }
        let all = r#"{"config":{"app":{"version":"4.0.10","extra_secrets":["MAIL_PASSWORD"]},
            "ecs":{"task":{"app":{"docker_tag":"0123abc"},"elasticsearch":{"authentication":true}}}}}"#;
        let more = "app/session_token_secret, elasticsearch/password, extra/MAIL_PASSWORD";
        assert_eq!(names(all), format!("{usual}, {more}"));
    }

    #[test]
    fn a_session_secret_is_base64_of_32_bytes_or_more() {
        let all = Catalog::all();
        let session = all.find("app/session_token_secret").unwrap();
        for (value, good) in [
            (STANDARD.encode([7; 32]), true),
            (STANDARD.encode([7; 64]), true),
            (STANDARD.encode([7; 31]), false),
            ("not base64!".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(session.check(&value.as_str().into()).is_ok(), good, "{value}");
        }
    }
}
