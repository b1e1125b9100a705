//! IAM and resource policies that allow too much.

use serde_json::Value;

use super::names::report_unknown;
use crate::account::policy_document::{Effect, Elements, PolicyDocument, Statement};
use crate::doctor::planned::{Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Policies.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN014",
            name: "policy-for-everybody",
            severity: Severity::Error,
            summary: "A policy allows something to everyone",
            explain: include_str!("../../../../docs/rules/PLAN014.md"),
        },
        run: everyone,
    },
    Check {
        rule: Rule {
            code: "PLAN015",
            name: "all-powerful-role",
            severity: Severity::Warning,
            summary: "A role has every permission, or can grant itself every permission",
            explain: include_str!("../../../../docs/rules/PLAN015.md"),
        },
        run: all_powerful,
    },
];

/// Attributes that contain a policy document.
const POLICIES: [&str; 4] = ["policy", "assume_role_policy", "access_policy", "resource_policy"];

/// AWS managed policies with which a role has every permission, or can grant itself every permission.
const ALL_POWERFUL: [&str; 3] = ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"];

/// Actions with which a caller can grant itself every permission.
const ESCALATION: [&str; 4] =
    ["iam:AttachRolePolicy", "iam:CreatePolicyVersion", "iam:PassRole", "iam:PutRolePolicy"];

/// Condition keys that restrict how a request is made, but not who makes it.
const NOT_ON_CALLER: [&str; 6] = [
    "aws:securetransport",
    "aws:requestedregion",
    "aws:currenttime",
    "aws:epochtime",
    "s3:tlsversion",
    "s3:x-amz-server-side-encryption",
];

/// A policy document that a change writes.
struct Written {
    /// The pointer of the document.
    at: String,
    /// The attribute: `policy`, `inline_policy`.
    name: &'static str,
    /// The document; an error if it is not a policy document.
    document: Result<PolicyDocument, ()>,
}

fn written(change: &Change) -> Vec<Written> {
    let document = |value: &Value| match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(PolicyDocument::parse(text).map_err(drop)),
        _ => None,
    };
    let attributes = POLICIES.into_iter().filter_map(|name| {
        let document = document(change.after(name))?;
        Some(Written { at: change.at(name), name, document })
    });
    let inline = change.after("inline_policy").as_array().into_iter().flatten().enumerate();
    let inline = inline.filter_map(|(index, policy)| {
        let document = document(&policy["policy"])?;
        let at = format!("{}/{index}/policy", change.at("inline_policy"));
        Some(Written { at, name: "inline_policy", document })
    });
    attributes.chain(inline).collect()
}

/// The policies of a change that cannot be checked: not known yet, or not a policy document.
fn undecided_of(plan: &Planned, change: &Change) -> Vec<String> {
    let names = POLICIES.into_iter().chain(["inline_policy"]);
    let later = names.filter(|name| plan.is_set_but_unknown(change, name));
    let mut found: Vec<String> = later.map(|name| format!("{name} of {}", change.address)).collect();
    let broken = written(change).into_iter().filter(|written| written.document.is_err());
    found.extend(
        broken.map(|written| format!("{} of {} (it is not a policy document)", written.name, change.address)),
    );
    found
}

/// Whether a change writes a policy that grants permissions. The policy of a VPC endpoint only narrows what IAM grants (AWS,
/// "Control access to VPC endpoints using endpoint policies"), and AWS's default one allows everyone.
fn grants(change: &Change) -> bool {
    change.writes() && change.kind.starts_with("aws_") && !change.kind.starts_with("aws_vpc_endpoint")
}

/// Whether a condition restricts who makes the request.
fn limits(condition: &Value) -> bool {
    let operators = condition.as_object().into_iter().flat_map(|operators| operators.values());
    let mut keys = operators.filter_map(Value::as_object).flat_map(|keys| keys.iter());
    keys.any(|(key, wanted)| {
        let any = |value: &Value| {
            value == "*" || value.as_array().is_some_and(|all| all.iter().any(|one| one == "*"))
        };
        !NOT_ON_CALLER.contains(&key.to_ascii_lowercase().as_str()) && !any(wanted)
    })
}

