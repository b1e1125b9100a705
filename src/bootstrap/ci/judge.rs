//! Judges the OIDC provider and the roles, and plans their removal. Pure.

use crate::account::iam::Role;
use crate::account::policy_document::PolicyDocument;
use crate::bootstrap::admin_role::{self, judge_policy, judge_tags, policy, removal_of};
use crate::bootstrap::ci::documents::{trust, who};
use crate::bootstrap::ci::repository::AUDIENCE;
use crate::bootstrap::ci::{Change, CiRole, Options, Seen};
use crate::bootstrap::judged::Thing;
use crate::bootstrap::{Error, Judged, Target};
use crate::plan::{Line, Verb};

/// Judges the policies, the provider and the roles; `with_policies`: also the policies that the admin role has, too.
pub fn judge(target: &Target, options: &Options, with_policies: bool, seen: &Seen) -> Vec<Judged<Change>> {
    let mut judged = Vec::new();
    let of_both = if with_policies { CiRole::Apply.parts() } else { Vec::new() };
    for part in of_both.into_iter().chain(CiRole::Plan.parts()) {
        let mut some = Vec::new();
        judge_policy(target, options.zone.as_deref(), part, seen.policies.get(part), &mut some);
        judged.extend(some.into_iter().map(|one| one.map(Change::Policy)));
    }
    judged.extend(judge_provider(options, seen));
    for ci_role in CiRole::ALL {
        judge_role(target, options, ci_role, seen.roles.get(&ci_role), &mut judged);
    }
    judged
}

fn judge_provider(options: &Options, seen: &Seen) -> Option<Judged<Change>> {
    let issuer = options.source.as_ref().map(|source| source.repository.issuer());
    match (&seen.provider, issuer) {
        (None, None) => None,
        (None, Some(issuer)) => {
            let thing = format!("IAM OIDC provider {issuer}");
            let audience = format!("audience {AUDIENCE}");
            Some(Judged::create(&thing, Some(&audience), Change::CreateProvider(issuer)))
        }
        (Some(provider), _) => {
            let issuer = provider.arn.split_once('/').map_or(&*provider.arn, |(_, issuer)| issuer);
            let fits = provider.audiences.iter().any(|one| one == AUDIENCE);
            let from = provider.audiences.join(", ");
            let mut all = provider.audiences.clone();
            all.push(AUDIENCE.to_owned());
            Some(Judged::setting(
                Thing::existing(&format!("IAM OIDC provider {issuer}")),
                "audiences",
                Some(from),
                &all.join(", "),
                fits,
                Change::AddAudience(provider.arn.clone()),
            ))
        }
    }
}

fn judge_role(
    target: &Target,
    options: &Options,
    ci_role: CiRole,
    seen: Option<&Role>,
    judged: &mut Vec<Judged<Change>>,
) {
    use admin_role::Change as Of;
    let thing = format!("IAM role {}", ci_role.name(target));
    let seconds = 3600;
    let Some(role) = seen else {
        // `check_options` refuses this before anything is written.
        let Some(source) = &options.source else { return };
        let wanted = trust(target, ci_role, source, None).to_string();
        let limit = options.boundary.as_ref().map_or(String::new(), |arn| format!(", limited by {arn}"));
        let text = format!("assumed from {}, sessions of up to 1 h, tags{limit}", who(&wanted));
        let change = Of::Create(wanted, seconds, options.boundary.clone());
        judged.push(Judged::create(&thing, Some(&text), Change::Role(ci_role, change)));
        for part in ci_role.parts() {
            attach(target, &thing, ci_role, part, None, judged);
        }
        return;
    };
    if let Some(source) = &options.source {
        let wanted = trust(target, ci_role, source, Some(&role.trust));
        let fits = policy::is_equal(&role.trust, &wanted);
        let wanted = wanted.to_string();
        judged.push(Judged::setting(
            Thing::existing(&thing),
            "assumed from",
            Some(who(&role.trust)),
            &who(&wanted),
            fits,
            Change::Role(ci_role, Of::Trust(wanted.clone())),
        ));
    } else {
        judged.push(Judged::shown(&thing, "assumed from", who(&role.trust), true));
    }
    if let Some(boundary) = &options.boundary {
        judged.push(Judged::setting(
            Thing::existing(&thing),
            "permissions boundary",
            role.boundary.clone(),
            boundary,
            role.boundary.as_ref() == Some(boundary),
            Change::Role(ci_role, Of::Boundary(boundary.clone())),
        ));
    }
    judged.push(judge_tags(target, &thing, &role.tags, Of::Tags).map(|change| Change::Role(ci_role, change)));
    for part in ci_role.parts() {
        attach(target, &thing, ci_role, part, Some(role), judged);
    }
    let ours: Vec<String> = ci_role.parts().into_iter().map(|part| policy::arn(target, part)).collect();
    let others = role.attached.iter().filter(|arn| !ours.contains(arn)).cloned();
    let others: Vec<String> = others.chain(role.inline.iter().map(|name| format!("inline {name}"))).collect();
    if !others.is_empty() {
        judged.push(Judged::shown(&thing, "other permissions, kept", others.join(", "), false));
    }
}

