//! The role that operators assume: its trust policy, session duration, boundary and policies. It is not an administrator.
//!
//! An existing role is adopted: trust policy statements, attached policies, boundary and tags of others are kept. The policy
//! documents are in [`policy`].

mod apply;
mod grants;
mod names;
pub mod policy;
pub mod region;
mod removal;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

pub use self::apply::apply;
pub(super) use self::apply::{apply_to, tags};
pub(super) use self::names::role_arn;
pub use self::names::{arn, name};
pub use self::removal::removal;
pub(super) use self::removal::removal_of;
use super::judged::Thing;
use super::ownership::{present_tags, tags_text};
use super::{Error, Judged, Target};
use crate::account::iam::{Policy, Role};
use crate::account::observe;
use crate::account::policy_document::PolicyDocument;
use crate::aws::{CallError, Session};

/// The maximum session duration of a new role, in hours: the first `terraform apply` takes less than one.
pub const SESSION_HOURS: i32 = 4;

/// The flags for the role. `None` or empty: no change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The config's hosted zone, in which the role may change records; `None` if another team manages the DNS.
    pub zone: Option<String>,
    /// ARNs of the principals that may assume the role.
    pub trust: BTreeSet<String>,
    /// Whether they must sign in with MFA.
    pub mfa: bool,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// 1 to 12.
    pub session_hours: Option<i32>,
}

/// The role as it is now in AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// `None` if it does not exist.
    pub role: Option<Role>,
    /// Its policies, by part.
    pub policies: BTreeMap<String, Policy>,
}

