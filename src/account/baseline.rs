//! Facts of the whole account: what an IT department expects of it.

use serde::{Deserialize, Serialize};

use super::{Known, PublicAccessBlock};

/// What an IT department expects of an account, as far as AWS shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The rules for users' passwords; `None` where the account has none of its own.
    pub password: Known<Option<PasswordPolicy>>,
    /// What the account's summary says of the root user.
    pub root: Known<Root>,
    /// Whether new EBS volumes are encrypted by default; each region has a setting of its own.
    pub disks: Known<bool>,
    /// The switches that hold for every bucket of the account.
    pub buckets: Known<PublicAccessBlock>,
    /// The trails that record what is done in the region.
    pub trails: Known<Vec<Trail>>,
    /// The analyzers of the region.
    pub analyzers: Known<Vec<Analyzer>>,
}

/// A trail of `CloudTrail`'s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// Whether it records every region.
    pub everywhere: bool,
    /// Whether it is the organisation's.
    pub organisation: bool,
    /// Whether it records now.
    pub logging: bool,
}

/// An analyzer of IAM Access Analyzer's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analyzer {
    /// Its name.
    pub name: String,
    /// `ACCOUNT` and `ORGANIZATION` look for access from outside.
    pub kind: String,
    /// `ACTIVE`, `CREATING`, `DISABLED`, `FAILED`.
    pub status: String,
}

/// The rules for users' passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "IAM has these switches, and each is judged by itself")]
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
