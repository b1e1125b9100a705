//! Whether the plan is whole, and is for this config, this account and this region.

use serde_json::Value;

use crate::config::Config;
use crate::doctor::planned::Planned;
use crate::document::join;
use crate::finding::{Check, Rule, Severity, Sink};

/// What the plan is for.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN020",
            name: "plan-with-errors",
            severity: Severity::Error,
            summary: "Terraform met an error while it planned",
            explain: include_str!("../../../../docs/rules/PLAN020.md"),
        },
        run: errored,
    },
    Check {
        rule: Rule {
            code: "PLAN021",
            name: "plan-for-another-account",
            severity: Severity::Error,
            summary: "The plan was made in another AWS account than the config names",
            explain: include_str!("../../../../docs/rules/PLAN021.md"),
        },
        run: other_account,
    },
    Check {
        rule: Rule {
            code: "PLAN022",
            name: "plan-for-another-region",
            severity: Severity::Error,
            summary: "The plan was made for another region than the config names",
            explain: include_str!("../../../../docs/rules/PLAN022.md"),
        },
        run: other_region,
    },
    Check {
        rule: Rule {
            code: "PLAN023",
            name: "plan-from-another-config",
            severity: Severity::Error,
            summary: "The config has changed since the plan was made",
            explain: include_str!("../../../../docs/rules/PLAN023.md"),
        },
        run: other_config,
    },
    Check {
        rule: Rule {
            code: "PLAN024",
            name: "check-failed",
            severity: Severity::Warning,
            summary: "A condition in the Terraform directory does not hold",
            explain: include_str!("../../../../docs/rules/PLAN024.md"),
        },
        run: failed_checks,
    },
    Check {
        rule: Rule {
            code: "PLAN025",
            name: "vanished-outside-terraform",
            severity: Severity::Warning,
            summary: "Something was deleted outside of Terraform",
            explain: include_str!("../../../../docs/rules/PLAN025.md"),
        },
        run: vanished,
    },
];

fn errored(plan: &Planned, sink: &mut Sink<'_>) {
    if plan.document["errored"] == Value::Bool(true) {
        sink.value("/errored", "the plan is not whole: Terraform met an error")
            .help("mend what `terraform plan` complained of, and plan again");
    }
}

fn other_account(plan: &Planned, sink: &mut Sink<'_>) {
    let Some(config) = plan.expected() else {
        return sink.unknown("neither the plan nor a config beside it names the account");
    };
    let wanted = config.account_id.as_str();
    let allowed = "/configuration/provider_config/aws/expressions/allowed_account_ids/constant_value";
    if let Some(ids) = plan.document.pointer(allowed).and_then(Value::as_array)
        && !ids.iter().any(|id| id == wanted)
    {
        let message = format!("the provider does not allow account {wanted}, which the config names");
        sink.value(allowed, message).help("render main.tf again with `osmt-bootstrap init`, and plan again");
    }
    for (kind, address, values) in plan.prior() {
        let there = match kind {
            "aws_caller_identity" => values["account_id"].as_str(),
            // What is only read may well be another's: a load balancer's log account is AWS's own.
            _ if address.contains(&format!("data.{kind}.")) => None,
            _ => values["arn"].as_str().and_then(account),
        };
        // One is enough: all that follow say the same.
        if let Some(there) = there.filter(|there| *there != wanted) {
            let message = format!("{address} is of account {there}, the config names {wanted}");
            sink.value("/prior_state", message)
                .help(format!("choose a profile of account {wanted}, and plan again"));
            break;
        }
    }
}

/// The account in an ARN; `None` where that is AWS itself or left out.
fn account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()))
}

fn other_region(plan: &Planned, sink: &mut Sink<'_>) {
    let Some(config) = plan.expected() else {
        return sink.unknown("neither the plan nor a config beside it names the region");
    };
    let wanted = config.region.as_str();
    let constant = "/configuration/provider_config/aws/expressions/region/constant_value";
    let provider = plan.document.pointer(constant).and_then(Value::as_str);
    let prior = plan.prior();
    let read = prior.iter().find(|(kind, _, _)| *kind == "aws_region");
    let read = read.and_then(|(_, _, values)| values["name"].as_str());
    let told = provider.map(|there| (constant, there));
    if let Some((at, there)) = told.or(read.map(|there| ("/prior_state", there)))
        && there != wanted
    {
        let message = format!("the plan is for {there}, the config names {wanted}");
        sink.value(at, message).help("render main.tf again with `osmt-bootstrap init`, and plan again");
    }
}

fn other_config(plan: &Planned, sink: &mut Sink<'_>) {
    let (Some(config), Some(made_from)) = (&plan.config, &plan.made_from) else {
        return;
    };
    let json = |config: &Config| serde_json::to_value(config).unwrap_or_default();
    let mut paths = Vec::new();
    differences(&json(made_from), &json(config), "", &mut paths);
    if let Some(first) = paths.first() {
        let names: Vec<_> = paths.iter().map(|path| path[1..].replace('/', ".")).collect();
        let message = format!("the plan was made from another config: {} differs", names.join(", "));
        sink.value(format!("/variables/config/value{first}"), message).help("plan again");
    }
}

/// Pointers of what differs between two values.
fn differences(one: &Value, other: &Value, pointer: &str, paths: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                let there = other.get(key).unwrap_or(&Value::Null);
                differences(value, there, &join(pointer, key), paths);
            }
        }
        _ if one == other => {}
        _ => paths.push(pointer.to_owned()),
    }
}

fn failed_checks(plan: &Planned, sink: &mut Sink<'_>) {
    let checks = plan.document["checks"].as_array().into_iter().flatten();
    for (index, check) in checks.enumerate().filter(|(_, check)| check["status"] == "fail") {
        let address = check["address"]["to_display"].as_str().unwrap_or("a check");
        let instances = check["instances"].as_array().into_iter().flatten();
        let problems = instances.flat_map(|one| one["problems"].as_array().into_iter().flatten());
        let problems: Vec<_> = problems.filter_map(|one| one["message"].as_str()).collect();
        let what =
            if problems.is_empty() { "its condition does not hold".to_owned() } else { problems.join("; ") };
        sink.value(format!("/checks/{index}"), format!("{address}: {what}"));
    }
}

fn vanished(plan: &Planned, sink: &mut Sink<'_>) {
    let drift = plan.document["resource_drift"].as_array().into_iter().flatten();
    for (index, drift) in drift.enumerate() {
        let actions = &drift["change"]["actions"];
        if actions == &Value::from(vec!["delete"]) && drift["mode"] != "data" {
            let address = drift["address"].as_str().unwrap_or_default();
            let message = format!("{address} was deleted outside of Terraform");
            sink.value(format!("/resource_drift/{index}/change/actions"), message)
                .help("find out who deleted it; what is made again is empty");
        }
    }
}
