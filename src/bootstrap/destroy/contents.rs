//! Reads the objects of the state bucket: this deployment's and those of others.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::ObjectLockLegalHoldStatus;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::account::Lock;
use crate::account::observe::is_unreadable;
use crate::aws::{CallError, Session, Why, call, rfc3339};
use crate::bootstrap::Target;
use crate::bootstrap::ownership::{Others, WORKSPACES};

/// How many objects are read at the same time.
const AT_ONCE: usize = 8;
/// A state with a resource has at least this many bytes; smaller objects are not read.
const MIN_STATE_BYTES: i64 = 64;
/// Larger objects are not read completely. Terraform's state of this stack has about 200 kB.
const MAX_READ_BYTES: i64 = 4 << 20;
/// The part of a larger object that shows whether it is a state.
const PROBE: &str = "bytes=0-1023";

/// The contents of the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The number of listed versions and delete markers.
    pub versions: usize,
    /// The number of versions and delete markers of this deployment's objects.
    pub own: usize,
    /// Objects that do not belong to this deployment.
    pub others: Others,
    /// The states that still list resources.
    pub states: Vec<State>,
    /// The lock files, by key.
    pub locks: BTreeMap<String, Lock>,
    /// Objects that could not be read, with the reason.
    pub unread: BTreeMap<String, String>,
    /// Objects that Object Lock protects, with the reason.
    pub protected: BTreeMap<String, String>,
}

/// A state that still lists resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub key: String,
    /// The id of the version that was read.
    pub version: String,
    /// Whether a delete marker is newer.
    pub deleted: bool,
    /// The number of resources.
    pub resources: usize,
}

/// The newest version of a key that is not a delete marker.
struct Newest {
    key: String,
    version: Option<String>,
    size: i64,
    /// Whether no delete marker is newer.
    is_latest: bool,
}

/// The result of reading one object.
enum Read {
    Missing,
    Bytes(Vec<u8>),
    /// The first bytes of a large object.
    Large(Vec<u8>),
    Unreadable(String),
}

/// Reads everything in a bucket that osmt-bootstrap created for this environment.
pub(super) async fn all(
    session: &Session,
    target: &Target,
    bucket: &str,
    now: Timestamp,
) -> Result<Contents, CallError> {
    let s3 = session.s3();
    let mut list = Listing::default();
    list.read(session, &s3, bucket, "").await?;
    let mut contents = list.contents(target);
    // Objects that were deleted in such a bucket are not counted as those of others.
    let names = list.newest.iter().filter(|found| found.is_latest && !target.owns_key(&found.key));
    let names: Vec<String> = names.map(|found| found.key.clone()).collect();
    let wanted: Vec<&Newest> = list.newest.iter().collect();
    let empty = read_states_and_locks(session, &s3, bucket, &wanted, &mut contents).await?;
    // Nor are states without resources.
    contents.others.names = names.into_iter().filter(|key| !empty.contains(key)).collect();
    find_protected(session, &s3, bucket, &wanted, now, &mut contents).await?;
    Ok(contents)
}

/// Reads this deployment's objects in a bucket that others use, too, and the names of some other objects.
pub(super) async fn own(
    session: &Session,
    target: &Target,
    bucket: &str,
    now: Timestamp,
) -> Result<Contents, CallError> {
    let s3 = session.s3();
    let mut list = Listing { only: Some(target.clone()), ..Listing::default() };
    list.read(session, &s3, bucket, &target.backend.key).await?;
    list.read(session, &s3, bucket, WORKSPACES).await?;
    let mut contents = list.contents(target);
    contents.others = some_others(session, &s3, target, bucket).await?;
    let wanted: Vec<&Newest> = list.newest.iter().collect();
    read_states_and_locks(session, &s3, bucket, &wanted, &mut contents).await?;
    find_protected(session, &s3, bucket, &wanted, now, &mut contents).await?;
    Ok(contents)
}

/// A listing of versions.
#[derive(Default)]
struct Listing {
    /// If set, only the objects of this deployment are listed.
    only: Option<Target>,
    /// The number of versions and delete markers, by key.
    counts: BTreeMap<String, usize>,
    newest: Vec<Newest>,
}

