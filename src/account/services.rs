//! What AWS's services offer and allow in the config's region, and what the provider of sign-in answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Known;

/// The database parameters that the Terraform module sets, with its default values.
pub const DATABASE_PARAMETERS: [(&str, &str); 6] = [
    ("character_set_server", "utf8mb3"),
    ("collation_server", "utf8mb3_unicode_ci"),
    ("require_secure_transport", "1"),
    ("slow_query_log", "1"),
    ("long_query_time", "2"),
    ("log_output", "FILE"),
];

/// What the services offer for this config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Services {
    /// The database's parameters.
    pub database_parameters: Known<DatabaseParameters>,
    /// The versions of MySQL that RDS lists, deprecated ones too.
    pub database_versions: Known<Vec<DatabaseVersion>>,
    /// Where the database's class can be ordered.
    pub database_class: Known<DatabaseClass>,
    /// The versions of Redis.
    pub cache_versions: Known<Vec<CacheVersion>>,
    /// Whether the cache's node type is offered.
    pub cache_node: Known<CacheNode>,
    /// Virtual CPUs that on-demand Fargate tasks may use at once.
    pub fargate_vcpus: Known<Quota>,
    /// Elastic IP addresses.
    pub addresses: Known<Quota>,
    /// VPCs.
    pub vpcs: Known<Quota>,
    /// NAT gateways.
    pub nat_gateways: Known<ZoneQuota>,
    /// Inbound rules of a security group; the others are those that the load balancer's group has from elsewhere.
    pub group_rules: Known<Quota>,
}

/// The parameters of a parameter group's family, as far as Terraform sets them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseParameters {
    /// `mysql8.4`
    pub family: String,
    /// By name.
    pub parameters: BTreeMap<String, DatabaseParameter>,
}

/// One parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseParameter {
    /// `0,1`, `0-31536000`; empty where AWS names none.
    pub allowed: String,
    /// `static`, `dynamic`.
    pub apply: String,
    /// Whether a parameter group may set it.
    pub modifiable: bool,
}

impl DatabaseParameter {
    /// Whether the allowed values contain this one: a list of words, or ranges of numbers.
    pub fn allows(&self, value: &str) -> bool {
        let number = value.parse::<f64>().ok();
        self.allowed.is_empty()
            || self.allowed.split(',').map(str::trim).any(|one| {
                let range = one.split_once('-').and_then(|(low, high)| {
                    Some((low.trim().parse::<f64>().ok()?, high.trim().parse::<f64>().ok()?))
                });
                one == value
                    || matches!((range, number), (Some((low, high)), Some(number)) if (low..=high).contains(&number))
            })
    }
}

/// A version of MySQL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseVersion {
    /// `8.4.6`
    pub version: String,
    /// `available`, `deprecated`.
    pub status: String,
}

/// Where a class can be ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseClass {
    /// `db.t4g.small`
    pub class: String,
    /// The zones for each version.
    pub zones: BTreeMap<String, Vec<String>>,
}

/// A version of Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheVersion {
    /// `7.1`
    pub version: String,
    /// `redis7`
    pub family: String,
}

/// A node type of ElastiCache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheNode {
    /// `cache.t4g.small`
    pub node_type: String,
    /// Whether AWS lists reserved nodes of it in the region.
    pub listed: bool,
}

/// A limit of the account in the region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// How many there may be.
    pub limit: u64,
    /// How many there are beside this environment's own; `None` where that was not counted.
    pub others: Option<u64>,
}

/// A limit of the account in each availability zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneQuota {
    /// How many there may be in a zone.
    pub limit: u64,
    /// How many there are beside this environment's own, by zone; a zone without one is not listed.
    pub others: BTreeMap<String, u64>,
}

/// What the provider of sign-in answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The issuer that was asked.
    pub issuer: String,
    /// The client that was asked for.
    pub client_id: String,
    /// The redirect address that was asked for.
    pub redirect: String,
    /// The provider's description of itself.
    pub metadata: Known<Metadata>,
    /// Whether the authorization endpoint knows the client and the redirect address.
    pub client: Known<Client>,
}

/// The answer of `<issuer>/.well-known/openid-configuration`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The HTTP status.
    pub status: u16,
    /// The issuer that it names.
    pub issuer: Option<String>,
    /// Where people sign in.
    pub authorization_endpoint: Option<String>,
}

/// What the authorization endpoint answers to a client without credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The HTTP status.
    pub status: u16,
    /// Whether the answer leads to the redirect address, which a provider does only where it knows client and address.
    pub returns: bool,
    /// The error that it carries: `login_required` is the right one without a session.
    pub error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{DATABASE_PARAMETERS, DatabaseParameter};

    #[test]
    fn the_parameters_are_those_that_terraform_sets() {
        let module = include_str!("../../terraform/module/rds.tf");
        for (name, value) in DATABASE_PARAMETERS {
            assert!(module.contains(name), "{name} is not in rds.tf");
            assert!(
                value.starts_with("utf8mb3") || module.contains(&format!("\"{value}\"")),
                "{name} = {value}"
            );
        }
    }

    #[test]
    fn what_aws_allows_is_a_list_or_a_range() {
        let one =
            |allowed: &str| DatabaseParameter { allowed: allowed.into(), ..DatabaseParameter::default() };
        assert!(one("0-31536000").allows("2") && one("").allows("x") && one("TABLE,FILE").allows("FILE"));
        assert!(!one("0,1").allows("2") && !one("utf8, utf8mb4").allows("utf8mb3"));
    }
}
