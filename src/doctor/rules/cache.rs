//! The cache: ElastiCache for Redis.

use crate::doctor::class::Wanted;
use crate::doctor::offers::Service;
use crate::doctor::subject::Subject;
use crate::doctor::{class, offers};
use crate::document::Place;
use crate::finding::{Check, Remedy, Rule, Severity, Sink};

const VERSION: &str = "/config/elasticache/engine_version";
const GROUP: &str = "/config/elasticache/parameter_group_name";
const NODE: &str = "/config/elasticache/node_type";

/// The families for which AWS has a default parameter group.
const FAMILIES: [&str; 9] =
    ["redis2.6", "redis2.8", "redis3.2", "redis4.0", "redis5.0", "redis6.x", "redis7", "valkey7", "valkey8"];

/// The cache.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "RED001",
            name: "unusable-redis-version",
            severity: Severity::Error,
            summary: "ElastiCache has no such version of Redis",
            explain: include_str!("../../../docs/rules/RED001.md"),
        },
        run: version,
    },
    Check {
        rule: Rule {
            code: "RED002",
            name: "group-against-version",
            severity: Severity::Error,
            summary: "The parameter group does not fit the Redis version",
            explain: include_str!("../../../docs/rules/RED002.md"),
        },
        run: group,
    },
    Check {
        rule: Rule {
            code: "RED003",
            name: "unknown-node-type",
            severity: Severity::Error,
            summary: "ElastiCache does not offer this node type",
            explain: include_str!("../../../docs/rules/RED003.md"),
        },
        run: node_type,
    },
    Check {
        rule: Rule {
            code: "RED004",
            name: "old-redis",
            severity: Severity::Warning,
            summary: "This version of Redis has left standard support",
            explain: include_str!("../../../docs/rules/RED004.md"),
        },
        run: old,
    },
];

/// The parameter group family of a version, or why there is none.
fn family(version: &str) -> Result<&'static str, String> {
    let parts: Vec<&str> = version.split('.').collect();
    match parts[..] {
        ["7", "0" | "1"] => Ok("redis7"),
        ["6", "x" | "0" | "2"] => Ok("redis6.x"),
        ["5", "0", _] if is_offered(version) => Ok("redis5.0"),
        ["4", "0", _] if is_offered(version) => Ok("redis4.0"),
        ["7" | "6", "x" | "0" | "1" | "2", _] => Err("has three numbers; ElastiCache takes two".into()),
        ["7", "x"] | ["7" | "6" | "5" | "4" | "3"] => {
            Err("is not a version; give major.minor, such as `7.1`".into())
        }
        ["5" | "4", "0", _] => Err("is not offered by ElastiCache".into()),
        ["7", "2"] | ["8" | "9", ..] => Err("is a version of Valkey, and the engine here is Redis".into()),
        ["1", ..] => Err("is a version of Memcached".into()),
        ["2" | "3", ..] => Err("is too old: AWS no longer creates it".into()),
        _ if version.to_lowercase().contains("valkey") => {
            Err("is Valkey, and the engine here is Redis".into())
        }
        _ => Err("is not a version of Redis that ElastiCache offers".into()),
    }
}

fn is_offered(version: &str) -> bool {
    offers::redis().any(|offered| offered == version)
}

fn version(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(VERSION) else {
        return;
    };
    if let Err(what) = family(text) {
        let help = if text.starts_with('6') { "write 6.2, or 7.1" } else { "write 7.1" };
        sink.value(VERSION, format!("Redis {text} {what}")).help(help);
    }
}

fn group(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(group) = subject.text(GROUP) else {
        return;
    };
    let version = subject.text(VERSION).and_then(|text| family(text).ok().map(|family| (text, family)));
    if let Some(message) = group_fault(group, version) {
        let wanted = version.map_or("redis7", |(_, family)| family);
        let finding = sink.value(GROUP, message);
        let default = format!("default.{wanted}");
        finding.remedy(if group.starts_with("default") && version.is_some() {
            Remedy::Write(default)
        } else {
            format!("write {default}").into()
        });
        if version.is_some() {
            finding.related(Place::value(VERSION), "the version");
        }
    }
}

/// Why a parameter group does not fit a version, which is given with its family if it is known.
fn group_fault(group: &str, version: Option<(&str, &str)>) -> Option<String> {
    const ENGINES: [&str; 7] = ["redis", "valkey", "memcached", "mysql", "mariadb", "postgres", "aurora"];
    let lower = group.to_lowercase();
    let (first, rest) = lower.split_once('.').unwrap_or((&lower, ""));
    // `redis7` and `mysql8.0`, but not a group of the user's own such as `redis7-osmt`.
    let family_like = |text: &str| {
        let text = text.strip_suffix(".cluster.on").unwrap_or(text);
        let version = |rest: &str| {
            rest.starts_with(|c: char| c.is_ascii_digit())
                && rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == 'x')
        };
        ENGINES.iter().any(|engine| text.strip_prefix(engine).is_some_and(version))
    };
    if group.starts_with("default.") {
        let plain = rest.strip_suffix(".cluster.on").unwrap_or(rest);
        if group != lower || !FAMILIES.contains(&plain) {
            return Some(format!("AWS has no parameter group {group}"));
        }
        if plain != rest {
            return Some(format!("{group} turns cluster mode on, which OSMT's client does not support"));
        }
        return version
            .filter(|(_, family)| *family != plain)
            .map(|(version, _)| format!("{group} does not fit Redis {version}"));
    }
    if family_like(&lower) {
        return Some(format!("{group} is a family, not the name of a parameter group"));
    }
    if strsim::damerau_levenshtein(first, "default") < 3 || lower.starts_with("default") {
        return Some(format!("AWS has no parameter group {group}"));
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let fits = group.starts_with(|c: char| c.is_ascii_alphabetic())
        && group.chars().all(word)
        && !group.ends_with('-')
        && !group.contains("--")
        && group.len() <= 255;
    (!fits).then(|| format!("{group} cannot be the name of a parameter group"))
}

fn node_type(subject: &Subject, sink: &mut Sink<'_>) {
    let wanted =
        Wanted { service: Service::Cache, region: subject.region().map(|region| region.name), line: None };
    let Some(text) = subject.text(NODE) else { return };
    if let Some(fault) = class::fault(text, wanted) {
        sink.value(NODE, fault.message).severity(fault.severity).remedy(fault.remedy);
    } else if text.starts_with("cache.r6gd.") {
        // Source: Amazon ElastiCache, "Data tiering in ElastiCache".
        sink.value(NODE, format!("{text} can only be created with data tiering, which is not used here"))
            .help(format!("write {}", text.replacen("r6gd", "r6g", 1)));
    }
}

fn old(subject: &Subject, sink: &mut Sink<'_>) {
    let old = |text: &&str| matches!(family(text), Ok("redis5.0" | "redis4.0"));
    if let Some(text) = subject.text(VERSION).filter(old) {
        sink.value(VERSION, format!("Redis {text} has left standard support"))
            .help("write 7.1, with default.redis7");
    }
}
