//! Roles for a CI system that signs in with OpenID Connect: no access key is stored anywhere.
//!
//! `osmt-<env>-ci` has the permissions of the admin role and can be assumed from one environment or branch of one
//! repository; `osmt-<env>-ci-plan` can only read, and can be assumed from pull requests, too.

mod apply;
pub mod documents;
mod judge;
mod observe;
pub mod repository;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::apply::apply;
pub use self::judge::{answered, judge, removal};
pub use self::observe::{observe, others_trust};
use super::Target;
use super::admin_role;
use crate::account::iam::{Policy, Role};

/// How the roles are wished for. What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wishes {
    /// The hosted zone of the config, in which the roles may change or read records; `None` where the DNS is managed elsewhere.
    pub zone: Option<String>,
    /// Who may assume the roles; `None`: no change.
    pub source: Option<repository::Source>,
    /// The ARN of a policy that limits both roles.
    pub boundary: Option<String>,
}

/// One of the two roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Which {
    /// Changes what Terraform changes.
    Apply,
    /// Only reads.
    Plan,
}

impl Which {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Apply, Self::Plan];

    /// `osmt-<env>-ci` or `osmt-<env>-ci-plan`, or with the Region
    pub fn name(self, target: &Target) -> String {
        let prefix = target.role_prefix();
        match self {
            Self::Apply => format!("{prefix}-ci"),
            Self::Plan => format!("{prefix}-ci-plan"),
        }
    }

    /// The parts of the permissions that the role has.
    pub(super) fn parts(self) -> Vec<&'static str> {
        match self {
            Self::Apply => admin_role::policy::parts().collect(),
            Self::Plan => vec![admin_role::policy::READ_ONLY],
        }
    }
}

/// What is there now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The account's trust in the CI system's tokens.
    pub provider: Option<Provider>,
    /// The two roles.
    pub roles: BTreeMap<Which, Role>,
    /// The policies, by part.
    pub policies: BTreeMap<String, Policy>,
}

/// The roles that exist, with their names.
pub(super) fn roles<'a>(target: &Target, seen: &'a Seen) -> Vec<(String, &'a Role)> {
    seen.roles.iter().map(|(which, role)| (which.name(target), role)).collect()
}

/// An OpenID Connect provider of IAM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its ARN.
    pub arn: String,
    /// The audiences that it accepts.
    pub audiences: Vec<String>,
    /// Tag by key.
    pub tags: BTreeMap<String, String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Trust tokens of this issuer.
    CreateProvider(String),
    /// Accept our audience, too: the provider's ARN.
    AddAudience(String),
    /// Delete the provider, by ARN.
    DeleteProvider(String),
    /// Of a policy that the roles have.
    Policy(admin_role::Change),
    /// Of one of the roles.
    Role(Which, admin_role::Change),
}
