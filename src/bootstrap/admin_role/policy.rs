//! The trust policy and the permission policies of the admin role. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::account::policy_document::{Effect, Elements, PolicyDocument, raw_statements, strings};
use crate::arn::{Arn, is_account_id};
use crate::bootstrap::Target;
use crate::bootstrap::admin_role::grants::{Grant, PARTS};
use crate::bootstrap::admin_role::names;

/// The maximum size of a managed policy in characters, without white space ("IAM and AWS STS quotas").
pub const POLICY_LIMIT: usize = 6144;
/// The maximum number of managed policies of a role, unless the quota was raised.
pub const ATTACHED_LIMIT: usize = 10;
/// The maximum size of a trust policy in characters, unless the quota was raised.
pub const TRUST_LIMIT: usize = 2048;
/// The id of our statement in the trust policy.
pub const SID: &str = "OsmtOperators";

/// The parts of the admin role's permissions; each is one managed policy.
pub fn parts() -> impl Iterator<Item = &'static str> {
    PARTS.iter().map(|(part, _)| *part)
}

/// The part that only reads: the policy of the CI role that makes plans.
pub const READ_ONLY: &str = "ci-plan";

/// `osmt-<env>-admin-<part>`, `osmt-<env>-ci-plan`
pub fn name(target: &Target, part: &str) -> String {
    if part == READ_ONLY {
        return format!("{}-{READ_ONLY}", target.role_prefix());
    }
    format!("{}-{part}", names::name(target))
}

/// The ARN that the policy has or will have.
pub fn arn(target: &Target, part: &str) -> String {
    let account_id = &target.deployment.account_id;
    format!("arn:{}:iam::{account_id}:policy/{}", target.deployment.partition(), name(target, part))
}

