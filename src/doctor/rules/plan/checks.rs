//! What Terraform itself reports in the plan: failed conditions, and resources that were deleted outside of it.

use super::names::list;
use crate::doctor::planned::{Action, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Terraform's own findings.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN024",
            name: "check-failed",
            severity: Severity::Warning,
            summary: "A condition in the Terraform directory failed",
            explain: include_str!("../../../../docs/rules/PLAN024.md"),
        },
        run: failed_checks,
    },
    Check {
        rule: Rule {
            code: "PLAN025",
            name: "vanished-outside-terraform",
            severity: Severity::Warning,
            summary: "A resource was deleted outside of Terraform",
            explain: include_str!("../../../../docs/rules/PLAN025.md"),
        },
        run: vanished,
    },
];

fn failed_checks(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    let checks = plan.document["checks"].as_array().into_iter().flatten();
    for (index, check) in checks.enumerate() {
        let address = check["address"]["to_display"].as_str().unwrap_or("a check");
        let instances = check["instances"].as_array().into_iter().flatten();
        let problems = instances.flat_map(|one| one["problems"].as_array().into_iter().flatten());
        let problems: Vec<_> = problems.filter_map(|one| one["message"].as_str()).collect();
        match check["status"].as_str() {
            Some("pass") => {}
            Some("fail") => {
                let what = if problems.is_empty() {
                    "its condition is false".to_owned()
                } else {
                    problems.join("; ")
                };
                sink.value(format!("/checks/{index}"), format!("{address}: {what}"));
            }
            Some("error") => undecided.push(format!("{address} (Terraform met an error in it)")),
            Some("unknown") => undecided.push(format!("{address} (known only after apply)")),
            other => undecided.push(format!("{address} (status {})", other.unwrap_or("missing"))),
        }
    }
    if !undecided.is_empty() {
        sink.unknown(format!("Terraform did not decide {}", list(&undecided)));
    }
}

fn vanished(plan: &Planned, sink: &mut Sink<'_>) {
    for drift in plan.drift.iter().filter(|drift| !drift.is_data && drift.action == Action::Delete) {
        let again = plan.changes.iter().any(|change| change.address == drift.address && change.creates());
        let help = if again {
            "find out who deleted it; this plan creates it again, empty"
        } else {
            "find out who deleted it"
        };
        sink.value(drift.at_actions(), format!("{} was deleted outside of Terraform", drift.address))
            .help(help);
    }
    let odd = plan.drift.iter().filter(|drift| drift.action == Action::Unknown);
    let odd: Vec<String> = odd.map(|drift| drift.address.clone()).collect();
    if !odd.is_empty() {
        sink.unknown(format!("what happened outside of Terraform to {} is not known", list(&odd)));
    }
}
