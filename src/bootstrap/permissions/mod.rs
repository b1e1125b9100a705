//! Asks IAM's policy simulator, before the first write, whether the caller may make the calls of a plan.
//!
//! Only a decided "no" is one. Where the simulator cannot know (it is denied itself, a condition's value is missing, an
//! organisation's policy or a boundary has a say, the root user), it is said to be unsure: a false "denied" would be
//! worse than a late one.

mod needs;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType as Decision,
    ResourceSpecificResult,
};

use super::Target;
pub use super::permissions::needs::{Need, needs, policed};
use crate::arn::Arn;
use crate::aws::{CallError, Session, call};

/// What the simulator said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many needs are met.
    pub allowed: usize,
    /// Decidedly not allowed.
    pub denied: Vec<Need>,
    /// Not decided, and why.
    pub unsure: Vec<(Need, String)>,
}

/// Asks the simulator; never fails: what it does not answer is unsure. `policed` are resources with policies of their own,
/// which may allow what the caller's do not: the simulator does not know them.
pub async fn check(
    session: &Session,
    target: &Target,
    needs: BTreeSet<Need>,
    policed: &BTreeSet<String>,
) -> Checked {
    let mut checked = Checked::default();
    let principal = match principal(session).await {
        Ok(principal) => principal,
        Err(reason) => {
            checked.unsure = needs.into_iter().map(|need| (need, reason.clone())).collect();
            return checked;
        }
    };
    let mut by_resource: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for need in needs {
        by_resource.entry(need.resource).or_default().push(need.action);
    }
    let mut asking = tokio::task::JoinSet::new();
    for (resource, actions) in by_resource {
        let (session, principal) = (session.clone(), principal.clone());
        let region = target.deployment.region.clone();
        asking.spawn(async move {
            let answer = simulate(&session, &principal, &region, &resource, &actions).await;
            (resource, actions, answer)
        });
    }
    while let Some(asked) = asking.join_next().await {
        let Ok((resource, actions, answer)) = asked else {
            continue;
        };
        for action in actions {
            let need = Need { action, resource: resource.clone() };
            let verdict = match &answer {
                Err(error) => Verdict::Unsure(error.reason()),
                Ok(results) => match verdict(action, results) {
                    Verdict::Denied { explicitly: false } if policed.contains(&resource) => {
                        Verdict::Unsure("the resource's own policy may allow it".to_owned())
                    }
                    verdict => verdict,
                },
            };
            match verdict {
                Verdict::Allowed => checked.allowed += 1,
                Verdict::Denied { .. } => checked.denied.push(need),
                Verdict::Unsure(reason) => checked.unsure.push((need, reason)),
            }
        }
    }
    checked.denied.sort();
    checked.unsure.sort();
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
    Unsure(String),
}

/// What the results say of one action; pure.
fn verdict(action: &str, results: &[EvaluationResult]) -> Verdict {
    let Some(result) = results.iter().find(|result| result.eval_action_name().eq_ignore_ascii_case(action))
    else {
        return Verdict::Unsure("the policy simulator did not return a result for it".into());
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
        Verdict::Unsure(format!("it depends on {}", missing.join(", ")))
    } else if organisation {
        Verdict::Unsure("a policy of the organisation seems to forbid it".into())
    } else if boundary {
        Verdict::Unsure("the caller's permissions boundary seems to forbid it".into())
    } else if matches!(result.eval_decision(), Decision::ExplicitDeny | Decision::ImplicitDeny) {
        Verdict::Denied { explicitly: *result.eval_decision() == Decision::ExplicitDeny }
    } else {
        Verdict::Unsure(format!("the simulator said {}", result.eval_decision().as_str()))
    }
}

/// Whom the simulator knows the caller by: a session is asked about by its role.
async fn principal(session: &Session) -> Result<String, String> {
    match caller(&session.caller) {
        Caller::Known(arn) => Ok(arn),
        Caller::Other(reason) => Err(reason.to_owned()),
        // The session's ARN lacks the role's path, which single sign-on gives its roles.
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
    fn only_a_decided_no_is_one() {
        let unsure = |verdict| matches!(verdict, Verdict::Unsure(_));
        assert_eq!(verdict_of(result(Decision::Allowed)), Verdict::Allowed);
        for (decision, explicitly) in [(Decision::ImplicitDeny, false), (Decision::ExplicitDeny, true)] {
            assert_eq!(verdict_of(result(decision)), Verdict::Denied { explicitly });
        }
        let missing = result(Decision::ExplicitDeny).missing_context_values("aws:x");
        assert!(unsure(verdict_of(missing)));
        let organisation = OrganizationsDecisionDetail::builder().build();
        let scp = result(Decision::ImplicitDeny).organizations_decision_detail(organisation);
        assert!(unsure(verdict_of(scp)));
        let boundary = PermissionsBoundaryDecisionDetail::builder().build();
        let limited = result(Decision::ImplicitDeny).permissions_boundary_decision_detail(boundary);
        assert!(unsure(verdict_of(limited)));
        assert!(unsure(verdict_of(result(Decision::from("maybe")))));
        assert!(unsure(verdict("s3:CreateBucket", &[])));
    }

    #[test]
    fn a_session_is_its_role() {
        let session = caller("arn:aws:sts::123456789012:assumed-role/Operator/ann");
        assert_eq!(session, Caller::Session("Operator"));
        let user = "arn:aws:iam::123456789012:user/team/ann";
        assert_eq!(caller(user), Caller::Known(user.to_owned()));
        for other in ["arn:aws:iam::123456789012:root", "arn:aws:sts::1:federated-user/x", ""] {
            assert!(matches!(caller(other), Caller::Other(_)), "{other}");
        }
    }
}
