//! The AWS calls that change the admin role and its policies; each can be repeated.
//!
//! IAM is eventually consistent: a new role or policy may not be found yet, so the call is repeated.

use std::time::Duration;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;

use crate::account::observe;
use crate::aws::{CallError, Policy, Session, call, retry};
use crate::bootstrap::admin_role::{Change, name};
use crate::bootstrap::{Error, Target, admin_role::policy};

/// How long to repeat a call until IAM finds a new role or policy.
const RETRY: Policy = Policy::new(Duration::from_millis(500), Duration::from_secs(16), 35);
/// How many versions of a policy IAM keeps ("IAM and AWS STS quotas").
const MAX_VERSIONS: usize = 5;

/// Makes one change to the admin role or a policy.
pub async fn apply(session: &Session, target: &Target, change: &Change) -> Result<(), Error> {
    apply_to(session, target, &name(target), change).await
}

/// Makes one change to a role of this environment, or to a policy.
pub(in crate::bootstrap) async fn apply_to(
    session: &Session,
    target: &Target,
    role: &str,
    change: &Change,
) -> Result<(), Error> {
    let iam = session.iam();
    let failed_for_now =
        |result: &Result<(), CallError>| result.as_ref().is_err_and(|error| is_transient(change, error));
    match retry(RETRY, failed_for_now, async || send(&iam, target, role, change).await).await {
        Err(error) if error.is("MalformedPolicyDocument") && sets_trust(change) => {
            Err(Error::UnknownPrincipal(error))
        }
        result => Ok(result?),
    }
}

/// Whether the same call may succeed later.
fn is_transient(change: &Change, error: &CallError) -> bool {
    let busy = ["ConcurrentModification", "EntityTemporarilyUnmodifiable"];
    busy.iter().any(|code| error.is(code))
        || (error.is("NoSuchEntity") && !is_removal(change))
        || (error.is("DeleteConflict") && is_removal(change))
}

fn is_removal(change: &Change) -> bool {
    matches!(
        change,
        Change::Detach(_)
            | Change::DeleteInline(_)
            | Change::RemoveFromInstanceProfile(_)
            | Change::Delete
            | Change::DeletePolicy(_)
    )
}

fn sets_trust(change: &Change) -> bool {
    matches!(change, Change::Create(..) | Change::Trust(_))
}

async fn send(iam: &Client, target: &Target, role: &str, change: &Change) -> Result<(), CallError> {
    match change {
        Change::CreatePolicy(part, document) => {
            let request = iam
                .create_policy()
                .policy_name(policy::name(target, part))
                .description(format!("{part}: what an operator of {} may do", target.deployment.prefix()))
                .policy_document(document)
                .set_tags(Some(tags(target)));
            ok_if_exists(call("iam:CreatePolicy", request.send().await).map(drop))
        }
        Change::UpdatePolicy(part, document) => update(iam, &policy::arn(target, part), document).await,
        Change::TagPolicy(part) => {
            let request = iam.tag_policy().policy_arn(policy::arn(target, part));
            let request = request.set_tags(Some(tags(target)));
            call("iam:TagPolicy", request.send().await).map(drop)
        }
        Change::Create(trust, seconds, boundary) => {
            let request = iam
                .create_role()
                .role_name(role)
                .description(format!("Operates {}", target.deployment.prefix()))
                .assume_role_policy_document(trust)
                .max_session_duration(*seconds)
                .set_permissions_boundary(boundary.clone())
                .set_tags(Some(tags(target)));
            ok_if_exists(call("iam:CreateRole", request.send().await).map(drop))
        }
        Change::Trust(document) => {
            let request = iam.update_assume_role_policy().role_name(role);
            let request = request.policy_document(document);
            call("iam:UpdateAssumeRolePolicy", request.send().await).map(drop)
        }
        Change::SessionDuration(seconds) => {
            let request = iam.update_role().role_name(role);
            let request = request.max_session_duration(*seconds);
            call("iam:UpdateRole", request.send().await).map(drop)
        }
        Change::Boundary(arn) => {
            let request = iam.put_role_permissions_boundary().role_name(role);
            let request = request.permissions_boundary(arn);
            call("iam:PutRolePermissionsBoundary", request.send().await).map(drop)
        }
        Change::Tags => {
            let request = iam.tag_role().role_name(role).set_tags(Some(tags(target)));
            call("iam:TagRole", request.send().await).map(drop)
        }
        Change::Attach(part) => {
            let request = iam.attach_role_policy().role_name(role);
            let request = request.policy_arn(policy::arn(target, part));
            call("iam:AttachRolePolicy", request.send().await).map(drop)
        }
        Change::Detach(arn) => {
            let request = iam.detach_role_policy().role_name(role).policy_arn(arn);
            ok_if_missing(call("iam:DetachRolePolicy", request.send().await).map(drop))
        }
        Change::DeleteInline(name) => {
            let request = iam.delete_role_policy().role_name(role).policy_name(name);
            ok_if_missing(call("iam:DeleteRolePolicy", request.send().await).map(drop))
        }
        Change::RemoveFromInstanceProfile(profile) => {
            let request = iam.remove_role_from_instance_profile().role_name(role);
            let request = request.instance_profile_name(profile);
            ok_if_missing(call("iam:RemoveRoleFromInstanceProfile", request.send().await).map(drop))
        }
        Change::Delete => {
            let request = iam.delete_role().role_name(role);
            ok_if_missing(call("iam:DeleteRole", request.send().await).map(drop))
        }
        Change::DeletePolicy(part) => {
            let arn = policy::arn(target, part);
            for version in observe::iam::other_versions(iam, &arn).await? {
                delete_version(iam, &arn, &version).await?;
            }
            let request = iam.delete_policy().policy_arn(&arn);
            ok_if_missing(call("iam:DeletePolicy", request.send().await).map(drop))
        }
    }
}

/// Creates a new default version. At the maximum number of versions, the oldest is deleted first.
async fn update(iam: &Client, arn: &str, document: &str) -> Result<(), CallError> {
    let others = observe::iam::other_versions(iam, arn).await?;
    if others.len() + 1 >= MAX_VERSIONS
        && let Some(oldest) = others.first()
    {
        delete_version(iam, arn, oldest).await?;
    }
    let request = iam.create_policy_version().policy_arn(arn);
    let request = request.policy_document(document).set_as_default(true);
    call("iam:CreatePolicyVersion", request.send().await).map(drop)
}

async fn delete_version(iam: &Client, arn: &str, version: &str) -> Result<(), CallError> {
    let request = iam.delete_policy_version().policy_arn(arn);
    let request = request.version_id(version);
    ok_if_missing(call("iam:DeletePolicyVersion", request.send().await).map(drop))
}

/// Another run created it at the same time: the settings are verified afterwards.
fn ok_if_exists(answer: Result<(), CallError>) -> Result<(), CallError> {
    match answer {
        Err(error) if error.is("EntityAlreadyExists") => Ok(()),
        answer => answer,
    }
}

fn ok_if_missing(answer: Result<(), CallError>) -> Result<(), CallError> {
    match answer {
        Err(error) if error.is("NoSuchEntity") => Ok(()),
        answer => answer,
    }
}

pub(in crate::bootstrap) fn tags(target: &Target) -> Vec<Tag> {
    target
        .deployment
        .tags()
        .iter()
        .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
        .collect()
}
