//! All components: what is there of those that are asked for, what is to be done, and one change.

use serde::{Deserialize, Serialize};

use super::parts::Parts;
use super::{Error, Judged, Target, account_baseline, admin_role, ci, lock_table, state_bucket};
use crate::account::baseline::Baseline;
use crate::account::{Bucket, Table, observe};
use crate::aws::Session;
use crate::plan::{Action, Line, Plan};

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

/// The target with the names that its roles and policies have or get, where they are asked for.
pub async fn named(session: &Session, target: &Target, parts: &Parts) -> Result<Target, Error> {
    match (&parts.admin, &parts.ci) {
        (None, None) => Ok(target.clone()),
        _ => Ok(admin_role::region::named(session, target).await?),
    }
}

/// Reads what is there of the parts that are asked for; all at the same time.
pub async fn observe(session: &Session, target: &Target, parts: &Parts) -> Result<Seen, Error> {
    let lock_id = target.backend.lock_id();
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
            Some(_) => Some(Box::pin(observe::baseline::baseline(session)).await),
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
pub fn judge(target: &Target, parts: &Parts, seen: &Seen) -> Result<Vec<Judged<Change>>, Error> {
    let mut judged = Vec::new();
    if parts.state {
        let bucket = state_bucket::judge(target, parts.kms_key.as_deref(), seen.bucket.as_ref())?.into_iter();
        judged.extend(bucket.map(|judged| judged.map(Change::Bucket)));
    }
    if let Some(name) = target.backend.lock.table().filter(|_| parts.state) {
        let table = lock_table::judge(target, name, seen.table.as_ref())?.into_iter();
        judged.extend(table.map(|judged| judged.map(Change::Table)));
    }
    if let (Some(wishes), Some(seen)) = (&parts.admin, &seen.admin) {
        admin_role::region::is_own(target, &seen.policies, &admin_role::roles(target, seen))?;
        let admin = admin_role::judge(target, wishes, seen).into_iter();
        judged.extend(admin.map(|judged| judged.map(Change::Admin)));
    }
    if let (Some(wishes), Some(seen)) = (&parts.ci, &seen.ci) {
        admin_role::region::is_own(target, &seen.policies, &ci::roles(target, seen))?;
        // Both components have these policies: they are judged once.
        let with_policies = parts.admin.is_none();
        let ci = ci::judge(target, wishes, with_policies, seen).into_iter();
        judged.extend(ci.map(|judged| judged.map(Change::Ci)));
    }
    if let (Some(named), Some(seen)) = (&parts.account, &seen.account) {
        let account = account_baseline::judge(target, named, seen)?.into_iter();
        judged.extend(account.map(|judged| judged.map(Change::Account)));
    }
    Ok(judged)
}

/// Refuses a plan that a flag is missing for.
pub fn answered(target: &Target, parts: &Parts, seen: &Seen) -> Result<(), Error> {
    if let (Some(wishes), Some(seen)) = (&parts.admin, &seen.admin) {
        admin_role::answered(target, wishes, seen)?;
    }
    if let (Some(wishes), Some(seen)) = (&parts.ci, &seen.ci) {
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
