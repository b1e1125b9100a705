//! Prepares an AWS account for Terraform: state bucket, lock table, certificate; and takes it away again.
//!
//! One file a component. Each says what it wants ([`judge`](state_bucket::judge)), which is pure, and how a change
//! is made (`apply`), which is one AWS call or a few. Nothing here asks or prints.

pub mod account_baseline;
pub mod admin_role;
pub mod certificate;
pub mod ci;
pub mod destroy;
pub mod digest;
mod error;
pub mod init;
pub mod lock_table;
pub mod ownership;
pub mod parts;
pub mod permissions;
pub mod state_bucket;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::error::Error;
use crate::account::baseline::Baseline;
use crate::account::{Bucket, Table, observe, observe_baseline};
use crate::aws::Session;
use crate::deployment::{self, Deployment, StateBackend};
use crate::plan::{Action, Line, Plan, Verb};

/// What is prepared, and for which deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// For which deployment.
    pub deployment: Deployment,
    /// Where its state is.
    pub backend: StateBackend,
    /// Which components are asked for.
    #[serde(default)]
    pub parts: parts::Parts,
}

impl Target {
    /// Whether something carries the deployment's tags, or was adopted.
    pub fn owns(&self, tags: &BTreeMap<String, String>) -> bool {
        self.is_adopted(tags)
            || deployment::is_tagged(
                &self.deployment.env,
                tags.iter().map(|(key, value)| (key.as_str(), value.as_str())),
            )
    }
}

/// What is there now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The state bucket.
    pub bucket: Option<Bucket>,
    /// The lock table.
    pub table: Option<Table>,
    /// The admin role and its policies, where they are asked for.
    #[serde(default)]
    pub admin: Option<admin_role::Seen>,
    /// The account's own settings, where they are asked for.
    #[serde(default)]
    pub account: Option<Baseline>,
    /// The CI system's roles, where they are asked for.
    #[serde(default)]
    pub ci: Option<ci::Seen>,
}

/// Reads what is there of the parts that are asked for; all at the same time.
pub async fn observe(session: &Session, target: &Target) -> Result<Seen, Error> {
    let lock_id = target.backend.lock_id();
    let parts = &target.parts;
    let bucket = async {
        if parts.state { Box::pin(observe::bucket(session, &target.backend.bucket)).await } else { Ok(None) }
    };
    let table = async {
        match target.backend.lock.table() {
            Some(name) if parts.state => Box::pin(observe::table(session, name, &lock_id)).await,
            _ => Ok(None),
        }
    };
    let admin = async {
        match &parts.admin {
            Some(_) => Box::pin(admin_role::observe(session, target)).await.map(Some),
            None => Ok(None),
        }
    };
    let account = async {
        match &parts.account {
            Some(_) => Some(Box::pin(observe_baseline::baseline(session)).await),
            None => None,
        }
    };
    let ci = async {
        match &parts.ci {
            Some(wishes) => Box::pin(ci::observe(session, target, wishes.source.as_ref())).await.map(Some),
            None => Ok(None),
        }
    };
    let (bucket, table, admin, account, ci) = tokio::join!(bucket, table, admin, account, ci);
    Ok(Seen { bucket: bucket?, table: table?, admin: admin?, account, ci: ci? })
}

/// One setting, judged: what to do about it, or that it is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<C> {
    /// How it is shown.
    pub line: Line,
    /// What is to be done; `None` where the line says [`Verb::Keep`].
    pub change: Option<C>,
}

impl<C> Judged<C> {
    /// A thing that does not exist yet.
    fn create(thing: &str, what: Option<&str>, change: C) -> Self {
        Self {
            line: Line { to: what.map(str::to_owned), ..Line::new(Verb::Create, thing) },
            change: Some(change),
        }
    }

    /// One setting: kept where `fits`, changed otherwise; part of the creation where there is nothing to change yet.
    fn setting(
        (thing, exists): (&str, bool),
        name: &str,
        (from, to): (Option<String>, &str),
        fits: bool,
        change: C,
    ) -> Self {
        if exists && fits {
            return Self { line: Line::new(Verb::Keep, thing).setting(name, None, from), change: None };
        }
        let verb = if exists { Verb::Update } else { Verb::Create };
        Self { line: Line::new(verb, thing).setting(name, from, Some(to.to_owned())), change: Some(change) }
    }

    /// One setting that is shown and not ours to change: as it should be, or not.
    pub fn shown(thing: &str, setting: impl Into<String>, text: String, good: bool) -> Self {
        let verb = if good { Verb::Keep } else { Verb::Attention };
        Self { line: Line::new(verb, thing).setting(setting, None, Some(text)), change: None }
    }

    fn map<D>(self, into: impl FnOnce(C) -> D) -> Judged<D> {
        Judged { line: self.line, change: self.change.map(into) }
    }
}

