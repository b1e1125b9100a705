//! The deployment that bootstrap works on. Pure.

use serde::{Deserialize, Serialize};

use crate::deployment::{Deployment, StateBackend};

/// The deployment that bootstrap works on, with its state backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Account, region and environment.
    pub deployment: Deployment,
    /// State bucket, key and lock.
    pub backend: StateBackend,
    /// Whether the names of its roles and policies contain the region, because a deployment of the same environment in another
    /// region has the short names (as `region_in_names` of the Terraform module).
    #[serde(default)]
    pub region_in_names: bool,
}

impl Target {
    /// The prefix of role and policy names: `osmt-<env>`, or `osmt-<env>-<region>`.
    pub fn role_prefix(&self) -> String {
        let prefix = self.deployment.prefix();
        if self.region_in_names { format!("{prefix}-{}", self.deployment.region) } else { prefix }
    }
}
