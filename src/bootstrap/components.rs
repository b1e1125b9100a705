//! Observes, judges and changes the selected components.

use serde::{Deserialize, Serialize};

use super::selection::Selection;
use super::{Error, Judged, Target, account_baseline, admin_role, ci, lock_table, state_bucket};
use crate::account::baseline::Baseline;
use crate::account::{Bucket, Table, observe};
use crate::aws::Session;
use crate::plan::{Action, Line, Plan};

/// The selected components as they are now in AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// `None` if it does not exist or is not selected.
    pub bucket: Option<Bucket>,
    /// `None` if it does not exist or is not selected.
    pub table: Option<Table>,
    /// The admin role and its policies; `None` if not selected.
    #[serde(default)]
    pub admin: Option<admin_role::Seen>,
    /// The account's own settings; `None` if not selected.
    #[serde(default)]
    pub account: Option<Baseline>,
    /// The CI system's roles; `None` if not selected.
    #[serde(default)]
    pub ci: Option<ci::Seen>,
}

/// Sets `region_in_names` of the target, if roles are selected: the names that the roles and policies have, or will get.
pub async fn with_role_names(
    session: &Session,
    target: &Target,
    selection: &Selection,
) -> Result<Target, Error> {
    match (&selection.admin, &selection.ci) {
        (None, None) => Ok(target.clone()),
        _ => Ok(admin_role::region::with_role_names(session, target).await?),
    }
}

/// Reads the selected components, all at the same time.
pub async fn observe(session: &Session, target: &Target, selection: &Selection) -> Result<Seen, Error> {
    let lock_id = target.backend.lock_id();
    let bucket = async {
        if selection.state {
            Box::pin(observe::bucket(session, &target.backend.bucket)).await
        } else {
            Ok(None)
        }
    };
    let table = async {
        match target.backend.lock.table() {
            Some(name) if selection.state => Box::pin(observe::table(session, name, &lock_id)).await,
            _ => Ok(None),
        }
    };
    let admin = async {
        match &selection.admin {
            Some(_) => Box::pin(admin_role::observe(session, target)).await.map(Some),
            None => Ok(None),
        }
    };
    let account = async {
        match &selection.account {
            Some(_) => Some(Box::pin(observe::baseline::baseline(session)).await),
            None => None,
        }
    };
    let ci = async {
        match &selection.ci {
            Some(options) => Box::pin(ci::observe(session, target, options.source.as_ref())).await.map(Some),
            None => Ok(None),
        }
    };
    let (bucket, table, admin, account, ci) = tokio::join!(bucket, table, admin, account, ci);
    Ok(Seen { bucket: bucket?, table: table?, admin: admin?, account, ci: ci? })
}

/// A change of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A change to the state bucket.
    Bucket(state_bucket::Change),
    /// A change to the lock table.
    Table(lock_table::Change),
    /// A change to the admin role or its policies.
    Admin(admin_role::Change),
    /// A change to the account's own settings.
    Account(account_baseline::Change),
    /// A change to the CI system's provider, roles or policies.
    Ci(ci::Change),
}

/// A change with its line in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line of the plan.
    pub line: Line,
    /// The change to make.
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
            // One lane, because the admin role's policies are attached to the CI role, too.
            Change::Admin(_) | Change::Ci(_) => 2,
            Change::Account(_) => 3,
        }
    }
}

/// Judges every setting of the selected components.
pub fn judge(target: &Target, selection: &Selection, seen: &Seen) -> Result<Vec<Judged<Change>>, Error> {
    let mut judged = Vec::new();
    if selection.state {
        let kms_key = selection.kms_key.as_deref();
        let bucket = state_bucket::judge(target, kms_key, seen.bucket.as_ref())?.into_iter();
        judged.extend(bucket.map(|judged| judged.map(Change::Bucket)));
    }
    if let Some(name) = target.backend.lock.table().filter(|_| selection.state) {
        let table = lock_table::judge(target, name, seen.table.as_ref())?.into_iter();
        judged.extend(table.map(|judged| judged.map(Change::Table)));
    }
    if let (Some(options), Some(seen)) = (&selection.admin, &seen.admin) {
        admin_role::region::refuse_others(target, &seen.policies, &admin_role::roles(target, seen))?;
        let admin = admin_role::judge(target, options, seen).into_iter();
        judged.extend(admin.map(|judged| judged.map(Change::Admin)));
    }
    if let (Some(options), Some(seen)) = (&selection.ci, &seen.ci) {
        admin_role::region::refuse_others(target, &seen.policies, &ci::roles(target, seen))?;
        // The admin role has the same policies: if it is selected, they are judged there.
        let with_policies = selection.admin.is_none();
        let ci = ci::judge(target, options, with_policies, seen).into_iter();
        judged.extend(ci.map(|judged| judged.map(Change::Ci)));
    }
    if let (Some(named), Some(seen)) = (&selection.account, &seen.account) {
        let account = account_baseline::judge(target, named, seen)?.into_iter();
        judged.extend(account.map(|judged| judged.map(Change::Account)));
    }
    Ok(judged)
}

/// Refuses if a required flag is missing, or a flag cannot be satisfied.
pub fn check_options(target: &Target, selection: &Selection, seen: &Seen) -> Result<(), Error> {
    if let (Some(options), Some(seen)) = (&selection.admin, &seen.admin) {
        admin_role::check_options(target, options, seen)?;
    }
    if let (Some(options), Some(seen)) = (&selection.ci, &seen.ci) {
        ci::check_options(target, options, seen)?;
    }
    Ok(())
}

/// The plan: the changes among the judged settings, in order.
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