impl Listing {
    async fn read(
        &mut self,
        session: &Session,
        s3: &Client,
        bucket: &str,
        prefix: &str,
    ) -> Result<(), CallError> {
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let request = s3
                .list_object_versions()
                .bucket(bucket)
                .set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker)
                .expected_bucket_owner(&session.account_id);
            let page = match call("s3:ListBucketVersions", request.send().await) {
                // Another run has deleted the bucket.
                Err(error) if error.is("NoSuchBucket") => return Ok(()),
                page => page?,
            };
            let takes = |key: &str| self.only.as_ref().is_none_or(|target| target.owns_key(key));
            let markers = page.delete_markers.unwrap_or_default().into_iter();
            for key in markers.filter_map(|marker| marker.key).filter(|key| takes(key)) {
                *self.counts.entry(key).or_default() += 1;
            }
            // S3 lists keys in order, and the versions of a key newest first.
            for version in page.versions.unwrap_or_default() {
                let key = version.key.unwrap_or_default();
                if !takes(&key) {
                    continue;
                }
                *self.counts.entry(key.clone()).or_default() += 1;
                if self.newest.last().is_none_or(|last| last.key != key) {
                    self.newest.push(Newest {
                        key,
                        version: version.version_id,
                        size: version.size.unwrap_or(i64::MAX),
                        is_latest: version.is_latest.unwrap_or_default(),
                    });
                }
            }
            (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
            if key_marker.is_none() {
                return Ok(());
            }
        }
    }

    fn contents(&self, target: &Target) -> Contents {
        let own = self.counts.iter().filter(|(key, _)| target.owns_key(key));
        Contents {
            versions: self.counts.values().sum(),
            own: own.map(|(_, count)| count).sum(),
            ..Contents::default()
        }
    }
}

/// The names of the current objects of others, from one page of the listing.
async fn some_others(
    session: &Session,
    s3: &Client,
    target: &Target,
    bucket: &str,
) -> Result<Others, CallError> {
    let request = s3.list_objects_v2().bucket(bucket).expected_bucket_owner(&session.account_id);
    let page = match call("s3:ListBucket", request.send().await) {
        Err(error) if error.is("NoSuchBucket") => return Ok(Others::default()),
        page => page?,
    };
    let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
    Ok(Others {
        names: keys.filter(|key| !target.owns_key(key)).collect(),
        more: page.is_truncated.unwrap_or_default(),
    })
}

fn is_lock(key: &str) -> bool {
    key.ends_with(".tflock")
}

/// Reads the states and lock files among the objects; returns the keys of states without resources.
async fn read_states_and_locks(
    session: &Session,
    s3: &Client,
    bucket: &str,
    objects: &[&Newest],
    contents: &mut Contents,
) -> Result<Vec<String>, CallError> {
    let mut empty = Vec::new();
    let wanted: Vec<&&Newest> = objects
        .iter()
        // A lock file that was deleted is a lock that was released.
        .filter(|found| if is_lock(&found.key) { found.is_latest } else { found.size >= MIN_STATE_BYTES })
        .collect();
    for some in wanted.chunks(AT_ONCE) {
        let reads = some.iter().map(|found| read(session, s3, bucket, found));
        for (found, bytes) in some.iter().zip(join_all(reads).await) {
            let key = found.key.clone();
            match bytes? {
                Read::Unreadable(why) => {
                    contents.unread.insert(key, why);
                }
                Read::Large(start) if starts_a_state(&start) => {
                    contents.unread.insert(key, format!("it has {} MB", found.size >> 20));
                }
                Read::Missing | Read::Large(_) => {}
                Read::Bytes(bytes) if is_lock(&key) => {
                    contents.locks.insert(key, Lock::parse(&String::from_utf8_lossy(&bytes)));
                }
                Read::Bytes(bytes) => match resources(&bytes) {
                    Some(0) => empty.push(key),
                    Some(count) => contents.states.push(State {
                        key,
                        version: found.version.clone().unwrap_or_else(|| "null".to_owned()),
                        deleted: !found.is_latest,
                        resources: count,
                    }),
                    None => {}
                },
            }
        }
    }
    Ok(empty)
}