/// The policy document of one part.
pub fn document(target: &Target, zone: Option<&str>, part: &str) -> Value {
    if part == READ_ONLY {
        return read_only(target, zone);
    }
    let grants = PARTS.iter().find(|(name, _)| *name == part);
    let statements: Vec<Value> = grants
        .into_iter()
        .flat_map(|(_, grants)| grants.iter())
        .filter_map(|grant| statement(target, zone, grant, |_| true))
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The read-only actions of all parts, in one document.
///
/// `Describe*` and `List*` actions are allowed for the whole account: listed one by one they would exceed the size of a policy.
/// Actions that read contents are limited to this environment. They include the value of one secret, because Terraform evaluates
/// the database's password during a plan.
fn read_only(target: &Target, zone: Option<&str>) -> Value {
    let metadata = |service: &str, action: &str| {
        let verb = ["Describe", "List"].into_iter().find(|verb| action.starts_with(verb))?;
        let names_contents = matches!(service, "dynamodb" | "s3" | "secretsmanager");
        (!names_contents).then(|| format!("{service}:{verb}*"))
    };
    let reads = |action: &str| {
        let verbs = ["Describe", "Get", "List", "View", "Decrypt", "Scan", "Query"];
        verbs.iter().any(|verb| action.starts_with(verb))
    };
    let mut everywhere = BTreeSet::new();
    let mut statements: Vec<Value> = Vec::new();
    for grant in PARTS.iter().flat_map(|(_, grants)| grants.iter()).filter(|grant| !grant.deny) {
        everywhere
            .extend(grant.actions.split_whitespace().filter_map(|action| metadata(grant.service, action)));
        let rest = |action: &str| reads(action) && metadata(grant.service, action).is_none();
        let Some(mut one) = statement(target, zone, grant, rest) else { continue };
        if let Some(members) = one.as_object_mut() {
            members.remove("Sid");
        }
        let same = |other: &&mut Value| {
            other["Resource"] == one["Resource"] && other.get("Condition") == one.get("Condition")
        };
        match statements.iter_mut().find(same) {
            None => statements.push(one),
            Some(other) => {
                let both = [&other["Action"], &one["Action"]];
                let actions: BTreeSet<String> =
                    both.into_iter().flat_map(|actions| strings(actions).unwrap_or_default()).collect();
                other["Action"] = one_or_many(actions.into_iter().collect());
            }
        }
    }
    let everywhere = one_or_many(everywhere.into_iter().collect());
    statements.insert(0, json!({ "Effect": "Allow", "Action": everywhere, "Resource": "*" }));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The policy statement of a grant; `None` if the target has no such resource (lock table, hosted zone), or no action passes.
fn statement(
    target: &Target,
    zone: Option<&str>,
    grant: &Grant,
    includes: impl Fn(&str) -> bool,
) -> Option<Value> {
    let on: Vec<String> = grant
        .on
        .iter()
        .filter(|template| target.backend.lock.table().is_some() || !template.contains("{table}"))
        .filter(|template| zone.is_some() || !template.contains("{zone}"))
        .map(|template| filled(target, zone, template))
        .collect();
    let actions: Vec<String> = grant
        .actions
        .split_whitespace()
        .filter(|action| includes(action))
        .map(|action| format!("{}:{action}", grant.service))
        .collect();
    if on.is_empty() || actions.is_empty() {
        return None;
    }
    let mut statement = json!({
        "Sid": grant.sid,
        "Effect": if grant.deny { "Deny" } else { "Allow" },
        "Action": one_or_many(actions),
        "Resource": one_or_many(on),
    });
    let mut conditions: Map<String, Value> = Map::new();
    for (operator, key, values) in grant.when {
        let values = values.iter().map(|value| filled(target, zone, value));
        conditions
            .entry(*operator)
            .or_insert_with(|| json!({}))
            .as_object_mut()?
            .insert((*key).to_owned(), one_or_many(values.collect()));
    }
    if !conditions.is_empty() {
        statement["Condition"] = Value::Object(conditions);
    }
    Some(statement)
}

fn filled(target: &Target, zone: Option<&str>, template: &str) -> String {
    template
        .replace("{p}", target.deployment.partition())
        .replace("{r}", &target.deployment.region)
        .replace("{a}", &target.deployment.account_id)
        .replace("{name}", &target.deployment.prefix())
        .replace("{roles}", &target.role_prefix())
        .replace("{env}", &target.deployment.env)
        .replace("{bucket}", &target.backend.bucket)
        .replace("{table}", target.backend.lock.table().unwrap_or_default())
        .replace("{zone}", zone.unwrap_or_default())
}

/// A list, or a single value without the list: the policy size is limited.
pub(in crate::bootstrap) fn one_or_many(mut values: Vec<String>) -> Value {
    if values.len() == 1 { values.remove(0).into() } else { values.into() }
}

/// The trust policy: our statement for these principals, and every other present statement.
pub fn trust(principals: &BTreeSet<String>, mfa: bool, present: Option<&str>) -> Value {
    let mut ours = json!({
        "Sid": SID,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_many(principals.iter().cloned().collect()) },
        "Action": "sts:AssumeRole",
    });
    if mfa {
        ours["Condition"] = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    }
    with_others(ours, SID, present)
}

/// A trust policy: our statement, and every other present statement.
pub(in crate::bootstrap) fn with_others(ours: Value, sid: &str, present: Option<&str>) -> Value {
    let mut statements = vec![ours];
    let present = present.map(raw_statements).unwrap_or_default();
    statements.extend(present.into_iter().filter(|statement| statement["Sid"] != sid));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The principals that one statement of a trust policy allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// ARNs, accounts, services, or `*`.
    pub who: BTreeSet<String>,
    /// Whether MFA is required.
    pub mfa: bool,
    /// Whether the statement has a condition.
    pub limited: bool,
}

/// The principals that may assume the role, statement by statement.
pub fn trusted(trust: &str) -> Vec<Trusted> {
    let statements = PolicyDocument::parse(trust).map(|document| document.statements).unwrap_or_default();
    let allowed = statements.into_iter().filter(|statement| statement.effect == Effect::Allow);
    allowed
        .map(|statement| Trusted {
            who: match &statement.principals {
                Elements::Absent => BTreeSet::new(),
                Elements::Only(names) => names.iter().map(|name| without_kind(name).to_owned()).collect(),
                Elements::AllBut(names) => BTreeSet::from([format!("everyone but {}", names.join(", "))]),
            },
            mfa: statement.requires("Bool", "aws:MultiFactorAuthPresent", "true"),
            limited: statement.is_conditional(),
        })
        .collect()
}

/// A principal without its kind, such as `AWS:`.
fn without_kind(name: &str) -> &str {
    let kinds = ["AWS:", "Service:", "Federated:", "CanonicalUser:"];
    kinds.iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name)
}

