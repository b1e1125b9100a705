//! Reads a bucket's settings and the state in it. Every call carries the expected owner.

use aws_sdk_s3::primitives::AggregatedBytes;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, LifecycleRule as SdkRule, LifecycleRuleAndOperator, LifecycleRuleFilter,
    NoncurrentVersionExpiration,
};

use md5::{Digest as _, Md5};

use super::unread::{Unread, keep, reasons};
use crate::account::{Bucket, Known, LifecycleRule, Lock, PublicAccessBlock, State};
use crate::aws::{CallError, Session, Why, call, rfc3339};
use crate::explain::{Exit, Explain};

/// A bucket that could not be read, or must not be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// S3 says no to the very first question.
    #[error(
        "bucket {bucket} exists and is not ours: it belongs to another account, or the caller may not see it"
    )]
    Foreign {
        /// The name.
        bucket: String,
    },
    /// It is in another region.
    #[error("bucket {bucket} is in {region}, the config says {wanted}")]
    OtherRegion {
        /// The name.
        bucket: String,
        /// Where it is.
        region: String,
        /// Where it should be.
        wanted: String,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Foreign { .. } | Self::OtherRegion { .. } => Exit::Refused,
            Self::Call(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Foreign { .. } => Some(
                "choose another name with `osmt-bootstrap init --bucket`, or let the caller have s3:ListBucket on it"
                    .into(),
            ),
            Self::OtherRegion { .. } => Some(
                "a bucket cannot move: choose another name with `osmt-bootstrap init --bucket`, or correct the region"
                    .into(),
            ),
            Self::Call(error) => error.help(),
        }
    }
}

impl Error {
    /// The reason a fact is unknown.
    pub fn reason(&self) -> String {
        match self {
            Self::Call(error) => error.reason(),
            other => other.to_string(),
        }
    }
}

