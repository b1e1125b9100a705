//! What policies grant, and to whom.

use serde_json::Value;

use super::names::say_open;
use crate::account::policy_document::{Effect, Elements, PolicyDocument, Statement};
use crate::doctor::planned::{Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Grants.
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
            summary: "A role may do everything, or give itself the permission to",
            explain: include_str!("../../../../docs/rules/PLAN015.md"),
        },
        run: all_powerful,
    },
];

/// Attributes that hold a policy document.
const POLICIES: [&str; 4] = ["policy", "assume_role_policy", "access_policy", "resource_policy"];

/// AWS's own policies with which a role can do everything, or give itself the permission to.
const ALL_POWERFUL: [&str; 3] = ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"];

/// Actions with which a caller can give itself every permission.
const OVER_PERMISSIONS: [&str; 4] =
    ["iam:AttachRolePolicy", "iam:CreatePolicyVersion", "iam:PassRole", "iam:PutRolePolicy"];

/// Condition keys that say how a request is made, and not by whom.
const HOW: [&str; 6] = [
    "aws:securetransport",
    "aws:requestedregion",
    "aws:currenttime",
    "aws:epochtime",
    "s3:tlsversion",
    "s3:x-amz-server-side-encryption",
];

/// A policy document that a change writes.
struct Written {
    /// Where: an attribute, or a policy inside of one.
    at: String,
    /// In words: `policy`, `inline_policy`.
    name: &'static str,
    /// The document; an error where it is of a form that IAM does not know.
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

/// The policies of a change that cannot be judged: not known yet, or of another form.
fn open(plan: &Planned, change: &Change) -> Vec<String> {
    let names = POLICIES.into_iter().chain(["inline_policy"]);
    let later = names.filter(|name| plan.is_open(change, name));
    let mut open: Vec<String> = later.map(|name| format!("{name} of {}", change.address)).collect();
    let broken = written(change).into_iter().filter(|written| written.document.is_err());
    open.extend(
        broken.map(|written| format!("{} of {} (it is not a policy document)", written.name, change.address)),
    );
    open
}

/// Whether a change has a policy that grants something by itself. A VPC endpoint's only narrows what IAM grants (AWS,
/// "Control access to VPC endpoints using endpoint policies"); AWS's default for it names everyone.
fn grants(change: &Change) -> bool {
    change.writes() && change.kind.starts_with("aws_") && !change.kind.starts_with("aws_vpc_endpoint")
}

/// Whether a condition says who may, and not only how.
fn limits(condition: &Value) -> bool {
    let operators = condition.as_object().into_iter().flat_map(|operators| operators.values());
    let mut keys = operators.filter_map(Value::as_object).flat_map(|keys| keys.iter());
    keys.any(|(key, wanted)| {
        let any = |value: &Value| {
            value == "*" || value.as_array().is_some_and(|all| all.iter().any(|one| one == "*"))
        };
        !HOW.contains(&key.to_ascii_lowercase().as_str()) && !any(wanted)
    })
}

fn everyone(plan: &Planned, sink: &mut Sink<'_>) {
    let mut dark = Vec::new();
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
                sink.value(written.at, message).help("name the principal, or add a condition on who may");
            }
        }
        // A policy of an identity names no principal.
        let is_identity = change.kind.starts_with("aws_iam_") && change.after("assume_role_policy").is_null();
        if !is_identity || change.is_unknown("assume_role_policy") {
            dark.extend(open(plan, change));
        }
    }
    say_open(dark, sink);
}

/// Whether a statement grants everything, or the means to everything.
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
        // Everything but a few: PowerUserAccess is written like this.
        Elements::AllBut(_) => true,
        only @ Elements::Only(_) => OVER_PERMISSIONS.iter().all(|action| only.includes(action)),
    };
    statement.effect == Effect::Allow && everything && actions
}

fn all_powerful(plan: &Planned, sink: &mut Sink<'_>) {
    let mut dark = Vec::new();
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
            let message =
                format!("{} allows everything, or lets its holder grant it ({what})", change.address);
            sink.value(at, message).help("name the actions");
        }
        dark.extend(open(plan, change));
        for name in ["policy_arn", "managed_policy_arns"].iter().filter(|name| plan.is_open(change, name)) {
            // An ARN that Terraform makes is of a policy in this same plan, which is judged itself.
            if plan.references(change, name).is_empty() {
                dark.push(format!("{name} of {}", change.address));
            }
        }
    }
    say_open(dark, sink);
}
