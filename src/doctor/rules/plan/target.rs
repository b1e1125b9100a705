//! Whether the plan is complete, and is for this config, this account and this region.

use serde_json::Value;

use super::names::list;
use crate::arn::{Arn, is_account_id};
use crate::config::Config;
use crate::doctor::planned::{Action, Planned};
use crate::document::join;
use crate::explain::count;
use crate::finding::{Check, Rule, Severity, Sink};

/// Completeness and target of the plan.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN020",
            name: "plan-with-errors",
            severity: Severity::Error,
            summary: "Terraform reported an error while it made the plan",
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
            code: "PLAN026",
            name: "plan-incomplete",
            severity: Severity::Warning,
            summary: "The plan leaves out a part of what an apply will do",
            explain: include_str!("../../../../docs/rules/PLAN026.md"),
        },
        run: partial,
    },
];

const PROVIDERS: &str = "/configuration/provider_config";

fn errored(plan: &Planned, sink: &mut Sink<'_>) {
    if plan.document["errored"] == true {
        sink.value("/errored", "the plan is incomplete: Terraform reported an error")
            .help("fix what `terraform plan` reported, and plan again");
    }
}

/// A setting of a provider block, as far as the plan shows it.
enum Setting<'a> {
    /// These values.
    Values(Vec<&'a str>),
    /// It is set, but the plan does not show to what.
    Unknown,
    /// It is not set: the provider takes it from the environment.
    Absent,
}

/// The provider blocks for AWS: key (`aws`, `aws.copy`, `module.osmt:aws`) and expressions. The first is the default one.
fn providers(plan: &Planned) -> Vec<(&str, &Value)> {
    let all = plan.document.pointer(PROVIDERS).and_then(Value::as_object);
    let mut found: Vec<(&str, &Value)> = all
        .into_iter()
        .flatten()
        .filter(|(key, block)| {
            let name = block["name"].as_str().unwrap_or_else(|| key.rsplit(':').next().unwrap_or(key));
            name == "aws" || name.starts_with("aws.")
        })
        .map(|(key, block)| (key.as_str(), &block["expressions"]))
        .collect();
    found.sort_by_key(|(key, _)| (key.contains(['.', ':']), *key));
    found
}

/// The providers whose settings say what the plan is for: the default one or, without one, all of them.
fn deciding(plan: &Planned) -> Vec<(&str, &Value)> {
    let mut all = providers(plan);
    // A provider with an alias, for copies in another region, is in another region on purpose.
    if all.first().is_some_and(|(key, _)| *key == "aws") {
        all.truncate(1);
    }
    all
}

