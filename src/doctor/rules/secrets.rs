//! Secrets in the config, recognised by the key's name or by the value itself, and never printed.

use super::content::leaves;
use crate::doctor::keys;
use crate::doctor::subject::Subject;
use crate::document::{Kind, Node, join};
use crate::finding::{Check, Rule, Severity, Sink};
use crate::sensitive;

/// Secrets.
pub const CHECKS: &[Check<Subject>] = &[Check {
    rule: Rule {
        code: "SEC001",
        name: "secret-in-config",
        severity: Severity::Error,
        summary: "A secret is in the config",
        explain: include_str!("../../../docs/rules/SEC001.md"),
    },
    run: secrets,
}];

const INSTEAD: &str = "remove it, store it with `osmt-secrets set`, and change it, because it was in a file";

fn secrets(subject: &Subject, sink: &mut Sink<'_>) {
    named(subject.document.root(), "", sink);
    leaves(subject.document.root(), "", "", &mut |at, key, node| {
        let Kind::String(text) = &node.kind else {
            return;
        };
        let Some(what) = secret(text, at) else { return };
        if at.split('/').any(is_secret_name) {
            return;
        }
        let message = format!("the value of `{key}` looks like {what}");
        if keys::is_key(at) {
            sink.value(at, message).help(INSTEAD).masked();
        } else {
            sink.key(at, message).help(INSTEAD).masked();
        }
    });
}

/// Reports keys that name a secret, each once for all values below it.
fn named(node: &Node, pointer: &str, sink: &mut Sink<'_>) {
    let Kind::Object(members) = &node.kind else {
        return;
    };
    for member in members {
        let here = join(pointer, &member.key);
        let has_value = match &member.node.kind {
            Kind::String(text) => !text.is_empty(),
            Kind::Object(members) => !members.is_empty(),
            Kind::Array(items) => !items.is_empty(),
            Kind::Number(_) => true,
            Kind::Bool(_) | Kind::Null => false,
        };
        if has_value && is_secret_name(&member.key) && !keys::is_key(&here) {
            sink.key(here, format!("`{}` is a secret; this file must not contain secrets", member.key))
                .help(INSTEAD)
                .masked();
        } else {
            named(&member.node, &here, sink);
        }
    }
}

/// Whether a key names a secret; a misspelt `secrets_revision` does not.
fn is_secret_name(key: &str) -> bool {
    sensitive::names_secret(key) && keys::similar(key, ["secrets_revision"].into_iter()).is_none()
}

/// The kind of secret that a value looks like.
fn secret(text: &str, at: &str) -> Option<&'static str> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    // The form of a client secret of Microsoft Entra ID.
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
    if let Some(what) = sensitive::looks_secret(text) {
        Some(what)
    } else if sensitive::has_login(text) {
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
    fn secrets_are_distinguished_from_values() {
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
            is_secret_name("db_password")
                && is_secret_name("aws_access_key_id")
                && !is_secret_name("secret_revision")
        );
    }
}
