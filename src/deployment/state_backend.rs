//! Where Terraform keeps the state, and how it locks it. Pure.

use serde::{Deserialize, Serialize};

use super::Deployment;

/// The S3 backend of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateBackend {
    /// The state bucket.
    pub bucket: String,
    /// The state's key in the bucket.
    pub key: String,
    /// How the state is locked.
    pub lock: Lock,
}

/// How Terraform locks the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// Not at all: two runs at once can damage the state.
    #[default]
    Off,
    /// With an item in this DynamoDB table (`dynamodb_table`).
    Table(String),
    /// With an object beside the state (`use_lockfile`).
    File,
    /// With both, as on the way from one to the other.
    TableAndFile(String),
}

impl Lock {
    /// What the backend block's two arguments amount to.
    pub fn new(table: Option<String>, file: bool) -> Self {
        match (table, file) {
            (None, false) => Self::Off,
            (None, true) => Self::File,
            (Some(table), false) => Self::Table(table),
            (Some(table), true) => Self::TableAndFile(table),
        }
    }

    /// The lock table, where one is used.
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::Table(table) | Self::TableAndFile(table) => Some(table),
            Self::Off | Self::File => None,
        }
    }

    /// Whether a lock file is used.
    pub fn has_file(&self) -> bool {
        matches!(self, Self::File | Self::TableAndFile(_))
    }
}

impl StateBackend {
    /// The backend of a deployment whose user chose no other names.
    pub fn standard(deployment: &Deployment) -> Self {
        Self {
            bucket: deployment.state_bucket(),
            key: deployment.state_key(),
            lock: Lock::Table(deployment.prefix()),
        }
    }

    /// The key under which Terraform's S3 backend keeps its lock in the table.
    pub fn lock_id(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }
}