/// The answer, or `None` where AWS says with one of these codes that there is nothing.
fn unless<T>(result: Result<T, CallError>, codes: &[&str]) -> Result<Option<T>, CallError> {
    match result {
        Err(error) if codes.iter().any(|code| error.is(code)) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Reads a bucket and all its settings; `None` where there is no such bucket. One setting that cannot be read is an error.
pub async fn bucket(session: &Session, name: &str) -> Result<Option<Bucket>, Error> {
    match look(session, name).await? {
        Some((_, unread)) if !unread.is_empty() => Err(unread
            .into_iter()
            .next()
            .map_or_else(|| Error::Foreign { bucket: name.to_owned() }, |(_, error)| error.into())),
        found => Ok(found.map(|(bucket, _)| bucket)),
    }
}

/// Reads a bucket and those of its settings that this caller may read; the others are noted in it.
pub(super) async fn readable_bucket(session: &Session, name: &str) -> Result<Option<Bucket>, Error> {
    let found = look(session, name).await?;
    Ok(found.map(|(bucket, unread)| Bucket { unread: reasons(unread), ..bucket }))
}

async fn look(session: &Session, name: &str) -> Result<Option<(Bucket, Unread)>, Error> {
    let client = session.s3();
    // All at the same time: what the settings answer counts only where the bucket exists and is ours.
    let head = client.head_bucket().bucket(name).expected_bucket_owner(&session.account_id).send();
    let (head, (bucket, unread)) = tokio::join!(head, Box::pin(settings(session, &client, name)));
    // S3 answers from the wrong region with a redirect that has no body: only its header names the region.
    if let Some(region) = head
        .as_ref()
        .err()
        .and_then(|error| error.raw_response())
        .filter(|answer| matches!(answer.status().as_u16(), 301 | 307 | 400))
        .and_then(|answer| answer.headers().get("x-amz-bucket-region"))
        .filter(|region| *region != session.region)
    {
        return Err(elsewhere(name, region, session));
    }
    let head = match call("s3:HeadBucket", head) {
        Ok(head) => head,
        Err(error) => {
            return match error.why {
                Why::NotFound => Ok(None),
                Why::Denied => Err(Error::Foreign { bucket: name.to_owned() }),
                _ => Err(error.into()),
            };
        }
    };
    let region = head.bucket_region.unwrap_or_else(|| session.region.clone());
    if region != session.region {
        return Err(elsewhere(name, &region, session));
    }
    // On its way in or out: S3's servers do not all know it.
    if unread.iter().any(|(_, error)| error.is("NoSuchBucket")) {
        return Ok(None);
    }
    Ok(Some((Bucket { region, ..bucket }, unread)))
}

fn elsewhere(bucket: &str, region: &str, session: &Session) -> Error {
    Error::OtherRegion {
        bucket: bucket.to_owned(),
        region: region.to_owned(),
        wanted: session.region.clone(),
    }
}

async fn settings(session: &Session, client: &aws_sdk_s3::Client, name: &str) -> (Bucket, Unread) {
    macro_rules! read {
        ($operation:ident, $permission:literal) => {
            async {
                let request = client.$operation().bucket(name);
                let request = request.expected_bucket_owner(&session.account_id);
                call($permission, request.send().await)
            }
        };
    }
    let (versioning, encryption, public_access, ownership, policy, tags, lifecycle) = tokio::join!(
        read!(get_bucket_versioning, "s3:GetBucketVersioning"),
        read!(get_bucket_encryption, "s3:GetEncryptionConfiguration"),
        read!(get_public_access_block, "s3:GetBucketPublicAccessBlock"),
        read!(get_bucket_ownership_controls, "s3:GetBucketOwnershipControls"),
        read!(get_bucket_policy, "s3:GetBucketPolicy"),
        read!(get_bucket_tagging, "s3:GetBucketTagging"),
        read!(get_bucket_lifecycle_configuration, "s3:GetLifecycleConfiguration"),
    );
    let mut unread = Unread::new();
    let mut bucket = Bucket { name: name.to_owned(), ..Bucket::default() };
    if let Some(versioning) = keep(&mut unread, "versioning", versioning.map(Some)) {
        bucket.versioning = versioning.status.map(|status| status.as_str().to_owned());
        bucket.mfa_delete = versioning.mfa_delete.is_some_and(|status| status.as_str() == "Enabled");
    }
    let encryption = unless(encryption, &["ServerSideEncryptionConfigurationNotFoundError"]);
    let rule = keep(&mut unread, "encryption", encryption)
        .and_then(|answer| answer.server_side_encryption_configuration)
        .and_then(|encryption| encryption.rules.into_iter().next());
    if let Some(rule) = rule {
        bucket.bucket_key = rule.bucket_key_enabled.unwrap_or_default();
        if let Some(default) = rule.apply_server_side_encryption_by_default {
            bucket.encryption = Some(default.sse_algorithm.as_str().to_owned());
            bucket.kms_key = default.kms_master_key_id;
        }
    }
    let public_access = unless(public_access, &["NoSuchPublicAccessBlockConfiguration"]);
    if let Some(block) = keep(&mut unread, "public_access_block", public_access)
        .and_then(|answer| answer.public_access_block_configuration)
    {
        bucket.public_access_block = PublicAccessBlock {
            block_public_acls: block.block_public_acls.unwrap_or_default(),
            ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
            block_public_policy: block.block_public_policy.unwrap_or_default(),
            restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
        };
    }
    let ownership = unless(ownership, &["OwnershipControlsNotFoundError"]);
    bucket.object_ownership = keep(&mut unread, "object_ownership", ownership)
        .and_then(|answer| answer.ownership_controls)
        .and_then(|controls| controls.rules.into_iter().next())
        .map(|rule| rule.object_ownership.as_str().to_owned());
    let policy = unless(policy, &["NoSuchBucketPolicy"]);
    bucket.policy = keep(&mut unread, "policy", policy).and_then(|answer| answer.policy);
    bucket.tags = keep(&mut unread, "tags", unless(tags, &["NoSuchTagSet"]))
        .map(|answer| answer.tag_set)
        .unwrap_or_default()
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect();
    let lifecycle = unless(lifecycle, &["NoSuchLifecycleConfiguration"]);
    bucket.lifecycle = keep(&mut unread, "lifecycle", lifecycle)
        .and_then(|answer| answer.rules)
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(index, rule)| lifecycle_rule(index, rule))
        .collect();
    (bucket, unread)
}

fn lifecycle_rule(index: usize, rule: &SdkRule) -> (String, LifecycleRule) {
    let id = rule.id().map_or_else(|| format!("rule {}", index + 1), str::to_owned);
    let filter = rule.filter();
    let all_of = filter.and_then(LifecycleRuleFilter::and);
    #[expect(deprecated, reason = "rules of the old form have their prefix there")]
    let prefix = filter
        .and_then(LifecycleRuleFilter::prefix)
        .or(all_of.and_then(LifecycleRuleAndOperator::prefix))
        .or(rule.prefix());
    (
        id,
        LifecycleRule {
            expires: rule.expiration().is_some_and(|when| when.days().is_some() || when.date().is_some()),
            prefix: prefix.unwrap_or_default().to_owned(),
            narrowed: all_of.is_some()
                || filter.is_some_and(|filter| {
                    filter.tag().is_some()
                        || filter.object_size_greater_than().is_some()
                        || filter.object_size_less_than().is_some()
                }),
            enabled: rule.status().as_str() == "Enabled",
            noncurrent_days: rule
                .noncurrent_version_expiration()
                .and_then(NoncurrentVersionExpiration::noncurrent_days),
            abort_upload_days: rule
                .abort_incomplete_multipart_upload()
                .and_then(AbortIncompleteMultipartUpload::days_after_initiation),
        },
    )
}

/// Bytes of the largest state whose MD5 is computed.
const LARGEST_STATE: i64 = 32 << 20;

/// Reads when the state last changed, its MD5, and who holds Terraform's lock file.
pub async fn state(session: &Session, bucket: &str, key: &str) -> Result<State, CallError> {
    let client = session.s3();
    let lock = format!("{key}.tflock");
    let (state, lock) =
        tokio::join!(object(session, &client, bucket, key), object(session, &client, bucket, &lock));
    let lock = match lock? {
        // A note that broke off half-way is still a lock; only its holder is not known.
        Known::Known(Some((_, bytes))) => {
            Known::Known(Some(Lock::parse(&String::from_utf8_lossy(&bytes.unwrap_or_default()))))
        }
        Known::Known(None) => Known::Known(None),
        Known::Unknown(reason) => Known::Unknown(reason),
    };
    Ok(match state? {
        Known::Known(None) => State { lock, ..State::default() },
        Known::Known(Some((last_change, bytes))) => {
            let md5 = match bytes {
                Ok(bytes) => Known::Known(Some(format!("{:x}", Md5::digest(bytes)))),
                Err(reason) => Known::Unknown(reason),
            };
            State { last_change, md5, lock }
        }
        Known::Unknown(reason) => State { last_change: None, md5: Known::Unknown(reason), lock },
    })
}

/// When it last changed; its bytes, or why they were not read.
type Object = (Option<String>, Result<Vec<u8>, String>);

/// Reads an object, unless it is too large. What this caller may not read is unknown.
async fn object(
    session: &Session,
    client: &aws_sdk_s3::Client,
    bucket: &str,
    key: &str,
) -> Result<Known<Option<Object>>, CallError> {
    let request = client.get_object().bucket(bucket).key(key).expected_bucket_owner(&session.account_id);
    match unless(call("s3:GetObject", request.send().await), &["NoSuchKey", "NoSuchBucket"]) {
        Err(error) if is_unreadable(&error) => Ok(Known::Unknown(error.reason())),
        Err(error) => Err(error),
        Ok(None) => Ok(Known::Known(None)),
        Ok(Some(object)) => {
            let last_change = object.last_modified().and_then(rfc3339);
            let small = object.content_length().is_none_or(|length| length <= LARGEST_STATE);
            let bytes = if small {
                let bytes = object.body.collect().await.map(AggregatedBytes::to_vec);
                bytes.map_err(|error| CallError::broken("s3:GetObject", &error).reason())
            } else {
                Err("the state is too large".to_owned())
            };
            Ok(Known::Known(Some((last_change, bytes))))
        }
    }
}

/// Whether S3 answered that this object cannot be read by this caller: access is denied, it is encrypted with a key of the
/// customer, or it is archived.
pub(crate) fn is_unreadable(error: &CallError) -> bool {
    let codes = ["InvalidRequest", "InvalidObjectState"];
    error.is_denied()
        || codes.iter().any(|code| error.is(code))
        || error.code.as_ref().is_some_and(|code| code.starts_with("KMS."))
}
