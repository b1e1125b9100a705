//! The flags that name the state bucket and the lock.

use clap::{Args, ValueEnum};

use crate::bootstrap::{lock_table, state_bucket};
use crate::deployment::{Asked, AskedLock, Deployment, Lock};
use crate::explain::{Exit, Failure};

/// Flags that override the names in main.tf.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct StateFlags {
    /// The state bucket [default: main.tf's, else osmt-ENV-ACCOUNT-REGION].
    #[arg(long, value_name = "NAME", value_parser = state_bucket::name)]
    pub(super) bucket: Option<String>,
    /// The lock table [default: main.tf's, else osmt-ENV].
    #[arg(long, value_name = "NAME", value_parser = lock_table::name)]
    pub(super) lock_table: Option<String>,
    /// How Terraform locks the state [default: main.tf's, else dynamodb].
    #[arg(long, value_name = "HOW")]
    pub(super) lock: Option<LockFlag>,
}

impl StateFlags {
    pub(super) fn is_given(&self) -> bool {
        self.bucket.is_some() || self.lock_table.is_some() || self.lock.is_some()
    }

    /// Refuses flags that contradict each other.
    pub(super) fn refuse_contradictions(&self) -> Result<(), Failure> {
        if self.lock == Some(LockFlag::S3) && self.lock_table.is_some() {
            return Err(Failure::new(
                Exit::Usage,
                "`--lock s3` locks with a file, `--lock-table` names a table",
            )
            .help("leave one of them out"));
        }
        Ok(())
    }

    /// The names and the lock that the flags give.
    pub(super) fn asked(&self) -> Asked {
        let lock = match (self.lock, &self.lock_table) {
            (Some(LockFlag::S3), _) => Some(AskedLock::File),
            (Some(LockFlag::Dynamodb), table) => Some(AskedLock::Table(table.clone())),
            (None, Some(table)) => Some(AskedLock::Table(Some(table.clone()))),
            (None, None) => None,
        };
        Asked { bucket: self.bucket.clone(), lock }
    }

    /// The lock with these flags applied.
    pub(super) fn lock(&self, present: &Lock, deployment: &Deployment) -> Lock {
        let table = || self.lock_table.clone().or_else(|| present.table().map(str::to_owned));
        match self.lock {
            Some(LockFlag::S3) => Lock::File,
            Some(LockFlag::Dynamodb) => Lock::Table(table().unwrap_or_else(|| deployment.prefix())),
            None => Lock::new(table(), present.has_file()),
        }
    }
}

/// The values of `--lock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LockFlag {
    /// An item in a DynamoDB table; works with every Terraform since 0.9.
    Dynamodb,
    /// A lock file next to the state; needs Terraform 1.10 or later.
    S3,
}
