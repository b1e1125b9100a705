//! The S3 bucket for Terraform's state: private, encrypted, versioned, TLS only.
//!
//! An existing bucket is adopted: only what differs is changed. Stricter settings, and the tags, policy statements and lifecycle
//! rules of others are kept. Protective settings are set first.

mod apply;
pub(super) mod policy;

use std::collections::BTreeMap;

use super::judged::Thing;
use super::ownership::{present_tags, refuse_other_environment, tags_text};
pub use super::state_bucket::apply::apply;
use super::{Error, Judged, Target};
use crate::account::{Bucket, LifecycleRule, PublicAccessBlock};
use crate::arn::{Arn, is_account_id};
use crate::explain::count;

/// The id of our lifecycle rule.
pub const RULE: &str = "osmt-state";
/// The minimum number of days that old versions of the state are kept.
pub const KEEP_DAYS: i32 = Bucket::KEEP_DAYS;
/// Days after which the parts of an incomplete upload are deleted.
pub const ABORT_DAYS: i32 = 7;

/// Checks the value of `--bucket` (Amazon S3 User Guide, "General purpose bucket naming rules").
pub fn name(text: &str) -> Result<String, String> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let parts = text.split('.').all(|part| {
        let ends = [part.bytes().next(), part.bytes().next_back()];
        ends.into_iter().all(|end| end.is_some_and(good))
            && part.bytes().all(|byte| good(byte) || byte == b'-')
    });
    let address = text.parse::<std::net::Ipv4Addr>().is_ok();
    let reserved = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|start| text.starts_with(start))
        || ["-s3alias", "--ol-s3", ".mrap", "--x-s3"].iter().any(|end| text.ends_with(end));
    if (3..=63).contains(&text.len()) && parts && !address && !reserved {
        Ok(text.to_owned())
    } else {
        Err("a bucket name has 3 to 63 lower-case letters, digits, hyphens and dots, and none of the reserved prefixes and suffixes of S3 (xn--, -s3alias, …)".to_owned())
    }
}

/// Checks the value of `--kms-key`: an ARN, because an alias can be moved to another key later.
pub fn kms_key(text: &str) -> Result<String, String> {
    match Arn::parse(text) {
        Some(Arn { service: "kms", region, account, resource, .. })
            if !region.is_empty()
                && is_account_id(account)
                && resource.strip_prefix("key/").is_some_and(|id| !id.is_empty()) =>
        {
            Ok(text.to_owned())
        }
        _ => {
            Err("not the ARN of a KMS key, such as arn:aws:kms:us-west-2:123456789012:key/1234abcd-…"
                .to_owned())
        }
    }
}

/// One change to the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Create the bucket, with ACLs disabled and with tags.
    Create,
    /// Block all public access.
    BlockPublicAccess,
    /// Object ownership `BucketOwnerEnforced`.
    DisableAcls,
    /// Default encryption with a bucket key, and with this KMS key or the AWS managed one.
    Encrypt(Option<String>, BucketAge),
    /// The policy document.
    Policy(String),
    /// Turn versioning on.
    EnableVersioning,
    /// Our rule; the others are kept.
    Lifecycle(LifecycleRule, BucketAge),
    /// All tags, those of others included: S3 replaces the complete set.
    Tags(BTreeMap<String, String>),
}

/// Whether the bucket existed before this run. S3 replaces some settings completely: in an existing bucket, the parts that others
/// have set are read first and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketAge {
    /// This run creates it.
    New,
    /// It existed before.
    Existing,
}

