//! The environment's name, the log retention and the secrets revision.

use crate::config::is_env;
use crate::doctor::subject::Subject;
use crate::finding::{Check, Rule, Severity, Sink};

const ENV: &str = "/config/env";
const LOGS: &str = "/config/log_retention_days";
const REVISION: &str = "/config/secrets_revision";

/// The retention periods of CloudWatch Logs in days; 0 keeps logs for ever. Source: `PutRetentionPolicy`.
const RETENTIONS: [i64; 23] = [
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
    3653,
];

/// Names and numbers.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "NAM001",
            name: "malformed-env",
            severity: Severity::Error,
            summary: "The environment's name cannot be part of the names of AWS resources",
            explain: include_str!("../../../docs/rules/NAM001.md"),
        },
        run: env,
    },
    Check {
        rule: Rule {
            code: "LOG001",
            name: "unknown-log-retention",
            severity: Severity::Error,
            summary: "CloudWatch Logs does not support this retention",
            explain: include_str!("../../../docs/rules/LOG001.md"),
        },
        run: logs,
    },
    Check {
        rule: Rule {
            code: "LOG002",
            name: "logs-kept-for-ever",
            severity: Severity::Note,
            summary: "Logs are never deleted",
            explain: include_str!("../../../docs/rules/LOG002.md"),
        },
        run: logs_for_ever,
    },
    Check {
        rule: Rule {
            code: "REV001",
            name: "revision-out-of-range",
            severity: Severity::Error,
            summary: "The secrets revision is less than 1 or too large",
            explain: include_str!("../../../docs/rules/REV001.md"),
        },
        run: revision,
    },
];

fn env(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(ENV) else {
        return;
    };
    if is_env(text) {
        return;
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let what = if let Some(wrong) = text.chars().find(|c| !allowed(*c)) {
        if wrong.is_ascii_uppercase() {
            "has upper case".to_owned()
        } else {
            format!("has the character `{wrong}`")
        }
    } else if text.len() < 2 || text.len() > 16 {
        format!("has {} characters, not 2 to 16", text.len())
    } else if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        "does not start with a letter".to_owned()
    } else if text.ends_with('-') {
        "ends with a hyphen".to_owned()
    } else {
        "has two hyphens in a row".to_owned()
    };
    let plain = text.to_lowercase().replace(['_', ' ', '.'], "-");
    let plain = plain.trim_matches('-');
    let help = if is_env(plain) {
        format!("write {plain}")
    } else {
        "use 2 to 16 lower-case letters, digits and single hyphens, a letter first".to_owned()
    };
    sink.value(ENV, format!("environment name {text} {what}")).help(help);
}

fn logs(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(days) = subject.number(LOGS).filter(|days| !RETENTIONS.contains(days)) else {
        return;
    };
    let below = RETENTIONS[1..].iter().rev().find(|known| **known < days);
    let above = RETENTIONS[1..].iter().find(|known| **known > days);
    let help = match (below, above) {
        (Some(below), Some(above)) => format!("write {below} or {above}"),
        (Some(below), None) => format!("write {below}, the longest retention, or 0 for ever"),
        _ => "write one of 1, 3, 5, 7, 14, 30, 60, 90, …".to_owned(),
    };
    sink.value(LOGS, format!("CloudWatch Logs does not support a retention of {days} days")).help(help);
}

fn logs_for_ever(subject: &Subject, sink: &mut Sink<'_>) {
    if subject.number(LOGS) == Some(0) {
        sink.value(LOGS, "0 keeps the logs for ever").help("write 365 to keep them for a year");
    }
}

fn revision(subject: &Subject, sink: &mut Sink<'_>) {
    match subject.number(REVISION) {
        Some(number) if number < 1 => {
            sink.value(REVISION, format!("revision {number}: revisions count from 1"))
                .help("write 1, or leave the key out");
        }
        Some(number) if number > i64::from(i32::MAX) => {
            sink.value(REVISION, format!("revision {number} is larger than the Terraform provider supports"))
                .help("count from 1: each rotation adds one");
        }
        _ => {}
    }
}
