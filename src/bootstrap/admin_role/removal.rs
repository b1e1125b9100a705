//! Takes the admin role and its policies apart, where they carry our tags. Pure; the calls are `admin_role_apply`'s.

use crate::bootstrap::admin_role::{Change, Seen, name};
use crate::bootstrap::{Judged, Target, admin_role::policy};
use crate::plan::{Line, Verb};

/// The steps that take the role and its policies away; nothing where they do not carry our tags. Pure.
pub fn removal(target: &Target, seen: &Seen) -> Vec<Judged<Change>> {
    let ours = |tags| target.owns(tags);
    let step = |thing: &str, setting: Option<String>, change| {
        let line = Line::new(Verb::Delete, thing);
        Judged {
            line: match setting {
                Some(name) => line.setting(name, None, None),
                None => line,
            },
            change: Some(change),
        }
    };
    let mut steps = Vec::new();
    if let Some(role) = seen.role.as_ref().filter(|role| ours(&role.tags)) {
        let thing = format!("IAM role {}", name(target));
        for arn in &role.attached {
            let change = Change::Detach(arn.clone());
            steps.push(step(&thing, Some(format!("attached {arn}")), change));
        }
        for inline in &role.inline {
            let change = Change::DeleteInline(inline.clone());
            steps.push(step(&thing, Some(format!("inline policy {inline}")), change));
        }
        for profile in &role.profiles {
            let change = Change::Leave(profile.clone());
            let setting = format!("instance profile {profile}");
            steps.push(step(&thing, Some(setting), change));
        }
        steps.push(step(&thing, None, Change::Delete));
    }
    // A policy that a role of somebody else's holds cannot go.
    let held = |part| {
        let mut role = seen.role.iter().filter(|role| !ours(&role.tags));
        role.any(|role| role.attached.contains(&policy::arn(target, part)))
    };
    for part in policy::parts() {
        let policy = seen.policies.get(part);
        if policy.is_some_and(|policy| ours(&policy.tags)) && !held(part) {
            let thing = format!("IAM policy {}", policy::name(target, part));
            steps.push(step(&thing, None, Change::DeletePolicy(part)));
        }
    }
    steps
}
