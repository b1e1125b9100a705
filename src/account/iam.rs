//! Facts of IAM: a role with its policies.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// An IAM role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Who may assume it: the policy document, as JSON text.
    pub trust: String,
    /// How long a session may last, in seconds.
    pub session_seconds: i32,
    /// The ARN of the policy that limits it.
    pub boundary: Option<String>,
    /// Tag by key.
    pub tags: BTreeMap<String, String>,
    /// ARNs of the managed policies attached to it.
    pub attached: BTreeSet<String>,
    /// Names of the policies written into it.
    pub inline: BTreeSet<String>,
    /// Names of the instance profiles that hold it.
    pub profiles: BTreeSet<String>,
}

/// A role that Terraform makes, and the Regions that its trust policy names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRole {
    /// Its name.
    pub name: String,
    /// Where the tasks run that assume it.
    pub regions: BTreeSet<String>,
}

/// The Region that these belong to, if they do not belong to `here`.
pub fn elsewhere<'a, T: Borrow<str> + Ord>(regions: &'a BTreeSet<T>, here: &str) -> Option<&'a str> {
    if regions.contains(here) { None } else { regions.first().map(Borrow::borrow) }
}

/// A customer-managed policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// `v3`
    pub version: String,
    /// The document of that version, as JSON text.
    pub document: String,
    /// The other versions, oldest first.
    pub others: Vec<String>,
    /// Tag by key.
    pub tags: BTreeMap<String, String>,
}