fn attach(
    target: &Target,
    thing: &str,
    ci_role: CiRole,
    part: &'static str,
    role: Option<&Role>,
    judged: &mut Vec<Judged<Change>>,
) {
    let attached = role.is_some_and(|role| role.attached.contains(&policy::arn(target, part)));
    let now = role.map(|_| if attached { "attached" } else { "not attached" }.to_owned());
    judged.push(Judged::setting(
        Thing { name: thing, exists: role.is_some() },
        &format!("policy {}", policy::name(target, part)),
        now,
        "attached",
        attached,
        Change::Role(ci_role, admin_role::Change::Attach(part)),
    ));
}

/// Refuses new roles without a repository, and a present trust policy that allows everyone.
pub fn check_options(target: &Target, options: &Options, seen: &Seen) -> Result<(), Error> {
    for ci_role in CiRole::ALL {
        let name = ci_role.name(target);
        let Some(role) = seen.roles.get(&ci_role) else {
            if options.source.is_none() {
                return Err(Error::NoRepository(name));
            }
            continue;
        };
        let trust = PolicyDocument::parse(&role.trust).ok();
        if let Some(statement) = trust.as_ref().and_then(PolicyDocument::open_to_everyone) {
            return Err(Error::OpenRole { role: name, statement: statement.name().to_owned() });
        }
    }
    Ok(())
}

/// The steps that delete the roles, the plan role's policy and the provider, if they have our tags.
pub fn removal(target: &Target, seen: &Seen, provider: bool) -> Vec<Judged<Change>> {
    let mut steps = Vec::new();
    for ci_role in CiRole::ALL {
        let role = seen.roles.get(&ci_role).filter(|role| target.owns(&role.tags));
        let some = role.map(|role| removal_of(&ci_role.name(target), role)).unwrap_or_default();
        steps.extend(some.into_iter().map(|one| one.map(|change| Change::Role(ci_role, change))));
    }
    for part in CiRole::Plan.parts() {
        if seen.policies.get(part).is_some_and(|policy| target.owns(&policy.tags)) {
            let thing = format!("IAM policy {}", policy::name(target, part));
            let change = Change::Policy(admin_role::Change::DeletePolicy(part));
            steps.push(Judged { line: Line::new(Verb::Delete, thing), change: Some(change) });
        }
    }
    if let Some(provider) = seen.provider.as_ref().filter(|one| provider && target.owns(&one.tags)) {
        let thing = format!("IAM OIDC provider {}", provider.arn);
        let change = Change::DeleteProvider(provider.arn.clone());
        steps.push(Judged { line: Line::new(Verb::Delete, thing), change: Some(change) });
    }
    steps
}
