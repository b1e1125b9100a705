//! Secrets that stand in the config: told by their key's name or by their looks, and never printed.

use super::content::leaves;
use crate::doctor::schema;
use crate::doctor::subject::Subject;
use crate::document::{Kind, Node, join};
use crate::finding::{Check, Rule, Severity, Sink};

/// Secrets.
pub const CHECKS: &[Check<Subject>] = &[Check {
    rule: Rule {
        code: "SEC001",
        name: "secret-in-config",
        severity: Severity::Error,
        summary: "A secret stands in the config",
        explain: include_str!("../../../docs/rules/SEC001.md"),
    },
    run: secrets,
}];

const INSTEAD: &str = "remove it, keep it with `osmt-secrets set`, and change it: it was in a file";

fn secrets(subject: &Subject, sink: &mut Sink<'_>) {
    named(subject.document.root(), "", sink);
    leaves(subject.document.root(), "", "", &mut |at, key, node| {
        let Kind::String(text) = &node.kind else {
            return;
        };
        let Some(what) = secret(text, at) else { return };
        if at.split('/').any(sounds_secret) {
            return;
        }
        let message = format!("the value of `{key}` looks like {what}");
        if schema::knows(at) {
            sink.value(at, message).help(INSTEAD).masked();
        } else {
            sink.key(at, message).help(INSTEAD).masked();
        }
    });
}

/// Keys that sound like a secret; what is below one is told with it.
fn named(node: &Node, pointer: &str, sink: &mut Sink<'_>) {
    let Kind::Object(members) = &node.kind else {
        return;
    };
    for member in members {
        let here = join(pointer, &member.key);
        let holds = match &member.node.kind {
            Kind::String(text) => !text.is_empty(),
            Kind::Object(members) => !members.is_empty(),
            Kind::Array(items) => !items.is_empty(),
            Kind::Number(_) => member.key.to_lowercase().contains("pass"),
            Kind::Bool(_) | Kind::Null => false,
        };
        if holds && sounds_secret(&member.key) && !schema::knows(&here) {
            sink.key(here, format!("`{}` is a secret, and this file is no place for one", member.key))
                .help(INSTEAD)
                .masked();
        } else {
            named(&member.node, &here, sink);
        }
    }
}

fn sounds_secret(key: &str) -> bool {
    let plain = key.to_lowercase().replace(['_', '-', ' ', '.'], "");
    let words = [
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "token",
        "privatekey",
        "apikey",
        "accesskey",
        "credential",
        "dburi",
        "connectionstring",
        "keypem",
    ];
    let only_points = ["arn", "name", "id", "revision"];
    words.iter().any(|word| plain.contains(word))
        && !only_points.iter().any(|end| plain.ends_with(end) && !plain.ends_with("keyid"))
        && schema::similar(key, ["secrets_revision"].into_iter()).is_none()
}

/// What kind of secret a value looks like.
fn secret(text: &str, at: &str) -> Option<&'static str> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let prefixed = |prefixes: &[&str]| {
        prefixes.iter().any(|prefix| {
            text.strip_prefix(prefix).is_some_and(|rest| rest.len() >= 16 && rest.bytes().all(word))
        })
    };
    let access_key = text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        part.len() == 20
            && (part.starts_with("AKIA") || part.starts_with("ASIA"))
            && !part.bytes().any(|byte| byte.is_ascii_lowercase())
    });
    let with_password = || {
        let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (before, host) = authority.split_once('@')?;
        let (user, password) = before.split_once(':')?;
        let plain = !host.is_empty() && !user.is_empty() && !password.is_empty();
        (plain && !before.contains('/') && host.contains(['.', ':']) && !password.starts_with("sha256"))
            .then_some(())
    };
    let azure = || {
        let bytes = text.as_bytes();
        (34..=44).contains(&bytes.len()) && bytes[3].is_ascii_digit() && bytes[4..].starts_with(b"Q~")
    };
    let long = at.starts_with("/config/app/oauth/")
        && text.len() >= 40
        && text.split(['-', '_']).any(|run| run.len() >= 20)
        && text.bytes().all(word)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let generated = text.len() == 40
        && text.contains(['/', '+'])
        && !text.contains([':', '.'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+'))
        && text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_digit());
    if text.contains("-----BEGIN") && text.contains("KEY") {
        Some("a private key")
    } else if access_key {
        Some("an AWS access key")
    } else if text.starts_with("eyJ") && text.matches('.').count() >= 2 {
        Some("a JSON web token")
    } else if prefixed(&[
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
    ]) {
        Some("an API token")
    } else if with_password().is_some() {
        Some("an address with a password in it")
    } else if azure() || long {
        Some("a client secret")
    } else if generated {
        Some("an AWS secret access key")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_values() {
        let at = "/config/app/oauth/client_id";
        assert!(secret("AKIAIOSFODNN7QWERTY2", at).is_some());
        assert!(secret("mysql://root:hunter2@db.college.edu/osmt_db", at).is_some());
        assert!(secret("eyJhbGciOi.eyJzdWIiOi.c2ln", at).is_some());
        for fine in [
            "4c82e7a0-d159-4b36-97fe-68a1c3b05d2e",
            "https://sso.moorgate.ac.uk/realms/a",
            "osmt",
            "api://default",
        ] {
            assert_eq!(secret(fine, at), None, "{fine}");
        }
        assert!(
            sounds_secret("db_password")
                && sounds_secret("aws_access_key_id")
                && !sounds_secret("secret_revision")
        );
    }
}