/// Judges the bucket's settings. `kms_key` is the key to encrypt with; `None`: no change.
pub fn judge(
    target: &Target,
    kms_key: Option<&str>,
    seen: Option<&Bucket>,
) -> Result<Vec<Judged<Change>>, Error> {
    let name = format!("S3 bucket {}", target.backend.bucket);
    let nothing = Bucket::default();
    let bucket = seen.unwrap_or(&nothing);
    refuse_other_environment(target, &name, &bucket.tags)?;
    let thing = Thing { name: &name, exists: seen.is_some() };
    let age = if seen.is_some() { BucketAge::Existing } else { BucketAge::New };
    let mut judged = Vec::new();
    if seen.is_none() {
        judged.push(Judged::create(&name, None, Change::Create));
    }
    let blocked = bucket.public_access_block;
    judged.push(Judged::setting(
        thing,
        "public access",
        seen.map(|_| switches(blocked)),
        "blocked, all four switches",
        bucket.blocks_public_access(),
        Change::BlockPublicAccess,
    ));
    // CreateBucket sets this for a new bucket.
    if seen.is_some() {
        let ownership = bucket.object_ownership.clone();
        let fits = bucket.has_no_access_lists();
        judged.push(Judged::setting(
            thing,
            "object ownership",
            ownership,
            "BucketOwnerEnforced",
            fits,
            Change::DisableAcls,
        ));
    }
    let key = kms_key.or(bucket.kms_key.as_deref());
    let kms = key == bucket.kms_key.as_deref() && bucket.is_encrypted_with_kms();
    judged.push(Judged::setting(
        thing,
        "default encryption",
        encryption(bucket),
        &wanted_encryption(key),
        kms,
        Change::Encrypt(key.map(str::to_owned), age),
    ));
    let document = policy::with_tls_only(target, bucket.policy.as_deref())?;
    // Once public access is blocked, S3 refuses a policy with this statement.
    let public = bucket.policy.as_deref().and_then(policy::public);
    if let (Some(_), Some(statement)) = (&document, public) {
        return Err(Error::PublicPolicy { bucket: target.backend.bucket.clone(), statement });
    }
    judged.push(Judged::setting(
        thing,
        "policy",
        policy::statements(target, bucket.policy.as_deref()),
        &policy::statements(target, document.as_deref()).unwrap_or_default(),
        document.is_none(),
        Change::Policy(document.clone().unwrap_or_default()),
    ));
    let versioning = bucket.versioning.clone();
    let fits = bucket.is_versioned();
    judged.push(Judged::setting(thing, "versioning", versioning, "Enabled", fits, Change::EnableVersioning));
    judged.push(lifecycle(thing, bucket, age));
    judged.extend(settings_of_others(target, &name, bucket));
    // Also for a new bucket: not every S3-compatible service accepts tags in CreateBucket.
    judged.push(tags(target, thing, bucket));
    Ok(judged)
}

/// Notes about settings that osmt-bootstrap cannot change.
pub fn remarks(bucket: &Bucket) -> Vec<String> {
    let mfa = "MFA delete is off; only the account's root user can turn it on (aws s3api put-bucket-versioning --mfa)";
    if bucket.mfa_delete { Vec::new() } else { vec![mfa.to_owned()] }
}

fn tags(target: &Target, thing: Thing<'_>, bucket: &Bucket) -> Judged<Change> {
    let default_name = target.backend.bucket == target.deployment.state_bucket();
    let wanted =
        if thing.exists { target.wanted_tags(&bucket.tags, default_name) } else { target.deployment.tags() };
    let mut merged = bucket.tags.clone();
    merged.extend(wanted.clone());
    Judged::setting(
        thing,
        "tags",
        present_tags(&wanted, &bucket.tags),
        &tags_text(&wanted),
        merged == bucket.tags,
        Change::Tags(merged.clone()),
    )
}