async fn read(session: &Session, s3: &Client, bucket: &str, found: &Newest) -> Result<Read, CallError> {
    let operation = "s3:GetObjectVersion";
    let large = found.size > MAX_READ_BYTES;
    let request = s3
        .get_object()
        .bucket(bucket)
        .key(&found.key)
        .set_version_id(found.version.clone().filter(|id| id != "null"))
        .set_range(large.then(|| PROBE.to_owned()))
        .expected_bucket_owner(&session.account_id);
    let object = match call(operation, request.send().await) {
        Err(error) if ["NoSuchKey", "NoSuchVersion", "NoSuchBucket"].iter().any(|code| error.is(code)) => {
            return Ok(Read::Missing);
        }
        Err(error) if is_unreadable(&error) => return Ok(Read::Unreadable(error.reason())),
        answer => answer?,
    };
    let bytes = object.body.collect().await;
    let bytes = bytes.map_err(|error| CallError::broken(operation, &error))?.to_vec();
    Ok(if large { Read::Large(bytes) } else { Read::Bytes(bytes) })
}

/// The number of resources in a Terraform state; `None` if the bytes are not a state.
fn resources(bytes: &[u8]) -> Option<usize> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let state = value.get("terraform_version").or(value.get("lineage"));
    state.and(value.get("resources")?.as_array()).map(Vec::len)
}

/// Whether these are the first bytes of a state: Terraform writes these members first.
fn starts_a_state(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.trim_start().starts_with('{')
        && (text.contains("\"terraform_version\"") || text.contains("\"lineage\""))
}

/// Finds objects that Object Lock protects.
async fn find_protected(
    session: &Session,
    s3: &Client,
    bucket: &str,
    objects: &[&Newest],
    now: Timestamp,
    contents: &mut Contents,
) -> Result<(), CallError> {
    if objects.is_empty() {
        return Ok(());
    }
    let request =
        s3.get_object_lock_configuration().bucket(bucket).expected_bucket_owner(&session.account_id);
    let locked = match call("s3:GetBucketObjectLockConfiguration", request.send().await) {
        Err(error) if error.why == Why::NotFound || error.is("NoSuchBucket") => false,
        Err(error) if error.is("ObjectLockConfigurationNotFoundError") => false,
        // Some S3-compatible services do not implement it. Without permission to read it, S3 itself refuses the deletion later.
        Err(error) if error.is_denied() || error.is("NotImplemented") => false,
        answer => answer?.object_lock_configuration.is_some_and(|lock| lock.object_lock_enabled.is_some()),
    };
    if !locked {
        return Ok(());
    }
    for some in objects.chunks(AT_ONCE) {
        let reads = some.iter().map(|found| protection_of(session, s3, bucket, found, now));
        for (found, protection) in some.iter().zip(join_all(reads).await) {
            if let Some(why) = protection? {
                contents.protected.insert(found.key.clone(), why);
            }
        }
    }
    Ok(())
}

/// Why S3 would refuse to delete a version. Reading it needs `s3:GetObjectRetention` and `s3:GetObjectLegalHold`.
async fn protection_of(
    session: &Session,
    s3: &Client,
    bucket: &str,
    found: &Newest,
    now: Timestamp,
) -> Result<Option<String>, CallError> {
    let request = s3
        .head_object()
        .bucket(bucket)
        .key(&found.key)
        .set_version_id(found.version.clone().filter(|id| id != "null"))
        .expected_bucket_owner(&session.account_id);
    let object = match call("s3:GetObjectVersion", request.send().await) {
        Err(error) if error.why == Why::NotFound || error.is_denied() => return Ok(None),
        answer => answer?,
    };
    if let Some(until) = object.object_lock_retain_until_date().filter(|until| until.secs() > now.as_second())
    {
        return Ok(Some(format!("Object Lock protects it until {}", rfc3339(until).unwrap_or_default())));
    }
    let on = object.object_lock_legal_hold_status == Some(ObjectLockLegalHoldStatus::On);
    Ok(on.then(|| "a legal hold protects it".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_recognised_by_its_members() {
        let state = br#"{"version":4,"terraform_version":"1.11.4","lineage":"x","resources":[{}]}"#;
        assert_eq!(resources(state), Some(1));
        assert_eq!(resources(br#"{"version":4,"lineage":"x","resources":[]}"#), Some(0));
        assert_eq!(resources(br#"{"resources":[{}]}"#), None);
        assert_eq!(resources(b"hello"), None);
        assert!(starts_a_state(&state[..40]));
        assert!(!starts_a_state(b"PK\x03\x04 \"lineage\""));
    }
}
