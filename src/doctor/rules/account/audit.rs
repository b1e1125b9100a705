//! What the rules on the account look at.

use crate::account::Facts;
use crate::config::Config;

/// A config, and the account it is for.
#[derive(Debug)]
pub struct Audit {
    /// The config.
    pub config: Config,
    /// The account.
    pub facts: Facts,
    /// Whether Terraform keeps its lock in a table; `false` where its own lock file serves.
    pub lock_table: bool,
    /// Whether the names of IAM roles carry the Region; `None` where `operations.tf` does not say it literally.
    pub region_in_names: Option<bool>,
    /// The present moment.
    pub now: jiff::Timestamp,
}