/// One change to the role or its policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Create the policy of a part: part, document.
    CreatePolicy(&'static str, String),
    /// Create a new version of the policy of a part: part, document.
    UpdatePolicy(&'static str, String),
    /// Set our tags on the policy of a part.
    TagPolicy(&'static str),
    /// Create the role: trust policy, maximum session duration in seconds, permissions boundary.
    Create(String, i32, Option<String>),
    /// Set the trust policy.
    Trust(String),
    /// Set the maximum session duration, in seconds.
    SessionDuration(i32),
    /// Set the permissions boundary, by ARN.
    Boundary(String),
    /// Set our tags; `TagRole` keeps all others.
    Tags,
    /// Attach the policy of a part.
    Attach(&'static str),
    /// Detach a policy, by ARN.
    Detach(String),
    /// Delete an inline policy, by name.
    DeleteInline(String),
    /// Remove the role from an instance profile, by name.
    RemoveFromInstanceProfile(String),
    /// Delete the role.
    Delete,
    /// Delete the policy of a part with all its versions.
    DeletePolicy(&'static str),
}

/// Reads the role and its policies, all at the same time.
pub async fn observe(session: &Session, target: &Target) -> Result<Seen, CallError> {
    let name = name(target);
    let (role, policies) = tokio::join!(
        Box::pin(observe::iam::role(session, &name)),
        Box::pin(observe_policies(session, target)),
    );
    let mut policies = policies?;
    policies.remove(policy::READ_ONLY);
    Ok(Seen { role: role?, policies })
}

/// The role with its name, for `region::refuse_others`; empty if it does not exist.
pub(super) fn roles<'a>(target: &Target, seen: &'a Seen) -> Vec<(String, &'a Role)> {
    seen.role.iter().map(|role| (name(target), role)).collect()
}

/// Reads the policies that exist, by part, at the same time.
pub(super) async fn observe_policies(
    session: &Session,
    target: &Target,
) -> Result<BTreeMap<String, Policy>, CallError> {
    let existing = observe::iam::policies(session).await?;
    policies_among(session, target, &existing).await
}

/// Reads the target's policies that are among these ARNs, by part, at the same time.
async fn policies_among(
    session: &Session,
    target: &Target,
    existing: &BTreeSet<String>,
) -> Result<BTreeMap<String, Policy>, CallError> {
    let parts = policy::parts().chain([policy::READ_ONLY]);
    let reads = parts.filter(|part| existing.contains(&policy::arn(target, part))).map(async |part| {
        let policy = observe::iam::policy(session, &policy::arn(target, part)).await?;
        Ok::<_, CallError>(policy.map(|policy| (part.to_owned(), policy)))
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// Judges the role and its policies.
pub fn judge(target: &Target, options: &Options, seen: &Seen) -> Vec<Judged<Change>> {
    let mut judged = Vec::new();
    for part in policy::parts() {
        judge_policy(target, options.zone.as_deref(), part, seen.policies.get(part), &mut judged);
    }
    let thing = format!("IAM role {}", name(target));
    match &seen.role {
        None => judged.push(create(options, &thing)),
        Some(role) => judge_role(target, options, &thing, role, &mut judged),
    }
    for part in policy::parts() {
        let name = policy::name(target, part);
        let attached =
            seen.role.as_ref().is_some_and(|role| role.attached.contains(&policy::arn(target, part)));
        let now = if attached { "attached" } else { "not attached" };
        let now = seen.role.as_ref().map(|_| now.to_owned());
        judged.push(Judged::setting(
            Thing { name: &thing, exists: seen.role.is_some() },
            &format!("policy {name}"),
            now,
            "attached",
            attached,
            Change::Attach(part),
        ));
    }
    if let Some(role) = &seen.role {
        let others = other_permissions(target, role);
        if !others.is_empty() {
            let setting = "other permissions, kept";
            let is_limited = !others.iter().any(|policy| is_administrator_policy(policy));
            judged.push(Judged::shown(&thing, setting, others.join(", "), is_limited));
        }
    }
    judged
}

/// Judges one policy.
pub(super) fn judge_policy(
    target: &Target,
    zone: Option<&str>,
    part: &'static str,
    seen: Option<&Policy>,
    judged: &mut Vec<Judged<Change>>,
) {
    let thing = format!("IAM policy {}", policy::name(target, part));
    let wanted = policy::document(target, zone, part);
    let Some(present) = seen else {
        let change = Change::CreatePolicy(part, wanted.to_string());
        judged.push(Judged::create(&thing, None, change));
        return;
    };
    let fits = policy::is_equal(&present.document, &wanted);
    let from = if fits {
        format!("{}, as it should be", present.version)
    } else {
        let difference = policy::difference(&present.document, &wanted);
        format!("{} ({difference})", present.version)
    };
    judged.push(Judged::setting(
        Thing::existing(&thing),
        "document",
        Some(from),
        "a new version",
        fits,
        Change::UpdatePolicy(part, wanted.to_string()),
    ));
    judged.push(judge_tags(target, &thing, &present.tags, Change::TagPolicy(part)));
}

/// Judges the tags of a role or a policy.
pub(super) fn judge_tags(
    target: &Target,
    thing: &str,
    present: &BTreeMap<String, String>,
    change: Change,
) -> Judged<Change> {
    let wanted = target.deployment.tags();
    let fits = target.owns(present);
    let from = present_tags(&wanted, present);
    let to = tags_text(&wanted);
    Judged::setting(Thing::existing(thing), "tags", from, &to, fits, change)
}

/// Refuses options that IAM would reject, a new role without trust, and a present trust policy that allows everyone.
pub fn check_options(target: &Target, options: &Options, seen: &Seen) -> Result<(), Error> {
    if seen.role.is_none() && options.trust.is_empty() {
        return Err(Error::NoTrust(name(target)));
    }
    let home = format!("arn:{}:", target.deployment.partition());
    if let Some(arn) = options.trust.iter().find(|arn| !arn.starts_with(&home)) {
        return Err(Error::OtherPartition(arn.clone(), home));
    }
    let present = seen.role.as_ref().map(|role| role.trust.as_str());
    let open = present.and_then(|trust| PolicyDocument::parse(trust).ok());
    if let Some(statement) = open.as_ref().and_then(PolicyDocument::open_to_everyone) {
        return Err(Error::OpenRole { role: name(target), statement: statement.name().to_owned() });
    }
    let size = policy::trust(&options.trust, options.mfa, present).to_string().len();
    if !options.trust.is_empty() && size > policy::TRUST_LIMIT {
        return Err(Error::TrustTooLong(format!(
            "the trust policy would have {size} characters, and IAM allows {}",
            policy::TRUST_LIMIT
        )));
    }
    Ok(())
}

fn create(options: &Options, thing: &str) -> Judged<Change> {
    let trust = policy::trust(&options.trust, options.mfa, None).to_string();
    let hours = options.session_hours.unwrap_or(SESSION_HOURS);
    let who =
        if options.trust.is_empty() { "no one yet (give `--trust`)".to_owned() } else { trust_text(&trust) };
    let limit = options.boundary.as_ref();
    let limit = limit.map_or(String::new(), |arn| format!(", limited by {arn}"));
    let text = format!("assumed by {who}, sessions of up to {hours} h, tags{limit}");
    let change = Change::Create(trust, hours * 3600, options.boundary.clone());
    Judged::create(thing, Some(&text), change)
}

fn judge_role(
    target: &Target,
    options: &Options,
    thing: &str,
    role: &Role,
    judged: &mut Vec<Judged<Change>>,
) {
    let wanted = policy::trust(&options.trust, options.mfa, Some(&role.trust));
    let fits = options.trust.is_empty() || policy::is_equal(&role.trust, &wanted);
    let wanted = wanted.to_string();
    judged.push(Judged::setting(
        Thing::existing(thing),
        "assumed by",
        Some(trust_text(&role.trust)),
        &trust_text(&wanted),
        fits,
        Change::Trust(wanted.clone()),
    ));
    let open = too_open(if options.trust.is_empty() { &role.trust } else { &wanted });
    if !open.is_empty() {
        let setting = "should not be assumed by";
        judged.push(Judged::shown(thing, setting, open.join(", "), false));
    }
    let hours = |seconds: i32| format!("{} h", f64::from(seconds) / 3600.0);
    let seconds = options.session_hours.map_or(role.session_seconds, |hours| hours * 3600);
    judged.push(Judged::setting(
        Thing::existing(thing),
        "longest session",
        Some(hours(role.session_seconds)),
        &hours(seconds),
        seconds == role.session_seconds,
        Change::SessionDuration(seconds),
    ));
    let boundary = options.boundary.as_ref().or(role.boundary.as_ref());
    let none = || "none".to_owned();
    judged.push(Judged::setting(
        Thing::existing(thing),
        "permissions boundary",
        Some(role.boundary.clone().unwrap_or_else(none)),
        &boundary.cloned().unwrap_or_else(none),
        boundary == role.boundary.as_ref(),
        Change::Boundary(boundary.cloned().unwrap_or_default()),
    ));
    judged.push(judge_tags(target, thing, &role.tags, Change::Tags));
}

/// Whether this is an AWS managed policy that allows everything, or allows its user to extend the own permissions.
fn is_administrator_policy(policy: &str) -> bool {
    let name = policy.rsplit('/').next().unwrap_or_default();
    matches!(name, "AdministratorAccess" | "IAMFullAccess")
}

/// The principals that should not be allowed to assume the role: everyone, and users without MFA.
fn too_open(trust: &str) -> Vec<String> {
    let statements = policy::trusted(trust).into_iter();
    let open = statements.flat_map(|trusted| {
        let (mfa, limited) = (trusted.mfa, trusted.limited);
        trusted.who.into_iter().filter_map(move |who| {
            if who == "*" && !limited {
                Some("everyone in every account".to_owned())
            } else if !mfa && who.contains(":user/") {
                Some(format!("{who} without MFA"))
            } else {
                None
            }
        })
    });
    open.collect()
}

fn trust_text(trust: &str) -> String {
    let statements: Vec<String> = policy::trusted(trust)
        .into_iter()
        .map(|trusted| {
            let who: Vec<String> = trusted.who.into_iter().collect();
            let how = if trusted.mfa { "with MFA" } else { "without MFA" };
            format!("{} {how}", who.join(", "))
        })
        .collect();
    statements.join("; ")
}

/// The role's policies that osmt-bootstrap did not attach.
fn other_permissions(target: &Target, role: &Role) -> Vec<String> {
    let ours: BTreeSet<String> = policy::parts().map(|part| policy::arn(target, part)).collect();
    let inline = role.inline.iter().map(|name| format!("inline {name}"));
    role.attached.difference(&ours).cloned().chain(inline).collect()
}

/// Warnings about the options.
pub fn remarks(target: &Target, options: &Options) -> Vec<String> {
    options
        .trust
        .iter()
        .filter(|arn| options.mfa && arn.contains(":role/"))
        .map(|arn| {
            format!(
                "{arn} is a role: its sessions do not state whether MFA was used, so it cannot assume {}; `--no-mfa` allows it",
                name(target)
            )
        })
        .collect()
}

/// Whether the caller is a session of the admin role.
pub fn is_caller(target: &Target, caller: &str) -> bool {
    caller.contains(&format!(":assumed-role/{}/", name(target)))
}