fn everyone(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    for change in plan.changes.iter().filter(|change| grants(change)) {
        for written in written(change) {
            let Ok(document) = &written.document else { continue };
            let open = document.statements.iter().any(|statement| {
                statement.effect == Effect::Allow
                    && statement.is_for_everyone()
                    && !limits(&statement.condition)
            });
            if open {
                let message = format!("{}: {} allows something to everyone", change.address, written.name);
                sink.value(written.at, message)
                    .help("name the principal, or add a condition that restricts the caller");
            }
        }
        // A policy of an identity names no principal.
        let is_identity = change.kind.starts_with("aws_iam_") && change.after("assume_role_policy").is_null();
        if !is_identity || change.is_unknown("assume_role_policy") {
            undecided.extend(undecided_of(plan, change));
        }
    }
    report_unknown(undecided, sink);
}

/// Whether a statement grants every permission, or the actions with which a caller can grant itself every permission.
fn is_all_powerful(statement: &Statement) -> bool {
    let everything = match &statement.resources {
        Elements::Absent => false,
        Elements::AllBut(_) => true,
        Elements::Only(patterns) => patterns.iter().any(|pattern| {
            // `arn:aws:iam::123456789012:*` is every role as well.
            let account =
                pattern.split(':').nth(4).filter(|account| !account.is_empty()).unwrap_or("123456789012");
            let partition = pattern.split(':').nth(1).filter(|name| !name.is_empty()).unwrap_or("aws");
            let only = Elements::Only(vec![pattern.clone()]);
            ["role/osmt", "user/osmt", "policy/osmt"]
                .iter()
                .all(|name| only.includes(&format!("arn:{partition}:iam::{account}:{name}")))
        }),
    };
    let actions = match &statement.actions {
        Elements::Absent => false,
        // Everything except a few actions: PowerUserAccess is written in this way.
        Elements::AllBut(_) => true,
        only @ Elements::Only(_) => ESCALATION.iter().all(|action| only.includes(action)),
    };
    statement.effect == Effect::Allow && everything && actions
}

fn all_powerful(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    let identities =
        plan.changes.iter().filter(|change| grants(change) && change.kind.starts_with("aws_iam_"));
    for change in identities {
        let mut found = Vec::new();
        let managed = |arn: &Value| {
            let arn = arn.as_str()?.to_owned();
            let name = arn.rsplit('/').next()?.to_owned();
            (arn.contains(":aws:policy/") && ALL_POWERFUL.contains(&name.as_str())).then_some(name)
        };
        if let Some(name) = managed(change.after("policy_arn")) {
            found.push((change.at("policy_arn"), name));
        }
        let arns = change.after("managed_policy_arns").as_array().into_iter().flatten();
        let names: Vec<String> = arns.filter_map(managed).collect();
        found.extend(names.into_iter().map(|name| (change.at("managed_policy_arns"), name)));
        for written in written(change) {
            let document = written.document.as_ref().ok();
            if document.is_some_and(|document| document.statements.iter().any(is_all_powerful)) {
                found.push((written.at, written.name.to_owned()));
            }
        }
        for (at, what) in found {
            let message = format!(
                "{} gives every permission, or lets the caller grant itself every permission ({what})",
                change.address
            );
            sink.value(at, message).help("name the actions");
        }
        undecided.extend(undecided_of(plan, change));
        for name in
            ["policy_arn", "managed_policy_arns"].iter().filter(|name| plan.is_set_but_unknown(change, name))
        {
            // If the ARN refers to a policy of this plan, that policy is checked itself.
            if plan.references(change, name).is_empty() {
                undecided.push(format!("{name} of {}", change.address));
            }
        }
    }
    report_unknown(undecided, sink);
}
