//! Asks IAM's policy simulator before the first write whether the caller may make the calls of a plan.
//!
//! Only a clear denial stops the run. Where the simulator cannot know the answer (the call to it is denied, the value of a condition
//! key is missing, a policy of the organisation or a permissions boundary applies, the root user), the permission is undecided: a
//! false "denied" would be worse than an error of the call itself.

mod needs;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType as Decision,
    ResourceSpecificResult,
};

use futures_util::future::join_all;

use super::Target;
pub use super::permissions::needs::{Need, needs, with_own_policy};
use crate::arn::Arn;
use crate::aws::{CallError, Session, call};

/// The simulator's answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The number of allowed permissions.
    pub allowed: usize,
    /// Permissions that the simulator denied.
    pub denied: Vec<Need>,
    /// Permissions with the reason why they are not decided.
    pub undecided: Vec<(Need, String)>,
}

/// Asks the simulator. A call that fails makes its permissions undecided. `with_own_policy` are resources with a resource policy: the
/// simulator does not read it, and it may allow what the caller's policies do not.
pub async fn check(
    session: &Session,
    target: &Target,
    needs: BTreeSet<Need>,
    with_own_policy: &BTreeSet<String>,
) -> Checked {
    let mut checked = Checked::default();
    let principal = match principal(session).await {
        Ok(principal) => principal,
        Err(reason) => {
            checked.undecided = needs.into_iter().map(|need| (need, reason.clone())).collect();
            return checked;
        }
    };
    let mut by_resource: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for need in needs {
        by_resource.entry(need.resource).or_default().push(need.action);
    }
    let calls = by_resource.into_iter().map(async |(resource, actions)| {
        let answer =
            Box::pin(simulate(session, &principal, &target.deployment.region, &resource, &actions)).await;
        (resource, actions, answer)
    });
    for (resource, actions, answer) in join_all(calls).await {
        for action in actions {
            let need = Need { action, resource: resource.clone() };
            let verdict = match &answer {
                Err(error) => Verdict::Undecided(error.reason()),
                Ok(results) => match verdict(action, results) {
                    Verdict::Denied { explicitly: false } if with_own_policy.contains(&resource) => {
                        Verdict::Undecided("the resource's own policy may allow it".to_owned())
                    }
                    verdict => verdict,
                },
            };
            match verdict {
                Verdict::Allowed => checked.allowed += 1,
                Verdict::Denied { .. } => checked.denied.push(need),
                Verdict::Undecided(reason) => checked.undecided.push((need, reason)),
            }
        }
    }
    checked.denied.sort();
    checked.undecided.sort();
    checked
}