/// Whether two policy documents are equal, regardless of the order of members and lists, and of lists with one value.
pub fn is_equal(left: &str, right: &Value) -> bool {
    serde_json::from_str(left).is_ok_and(|left: Value| normalised(&left) == normalised(right))
}

fn normalised(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: std::collections::BTreeMap<_, _> =
                members.iter().map(|(key, value)| (key.clone(), normalised(value))).collect();
            sorted.into_iter().collect()
        }
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(normalised).collect();
            values.sort_by_key(Value::to_string);
            values.dedup();
            if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
        }
        Value::Bool(switch) => switch.to_string().into(),
        other => other.clone(),
    }
}

/// How the actions of two documents differ, as text for the plan: `lacks ecs:RunTask and 2 more`.
pub fn difference(present: &str, wanted: &Value) -> String {
    let of = |document: PolicyDocument| -> BTreeSet<String> {
        document.statements.iter().flat_map(|statement| statement.actions.texts()).cloned().collect()
    };
    let present = PolicyDocument::parse(present).map(of).unwrap_or_default();
    let wanted = PolicyDocument::from_json(wanted).map(of).unwrap_or_default();
    let some = |word: &str, actions: Vec<&String>| match actions.as_slice() {
        [] => None,
        [first] => Some(format!("{word} {first}")),
        [first, rest @ ..] => Some(format!("{word} {first} and {} more", rest.len())),
    };
    let differences: Vec<String> = [
        some("lacks", wanted.difference(&present).collect()),
        some("also allows", present.difference(&wanted).collect()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if differences.is_empty() {
        "same actions, other resources or conditions".to_owned()
    } else {
        differences.join(", ")
    }
}

/// Checks the value of `--trust`: the ARN of a user, a role, or an account's root.
pub fn principal(text: &str) -> Result<String, String> {
    let wrong = || Err("not the ARN of a user, a role or an account's root".into());
    let Some(Arn { partition, service, region: "", account, resource: name }) = Arn::parse(text) else {
        return wrong();
    };
    let is_principal = name == "root"
        || ["user/", "role/"]
            .iter()
            .any(|kind| name.strip_prefix(kind).is_some_and(|rest| !rest.is_empty() && !rest.contains('*')));
    match service {
        "sts" => Err("this is a session; give the ARN of its role, arn:aws:iam::…:role/…".into()),
        "iam" if is_account_id(account) && is_principal && partition.starts_with("aws") => {
            Ok(text.to_owned())
        }
        _ => wrong(),
    }
}

/// Checks the value of `--permissions-boundary`: the ARN of a managed policy.
pub fn boundary(text: &str) -> Result<String, String> {
    match Arn::parse(text) {
        Some(Arn { service: "iam", region: "", account, resource, .. })
            if (is_account_id(account) || account == "aws") && resource.starts_with("policy/") =>
        {
            Ok(text.to_owned())
        }
        _ => Err("not the ARN of a policy, such as arn:aws:iam::123456789012:policy/limit".into()),
    }
}
