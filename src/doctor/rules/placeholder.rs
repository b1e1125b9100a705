//! Placeholders that were not filled in.

use super::content::{name, strings};
use crate::doctor::subject::Subject;
use crate::finding::{Check, Rule, Severity, Sink};

/// Placeholders.
pub const CHECKS: &[Check<Subject>] = &[Check {
    rule: Rule {
        code: "CFG007",
        name: "placeholder",
        severity: Severity::Error,
        summary: "A placeholder was not filled in",
        explain: include_str!("../../../docs/rules/CFG007.md"),
    },
    run: placeholders,
}];

fn placeholders(subject: &Subject, sink: &mut Sink<'_>) {
    for (at, text) in strings(subject) {
        let Some(why) = placeholder(&at, &text, subject.loopback) else {
            continue;
        };
        let help = match at.as_str() {
            "/config/account_id" => "write the account's 12 digits: `aws sts get-caller-identity` shows them",
            "/config/domain/name" => "write the host name of the app",
            "/config/domain/hosted_zone_id" => {
                "write the zone's id (`aws route53 list-hosted-zones` shows it), or `none` if another team manages the domain's DNS"
            }
            "/config/alb/certificate_arn" => "`osmt-bootstrap certificate` requests one and writes its ARN",
            at if at.starts_with("/config/app/oauth/") => {
                "write what the identity provider shows for the app"
            }
            _ => "write the real value",
        };
        sink.value(at.as_str(), format!("`{}` is still a placeholder: {why}", name(&at))).help(help);
    }
}

/// Accounts in AWS's documentation; the first one is also that of the template and of the emulator.
const ACCOUNTS: [&str; 12] = [
    "123456789012",
    "111122223333",
    "444455556666",
    "210987654321",
    "012345678901",
    "123412341234",
    "777788889999",
    "987654321098",
    "098765432109",
    "012345678910",
    "123456789123",
    "098765432101",
];

/// Why a value is a placeholder.
fn placeholder(at: &str, text: &str, loopback: bool) -> Option<&'static str> {
    let lower = text.to_lowercase();
    marked(at, &lower).or_else(|| placeholder_for_key(at, text, &lower, loopback))
}

/// Values that are placeholders under any key.
fn marked(at: &str, lower: &str) -> Option<&'static str> {
    const BRACKETS: [&str; 6] = ["<", ">", "${", "{{", "}}", "%{"];
    const WORDS: &str = " todo fixme tbd tba changeme replaceme fillme placeholder dummy insert ";
    const PAIRS: [&str; 8] =
        ["change me", "replace me", "replace with", "fill in", "to do", "set me", "insert here", "goes here"];
    let parts: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let spaced = format!(" {} ", parts.join(" "));
    // A host name may contain such a word: todo.college.edu is a real name.
    let is_host = matches!(at, "/config/domain/name" | "/config/app/oauth/issuer") && lower.contains('.');
    let words = if is_host { " changeme replaceme fillme placeholder " } else { WORDS };
    let word = |part: &&str| {
        words.contains(&format!(" {part} "))
            || part.starts_with("your") && part.len() < 16 && at != "/config/env"
    };
    if BRACKETS.iter().any(|mark| lower.contains(mark)) {
        Some("it contains brackets")
    } else if lower.contains("...") || lower.contains('…') {
        Some("it contains an ellipsis")
    } else if parts.iter().any(word) || PAIRS.iter().any(|pair| spaced.contains(&format!(" {pair} "))) {
        Some("it contains a placeholder word")
    } else if ["xxx", "###", "???", "***"].iter().any(|run| lower.contains(run))
        || matches!(lower, "x.y.z" | "x.y" | "vx.y.z")
    {
        Some("it consists of filler characters")
    } else {
        None
    }
}

