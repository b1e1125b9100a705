//! The identity of a deployment: its names, tags and state backend, and the Terraform files that contain them. Pure.

pub mod environment;
pub mod image;
pub mod main_tf;
pub mod operations;
pub mod osmt_line;
mod state_backend;
pub mod tags;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::state_backend::{Asked, AskedLock, Lock, StateBackend};
use crate::arn::{Partition, is_account_id};
use crate::config::Config;

/// One deployment of OSMT: an environment in a Region of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// 12 digits.
    pub account_id: String,
    /// `us-west-2`
    pub region: String,
    /// `test`
    pub env: String,
}

impl From<&Config> for Deployment {
    fn from(config: &Config) -> Self {
        Self { account_id: config.account_id.clone(), region: config.region.clone(), env: config.env.clone() }
    }
}

impl Deployment {
    /// The prefix of every name in AWS: `osmt-<env>`.
    pub fn prefix(&self) -> String {
        prefix(&self.env)
    }

    /// A name that is unique in the account, the value of the tag `Deployment` of `main.tf`: `osmt-<env>-<region>`.
    ///
    /// `terraform/module/budget.tf` filters costs by it.
    pub fn unique_name(&self) -> String {
        format!("{}-{}", self.prefix(), self.region)
    }

    /// The default name of the state bucket.
    pub fn state_bucket(&self) -> String {
        format!("{}-{}-{}", self.prefix(), self.account_id, self.region)
    }

    /// The deployment whose state bucket has this name; `regions` are the names of AWS's Regions.
    pub fn of_state_bucket<'a>(bucket: &str, mut regions: impl Iterator<Item = &'a str>) -> Option<Self> {
        let region = regions.find(|region| bucket.ends_with(&format!("-{region}")))?;
        let rest = bucket.strip_prefix("osmt-")?.strip_suffix(region)?.strip_suffix('-')?;
        let (env, account_id) = rest.rsplit_once('-').filter(|(_, account_id)| is_account_id(account_id))?;
        Some(Self { account_id: account_id.to_owned(), region: region.to_owned(), env: env.to_owned() })
    }

    /// The default key of the state in the bucket.
    pub fn state_key(&self) -> String {
        state_key(&self.env)
    }

    /// The ARN partition of the region.
    pub fn partition(&self) -> &'static str {
        Partition::of(&self.region).name
    }

    /// The tags of every resource that osmt-bootstrap creates.
    pub fn tags(&self) -> BTreeMap<String, String> {
        tags::of(&self.env).map(|(key, value)| (key.to_owned(), value)).into()
    }
}

/// The prefix of every name in AWS: `osmt-<env>`.
pub fn prefix(env: &str) -> String {
    format!("osmt-{env}")
}

/// The default key of the state in the bucket.
pub fn state_key(env: &str) -> String {
    format!("osmt/{env}/terraform.tfstate")
}

/// The environment whose state has this key.
pub fn env_of_state_key(key: &str) -> Option<&str> {
    key.strip_prefix("osmt/")?.strip_suffix("/terraform.tfstate")
}

/// The app's task execution role, if the roles' names do not contain the Region.
pub fn app_role(env: &str) -> String {
    format!("{}-app-execution", prefix(env))
}

/// The load balancer of an environment.
pub fn load_balancer(env: &str) -> String {
    format!("{}-alb", prefix(env))
}

/// The path of a secret in Secrets Manager: `osmt/<env>/<name>`.
pub fn secret_name(env: &str, name: &str) -> String {
    format!("osmt/{env}/{name}")
}

/// The redirect URI of a sign-in, which must be registered at the identity provider.
pub fn sign_in_redirect(domain: &str) -> String {
    // OSMT's client registration in Spring Security is named `okta` for every provider.
    format!("https://{domain}/login/oauth2/code/okta")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_known_by_its_bucket_and_key() {
        let deployment = Deployment {
            account_id: "123456789012".into(),
            region: "us-west-2".into(),
            env: "school-test".into(),
        };
        let of = |bucket: &str| Deployment::of_state_bucket(bucket, ["us-west-2", "eu-west-1"].into_iter());
        assert_eq!(of(&deployment.state_bucket()), Some(deployment.clone()));
        assert_eq!(of("osmt-test-12345-us-west-2"), None);
        assert_eq!(of("ours-test-123456789012-us-west-2"), None);
        assert_eq!(env_of_state_key(&deployment.state_key()), Some("school-test"));
        assert_eq!(env_of_state_key("ours/terraform.tfstate"), None);
    }
}
