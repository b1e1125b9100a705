//! What the plan opens to the world or leaves unencrypted.

use serde_json::Value;

use crate::doctor::planned::{Action, Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Doors and ciphers.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN010",
            name: "open-to-the-world",
            severity: Severity::Error,
            summary: "A security group admits the whole Internet to something other than the load balancer's 80 and 443",
            explain: include_str!("../../../../docs/rules/PLAN010.md"),
        },
        run: open,
    },
    Check {
        rule: Rule {
            code: "PLAN011",
            name: "publicly-reachable",
            severity: Severity::Error,
            summary: "Something that holds data, or a task, gets a public address or may be made public",
            explain: include_str!("../../../../docs/rules/PLAN011.md"),
        },
        run: public,
    },
    Check {
        rule: Rule {
            code: "PLAN012",
            name: "unencrypted-storage",
            severity: Severity::Error,
            summary: "Something that stores data does so unencrypted",
            explain: include_str!("../../../../docs/rules/PLAN012.md"),
        },
        run: unencrypted,
    },
    Check {
        rule: Rule {
            code: "PLAN014",
            name: "policy-for-everybody",
            severity: Severity::Error,
            summary: "A policy allows something to everybody",
            explain: include_str!("../../../../docs/rules/PLAN014.md"),
        },
        run: everybody,
    },
    Check {
        rule: Rule {
            code: "PLAN015",
            name: "all-powerful-role",
            severity: Severity::Warning,
            summary: "A role may do everything with everything",
            explain: include_str!("../../../../docs/rules/PLAN015.md"),
        },
        run: all_powerful,
    },
    Check {
        rule: Rule {
            code: "PLAN016",
            name: "unencrypted-listener",
            severity: Severity::Error,
            summary: "The load balancer answers plain HTTP with the app",
            explain: include_str!("../../../../docs/rules/PLAN016.md"),
        },
        run: plain_http,
    },
];

/// Whether a block is the whole Internet, or half of it.
fn is_world(block: &Value) -> bool {
    let length = block.as_str().and_then(|block| block.split_once('/'));
    length.is_some_and(|(_, length)| length.parse::<u8>().is_ok_and(|length| length <= 1))
}

fn open(plan: &Planned, sink: &mut Sink<'_>) {
    let doors: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| change.kind == "aws_lb")
        .flat_map(|change| plan.references(change.block(), "security_groups"))
        .collect();
    for change in plan.changes.iter().filter(|change| change.writes()) {
        let own = vec![change.block().to_owned()];
        let (rules, groups): (Vec<(String, &Value)>, _) = match change.kind.as_str() {
            "aws_vpc_security_group_ingress_rule" => (
                vec![(format!("{}/after", change.pointer), &change.after)],
                plan.references(change.block(), "security_group_id"),
            ),
            "aws_security_group_rule" if change.after("type") == "ingress" => (
                vec![(format!("{}/after", change.pointer), &change.after)],
                plan.references(change.block(), "security_group_id"),
            ),
            "aws_security_group" | "aws_default_security_group" => {
                let rules = change.after("ingress").as_array().into_iter().flatten();
                let at = change.at("ingress");
                let rules = rules.enumerate().map(|(i, rule)| (format!("{at}/{i}"), rule));
                (rules.collect(), own)
            }
            _ => continue,
        };
        let known = !groups.is_empty() && !doors.is_empty();
        let is_door = !known || groups.iter().any(|group| doors.contains(group));
        for (at, rule) in rules {
            let lists = ["cidr_blocks", "ipv6_cidr_blocks"].map(|name| &rule[name]);
            let lists = lists.iter().filter_map(|list| list.as_array()).flatten();
            let single = ["cidr_ipv4", "cidr_ipv6"].map(|name| &rule[name]);
            let Some(world) = lists.chain(single).find(|block| is_world(block)) else {
                continue;
            };
            let (from, to) = (rule["from_port"].as_u64(), rule["to_port"].as_u64());
            let web = from == to && matches!(from, Some(80 | 443));
            if web && is_door {
                continue;
            }
            let ports = match (from, to) {
                (Some(from), Some(to)) if from == to => format!("port {from}"),
                (Some(from), Some(to)) if to > 0 => format!("ports {from} to {to}"),
                _ => "every port".to_owned(),
            };
            let block = world.as_str().unwrap_or_default();
            sink.value(at, format!("{} opens {ports} to {block}", change.address))
                .help("name the security group that may come in, or a block of your own");
        }
    }
}

