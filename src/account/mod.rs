//! Facts of a live AWS account, as one value that can be recorded and replayed.
//!
//! The types only; the reads are `observe`'s. A fact that could not be read is [`Known::Unknown`] with the reason,
//! so that no check ever takes it for passed. No fact holds the value of a secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::app::App;
use self::iam::TaskRole;
pub use self::known::Known;
use self::services::{Services, SignIn};

pub mod app;
pub mod baseline;
pub mod iam;
mod known;
pub mod observe;
pub mod policy_document;
pub mod services;
mod state_bucket;

/// What the doctor wants to know of an account. `None` inside `Known` means: looked, and it is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The form of this value; 1.
    pub version: u32,
    /// The account that the credentials belong to.
    pub account_id: Known<String>,
    /// The region that was asked.
    pub region: String,
    /// RFC 3339; when the facts were read.
    #[serde(default)]
    pub recorded: Option<String>,
    /// The certificate that was asked for; an older recording does not say.
    #[serde(default)]
    pub certificate_arn: Option<String>,
    /// The hosted zone that was asked for, or `none`; an older recording does not say.
    #[serde(default)]
    pub hosted_zone_id: Option<String>,
    /// The state bucket.
    pub state_bucket: Known<Option<Bucket>>,
    /// The lock table.
    pub lock_table: Known<Option<Table>>,
    /// The state in the bucket, and Terraform's lock file beside it.
    #[serde(default = "not_recorded")]
    pub state: Known<State>,
    /// By name (`osmt/<env>/rds`): what Secrets Manager shows without the value.
    pub secrets: BTreeMap<String, Known<Option<Secret>>>,
    /// The certificate that the config names.
    pub certificate: Known<Option<Certificate>>,
    /// The hosted zone that the config names.
    pub hosted_zone: Known<Option<HostedZone>>,
    /// The role of the app's task, by the name that does not carry the Region.
    #[serde(default = "not_recorded")]
    pub app_role: Known<Option<TaskRole>>,
    /// The zones of the region that the account can use.
    #[serde(default = "not_recorded")]
    pub zones: Known<Vec<Zone>>,
    /// What RDS, ElastiCache and Service Quotas say about what the config wants.
    #[serde(default = "not_recorded")]
    pub services: Known<Services>,
    /// What the provider of sign-in answers.
    #[serde(default = "not_recorded")]
    pub sign_in: Known<SignIn>,
    /// What the deployed app answers; `None` inside: it is not deployed.
    #[serde(default = "not_recorded")]
    pub app: Known<Option<App>>,
}

impl Facts {
    /// What could not be read, each with the reason.
    pub fn unknown(&self) -> Vec<(String, String)> {
        fn whole<T>(name: &str, known: &Known<T>) -> Option<(String, String)> {
            known.as_result().err().map(|reason| (name.to_owned(), reason.to_owned()))
        }
        let mut found: Vec<_> = [
            whole("account_id", &self.account_id),
            whole("state_bucket", &self.state_bucket),
            whole("lock_table", &self.lock_table),
            whole("state", &self.state),
            whole("certificate", &self.certificate),
            whole("hosted_zone", &self.hosted_zone),
            whole("app_role", &self.app_role),
            whole("zones", &self.zones),
            whole("services", &self.services),
            whole("sign_in", &self.sign_in),
            whole("app", &self.app),
        ]
        .into_iter()
        .flatten()
        .collect();
        found.extend(self.secrets.iter().filter_map(|(name, secret)| whole(name, secret)));
        if let Known::Known(services) = &self.services {
            let parts = [
                whole("services.database_parameters", &services.database_parameters),
                whole("services.database_versions", &services.database_versions),
                whole("services.database_class", &services.database_class),
                whole("services.cache_versions", &services.cache_versions),
                whole("services.cache_node", &services.cache_node),
                whole("services.fargate_vcpus", &services.fargate_vcpus),
                whole("services.addresses", &services.addresses),
                whole("services.vpcs", &services.vpcs),
                whole("services.nat_gateways", &services.nat_gateways),
                whole("services.group_rules", &services.group_rules),
            ];
            found.extend(parts.into_iter().flatten());
        }
        if let Known::Known(sign_in) = &self.sign_in {
            let parts =
                [whole("sign_in.metadata", &sign_in.metadata), whole("sign_in.client", &sign_in.client)];
            found.extend(parts.into_iter().flatten());
        }
        let mut parts = |of: &str, unread: &BTreeMap<String, String>| {
            let parts = unread.iter().map(|(name, reason)| (format!("{of}.{name}"), reason.clone()));
            found.extend(parts);
        };
        if let Known::Known(Some(bucket)) = &self.state_bucket {
            parts("state_bucket", &bucket.unread);
        }
        if let Known::Known(Some(table)) = &self.lock_table {
            parts("lock_table", &table.unread);
        }
        found
    }
}

