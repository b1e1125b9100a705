//! The input of the account rules.

use crate::account::Facts;
use crate::config::Config;

/// A config, and the facts of its account.
#[derive(Debug)]
pub struct Audit {
    /// The config.
    pub config: Config,
    /// The facts of the account.
    pub facts: Facts,
    /// Whether Terraform keeps its lock in a DynamoDB table; `false` if it uses a lock file in the bucket.
    pub lock_table: bool,
    /// Whether the names of IAM roles contain the Region; `None` if `operations.tf` does not set it to a literal.
    pub region_in_names: Option<bool>,
    /// The current time.
    pub now: jiff::Timestamp,
}
