//! What RDS and ElastiCache offer in the config's region.

use super::Audit;
use super::state::fact;
use crate::account::Known;
use crate::account::services::{DATABASE_PARAMETERS, Services};
use crate::finding::{Check, Rule, Severity, Sink};

const FAMILY: &str = "/config/rds/parameter_group_family";
const VERSION: &str = "/config/rds/engine_version";
const CLASS: &str = "/config/rds/instance_class";
const CACHE_VERSION: &str = "/config/elasticache/engine_version";
const NODE: &str = "/config/elasticache/node_type";

/// Versions, classes, node types and parameters.
pub(super) const CHECKS: &[Check<Audit>] = &[
    Check {
        rule: Rule {
            code: "OFF001",
            name: "database-parameter-refused",
            severity: Severity::Error,
            summary: "RDS does not allow a parameter that Terraform sets",
            explain: include_str!("../../../../docs/rules/OFF001.md"),
        },
        run: parameters,
    },
    Check {
        rule: Rule {
            code: "OFF002",
            name: "database-version-not-offered",
            severity: Severity::Error,
            summary: "RDS does not offer this version of MySQL, or has deprecated it",
            explain: include_str!("../../../../docs/rules/OFF002.md"),
        },
        run: database_version,
    },
    Check {
        rule: Rule {
            code: "OFF003",
            name: "database-class-not-orderable",
            severity: Severity::Error,
            summary: "The database class cannot be ordered for this version in the config's zones",
            explain: include_str!("../../../../docs/rules/OFF003.md"),
        },
        run: database_class,
    },
    Check {
        rule: Rule {
            code: "OFF004",
            name: "cache-version-not-offered",
            severity: Severity::Error,
            summary: "ElastiCache does not offer this version of Redis",
            explain: include_str!("../../../../docs/rules/OFF004.md"),
        },
        run: cache_version,
    },
    Check {
        rule: Rule {
            code: "OFF005",
            name: "cache-node-not-listed",
            severity: Severity::Warning,
            summary: "ElastiCache lists no reserved nodes of this type in the region",
            explain: include_str!("../../../../docs/rules/OFF005.md"),
        },
        run: cache_node,
    },
];

/// One fact about the services, if it is known and of the config's region.
pub(super) fn offered<'a, T>(
    audit: &'a Audit,
    sink: &mut Sink<'_>,
    of: impl Fn(&'a Services) -> &'a Known<T>,
) -> Option<&'a T> {
    let services = fact(&audit.facts.services, sink).ok()?;
    if audit.facts.region != audit.config.region {
        sink.unknown("the facts are of another region");
        return None;
    }
    fact(of(services), sink).ok()
}

/// Whether a version is the wanted one or belongs to it: `8.4.6` belongs to `8.4`.
fn belongs_to(version: &str, wanted: &str) -> bool {
    version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn parameters(audit: &Audit, sink: &mut Sink<'_>) {
    let family = &audit.config.rds.parameter_group_family;
    let Some(found) = offered(audit, sink, |services| &services.database_parameters) else {
        return;
    };
    if found.family != *family {
        return sink.unknown(format!("the facts are about {}; record them again", found.family));
    }
    let mut wrong = Vec::new();
    let mut of_characters = false;
    for (name, value) in DATABASE_PARAMETERS {
        let fault = match found.parameters.get(name) {
            None => format!("{family} has no parameter {name}"),
            Some(parameter) if !parameter.modifiable => format!("{name} cannot be changed"),
            Some(parameter) if !parameter.allows(value) => format!("{name} cannot be {value}"),
            Some(_) => continue,
        };
        of_characters |= name.starts_with("character_set") || name.starts_with("collation");
        wrong.push(fault);
    }
    if !wrong.is_empty() {
        let help = if of_characters {
            "set `operations.database_character_set` to \"utf8\", or to \"default\" to leave it to RDS"
        } else {
            "write the family of a version that the stack supports: mysql8.4 or mysql8.0"
        };
        sink.value(FAMILY, format!("RDS refuses parameters that Terraform sets: {}", wrong.join(", ")))
            .help(help);
    }
}

fn database_version(audit: &Audit, sink: &mut Sink<'_>) {
    let wanted = &audit.config.rds.engine_version;
    let Some(versions) = offered(audit, sink, |services| &services.database_versions) else {
        return;
    };
    let line: String = wanted.split('.').take(2).collect::<Vec<_>>().join(".");
    let available: Vec<&str> = versions
        .iter()
        .filter(|one| one.status != "deprecated" && belongs_to(&one.version, &line))
        .map(|one| one.version.as_str())
        .collect();
    let help = || match available.last() {
        Some(newest) => format!("use {line}, or the version {newest}"),
        None => format!("RDS offers no version of MySQL {line} here"),
    };
    if available.iter().any(|version| belongs_to(version, wanted)) {
        return;
    }
    if versions.iter().any(|one| belongs_to(&one.version, wanted)) {
        sink.value(VERSION, format!("RDS has deprecated MySQL {wanted}"))
            .severity(Severity::Warning)
            .help(help());
    } else {
        sink.value(VERSION, format!("RDS does not offer MySQL {wanted}")).help(help());
    }
}

fn database_class(audit: &Audit, sink: &mut Sink<'_>) {
    let rds = &audit.config.rds;
    let Some(found) = offered(audit, sink, |services| &services.database_class) else {
        return;
    };
    if found.class != rds.instance_class {
        return sink.unknown(format!("the facts are about {}; record them again", found.class));
    }
    let of_version: Vec<_> =
        found.zones.iter().filter(|(version, _)| belongs_to(version, &rds.engine_version)).collect();
    if of_version.is_empty() {
        let message = format!("{} cannot be ordered with MySQL {}", rds.instance_class, rds.engine_version);
        sink.value(CLASS, message).help("choose another class or version");
        return;
    }
    let serves = |zone: &String| of_version.iter().any(|(_, zones)| zones.contains(zone));
    let without: Vec<&str> =
        audit.config.vpc.azs.iter().filter(|zone| !serves(zone)).map(String::as_str).collect();
    let with = audit.config.vpc.azs.len() - without.len();
    let enough = if rds.multi_az { 2 } else { 1 };
    if with < enough {
        let message = format!("{} cannot be ordered in {}", rds.instance_class, without.join(", "));
        sink.value(CLASS, message).help("choose another class, or other zones");
    }
}

fn cache_version(audit: &Audit, sink: &mut Sink<'_>) {
    let wanted = &audit.config.elasticache.engine_version;
    let Some(versions) = offered(audit, sink, |services| &services.cache_versions) else {
        return;
    };
    // `6.x` means the newest version of a line.
    let line = wanted.trim_end_matches(".x");
    if !versions.iter().any(|one| belongs_to(&one.version, line)) {
        let others: Vec<&str> = versions.iter().map(|one| one.version.as_str()).collect();
        sink.value(CACHE_VERSION, format!("ElastiCache does not offer Redis {wanted}"))
            .help(format!("offered: {}", others.join(", ")));
    }
}

fn cache_node(audit: &Audit, sink: &mut Sink<'_>) {
    let wanted = &audit.config.elasticache.node_type;
    let Some(found) = offered(audit, sink, |services| &services.cache_node) else {
        return;
    };
    if found.node_type != *wanted {
        sink.unknown(format!("the facts are about {}; record them again", found.node_type));
    } else if !found.listed {
        sink.value(NODE, format!("AWS lists no reserved nodes of {wanted} in this region"))
            .help("the region may not have this type: choose another one, or look it up in ElastiCache's price list");
    }
}