fn setting<'a>(plan: &'a Planned, expressions: &'a Value, name: &str) -> Setting<'a> {
    let expression = &expressions[name];
    if expression.is_null() {
        return Setting::Absent;
    }
    let texts = |value: &'a Value| -> Option<Vec<&'a str>> {
        match value {
            Value::String(text) => Some(vec![text]),
            Value::Array(items) => items.iter().map(Value::as_str).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    };
    let constant = texts(&expression["constant_value"]);
    // The references of `[var.config.account_id]` are `var.config.account_id` and `var.config`: the first is the most exact.
    let references = expression["references"].as_array();
    let reference = references.and_then(|all| all.first()).and_then(Value::as_str);
    let value = constant.or_else(|| texts(plan.variable(reference?)?));
    value.map_or(Setting::Unknown, Setting::Values)
}

fn pointer(key: &str, name: &str) -> String {
    format!("{}/expressions/{name}", join(PROVIDERS, key))
}

fn other_account(plan: &Planned, sink: &mut Sink<'_>) {
    let Some(config) = plan.expected() else {
        return sink.unknown("neither the plan nor a config beside it names the account");
    };
    let wanted = config.account_id.as_str();
    let mut seen = false;
    for (key, expressions) in deciding(plan) {
        match setting(plan, expressions, "allowed_account_ids") {
            Setting::Values(ids) if ids.contains(&wanted) => seen = true,
            Setting::Values(_) => {
                seen = true;
                let message = format!("the provider does not allow account {wanted}, which is the config's");
                sink.value(pointer(key, "allowed_account_ids"), message)
                    .help("run `osmt-bootstrap init`, which adapts main.tf, and plan again");
            }
            Setting::Unknown | Setting::Absent => {}
        }
    }
    let there = plan.prior().into_iter().find_map(|(kind, address, values)| {
        let there = match kind {
            "aws_caller_identity" => values["account_id"].as_str(),
            // A data source may read another account's resource, for example AWS's account for load balancer logs.
            _ if address.contains(&format!("data.{kind}.")) => None,
            _ => values["arn"].as_str().and_then(account),
        };
        let there = there?;
        seen = true;
        (there != wanted).then_some((address, there))
    });
    if let Some((address, there)) = there {
        let message = format!("{address} is in account {there}, but the config has {wanted}");
        sink.value("/prior_state", message)
            .help(format!("choose a profile of account {wanted}, and plan again"));
    }
    if !seen {
        sink.unknown(
            "the plan does not say in which account it was made; set `allowed_account_ids` of the provider",
        );
    }
}

/// The account in an ARN; `None` if it is AWS itself or left out.
fn account(arn: &str) -> Option<&str> {
    Arn::parse(arn).map(|arn| arn.account).filter(|account| is_account_id(account))
}

fn other_region(plan: &Planned, sink: &mut Sink<'_>) {
    let Some(config) = plan.expected() else {
        return sink.unknown("neither the plan nor a config beside it names the region");
    };
    let wanted = config.region.as_str();
    let mut seen = false;
    for (key, expressions) in deciding(plan) {
        if let Setting::Values(regions) = setting(plan, expressions, "region") {
            seen = true;
            if let Some(there) = regions.iter().find(|region| **region != wanted) {
                let message = format!("the plan is for {there}, but the config has {wanted}");
                sink.value(pointer(key, "region"), message)
                    .help("run `osmt-bootstrap init`, which adapts main.tf, and plan again");
                return;
            }
        }
    }
    if seen {
        return;
    }
    // The provider takes the region from the environment: look for it in what the plan has read.
    let prior = plan.prior();
    let read = prior.iter().find(|(kind, _, _)| *kind == "aws_region");
    let read = read.and_then(|(_, _, values)| values["name"].as_str().or(values["region"].as_str()));
    let of_arn = || {
        prior.iter().find_map(|(kind, address, values)| {
            let is_managed = !address.contains(&format!("data.{kind}."));
            let region = Arn::parse(values["arn"].as_str()?)?.region;
            (is_managed && !region.is_empty()).then_some(region)
        })
    };
    match read.or_else(of_arn) {
        Some(there) if there != wanted => {
            sink.value("/prior_state", format!("the plan is for {there}, but the config has {wanted}"))
                .help("run `osmt-bootstrap init`, which adapts main.tf, and plan again");
        }
        Some(_) => {}
        None => sink.unknown("the plan does not say for which region it is; set `region` of the provider"),
    }
}

fn other_config(plan: &Planned, sink: &mut Sink<'_>) {
    let Some(config) = &plan.config else {
        return sink
            .unknown("no config beside the plan can be compared with the one that the plan was made from");
    };
    let Some(made_from) = &plan.made_from else {
        return sink.unknown(if plan.document["variables"]["config"].is_null() {
            "the plan has no variable `config`, so the config that it was made from is not known"
        } else {
            "the plan's variable `config` is not a config that this version can read"
        });
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

/// The pointers at which two values differ.
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

fn partial(plan: &Planned, sink: &mut Sink<'_>) {
    let document = &plan.document;
    let entries = |name: &str| document[name].as_array().map_or(&[] as &[Value], Vec::as_slice);
    let addresses = |entries: &[Value]| -> String {
        let name = |entry: &Value| {
            let inner = &entry["resource_change"]["address"];
            let name = entry["address"].as_str().or(inner.as_str()).unwrap_or("one without an address");
            match entry["reason"].as_str() {
                Some(reason) => format!("{name} ({})", reason.replace('_', " ")),
                None => name.to_owned(),
            }
        };
        list(&entries.iter().map(name).collect::<Vec<_>>())
    };
    let deferred = entries("deferred_changes");
    if !deferred.is_empty() {
        let changes =
            if deferred.len() == 1 { "1 change is" } else { &format!("{} changes are", deferred.len()) };
        sink.unknown(format!("{changes} deferred to a later apply: {}", addresses(deferred)));
    } else if document["complete"] == false {
        sink.unknown(
            "Terraform says that the plan is not complete (`-target`, `-exclude` or deferred changes); what it leaves out was not checked",
        );
    }
    let actions: Vec<Value> = ["action_invocations", "deferred_action_invocations"]
        .iter()
        .flat_map(|name| entries(name).to_vec())
        .collect();
    if !actions.is_empty() {
        let calls = count(actions.len(), "action");
        sink.unknown(format!(
            "the plan runs {calls} of a provider, whose effect it does not show: {}",
            addresses(&actions)
        ));
    }
    for change in plan.changes.iter().filter(|change| change.action == Action::Unknown) {
        let words = if change.words.is_empty() { "nothing".to_owned() } else { change.words.join(", ") };
        sink.unknown(format!(
            "{}: the plan's action ({words}) is not one that this version knows",
            change.address
        ));
    }
    let changes = plan.changes.iter().any(|change| change.writes() || change.destroys());
    let is_complete = document["complete"] == true && document["errored"] != true;
    if document["applyable"] == false && document["errored"] != true && (changes || !is_complete) {
        sink.unknown("Terraform says that the plan cannot be applied");
    }
}