async fn simulate(
    session: &Session,
    principal: &str,
    region: &str,
    resource: &str,
    actions: &[&'static str],
) -> Result<Vec<EvaluationResult>, CallError> {
    let known = [
        ("aws:RequestedRegion", region, ContextKeyTypeEnum::String),
        ("aws:SecureTransport", "true", ContextKeyTypeEnum::Boolean),
    ];
    let context = known.map(|(key, value, kind)| {
        ContextEntry::builder().context_key_name(key).context_key_values(value).context_key_type(kind).build()
    });
    let request = session
        .iam()
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_action_names(Some(actions.iter().map(|&action| action.into()).collect()))
        .set_context_entries(Some(context.into()))
        .resource_arns(resource);
    let answer = request.into_paginator().items().send().try_collect().await;
    call("iam:SimulatePrincipalPolicy", answer)
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Allowed,
    Denied { explicitly: bool },
    Undecided(String),
}

/// The verdict on one action.
fn verdict(action: &str, results: &[EvaluationResult]) -> Verdict {
    let Some(result) = results.iter().find(|result| result.eval_action_name().eq_ignore_ascii_case(action))
    else {
        return Verdict::Undecided("the policy simulator did not return a result for it".into());
    };
    if *result.eval_decision() == Decision::Allowed {
        return Verdict::Allowed;
    }
    let specific = result.resource_specific_results();
    let missing: BTreeSet<&str> = result
        .missing_context_values()
        .iter()
        .chain(specific.iter().flat_map(ResourceSpecificResult::missing_context_values))
        .map(String::as_str)
        .collect();
    let organisation =
        result.organizations_decision_detail().is_some_and(|detail| !detail.allowed_by_organizations());
    let boundary = result
        .permissions_boundary_decision_detail()
        .is_some_and(|detail| !detail.allowed_by_permissions_boundary());
    if !missing.is_empty() {
        let missing: Vec<&str> = missing.into_iter().collect();
        Verdict::Undecided(format!("it depends on {}", missing.join(", ")))
    } else if organisation {
        Verdict::Undecided("a policy of the organisation seems to deny it".into())
    } else if boundary {
        Verdict::Undecided("the caller's permissions boundary seems to deny it".into())
    } else if matches!(result.eval_decision(), Decision::ExplicitDeny | Decision::ImplicitDeny) {
        Verdict::Denied { explicitly: *result.eval_decision() == Decision::ExplicitDeny }
    } else {
        Verdict::Undecided(format!("the policy simulator returned {}", result.eval_decision().as_str()))
    }
}

/// The ARN that the simulator accepts for the caller: for a session, the ARN of its role.
async fn principal(session: &Session) -> Result<String, String> {
    match caller(&session.caller) {
        Caller::Known(arn) => Ok(arn),
        Caller::Other(reason) => Err(reason.to_owned()),
        // The session's ARN does not contain the role's path, which roles of IAM Identity Center have.
        Caller::Session(role) => {
            let answer = session.iam().get_role().role_name(role).send().await;
            let answer = call("iam:GetRole", answer).map_err(|error| error.reason())?;
            answer.role.map(|role| role.arn).ok_or_else(|| "IAM did not return the caller's role".to_owned())
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Caller<'a> {
    Known(String),
    Session(&'a str),
    Other(&'static str),
}

fn caller(arn: &str) -> Caller<'_> {
    let Some(parts) = Arn::parse(arn) else {
        return Caller::Other("the caller's ARN is not known");
    };
    match parts.resource.split('/').collect::<Vec<_>>()[..] {
        ["assumed-role", role, ..] => Caller::Session(role),
        ["user" | "role", ..] => Caller::Known(arn.to_owned()),
        ["root"] => Caller::Other("the policy simulator does not support the root user"),
        _ => Caller::Other("the policy simulator supports users and roles only"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::types::builders::EvaluationResultBuilder;
    use aws_sdk_iam::types::{OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail};

    use super::*;

    fn result(decision: Decision) -> EvaluationResultBuilder {
        EvaluationResult::builder().eval_action_name("s3:CreateBucket").eval_decision(decision)
    }

    fn verdict_of(result: EvaluationResultBuilder) -> Verdict {
        verdict("s3:CreateBucket", &[result.build().unwrap()])
    }

    #[test]
    fn only_a_clear_denial_is_denied() {
        let undecided = |verdict| matches!(verdict, Verdict::Undecided(_));
        assert_eq!(verdict_of(result(Decision::Allowed)), Verdict::Allowed);
        for (decision, explicitly) in [(Decision::ImplicitDeny, false), (Decision::ExplicitDeny, true)] {
            assert_eq!(verdict_of(result(decision)), Verdict::Denied { explicitly });
        }
        let missing = result(Decision::ExplicitDeny).missing_context_values("aws:x");
        assert!(undecided(verdict_of(missing)));
        let organisation = OrganizationsDecisionDetail::builder().build();
        let scp = result(Decision::ImplicitDeny).organizations_decision_detail(organisation);
        assert!(undecided(verdict_of(scp)));
        let boundary = PermissionsBoundaryDecisionDetail::builder().build();
        let limited = result(Decision::ImplicitDeny).permissions_boundary_decision_detail(boundary);
        assert!(undecided(verdict_of(limited)));
        assert!(undecided(verdict_of(result(Decision::from("maybe")))));
        assert!(undecided(verdict("s3:CreateBucket", &[])));
    }

    #[test]
    fn a_session_is_checked_by_its_role() {
        let session = caller("arn:aws:sts::123456789012:assumed-role/Operator/ann");
        assert_eq!(session, Caller::Session("Operator"));
        let user = "arn:aws:iam::123456789012:user/team/ann";
        assert_eq!(caller(user), Caller::Known(user.to_owned()));
        for other in ["arn:aws:iam::123456789012:root", "arn:aws:sts::1:federated-user/x", ""] {
            assert!(matches!(caller(other), Caller::Other(_)), "{other}");
        }
    }
}
