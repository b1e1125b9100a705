//! Recognises names of secrets and texts that contain one, for rules, excerpts, diffs and messages.
//!
//! Pure. A name is split into words, so `DB_PASS`, `dbPass`, `db-pass` and `-Ddb.pass` are treated the same.

/// Words that mean a secret at any position in a name.
const ANYWHERE: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "credential",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "signingkey",
    "dburi",
    "connectionstring",
    "keypem",
];

/// Words that mean a secret at the end of a name: `pass` does in `DB_PASS`, but not in `pass_through`.
const AT_THE_END: &[&str] = &["pass", "pwd", "pw", "dsn", "creds", "cred", "psk", "jwt", "otp", "pin"];

/// Words that form a name of a secret with a following `pass`: `dbpass`, but not `bypass`.
const BEFORE_PASS: &[&str] =
    &["db", "user", "root", "admin", "my", "mysql", "redis", "es", "elastic", "smtp", "mail", "app", "osmt"];

/// Last words of names of properties of a secret: the value is a name, an address, a number or a switch.
const PROPERTIES: &[&str] = &[
    "age",
    "alias",
    "arn",
    "arns",
    "audience",
    "claim",
    "count",
    "created",
    "date",
    "days",
    "description",
    "duration",
    "email",
    "enable",
    "enabled",
    "endpoint",
    "expiration",
    "expires",
    "expiry",
    "field",
    "file",
    "format",
    "header",
    "hint",
    "hours",
    "id",
    "ids",
    "issuer",
    "label",
    "length",
    "lifetime",
    "limit",
    "location",
    "manager",
    "max",
    "method",
    "min",
    "minutes",
    "mode",
    "name",
    "names",
    "parameter",
    "path",
    "policies",
    "policy",
    "prefix",
    "recovery",
    "ref",
    "reference",
    "region",
    "required",
    "revision",
    "revisions",
    "rotated",
    "rotation",
    "scope",
    "seconds",
    "stage",
    "stages",
    "status",
    "strategy",
    "suffix",
    "timeout",
    "ttl",
    "type",
    "unit",
    "units",
    "uri",
    "url",
    "user",
    "username",
    "host",
    "port",
    "engine",
    "database",
    "validity",
    "version",
    "versions",
    "window",
    "wo",
];

/// Whether a setting with this name is a secret: `db_pass`, `clientSecret`, `MYSQL_PWD`, `-Ddb.password`.
///
/// A property of a secret is not: `token_url`, `password_policy`, `secret_arn`.
pub fn names_secret(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else {
        return false;
    };
    let compact: String = words.concat();
    // The id of an access key is not secret, but it is usually next to the secret part.
    if compact.ends_with("accesskeyid") || compact.ends_with("dburi") {
        return true;
    }
    if PROPERTIES.contains(&last.as_str()) {
        return false;
    }
    // AWS's names for a token that makes a call idempotent; EFS keeps one as an attribute.
    if ["creationtoken", "clientrequesttoken", "idempotencytoken"].contains(&compact.as_str()) {
        return false;
    }
    let joined = |word: &str| {
        word.ends_with("pwd") || word.strip_suffix("pass").is_some_and(|owner| BEFORE_PASS.contains(&owner))
    };
    let inside = |word: &str| {
        // `secretsmanager` and `tokenizer` process secrets and are not secrets.
        let is_processor = word.starts_with("secretsmanager") || word.starts_with("tokeniz");
        !is_processor && ANYWHERE.iter().any(|secret| word.contains(secret))
    };
    let pairs = words.windows(2).any(|pair| ANYWHERE.contains(&pair.concat().as_str()));
    AT_THE_END.contains(&last.as_str()) || joined(last) || pairs || words.iter().any(|word| inside(word))
}

/// The words of a name, in lower case: `DBPassword` is `db`, `password`. Digits at the end of a word are left out.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (index, char) in chars.iter().enumerate() {
        let next_is_lower = chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let after_lower = index > 0 && chars[index - 1].is_ascii_lowercase();
        let after_upper = index > 0 && chars[index - 1].is_ascii_uppercase();
        let begins = char.is_ascii_uppercase() && (after_lower || (after_upper && next_is_lower));
        if begins || !char.is_alphanumeric() {
            words.push(String::new());
        }
        if char.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(char.to_lowercase());
        }
    }
    let bare = |word: &String| word.trim_end_matches(|char: char| char.is_ascii_digit()).to_owned();
    let mut words: Vec<String> = words.iter().map(bare).filter(|word| !word.is_empty()).collect();
    // In `-Ddb.password`, `-D` is Java's flag.
    if name.starts_with("-D")
        && let Some(first) = words.first_mut()
        && let Some(rest) = first.strip_prefix('d')
    {
        *first = rest.to_owned();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a text only refers to a secret: an ARN, a name in Secrets Manager or Parameter Store, a URL without a login, or a
/// template expression.
pub fn is_reference(text: &str) -> bool {
    let text = text.trim();
    let starts = ["arn:", "osmt/", "/", "{{resolve:", "$", "ssm:", "vault:", "secretsmanager:"];
    let address = text.starts_with("http://") || text.starts_with("https://");
    (starts.iter().any(|start| text.starts_with(start)) && !text.contains(char::is_whitespace))
        || address && !has_login(text) && assigned(text).is_none()
}

/// Whether a text contains `user:password@host`, with or without a scheme.
pub fn has_login(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'')).any(|part| {
        let (scheme, rest) =
            part.split_once("://").map_or((None, part), |(scheme, rest)| (Some(scheme), rest));
        let Some((login, host)) = rest.split_once('@') else {
            return false;
        };
        let Some((user, password)) = login.split_once(':') else {
            return false;
        };
        // `mailto:` and similar schemes are followed by an address, and the `@` after an image's tag by a digest.
        let mailbox = scheme.is_none() && ["mailto", "sip", "sips", "acct", "xmpp", "urn"].contains(&user);
        let plain = !user.is_empty() && !password.is_empty() && !host.is_empty() && !login.contains('/');
        plain && !mailbox && !host.starts_with("sha256:") && !password.starts_with(['$', '<', '{'])
    })
}

