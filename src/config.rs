//! The config in Rust types: the object `config` of `config.auto.tfvars.json`, with its defaults.
//!
//! `schemas/config.schema.json`, `variables.tf` of the Terraform module and of the invocation, and the template describe the same
//! shape; a test compares all five. This module reads the values; `doctor` checks them.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error as ThisError;

use crate::arn::{Partition, is_account_id};
use crate::document::{Document, Misfit, Place, Position};
use crate::explain::{Exit, Explain};

/// The object at `/config`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// 12 digits.
    pub account_id: String,
    /// `us-west-2`
    pub region: String,
    /// `^[a-z][a-z0-9-]{0,14}[a-z0-9]$`, no double hyphen.
    pub env: String,
    /// The app's domain name.
    pub domain: Domain,
    /// Settings of OSMT itself.
    pub app: App,
    /// The load balancer.
    pub alb: Alb,
    /// The services.
    pub ecs: Ecs,
    /// Redis.
    pub elasticache: Elasticache,
    /// MySQL.
    pub rds: Rds,
    /// The network.
    pub vpc: Vpc,
    /// In days; one of the values that CloudWatch Logs accepts.
    #[serde(default = "defaults::log_retention_days")]
    pub log_retention_days: u32,
    /// Starts at 1. Each rotation of a secret increases it, which makes Terraform write the new values.
    #[serde(default = "defaults::one")]
    pub secrets_revision: u64,
}

/// The app's domain name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// A host name without scheme: `osmt.example.org`.
    pub name: String,
    /// `Z` and up to 31 capital letters and digits; `None` if the config has [`NO_ZONE`].
    #[serde(serialize_with = "zone_to", deserialize_with = "zone_from")]
    pub hosted_zone_id: Option<String>,
}

/// The value of `hosted_zone_id` if another team manages the domain's DNS outside this account.
pub const NO_ZONE: &str = "none";

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn zone_to<S: Serializer>(zone: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(zone.as_deref().unwrap_or(NO_ZONE))
}

fn zone_from<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(|zone| Some(zone).filter(|zone| zone != NO_ZONE))
}

/// Settings of OSMT itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The identity provider.
    pub oauth: Oauth,
    /// The OSMT release in the image, if `docker_tag` is not a version.
    #[serde(default)]
    pub version: Option<String>,
    /// What OSMT publishes under the organisation's name.
    #[serde(default)]
    pub settings: Settings,
    /// More environment variables, name to value.
    #[serde(default)]
    pub extra_environment: BTreeMap<String, String>,
    /// Names of more secret environment variables: the keys of `osmt/<env>/extra`.
    #[serde(default)]
    pub extra_secrets: Vec<String>,
}

/// What OSMT publishes under the organisation's name. OSMT's default is Western Governors University.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The URI of the creator of every published skill and collection.
    #[serde(default)]
    pub creator_uri: Option<String>,
    /// The author of skills without an author.
    #[serde(default)]
    pub author_name: Option<String>,
    /// The author's URI.
    #[serde(default)]
    pub author_uri: Option<String>,
    /// The folder in the image with `whitelabel.json`.
    #[serde(default)]
    pub white_label: Option<String>,
}

/// The identity provider. The client secret is in Secrets Manager.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    /// An https URL.
    pub issuer: String,
    /// As shown by the provider.
    pub client_id: String,
    /// As shown by the provider.
    pub audience: String,
}

/// The load balancer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alb {
    /// The ARN of an ACM certificate in the config's region and account.
    pub certificate_arn: String,
    /// While it is on, Terraform cannot destroy the resource.
    #[serde(default = "defaults::yes")]
    pub enable_deletion_protection: bool,
    /// Whether access logs are written to an S3 bucket.
    #[serde(default = "defaults::yes")]
    pub access_logs: bool,
    /// The addresses that may connect to the load balancer.
    #[serde(default = "defaults::everywhere")]
    pub ingress_cidrs: Vec<String>,
}

/// The services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ecs {
    /// One entry per service.
    pub task: Tasks,
}

/// One entry per service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tasks {
    /// OSMT.
    pub app: Task,
    /// OSMT's search index.
    pub elasticsearch: Elasticsearch,
}

/// A Fargate service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// CPU units, 1024 per virtual CPU.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    /// The number of tasks.
    pub desired_count: u32,
    /// A repository without tag: `wguopensource/osmt-app`.
    pub docker_image: String,
    /// A tag, or a digest `sha256:…`.
    pub docker_tag: String,
    /// `X86_64` or `ARM64`.
    #[serde(default = "defaults::cpu_architecture")]
    pub cpu_architecture: String,
}

/// The Elasticsearch task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elasticsearch {
    /// CPU units, 1024 per virtual CPU.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    /// The number of tasks: 1.
    pub desired_count: u32,
    /// A repository without tag.
    pub docker_image: String,
    /// A tag, or a digest `sha256:…`.
    pub docker_tag: String,
    /// `X86_64` or `ARM64`.
    #[serde(default = "defaults::cpu_architecture")]
    pub cpu_architecture: String,
    /// Whether clients need a password: `elasticsearch/password` of `osmt-secrets`.
    #[serde(default)]
    pub authentication: bool,
}

