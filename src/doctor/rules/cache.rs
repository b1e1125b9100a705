//! The cache: ElastiCache for Redis.

use crate::doctor::class;
use crate::doctor::class::Offer;
use crate::doctor::subject::Subject;
use crate::finding::{Check, Place, Remedy, Rule, Severity, Sink};

const VERSION: &str = "/config/elasticache/engine_version";
const GROUP: &str = "/config/elasticache/parameter_group_name";
const NODE: &str = "/config/elasticache/node_type";

/// The node types of ElastiCache.
pub(crate) const NODES: Offer = Offer {
    prefix: "cache",
    other: "db",
    families: &[
        "t2", "t3", "t4g", "m4", "m5", "m6g", "m7g", "m8g", "r4", "r5", "r6g", "r6gd", "r7g", "r8g", "c7gn",
    ],
    retired: &["t1", "m1", "m2", "m3", "c1", "r3"],
    example: "cache.t4g.small",
};

/// The families that AWS has groups for, without `default.`.
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
            summary: "The parameter group is not the Redis version's",
            explain: include_str!("../../../docs/rules/RED002.md"),
        },
        run: group,
    },
    Check {
        rule: Rule {
            code: "RED003",
            name: "unknown-node-type",
            severity: Severity::Error,
            summary: "ElastiCache has no such node type",
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

/// The family that belongs to a version, or why there is none.
fn family(version: &str) -> Result<&'static str, String> {
    let parts: Vec<&str> = version.split('.').collect();
    match parts[..] {
        ["7", "0" | "1"] => Ok("redis7"),
        ["6", "x" | "0" | "2"] => Ok("redis6.x"),
        ["5", "0", "0" | "3" | "4" | "5" | "6"] => Ok("redis5.0"),
        ["4", "0", "10"] => Ok("redis4.0"),
        ["7" | "6", "x" | "0" | "1" | "2", _] => Err("is too exact: ElastiCache wants two numbers".into()),
        ["7", "x"] | ["7"] => Err("is no version: from 7 on two numbers are wanted".into()),
        ["6" | "5" | "4" | "3"] => Err("is no version".into()),
        ["7", "2"] | ["8" | "9", ..] => Err("is a version of Valkey, and the engine here is Redis".into()),
        ["1", ..] => Err("is a version of Memcached".into()),
        ["2" | "3", ..] => Err("is too old: AWS no longer creates it".into()),
        _ if version.to_lowercase().contains("valkey") => {
            Err("is Valkey, and the engine here is Redis".into())
        }
        _ => Err("is no version of Redis that ElastiCache has".into()),
    }
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

/// Why a parameter group does not go with a version (and its family), where that is known.
fn group_fault(group: &str, version: Option<(&str, &str)>) -> Option<String> {
    const ENGINES: [&str; 7] = ["redis", "valkey", "memcached", "mysql", "mariadb", "postgres", "aurora"];
    let lower = group.to_lowercase();
    let (first, rest) = lower.split_once('.').unwrap_or((&lower, ""));
    let family_like = |text: &str| {
        ENGINES.iter().any(|engine| {
            text.strip_prefix(engine).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    if group.starts_with("default.") {
        let plain = rest.strip_suffix(".cluster.on").unwrap_or(rest);
        if group != lower || !FAMILIES.contains(&plain) {
            return Some(format!("AWS has no parameter group {group}"));
        }
        if plain != rest {
            return Some(format!("{group} turns cluster mode on, which OSMT's client does not speak"));
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
    if let Some((message, help)) = subject.text(NODE).and_then(|text| class::fault(text, &NODES)) {
        sink.value(NODE, message).remedy(help);
    }
}

fn old(subject: &Subject, sink: &mut Sink<'_>) {
    let old = |text: &&str| matches!(family(text), Ok("redis5.0" | "redis4.0"));
    if let Some(text) = subject.text(VERSION).filter(old) {
        sink.value(VERSION, format!("Redis {text} has left standard support"))
            .help("write 7.1, with default.redis7");
    }
}