/// An older recording lacks a fact that is read now.
fn not_recorded<T>() -> Known<T> {
    Known::Unknown("the recorded facts do not say".to_owned())
}

/// An S3 bucket's settings. A setting that AWS says does not exist is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// `Enabled`, `Suspended`.
    pub versioning: Option<String>,
    /// `aws:kms`, `AES256`.
    pub encryption: Option<String>,
    /// The customer-managed KMS key; `None` is the one that AWS manages.
    pub kms_key: Option<String>,
    /// Whether one data key serves many objects.
    pub bucket_key: bool,
    /// The four switches.
    pub public_access_block: PublicAccessBlock,
    /// `BucketOwnerEnforced`, …
    pub object_ownership: Option<String>,
    /// The policy document, as AWS returns it.
    pub policy: Option<String>,
    /// Tag by key.
    pub tags: BTreeMap<String, String>,
    /// The lifecycle rules, by id: noncurrent days and whether it is enabled.
    pub lifecycle: BTreeMap<String, LifecycleRule>,
    /// Whether deleting a version wants a second factor.
    pub mfa_delete: bool,
    /// Settings that could not be read, each with the reason; the field itself then says nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, String>,
}

/// One rule of a bucket's lifecycle, as far as the toolkit judges it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleRule {
    /// `Enabled`.
    pub enabled: bool,
    /// Days after which an old version goes.
    pub noncurrent_days: Option<i32>,
    /// Days after which a stale multipart upload goes.
    pub abort_upload_days: Option<i32>,
    /// Whether it deletes current objects.
    #[serde(default)]
    pub expires: bool,
    /// The keys it is about begin so; empty: all.
    #[serde(default)]
    pub prefix: String,
    /// Whether it is about some of them only, by tag or size.
    #[serde(default)]
    pub narrowed: bool,
}

impl LifecycleRule {
    /// Whether it is about this key: rules for what carries a tag are not, Terraform's state has none.
    pub fn covers(&self, key: &str) -> bool {
        self.enabled && !self.narrowed && key.starts_with(&self.prefix)
    }
}

/// The four switches of S3's block on public access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "AWS has four switches")]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`
    pub block_public_acls: bool,
    /// `IgnorePublicAcls`
    pub ignore_public_acls: bool,
    /// `BlockPublicPolicy`
    pub block_public_policy: bool,
    /// `RestrictPublicBuckets`
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// All four on.
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

/// A DynamoDB table's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "DynamoDB has these switches, and each is judged by itself"
)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// `ACTIVE`, `CREATING`, …
    pub status: String,
    /// The partition key's name and type: `LockID`, `S`.
    pub partition_key: Option<(String, String)>,
    /// Whether it has a sort key, which Terraform's lock cannot use.
    pub sort_key: bool,
    /// `PAY_PER_REQUEST` or `PROVISIONED`.
    pub billing: String,
    /// Whether encryption with a KMS key is on.
    pub kms: bool,
    /// Whether it can be restored to a point in time.
    pub point_in_time_recovery: bool,
    /// Whether it refuses to be deleted.
    pub deletion_protection: bool,
    /// Tag by key.
    pub tags: BTreeMap<String, String>,
    /// The lock held on the state, if any.
    pub lock: Option<Lock>,
    /// Settings that could not be read, each with the reason; the field itself then says nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, String>,
}

/// What is under the state's key in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// RFC 3339; `None` while Terraform has written nothing.
    pub last_change: Option<String>,
    /// The MD5 of the state, as Terraform keeps it in the lock table; `None` where there is no state.
    pub md5: Known<Option<String>>,
    /// The lock that Terraform's lock file shows, if any.
    pub lock: Known<Option<Lock>>,
}

impl Default for State {
    fn default() -> Self {
        Self { last_change: None, md5: Known::Known(None), lock: Known::Known(None) }
    }
}

