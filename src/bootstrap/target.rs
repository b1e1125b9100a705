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
}
