//! Which components a run is about: the state always, unless others alone are asked for. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::account_baseline::Item;
use super::admin_role::Wishes;
use super::ci;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// The state bucket and the lock table.
    pub state: bool,
    /// The ARN of the KMS key with which the state bucket encrypts; `None`: the one that it has.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// The admin role, and how it is wished for.
    pub admin: Option<Wishes>,
    /// The account's own settings: looked at where this is given, changed where they are named.
    pub account: Option<BTreeSet<Item>>,
    /// The CI system's roles, and how they are wished for.
    #[serde(default)]
    pub ci: Option<ci::Wishes>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { state: true, kms_key: None, admin: None, account: None, ci: None }
    }
}

/// One component by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `state`
    State,
    /// `admin`
    Admin,
    /// `account`, which only looks, or `account.<item>`, which also changes that item.
    Account(Option<Item>),
    /// `ci`
    Ci,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => f.write_str("state"),
            Self::Admin => f.write_str("admin"),
            Self::Ci => f.write_str("ci"),
            Self::Account(None) => f.write_str("account"),
            Self::Account(Some(item)) => write!(f, "account.{}", item.name()),
        }
    }
}

impl Part {
    /// Every name there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let items = Item::ALL.map(|item| Self::Account(Some(item)));
        [Self::State, Self::Admin, Self::Ci, Self::Account(None)].into_iter().chain(items)
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::all().find(|part| part.to_string() == text).ok_or_else(|| {
            let names: Vec<String> = Self::all().map(|part| part.to_string()).collect();
            format!("not a component; the components are {}", names.join(", "))
        })
    }
}