fn public(plan: &Planned, sink: &mut Sink<'_>) {
    for change in plan.changes.iter().filter(|change| change.writes()) {
        let mut say = |at: String, what: &str| {
            sink.value(at, format!("{}: {what}", change.address))
                .help("keep it private: the load balancer is the only door");
        };
        if change.after("publicly_accessible") == &Value::Bool(true) {
            say(change.at("publicly_accessible"), "it gets a public address");
        }
        let task = "/network_configuration/0/assign_public_ip";
        if change.after.pointer(task) == Some(&Value::Bool(true)) {
            let at = format!("{}/after{task}", change.pointer);
            say(at, "its tasks get public addresses");
        }
        if change.kind == "aws_s3_bucket_public_access_block" {
            for name in
                ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
            {
                if change.after(name) != &Value::Bool(true) && !change.is_unknown(name) {
                    say(change.at(name), &format!("{name} is off"));
                }
            }
        }
        let acl = change.after("acl").as_str().unwrap_or_default();
        if acl.starts_with("public-") || acl == "authenticated-read" {
            say(change.at("acl"), &format!("its ACL is {acl}"));
        }
    }
}

fn unencrypted(plan: &Planned, sink: &mut Sink<'_>) {
    // Afterwards it is too late, and said each time it would only be noise.
    let new = |change: &&Change| matches!(change.action, Action::Create | Action::Replace);
    for change in plan.changes.iter().filter(new) {
        let name = match change.kind.as_str() {
            "aws_db_instance" | "aws_rds_cluster" => "storage_encrypted",
            "aws_elasticache_replication_group" => "at_rest_encryption_enabled",
            "aws_efs_file_system" | "aws_ebs_volume" => "encrypted",
            _ => continue,
        };
        let on = [Value::Bool(true), Value::from("true")].contains(change.after(name));
        if !on && !change.is_unknown(name) {
            let message = format!("{} is not encrypted at rest", change.address);
            sink.value(change.at(name), message)
                .help("turn it on now: later it means a new resource and moved data");
        }
    }
}

/// Attribute and statements of each policy that a change writes.
fn statements(change: &Change) -> Vec<(&'static str, Value)> {
    let mut found = Vec::new();
    for name in ["policy", "assume_role_policy", "access_policy", "resource_policy"] {
        let text = change.after(name).as_str().unwrap_or_default();
        let Ok(policy) = serde_json::from_str::<Value>(text) else {
            continue;
        };
        match &policy["Statement"] {
            Value::Array(many) => found.extend(many.iter().map(|one| (name, one.clone()))),
            one => found.push((name, one.clone())),
        }
    }
    found.retain(|(_, statement)| statement["Effect"] == "Allow");
    found
}

/// Whether a policy element is `*`, alone or in a list.
fn is_star(element: &Value) -> bool {
    match element {
        Value::Array(many) => many.iter().any(is_star),
        other => other == "*",
    }
}

fn everybody(plan: &Planned, sink: &mut Sink<'_>) {
    for change in plan.changes.iter().filter(|change| change.writes()) {
        for (name, statement) in statements(change) {
            let principal = &statement["Principal"];
            let all = is_star(principal) || is_star(&principal["AWS"]);
            if all && statement["Condition"].is_null() {
                let message = format!("{}: {name} allows something to everybody", change.address);
                sink.value(change.at(name), message).help("name the principal, or add a condition");
            }
        }
    }
}

fn all_powerful(plan: &Planned, sink: &mut Sink<'_>) {
    let all = plan.changes.iter();
    for change in all.filter(|change| change.writes() && change.kind.starts_with("aws_iam_")) {
        let arn = change.after("policy_arn").as_str().unwrap_or_default();
        let mut found = arn.ends_with("/AdministratorAccess").then_some("policy_arn");
        for (name, statement) in statements(change) {
            if is_star(&statement["Action"]) && is_star(&statement["Resource"]) {
                found = Some(name);
            }
        }
        if let Some(name) = found {
            let message = format!("{} allows everything", change.address);
            sink.value(change.at(name), message).help("name the actions");
        }
    }
}

fn plain_http(plan: &Planned, sink: &mut Sink<'_>) {
    for change in plan.of("aws_lb_listener").filter(|change| change.writes()) {
        let action = change.after.pointer("/default_action/0/type");
        if change.after("protocol") == "HTTP" && action == Some(&Value::from("forward")) {
            let message = format!("{} answers plain HTTP with the app", change.address);
            sink.value(change.at("protocol"), message).help("redirect to HTTPS");
        }
    }
}
