//! The trust policies of the CI roles. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::account::policy_document::PolicyDocument;
use crate::bootstrap::Target;
use crate::bootstrap::admin_role::policy::{one_or_many, with_others};
use crate::bootstrap::ci::CiRole;
use crate::bootstrap::ci::repository::{AUDIENCE, Source};

/// The id of our statement in the trust policies.
pub const SID: &str = "OsmtCi";

/// The ARN that a provider has or will have.
pub fn provider_arn(target: &Target, issuer: &str) -> String {
    format!(
        "arn:{}:iam::{}:oidc-provider/{issuer}",
        target.deployment.partition(),
        target.deployment.account_id
    )
}

/// The subjects that may assume a role.
pub fn subjects(ci_role: CiRole, source: &Source) -> BTreeSet<String> {
    match ci_role {
        CiRole::Apply => source.apply_subjects(),
        CiRole::Plan => source.plan_subjects(),
    }
}

/// The trust policy of a role: our statement, and every other present statement.
pub fn trust(target: &Target, ci_role: CiRole, source: &Source, present: Option<&str>) -> Value {
    let issuer = source.repository.issuer();
    let subjects = subjects(ci_role, source);
    // `StringLike` only if a subject has a wildcard.
    let operator = if subjects.iter().any(|one| one.contains('*')) { "StringLike" } else { "StringEquals" };
    let mut condition = json!({ "StringEquals": { (format!("{issuer}:aud")): AUDIENCE } });
    condition[operator][format!("{issuer}:sub")] = one_or_many(subjects.into_iter().collect());
    let ours = json!({
        "Sid": SID,
        "Effect": "Allow",
        "Principal": { "Federated": provider_arn(target, &issuer) },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    });
    with_others(ours, SID, present)
}

/// The provider in our statement of a trust policy.
pub(super) fn provider_of(trust: &str) -> Option<String> {
    let document = PolicyDocument::parse(trust).ok()?;
    let ours = document.statements.iter().find(|statement| statement.sid.as_deref() == Some(SID))?;
    let provider = ours.principals.texts().iter().find_map(|name| name.strip_prefix("Federated:"));
    provider.map(str::to_owned)
}

/// The principals or token subjects that a trust policy allows, as text.
pub(super) fn who(trust: &str) -> String {
    let statements = PolicyDocument::parse(trust).map(|document| document.statements).unwrap_or_default();
    let each = statements.iter().map(|statement| {
        let subjects = statement.condition_values(|key| key.ends_with(":sub"));
        let names = if subjects.is_empty() { statement.principals.texts() } else { &subjects };
        names.join(", ")
    });
    each.collect::<Vec<_>>().join("; ")
}
