//! Facts of IAM: a role with its policies, and the settings that hold for the whole account.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use super::Known;

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

/// What an IT department expects of an account, as far as IAM and EC2 tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The rules for users' passwords; `None` where the account has none of its own.
    pub password: Known<Option<PasswordPolicy>>,
    /// What the account's summary says of the root user.
    pub root: Known<Root>,
    /// Whether new disks are encrypted though nobody asks for it; each region has its own switch.
    pub disks: Known<bool>,
}

/// The rules for users' passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "IAM has these switches, and each is judged by itself"
)]
pub struct PasswordPolicy {
    /// Characters at least.
    pub length: i32,
    /// Whether a symbol is wanted.
    pub symbol: bool,
    /// Whether a digit is wanted.
    pub digit: bool,
    /// Whether an upper-case letter is wanted.
    pub upper: bool,
    /// Whether a lower-case letter is wanted.
    pub lower: bool,
    /// Whether users may change their own.
    pub own_change: bool,
    /// How many old ones may not come back.
    pub reuse: Option<i32>,
    /// Days after which it ends.
    pub days: Option<i32>,
    /// Whether only an administrator can help after it has ended.
    pub hard_end: bool,
}

/// The root user's protection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Whether it has a second factor.
    pub mfa: bool,
    /// Whether it has access keys.
    pub keys: bool,
}
