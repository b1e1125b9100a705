//! The availability zones that the config names.

use super::Audit;
use super::state::fact;
use crate::account::Zone;
use crate::finding::{Check, Rule, Severity, Sink};

const AZS: &str = "/config/vpc/azs";

/// The availability zones that the config names.
pub(super) const CHECKS: &[Check<Audit>] = &[
    Check {
        rule: Rule {
            code: "AZS001",
            name: "availability-zone-missing",
            severity: Severity::Error,
            summary: "The account has no zone of this name",
            explain: include_str!("../../../../docs/rules/AZS001.md"),
        },
        run: missing,
    },
    Check {
        rule: Rule {
            code: "AZS002",
            name: "availability-zone-unfit",
            severity: Severity::Error,
            summary: "The zone is unavailable, or it is not an availability zone",
            explain: include_str!("../../../../docs/rules/AZS002.md"),
        },
        run: unfit,
    },
];

/// The account's zones, if they are those of the config's region.
fn zones<'a>(audit: &'a Audit, sink: &mut Sink<'_>) -> Option<&'a [Zone]> {
    let zones = fact(&audit.facts.zones, sink).ok()?;
    if audit.facts.region != audit.config.region {
        sink.unknown("the facts are of another region");
        return None;
    }
    Some(zones)
}

fn missing(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(zones) = zones(audit, sink) else {
        return;
    };
    for (index, name) in audit.config.vpc.azs.iter().enumerate() {
        if !zones.iter().any(|zone| zone.name == *name) {
            let message = format!("the account has no zone {name}");
            sink.value(format!("{AZS}/{index}"), message).help(others(audit, zones));
        }
    }
}

fn unfit(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(zones) = zones(audit, sink) else {
        return;
    };
    for (index, name) in audit.config.vpc.azs.iter().enumerate() {
        let zone = zones.iter().find(|zone| zone.name == *name);
        if let Some(zone) = zone.filter(|zone| !zone.is_fit()) {
            let message = if zone.state == "available" {
                format!("zone {name} is a {}", zone.kind.replace('-', " "))
            } else {
                format!("zone {name} is {}", zone.state)
            };
            sink.value(format!("{AZS}/{index}"), message).help(others(audit, zones));
        }
    }
}

fn others(audit: &Audit, zones: &[Zone]) -> String {
    let fit: Vec<&str> = zones
        .iter()
        .filter(|zone| zone.is_fit() && !audit.config.vpc.azs.contains(&zone.name))
        .map(|zone| zone.name.as_str())
        .collect();
    if fit.is_empty() {
        "the account has no other suitable zone in this region".to_owned()
    } else {
        format!("suitable zones that the config does not use: {}", fit.join(", "))
    }
}
