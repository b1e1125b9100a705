//! The AWS calls that change the state bucket, one for each change; each can be repeated.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BlockedEncryptionTypes, BucketLifecycleConfiguration,
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, ExpirationStatus,
    LifecycleRule as SdkRule, LifecycleRuleFilter, NoncurrentVersionExpiration, ObjectOwnership,
    OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging,
    TransitionDefaultMinimumObjectSize, VersioningConfiguration,
};

use crate::account::LifecycleRule;
use crate::account::observe::BucketError;
use crate::aws::{CallError, Policy, Session, call, retry};
use crate::bootstrap::state_bucket::{BucketAge, Change, RULE};
use crate::bootstrap::{Error, Target};

/// How long to repeat a call while S3 is busy with the bucket, or does not find the new bucket yet.
const RETRY: Policy = Policy::new(Duration::from_millis(500), Duration::from_secs(32), 65);

/// Makes one change.
pub async fn apply(session: &Session, target: &Target, change: &Change) -> Result<(), Error> {
    let failed_for_now =
        |result: &Result<(), Error>| matches!(result, Err(Error::Call(error)) if is_transient(change, error));
    match retry(RETRY, failed_for_now, async || send(session, target, change).await).await {
        Err(Error::Call(error)) if error.is("InvalidBucketAclWithObjectOwnership") => {
            Err(Error::Acl(target.backend.bucket.clone(), error))
        }
        result => result,
    }
}

/// Whether the same call may succeed later: another change is in progress, or the new bucket is not visible everywhere yet.
fn is_transient(change: &Change, error: &CallError) -> bool {
    error.is("OperationAborted") || (error.is("NoSuchBucket") && *change != Change::Create)
}

/// Sends a write to the target's bucket with the expected bucket owner.
macro_rules! put {
    ($session:ident, $target:ident, $permission:literal, $request:expr) => {{
        let request = $request.bucket(&$target.backend.bucket).expected_bucket_owner(&$session.account_id);
        call($permission, request.send().await).map(drop)
    }};
}

async fn send(session: &Session, target: &Target, change: &Change) -> Result<(), Error> {
    let s3 = session.s3();
    match change {
        Change::Create => return create(&s3, target).await,
        Change::BlockPublicAccess => put!(
            session,
            target,
            "s3:PutBucketPublicAccessBlock",
            s3.put_public_access_block().public_access_block_configuration(all_blocked())
        ),
        Change::DisableAcls => put!(
            session,
            target,
            "s3:PutBucketOwnershipControls",
            s3.put_bucket_ownership_controls().ownership_controls(owner_enforced())
        ),
        Change::Encrypt(key, age) => {
            let blocked = match age {
                BucketAge::New => None,
                BucketAge::Existing => blocked_types(session, &s3, target).await?,
            };
            put!(
                session,
                target,
                "s3:PutEncryptionConfiguration",
                s3.put_bucket_encryption()
                    .server_side_encryption_configuration(encryption(key.clone(), blocked))
            )
        }
        Change::Policy(document) => {
            put!(session, target, "s3:PutBucketPolicy", s3.put_bucket_policy().policy(document))
        }
        Change::EnableVersioning => put!(
            session,
            target,
            "s3:PutBucketVersioning",
            s3.put_bucket_versioning().versioning_configuration(
                VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build()
            )
        ),
        Change::Lifecycle(rule, age) => lifecycle(session, &s3, target, rule, *age).await,
        Change::Tags(tags) => {
            put!(session, target, "s3:PutBucketTagging", s3.put_bucket_tagging().tagging(tagging(tags)))
        }
    }
    .map_err(Error::from)
}

/// Creates the bucket with ACLs disabled. A bucket that this account owns already is not an error.
async fn create(s3: &Client, target: &Target) -> Result<(), Error> {
    let answer = s3
        .create_bucket()
        .bucket(&target.backend.bucket)
        .object_ownership(ObjectOwnership::BucketOwnerEnforced)
        .create_bucket_configuration(create_settings(target))
        .send()
        .await;
    match call("s3:CreateBucket", answer) {
        Err(error) if error.is("BucketAlreadyOwnedByYou") => Ok(()),
        Err(error) if error.is("BucketAlreadyExists") => {
            Err(BucketError::Foreign { bucket: target.backend.bucket.clone() }.into())
        }
        answer => Ok(answer.map(drop)?),
    }
}

/// The tags, because an organisation may refuse untagged buckets, and the region, which S3 does not accept for us-east-1.
fn create_settings(target: &Target) -> CreateBucketConfiguration {
    let settings = CreateBucketConfiguration::builder().set_tags(Some(tags(&target.deployment.tags())));
    if target.deployment.region == "us-east-1" {
        settings.build()
    } else {
        settings
            .location_constraint(BucketLocationConstraint::from(target.deployment.region.as_str()))
            .build()
    }
}

