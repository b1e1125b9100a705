//! Roles for a CI system that signs in with OpenID Connect, without stored access keys.
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
pub use self::judge::{check_options, judge, removal};
pub use self::observe::{observe, others_trust};
use super::Target;
use super::admin_role;
use crate::account::iam::{Policy, Role};

/// The flags for the roles. `None`: no change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The config's hosted zone, in which the roles may change or read records; `None` if another team manages the DNS.
    pub zone: Option<String>,
    /// The repository whose jobs may assume the roles.
    pub source: Option<repository::Source>,
    /// The ARN of the permissions boundary of both roles.
    pub boundary: Option<String>,
}

/// One of the two CI roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CiRole {
    /// `osmt-<env>-ci`, for `terraform apply`.
    Apply,
    /// `osmt-<env>-ci-plan`, for `terraform plan`.
    Plan,
}

impl CiRole {
    /// Both roles.
    pub const ALL: [Self; 2] = [Self::Apply, Self::Plan];

    /// `osmt-<env>-ci` or `osmt-<env>-ci-plan`, or the same with the region
    pub fn name(self, target: &Target) -> String {
        let prefix = target.role_prefix();
        match self {
            Self::Apply => format!("{prefix}-ci"),
            Self::Plan => format!("{prefix}-ci-plan"),
        }
    }

    /// The parts of the permissions whose policies are attached to the role.
    pub(super) fn parts(self) -> Vec<&'static str> {
        match self {
            Self::Apply => admin_role::policy::parts().collect(),
            Self::Plan => vec![admin_role::policy::READ_ONLY],
        }
    }
}

/// The provider and the roles as they are now in AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The OIDC provider of the repository, or the one that the roles trust.
    pub provider: Option<Provider>,
    /// The roles that exist.
    pub roles: BTreeMap<CiRole, Role>,
    /// The policies, by part.
    pub policies: BTreeMap<String, Policy>,
}

/// The roles that exist, with their names, for `region::refuse_others`.
pub(super) fn roles<'a>(target: &Target, seen: &'a Seen) -> Vec<(String, &'a Role)> {
    seen.roles.iter().map(|(ci_role, role)| (ci_role.name(target), role)).collect()
}

/// An IAM OIDC provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// `arn:aws:iam::…:oidc-provider/<issuer>`
    pub arn: String,
    /// The client ids that it accepts.
    pub audiences: Vec<String>,
    /// Tag values by key.
    pub tags: BTreeMap<String, String>,
}

/// One change to the provider, a policy or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Create the provider for an issuer.
    CreateProvider(String),
    /// Add our audience to a provider, by ARN.
    AddAudience(String),
    /// Delete a provider, by ARN.
    DeleteProvider(String),
    /// A change to a policy of the roles.
    Policy(admin_role::Change),
    /// A change to one of the roles.
    Role(CiRole, admin_role::Change),
}
