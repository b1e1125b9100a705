//! Reads of IAM: a role with what is attached to it, and its policies.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{PolicyScopeType, Tag};
use percent_encoding::percent_decode_str;

use crate::account::iam::{Policy, Role, TaskRole};
use crate::account::policy_document::PolicyDocument;
use crate::aws::{CallError, Session, call};

/// Reads a role and what is attached to it; `None` where there is no such role.
pub async fn role(session: &Session, name: &str) -> Result<Option<Role>, CallError> {
    let iam = session.iam();
    let answer = iam.get_role().role_name(name).send().await;
    let Some(role) = present(call("iam:GetRole", answer))?.and_then(|answer| answer.role) else {
        return Ok(None);
    };
    let attached = async {
        let pages = iam.list_attached_role_policies().role_name(name);
        let answer = pages.into_paginator().items().send().try_collect().await;
        present(call("iam:ListAttachedRolePolicies", answer))
    };
    let inline = async {
        let pages = iam.list_role_policies().role_name(name);
        let answer = pages.into_paginator().items().send().try_collect().await;
        present(call("iam:ListRolePolicies", answer))
    };
    let profiles = async {
        let pages = iam.list_instance_profiles_for_role().role_name(name);
        let answer = pages.into_paginator().items().send().try_collect().await;
        present(call("iam:ListInstanceProfilesForRole", answer))
    };
    let (attached, inline, profiles) = tokio::join!(attached, inline, profiles);
    Ok(Some(Role {
        trust: decoded(role.assume_role_policy_document().unwrap_or_default()),
        session_seconds: role.max_session_duration().unwrap_or_default(),
        boundary: role
            .permissions_boundary()
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .map(str::to_owned),
        tags: tags(role.tags()),
        attached: attached?.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn).collect(),
        inline: inline?.unwrap_or_default().into_iter().collect(),
        profiles: profiles?
            .unwrap_or_default()
            .into_iter()
            .map(|profile| profile.instance_profile_name)
            .collect(),
    }))
}

/// Reads the role of a task; `None` where there is no such role.
pub async fn task_role(session: &Session, name: &str) -> Result<Option<TaskRole>, CallError> {
    let answer = session.iam().get_role().role_name(name).send().await;
    let role = present(call("iam:GetRole", answer))?.and_then(|answer| answer.role);
    Ok(role.map(|role| {
        let trust = PolicyDocument::parse(&decoded(role.assume_role_policy_document().unwrap_or_default()));
        TaskRole { name: name.to_owned(), regions: trust.map(|trust| trust.regions()).unwrap_or_default() }
    }))
}

/// The ARNs of the account's own policies.
pub async fn policies(session: &Session) -> Result<BTreeSet<String>, CallError> {
    let request = session.iam().list_policies().scope(PolicyScopeType::Local);
    let pages = request.max_items(1000).into_paginator().items();
    let policies: Vec<_> = call("iam:ListPolicies", pages.send().try_collect().await)?;
    Ok(policies.into_iter().filter_map(|policy| policy.arn).collect())
}

/// Reads a customer-managed policy with the document that holds; `None` where there is no such policy.
pub async fn policy(session: &Session, arn: &str) -> Result<Option<Policy>, CallError> {
    let iam = session.iam();
    let answer = iam.get_policy().policy_arn(arn).send().await;
    let Some(policy) = present(call("iam:GetPolicy", answer))?.and_then(|answer| answer.policy) else {
        return Ok(None);
    };
    let version = policy.default_version_id().unwrap_or_default().to_owned();
    let document = async {
        let request = iam.get_policy_version().policy_arn(arn);
        let answer = request.version_id(&version).send().await;
        present(call("iam:GetPolicyVersion", answer))
    };
    let (document, others) = tokio::join!(document, other_versions(&iam, arn));
    Ok(Some(Policy {
        document: document?
            .and_then(|answer| answer.policy_version)
            .and_then(|version| version.document)
            .map(|text| decoded(&text))
            .unwrap_or_default(),
        others: others?,
        tags: tags(policy.tags()),
        version,
    }))
}

/// The versions of a policy that do not hold, oldest first.
pub async fn other_versions(iam: &Client, arn: &str) -> Result<Vec<String>, CallError> {
    let pages = iam.list_policy_versions().policy_arn(arn).into_paginator();
    let answer = pages.items().send().try_collect().await;
    let mut versions: Vec<_> = present(call("iam:ListPolicyVersions", answer))?.unwrap_or_default();
    versions.retain(|version| !version.is_default_version);
    versions.sort_by_key(|version| {
        let id = version.version_id().unwrap_or_default();
        id.trim_start_matches('v').parse::<u32>().unwrap_or(0)
    });
    Ok(versions.into_iter().filter_map(|version| version.version_id).collect())
}

/// What is not there is `None`.
pub(super) fn present<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Err(error) if error.is("NoSuchEntity") || error.is("NoSuchEntityException") => Ok(None),
        answer => answer.map(Some),
    }
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// IAM sends documents percent-encoded.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_document_is_decoded_whatever_it_holds() {
        assert_eq!(decoded("%7B%22a%22%3A%22%C3%A9%22%7D"), r#"{"a":"é"}"#);
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz+%4"), "%zz+%4");
    }
}