fn all_blocked() -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build()
}

fn owner_enforced() -> OwnershipControls {
    let rule =
        OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced).build();
    OwnershipControls::builder()
        .set_rules(rule.ok().map(|rule| vec![rule]))
        .build()
        .unwrap_or_else(|_| unreachable!("the one rule is given"))
}

/// The encryption types that the bucket blocks: `PutBucketEncryption` resets them unless they are repeated.
async fn blocked_types(
    session: &Session,
    s3: &Client,
    target: &Target,
) -> Result<Option<BlockedEncryptionTypes>, CallError> {
    let request =
        s3.get_bucket_encryption().bucket(&target.backend.bucket).expected_bucket_owner(&session.account_id);
    match call("s3:GetEncryptionConfiguration", request.send().await) {
        Err(error) if error.is("ServerSideEncryptionConfigurationNotFoundError") => Ok(None),
        answer => {
            let rules = answer?.server_side_encryption_configuration.map(|encryption| encryption.rules);
            let rule = rules.and_then(|rules| rules.into_iter().next());
            Ok(rule.and_then(|rule| rule.blocked_encryption_types))
        }
    }
}

fn encryption(
    key: Option<String>,
    blocked: Option<BlockedEncryptionTypes>,
) -> ServerSideEncryptionConfiguration {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .set_kms_master_key_id(key)
        .build();
    let rule = ServerSideEncryptionRule::builder()
        .set_apply_server_side_encryption_by_default(default.ok())
        .bucket_key_enabled(true)
        .set_blocked_encryption_types(blocked)
        .build();
    ServerSideEncryptionConfiguration::builder()
        .rules(rule)
        .build()
        .unwrap_or_else(|_| unreachable!("the one rule is given"))
}

/// Sets our rule and keeps the others: S3 replaces the complete list, so the present rules are read immediately before.
async fn lifecycle(
    session: &Session,
    s3: &Client,
    target: &Target,
    wanted: &LifecycleRule,
    age: BucketAge,
) -> Result<(), CallError> {
    let (mut rules, minimum) = match age {
        BucketAge::New => (Vec::new(), None),
        BucketAge::Existing => present_rules(session, s3, target).await?,
    };
    rules.retain(|rule| rule.id() != Some(RULE));
    // S3 refuses a list that mixes rules of the old form (with a prefix) and of the new form (with a filter).
    #[expect(deprecated, reason = "rules of others may have the old form")]
    let old_form = rules.iter().any(|rule| rule.prefix().is_some());
    let mut rule = SdkRule::builder()
        .id(RULE)
        .status(ExpirationStatus::Enabled)
        .noncurrent_version_expiration(
            NoncurrentVersionExpiration::builder().set_noncurrent_days(wanted.noncurrent_days).build(),
        )
        .abort_incomplete_multipart_upload(
            AbortIncompleteMultipartUpload::builder()
                .set_days_after_initiation(wanted.abort_upload_days)
                .build(),
        );
    #[expect(deprecated, reason = "if other rules have the old form, ours must have it too")]
    if old_form {
        rule = rule.prefix("");
    } else {
        rule = rule.filter(LifecycleRuleFilter::builder().prefix("").build());
    }
    rules.extend(rule.build());
    let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build();
    put!(
        session,
        target,
        "s3:PutLifecycleConfiguration",
        s3.put_bucket_lifecycle_configuration()
            .set_transition_default_minimum_object_size(minimum.clone())
            .set_lifecycle_configuration(rules.ok())
    )
}

/// The bucket's rules, and its minimum object size for transitions, which `PutBucketLifecycleConfiguration` resets otherwise.
async fn present_rules(
    session: &Session,
    s3: &Client,
    target: &Target,
) -> Result<(Vec<SdkRule>, Option<TransitionDefaultMinimumObjectSize>), CallError> {
    let request = s3
        .get_bucket_lifecycle_configuration()
        .bucket(&target.backend.bucket)
        .expected_bucket_owner(&session.account_id);
    match call("s3:GetLifecycleConfiguration", request.send().await) {
        Err(error) if error.is("NoSuchLifecycleConfiguration") => Ok((Vec::new(), None)),
        answer => {
            let answer = answer?;
            Ok((answer.rules.unwrap_or_default(), answer.transition_default_minimum_object_size))
        }
    }
}

fn tagging(wanted: &BTreeMap<String, String>) -> Tagging {
    Tagging::builder()
        .set_tag_set(Some(tags(wanted)))
        .build()
        .unwrap_or_else(|_| unreachable!("the list is given"))
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}
