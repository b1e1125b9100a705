//! What is prepared, and for which deployment. Pure.

use serde::{Deserialize, Serialize};

use crate::deployment::{Deployment, StateBackend};

/// What is prepared, and for which deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// For which deployment.
    pub deployment: Deployment,
    /// Where its state is.
    pub backend: StateBackend,
    /// Whether the names of its roles and policies carry the Region, because a deployment of the same environment in another
    /// Region has the short ones (as `region_in_names` of the Terraform module).
    #[serde(default)]
    pub region_in_names: bool,
}

impl Target {
    /// What the names of roles and policies begin with: `osmt-<env>`, or `osmt-<env>-<region>`.
    pub fn role_prefix(&self) -> String {
        let prefix = self.deployment.prefix();
        if self.region_in_names { format!("{prefix}-{}", self.deployment.region) } else { prefix }
    }
}