/// Values that are placeholders under certain keys.
fn placeholder_for_key(at: &str, text: &str, lower: &str, loopback: bool) -> Option<&'static str> {
    const NAMES: [&str; 5] = ["client-id", "client_id", "clientid", "my-client-id", "zone-id"];
    let same = |text: &str| text.len() > 3 && text.bytes().all(|byte| byte == text.as_bytes()[0]);
    let host = lower.strip_prefix("https://").unwrap_or(lower);
    let host = host.split(['/', ':', '?']).next().unwrap_or_default();
    let reserved = [".test", ".invalid", ".localhost", ".example"];
    let template = |text: &str| text == ACCOUNTS[0];
    match at {
        "/config/env" => None,
        // DNS001 reports a value that is not a host name.
        "/config/domain/name" if host != lower => None,
        // The path of an issuer is a realm or a tenant, which may have any name.
        "/config/app/oauth/issuer" if host.contains("example") => Some("the name is reserved for examples"),
        _ if at != "/config/app/oauth/issuer" && lower.contains("example")
            || reserved.iter().any(|top| host.ends_with(top)) =>
        {
            Some("the name is reserved for examples")
        }
        "/config/account_id" if loopback && template(text) => None,
        "/config/account_id" if ACCOUNTS.contains(&text) || same(text) => {
            Some("it is an account of AWS's documentation")
        }
        "/config/domain/hosted_zone_id" | "/config/app/oauth/client_id"
            if is_sequence(lower)
                || is_pattern(lower)
                || same(lower.strip_prefix('z').unwrap_or_default())
                || NAMES.contains(&lower) =>
        {
            Some("it is an example value")
        }
        "/config/app/oauth/issuer"
            if lower.contains("dev-82064468.")
                || lower.contains("dev-12345")
                || lower.contains("dev-000") =>
        {
            Some("it is the identity provider of OSMT's instructions")
        }
        "/config/alb/certificate_arn" => {
            let id = lower.rsplit_once(":certificate/").map_or("", |(_, id)| id);
            is_pattern(id).then_some("the certificate's id is an example")
        }
        "/config/app/oauth/audience" | "/config/app/oauth/issuer"
            if lower.split(['/', ':']).any(is_pattern) =>
        {
            Some("it is an example value")
        }
        "/config/domain/name" | "/config/app/oauth/issuer" if host.split('.').any(is_placeholder_word) => {
            Some("the host's name is a placeholder")
        }
        _ if at.ends_with("docker_image")
            && ACCOUNTS.iter().any(|account| text.starts_with(account))
            && !(loopback && text.starts_with(ACCOUNTS[0])) =>
        {
            Some("its account is used in documentation")
        }
        _ => None,
    }
}

/// Whether an id is a sequence such as `abc123` or `123456789`.
fn is_sequence(id: &str) -> bool {
    const RUNS: [&str; 4] = ["a1b2c3d4", "1b2c3d4e5f", "abcdef12345", "abc123"];
    // Google's client ids, such as 912345678904-….apps.googleusercontent.com, may contain such digits after the first.
    let counted = id.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_start_matches('0');
    RUNS.iter().any(|run| id.contains(run)) || counted.starts_with("123456789")
}

/// Whether an id of hexadecimal groups is an obvious pattern.
fn is_pattern(id: &str) -> bool {
    const STARTS: [&str; 5] = ["12345678-", "01234567-", "a1b2c3d4-", "11111111-", "aaaaaaaa-"];
    let digits = id.replace('-', "");
    STARTS.iter().any(|start| id.starts_with(start))
        || digits.len() > 3 && digits.bytes().all(|byte| byte == digits.as_bytes()[0])
}

/// Whether a label of a host name is a placeholder for the real one.
fn is_placeholder_word(label: &str) -> bool {
    const LABELS: [&str; 16] = [
        "mydomain",
        "my-domain",
        "mycompany",
        "my-company",
        "myorg",
        "my-org",
        "mytenant",
        "my-tenant",
        "tenant",
        "tld",
        "foo",
        "bar",
        "foobar",
        "domain",
        "company",
        "basedomain",
    ];
    LABELS.contains(&label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_distinguished_from_values() {
        for text in
            ["osmt.example.org", "<domain>", "TODO", "change-me", "your-college.edu", "a.test", "xxxxx"]
        {
            assert!(placeholder("/config/domain/name", text, false).is_some(), "{text}");
        }
        for text in ["osmt.test.fjord.no", "osmt-test.hillcrest.edu", "testing.tbdata.org"] {
            assert_eq!(placeholder("/config/domain/name", text, false), None, "{text}");
        }
        for (at, text) in [
            ("/config/domain/name", "todo.college.edu"),
            ("/config/app/oauth/issuer", "https://sso.college.edu/realms/example"),
            ("/config/app/oauth/client_id", "912345678904-k3v9.apps.googleusercontent.com"),
            ("/config/app/oauth/client_id", "103456789871236547895"),
        ] {
            assert_eq!(placeholder(at, text, false), None, "{text}");
        }
        assert!(placeholder("/config/account_id", "123456789012", false).is_some());
        assert_eq!(placeholder("/config/account_id", "123456789012", true), None);
    }
}