/// Who holds the state's lock, from Terraform's own note in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// What `terraform force-unlock` wants.
    #[serde(default)]
    pub id: String,
    /// `user@host`
    pub who: String,
    /// What is being done: `OperationTypeApply`.
    pub operation: String,
    /// RFC 3339.
    pub created: String,
}

impl Lock {
    /// Reads Terraform's own note about a lock; what it does not say stays empty.
    pub(crate) fn parse(note: &str) -> Self {
        let note: serde_json::Value = serde_json::from_str(note).unwrap_or_default();
        let field = |name| note[name].as_str().unwrap_or_default().to_owned();
        Self { id: field("ID"), who: field("Who"), operation: field("Operation"), created: field("Created") }
    }

    /// Whether the note says neither whose it is nor what `terraform force-unlock` wants.
    pub fn is_unreadable(&self) -> bool {
        self.id.is_empty() && self.who.is_empty()
    }

    /// Whose it is and since when, as far as the note says: ` by ann@desk since 2026-01-02T03:04:05Z`.
    pub fn holder(&self) -> String {
        let part = |word: &str, text: &str| match text {
            "" => String::new(),
            text => format!(" {word} {text}"),
        };
        part("by", &self.who) + &part("since", &self.created)
    }
}

/// A secret, without its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Its ARN.
    pub arn: String,
    /// RFC 3339, if it is scheduled to be deleted.
    pub deleted: Option<String>,
    /// Whether a version carries `AWSCURRENT`.
    pub has_value: bool,
    /// Whether Secrets Manager rotates it by itself.
    pub rotation: bool,
}

/// An ACM certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// `ISSUED`, `PENDING_VALIDATION`, …
    pub status: String,
    /// Every name it covers, wildcards included.
    pub names: Vec<String>,
    /// `RSA_2048`, `EC_prime256v1`, …
    pub key_algorithm: String,
    /// RFC 3339.
    pub not_after: Option<String>,
    /// ARNs of what uses it.
    #[serde(default)]
    pub in_use_by: Vec<String>,
    /// Why it was not issued, in ACM's word.
    #[serde(default)]
    pub failure: Option<String>,
    /// The records that prove the domain to be ours.
    #[serde(default)]
    pub validation: Vec<Record>,
}

impl Certificate {
    /// Whether it covers a host: by its name, or by a wildcard one label deep.
    pub fn covers(&self, host: &str) -> bool {
        self.names.iter().any(|name| {
            name.eq_ignore_ascii_case(host)
                || name.strip_prefix("*.").is_some_and(|parent| {
                    host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
                })
        })
    }
}

/// A DNS record with one value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Without the last dot.
    pub name: String,
    /// `CNAME`
    pub kind: String,
    /// Without the last dot.
    pub value: String,
}

/// A zone of a region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// `us-west-2a`; which place that is differs between accounts.
    pub name: String,
    /// `usw2-az1`, the same place for every account.
    pub id: String,
    /// `available`, `impaired`, `unavailable`, …
    pub state: String,
    /// `availability-zone`, `local-zone`, `wavelength-zone`.
    pub kind: String,
}

impl Zone {
    /// Whether a network of ours can use it: in service, and neither local nor at a carrier's.
    pub fn is_fit(&self) -> bool {
        self.state == "available" && self.kind == "availability-zone"
    }
}

/// A Route 53 hosted zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostedZone {
    /// Without `/hostedzone/`.
    pub id: String,
    /// Without the last dot.
    pub name: String,
    /// Whether only VPCs see it.
    pub private: bool,
    /// Its name servers, without the last dot.
    pub name_servers: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read_from_terraforms_note() {
        let lock = Lock::parse(
            r#"{"ID":"6a1","Operation":"OperationTypeApply","Who":"ann@desk","Created":"2026-01-02T03:04:05Z"}"#,
        );
        assert_eq!((&*lock.id, &*lock.who), ("6a1", "ann@desk"));
        assert_eq!(Lock::parse("not JSON"), Lock::default());
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        let certificate = Certificate {
            names: vec!["osmt.example.org".into(), "*.osmt.example.org".into()],
            ..Certificate::default()
        };
        assert!(certificate.covers("osmt.example.org"));
        assert!(certificate.covers("API.osmt.example.org"));
        assert!(!certificate.covers("a.b.osmt.example.org"));
        assert!(!certificate.covers("example.org"));
    }
}
