//! The steps that delete a role and its policies, if they have our tags. Pure.

use crate::account::iam::Role;
use crate::bootstrap::admin_role::{Change, Seen, name};
use crate::bootstrap::{Judged, Target, admin_role::policy};
use crate::plan::{Line, Verb};

/// The steps that delete the admin role and its policies, if they have our tags.
pub fn removal(target: &Target, seen: &Seen) -> Vec<Judged<Change>> {
    let ours = |tags| target.owns(tags);
    let role = seen.role.as_ref().filter(|role| ours(&role.tags));
    let mut steps = role.map(|role| removal_of(&name(target), role)).unwrap_or_default();
    // A policy that is attached to a role of others cannot be deleted.
    let is_attached = |part| {
        let mut role = seen.role.iter().filter(|role| !ours(&role.tags));
        role.any(|role| role.attached.contains(&policy::arn(target, part)))
    };
    for part in policy::parts() {
        let policy = seen.policies.get(part);
        if policy.is_some_and(|policy| ours(&policy.tags)) && !is_attached(part) {
            let thing = format!("IAM policy {}", policy::name(target, part));
            steps.push(step(&thing, None, Change::DeletePolicy(part)));
        }
    }
    steps
}

/// The steps that delete a role with what is attached to it.
pub(in crate::bootstrap) fn removal_of(name: &str, role: &Role) -> Vec<Judged<Change>> {
    let thing = format!("IAM role {name}");
    let mut steps = Vec::new();
    for arn in &role.attached {
        let change = Change::Detach(arn.clone());
        steps.push(step(&thing, Some(format!("attached {arn}")), change));
    }
    for inline in &role.inline {
        let change = Change::DeleteInline(inline.clone());
        steps.push(step(&thing, Some(format!("inline policy {inline}")), change));
    }
    for profile in &role.profiles {
        let change = Change::RemoveFromInstanceProfile(profile.clone());
        let setting = format!("instance profile {profile}");
        steps.push(step(&thing, Some(setting), change));
    }
    steps.push(step(&thing, None, Change::Delete));
    steps
}

fn step(thing: &str, setting: Option<String>, change: Change) -> Judged<Change> {
    let line = Line::new(Verb::Delete, thing);
    let line = match setting {
        Some(name) => line.setting(name, None, None),
        None => line,
    };
    Judged { line, change: Some(change) }
}