/// Rules and statements of others that delete the state or its old versions, or deny Terraform access; and tags that are kept.
fn settings_of_others(target: &Target, name: &str, bucket: &Bucket) -> Vec<Judged<Change>> {
    let rules = bucket.lifecycle.iter().filter(|(id, rule)| *id != RULE && rule.covers(&target.backend.key));
    let mut judged: Vec<_> = rules
        .filter_map(|(id, rule)| {
            let text = match rule.noncurrent_days {
                _ if rule.expires => {
                    "deletes the state itself: remove the rule, or limit it to other keys".to_owned()
                }
                Some(days) if days < KEEP_DAYS => format!(
                    "deletes old versions of the state after {}; they should be kept for {KEEP_DAYS} days",
                    count(days, "day")
                ),
                _ => return None,
            };
            Some(Judged::shown(name, format!("lifecycle rule {id}"), text, false))
        })
        .collect();
    for (statement, text) in bucket.policy.iter().flat_map(|policy| policy::denials(target, policy)) {
        judged.push(Judged::shown(name, format!("policy statement {statement}"), text, false));
    }
    let kept = target.deployment.tags().into_iter().filter_map(|(key, value)| {
        let other = bucket.tags.get(&key).filter(|present| **present != value)?;
        target.is_adopted(&bucket.tags).then(|| format!("{key}={other}"))
    });
    let kept: Vec<String> = kept.collect();
    if !kept.is_empty() {
        judged.push(Judged::shown(name, "tags of others, kept", kept.join(", "), true));
    }
    judged
}

fn lifecycle(thing: Thing<'_>, bucket: &Bucket, age: BucketAge) -> Judged<Change> {
    let text = |rule: &LifecycleRule| {
        let days =
            |days: Option<i32>| days.map_or("never".into(), |days| format!("after {}", count(days, "day")));
        let some = rule.narrowed || !rule.prefix.is_empty();
        let faults = [
            (!rule.enabled, "; disabled"),
            (some, "; applies to some keys only"),
            (rule.expires, "; also deletes the current state"),
        ];
        let faults = faults.into_iter().filter(|(is, _)| *is).map(|(_, text)| text);
        format!(
            "old versions are deleted {}, incomplete uploads {}{}",
            days(rule.noncurrent_days),
            days(rule.abort_upload_days),
            faults.collect::<String>()
        )
    };
    let present = bucket.lifecycle.get(RULE);
    let wanted = LifecycleRule {
        enabled: true,
        noncurrent_days: Some(
            present.and_then(|rule| rule.noncurrent_days).map_or(KEEP_DAYS, |days| days.max(KEEP_DAYS)),
        ),
        abort_upload_days: Some(
            present.and_then(|rule| rule.abort_upload_days).map_or(ABORT_DAYS, |days| days.min(ABORT_DAYS)),
        ),
        ..LifecycleRule::default()
    };
    Judged::setting(
        thing,
        "lifecycle",
        present.map(text),
        &text(&wanted),
        present == Some(&wanted),
        Change::Lifecycle(wanted.clone(), age),
    )
}

/// How many of the four switches are on, as text.
pub(super) fn switches(block: PublicAccessBlock) -> String {
    let on = [
        block.block_public_acls,
        block.ignore_public_acls,
        block.block_public_policy,
        block.restrict_public_buckets,
    ]
    .into_iter()
    .filter(|on| *on)
    .count();
    match on {
        0 => "not blocked".to_owned(),
        4 => "blocked, all four switches".to_owned(),
        _ => format!("blocked, {on} of four switches"),
    }
}

/// `aws:kms (arn:…) with bucket key`
fn wanted_encryption(key: Option<&str>) -> String {
    key.map_or("aws:kms with bucket key".to_owned(), |key| format!("aws:kms ({key}) with bucket key"))
}

fn encryption(bucket: &Bucket) -> Option<String> {
    let algorithm = bucket.encryption.as_deref()?;
    let key = bucket.kms_key.as_deref().map_or(String::new(), |key| format!(" ({key})"));
    let bucket_key = match (algorithm, bucket.bucket_key) {
        ("aws:kms", true) => " with bucket key",
        ("aws:kms", false) => " without bucket key",
        _ => "",
    };
    Some(format!("{algorithm}{key}{bucket_key}"))
}