/// The first name of a secret that a command line, a list of properties or a query sets: `-Ddb.password=x`, `--password x`,
/// `?token=x`.
pub fn assigned(text: &str) -> Option<&str> {
    let parts: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, '&' | '?' | ';' | ',' | '"' | '\''))
        .filter(|part| !part.is_empty())
        .collect();
    for (index, part) in parts.iter().enumerate() {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None if part.starts_with("--") => (*part, parts.get(index + 1).copied()),
            None => continue,
        };
        let value =
            value.filter(|value| !value.is_empty() && !value.starts_with('-') && !is_reference(value));
        if value.is_some_and(|value| !matches!(value, "true" | "false")) && names_secret(name) {
            return Some(name);
        }
    }
    None
}

/// The kind of secret that a text is, recognised by its form.
pub fn looks_secret(text: &str) -> Option<&'static str> {
    const PREFIXES: [&str; 11] = [
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "sk_live_",
        "sk-",
        "AIza",
        "GOCSPX-",
        "dckr_pat_",
    ];
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let prefixed = PREFIXES.iter().any(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.len() >= 16 && rest.bytes().all(word))
    });
    let access_key = text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        part.len() == 20
            && (part.starts_with("AKIA") || part.starts_with("ASIA"))
            && !part.bytes().any(|byte| byte.is_ascii_lowercase())
    });
    if text.contains("-----BEGIN") && text.contains("PRIVATE KEY") || text.contains("-----BEGIN KEY") {
        Some("a private key")
    } else if access_key {
        Some("an AWS access key")
    } else if text.starts_with("eyJ") && text.matches('.').count() >= 2 {
        Some("a JSON web token")
    } else if prefixed {
        Some("an API token")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in [
            "password",
            "db_pass",
            "DB_PASS",
            "pass",
            "dsn",
            "SENTRY_DSN",
            "pwd",
            "MYSQL_PWD",
            "mysqlpwd",
            "passphrase",
            "dbPassword",
            "DBPassword",
            "clientSecret",
            "OAUTH_CLIENTSECRET",
            "-Ddb.password",
            "db-pass",
            "dbpass",
            "password2",
            "passwords",
            "api_key",
            "ApiKey",
            "private_key_pem",
            "auth_token",
            "aws_access_key_id",
            "AWS_SECRET_ACCESS_KEY",
            "DB_URI",
            "connection_string",
            "credentials",
            "secret_string",
            "secret",
        ] {
            assert!(names_secret(name), "{name}");
        }
    }

    #[test]
    fn names_of_properties_of_a_secret_are_not_recognised() {
        for name in [
            "token_url",
            "password_policy",
            "secret_arn",
            "secret_name",
            "secrets_revision",
            "secret_id",
            "password_wo_version",
            "auth_token_update_strategy",
            "creation_token",
            "credentialsParameter",
            "token_endpoint",
            "passed",
            "compass",
            "bypass",
            "pass_through",
            "tokenizer",
            "secretsmanager",
            "secret_status",
            "password_length",
            "id",
            "",
            "_",
            "kms_key",
            "recovery_window_in_days",
            "TOKEN_TTL",
            "db_name",
            "desired_count",
        ] {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn logins_and_assignments_are_found_in_texts() {
        assert!(has_login("mysql://root:hunter2@db.college.edu/osmt_db"));
        assert!(has_login("osmt:hunter2@db:3306") && has_login("a=b jdbc:x://u:p@h"));
        for fine in [
            "mailto:ops@college.edu",
            "osmt-app:3.0.0@sha256:abc",
            "docker.io/a/b:1@sha256:abc",
            "ops@college.edu",
            "https://college.edu/a:b@c",
            "https://${USER}:${PASS}@host",
        ] {
            assert!(!has_login(fine), "{fine}");
        }
        assert_eq!(assigned("-Xmx1g -Ddb.password=hunter2"), Some("-Ddb.password"));
        assert_eq!(assigned("mysql --user osmt --password hunter2"), Some("--password"));
        assert_eq!(assigned("https://college.edu/?token=abc"), Some("token"));
        assert_eq!(assigned("-Ddb.password=$DB_PASSWORD --token-url=https://x --password"), None);
        assert!(is_reference("osmt/test/rds") && is_reference("https://college.edu/token"));
        assert!(!is_reference("hunter2") && !is_reference("https://a:b@college.edu"));
    }

    #[test]
    fn some_secrets_are_recognised_by_their_form() {
        assert!(looks_secret("AKIAIOSFODNN7QWERTY2").is_some());
        assert!(looks_secret("eyJhbGciOi.eyJzdWIiOi.c2ln").is_some());
        assert!(looks_secret("-----BEGIN RSA PRIVATE KEY-----\nabc").is_some());
        assert!(looks_secret("-----BEGIN CERTIFICATE-----").is_none());
    }
}