/// Redis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elasticache {
    /// `7.1`
    pub engine_version: String,
    /// `cache.t4g.small`
    pub node_type: String,
    /// `default.redis7`
    pub parameter_group_name: String,
}

/// MySQL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rds {
    /// `osmt_db`: OSMT's first migration contains `USE osmt_db`.
    pub db_name: String,
    /// `8.4`, or with the minor version `8.4.6`
    pub engine_version: String,
    /// `db.t4g.small`
    pub instance_class: String,
    /// `mysql` and major.minor of the engine version.
    pub parameter_group_family: String,
    /// Whether there is a standby instance in a second Availability Zone.
    pub multi_az: bool,
    /// GiB.
    #[serde(default = "defaults::allocated_storage")]
    pub allocated_storage: u32,
    /// Days, 0 to 35; 0 turns backups off.
    #[serde(default = "defaults::backup_retention_days")]
    pub backup_retention_days: u32,
    /// While it is on, Terraform cannot destroy the resource.
    #[serde(default = "defaults::yes")]
    pub enable_deletion_protection: bool,
    /// Whether Terraform destroys the database without a final snapshot.
    #[serde(default)]
    pub skip_final_snapshot: bool,
}

/// The network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vpc {
    /// A CIDR block of /16 to /28.
    pub vpc_cidr: String,
    /// Availability Zones of the Region, at least two.
    pub azs: Vec<String>,
    /// The CIDR blocks of the subnets.
    pub subnets: Subnets,
}

/// The CIDR blocks of the subnets: one per Availability Zone and kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subnets {
    /// For tasks, database and cache.
    pub private: Vec<String>,
    /// For load balancer and NAT gateways.
    pub public: Vec<String>,
}

mod defaults {
    pub(super) fn yes() -> bool {
        true
    }
    pub(super) fn one() -> u64 {
        1
    }
    pub(super) fn everywhere() -> Vec<String> {
        vec!["0.0.0.0/0".to_owned()]
    }
    pub(super) fn cpu_architecture() -> String {
        "X86_64".to_owned()
    }
    pub(super) fn log_retention_days() -> u32 {
        30
    }
    pub(super) fn allocated_storage() -> u32 {
        20
    }
    pub(super) fn backup_retention_days() -> u32 {
        7
    }
}

/// A document that is JSON but not a config.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{message} at line {}, column {}", .at.line, .at.column)]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// RFC 6901.
    pub pointer: String,
    /// Where.
    pub at: Position,
    /// Where, in bytes.
    pub span: Range<usize>,
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some("`osmt-doctor check` lists everything that is wrong in the config, and how to fix it".into())
    }
}

impl Config {
    /// Reads the config from a document. Returns the first error. Also checks the values that names in AWS are made of.
    pub fn from_document(document: &Document) -> Result<Self, Error> {
        let config = Self::read(document)?;
        for (key, value, is_valid, expected) in [
            ("account_id", &config.account_id, is_account_id(&config.account_id), "12 digits"),
            ("region", &config.region, is_region(&config.region), "a Region such as us-west-2"),
            (
                "env",
                &config.env,
                is_env(&config.env),
                "2 to 16 lower-case letters, digits and single hyphens, beginning with a letter",
            ),
        ] {
            if !is_valid {
                let pointer = format!("/config/{key}");
                let span = document.span(&Place::value(pointer.clone()));
                return Err(Error {
                    message: format!("`{key}` is {value:?}; it must be {expected}"),
                    at: document.position(span.start),
                    pointer,
                    span,
                });
            }
        }
        Ok(config)
    }

    fn read(document: &Document) -> Result<Self, Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            config: Config,
        }
        let file: Result<File, Misfit> = document.read();
        file.map(|file| file.config).map_err(|Misfit { pointer, message }| {
            let span = document.span(&Place::value(pointer.clone()));
            Error { message, at: document.position(span.start), pointer, span }
        })
    }

    /// The ARN partition of the region.
    pub fn partition(&self) -> &'static str {
        Partition::of(&self.region).name
    }
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase());
    match parts.as_slice() {
        [area, middle @ .., number] => {
            letters(area)
                && !middle.is_empty()
                && middle.iter().all(letters)
                && number.len() == 1
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

/// Whether a text can be the name of an environment: what begins every name in AWS.
pub fn is_env(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (2..=16).contains(&text.len())
        && text.bytes().all(good)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_region_and_environment_are_validated() {
        assert!(is_region("us-west-2") && is_region("us-gov-west-1") && is_region("ap-southeast-7"));
        assert!(!is_region("") && !is_region("us-west") && !is_region("moon") && !is_region("us--1"));
        assert!(is_env("test") && is_env("a-1") && is_env("abcdefgh-ijklmno"));
        for bad in ["", "a", "Bad_Env", "1a", "a--b", "ab-", "abcdefghijklmnopq"] {
            assert!(!is_env(bad), "{bad}");
        }
    }

    #[test]
    fn an_error_has_its_position() {
        let document = Document::parse("{\n \"config\": {\"account_id\": 5}}").unwrap();
        let error = Config::from_document(&document).unwrap_err();
        assert_eq!(error.pointer, "/config/account_id");
        assert_eq!((error.at.line, error.at.column), (2, 27));
    }
}
