//! The components that a run works on. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::account_baseline::Item;
use super::admin_role::Options;
use super::ci;

/// The selected components with their options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The state bucket and the lock table.
    pub state: bool,
    /// The ARN of the KMS key for the state bucket; `None`: no change.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// The admin role.
    pub admin: Option<Options>,
    /// The account's own settings: all are shown, and these are changed.
    pub account: Option<BTreeSet<Item>>,
    /// The CI system's roles.
    #[serde(default)]
    pub ci: Option<ci::Options>,
}

impl Default for Selection {
    fn default() -> Self {
        Self { state: true, kms_key: None, admin: None, account: None, ci: None }
    }
}

/// A component, as it is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// `state`
    State,
    /// `admin`
    Admin,
    /// `account`, which only shows the settings, or `account.<item>`, which also changes one.
    Account(Option<Item>),
    /// `ci`
    Ci,
}

impl fmt::Display for Component {
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

impl Component {
    /// Every component, with the items of `account`.
    pub fn all() -> impl Iterator<Item = Self> {
        let items = Item::ALL.map(|item| Self::Account(Some(item)));
        [Self::State, Self::Admin, Self::Ci, Self::Account(None)].into_iter().chain(items)
    }
}

impl FromStr for Component {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::all().find(|component| component.to_string() == text).ok_or_else(|| {
            let names: Vec<String> = Self::all().map(|component| component.to_string()).collect();
            format!("not a component; the components are {}", names.join(", "))
        })
    }
}