/// A change of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Of the state bucket.
    Bucket(state_bucket::Change),
    /// Of the lock table.
    Table(lock_table::Change),
    /// Of the admin role.
    Admin(admin_role::Change),
    /// Of the account's own settings.
    Account(account_baseline::Change),
    /// Of the CI system's roles.
    Ci(ci::Change),
}

/// A change and how it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How it is shown.
    pub line: Line,
    /// What is done.
    pub change: Change,
}

impl Action for Step {
    fn line(&self) -> Line {
        self.line.clone()
    }

    fn lane(&self) -> usize {
        match self.change {
            Change::Bucket(_) => 0,
            Change::Table(_) => 1,
            // The CI's role has the admin role's policies.
            Change::Admin(_) | Change::Ci(_) => 2,
            Change::Account(_) => 3,
        }
    }
}

/// Judges every setting of every component; pure.
pub fn judge(target: &Target, seen: &Seen) -> Result<Vec<Judged<Change>>, Error> {
    let mut judged = Vec::new();
    if target.parts.state {
        let bucket = state_bucket::judge(target, seen.bucket.as_ref())?.into_iter();
        judged.extend(bucket.map(|judged| judged.map(Change::Bucket)));
    }
    if let Some(name) = target.backend.lock.table().filter(|_| target.parts.state) {
        let table = lock_table::judge(target, name, seen.table.as_ref())?.into_iter();
        judged.extend(table.map(|judged| judged.map(Change::Table)));
    }
    if let (Some(wishes), Some(seen)) = (&target.parts.admin, &seen.admin) {
        admin_role::region::of_this_region(target, &seen.policies)?;
        let admin = admin_role::judge(target, wishes, seen).into_iter();
        judged.extend(admin.map(|judged| judged.map(Change::Admin)));
    }
    if let (Some(wishes), Some(seen)) = (&target.parts.ci, &seen.ci) {
        admin_role::region::of_this_region(target, &seen.policies)?;
        let ci = ci::judge(target, wishes, seen).into_iter();
        judged.extend(ci.map(|judged| judged.map(Change::Ci)));
    }
    if let (Some(named), Some(seen)) = (&target.parts.account, &seen.account) {
        let account = account_baseline::judge(target, named, seen)?.into_iter();
        judged.extend(account.map(|judged| judged.map(Change::Account)));
    }
    Ok(judged)
}

/// Refuses a plan that a flag is missing for.
pub fn answered(target: &Target, seen: &Seen) -> Result<(), Error> {
    if let (Some(wishes), Some(seen)) = (&target.parts.admin, &seen.admin) {
        admin_role::answered(target, wishes, seen)?;
    }
    if let (Some(wishes), Some(seen)) = (&target.parts.ci, &seen.ci) {
        ci::answered(target, wishes, seen)?;
    }
    Ok(())
}

/// The changes among what was judged, in order.
pub fn plan(judged: Vec<Judged<Change>>) -> Plan<Step> {
    judged
        .into_iter()
        .filter_map(|judged| {
            let line = judged.line;
            judged.change.map(|change| Step { line, change })
        })
        .collect()
}

/// Makes one change.
pub async fn apply(session: &Session, target: &Target, step: &Step) -> Result<(), Error> {
    match &step.change {
        Change::Bucket(change) => state_bucket::apply(session, target, change).await,
        Change::Table(change) => lock_table::apply(session, target, change).await,
        Change::Admin(change) => admin_role::apply(session, target, change).await,
        Change::Account(change) => account_baseline::apply(session, change).await,
        Change::Ci(change) => ci::apply(session, target, change).await,
    }
}

/// Refuses what carries our tags for another environment: two states in one place would take each other's resources away.
fn of_this_environment(target: &Target, thing: &str, tags: &BTreeMap<String, String>) -> Result<(), Error> {
    let ours = tags.get("Application").is_some_and(|app| app == "osmt");
    let adopted = tags.get(ownership::ADOPTED);
    match adopted.or(tags.get("Environment").filter(|_| ours)) {
        Some(other) if *other != target.deployment.env => Err(Error::OtherEnvironment {
            thing: thing.to_owned(),
            other: other.clone(),
            env: target.deployment.env.clone(),
        }),
        _ => Ok(()),
    }
}

/// What of the tags is missing or different, as text for the plan.
fn tags_text(tags: &BTreeMap<String, String>) -> String {
    tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

/// The present values of the tags that we want to set.
fn present_tags(wanted: &BTreeMap<String, String>, present: &BTreeMap<String, String>) -> Option<String> {
    let present: BTreeMap<_, _> = present
        .iter()
        .filter(|(key, _)| wanted.contains_key(*key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    (!present.is_empty()).then(|| tags_text(&present))
}

#[cfg(test)]
mod tests;
