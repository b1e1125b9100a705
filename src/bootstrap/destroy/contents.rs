//! What is in the state bucket: this deployment's objects, and the objects of others. Reads only.

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
/// Bytes that a state with a resource in it has at least; anything smaller need not be read.
const LEAST: i64 = 64;
/// Bytes of the largest object that is read whole. Terraform's state of this stack has about 200 kB.
const MOST: i64 = 4 << 20;
/// Bytes of a larger object that show whether it is a state.
const PROBE: &str = "bytes=0-1023";

/// What is in the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Versions and delete markers of everything that was listed.
    pub versions: usize,
    /// Versions and delete markers of this deployment's objects.
    pub own: usize,
    /// Objects that are not this deployment's.
    pub others: Others,
    /// The states that still list resources.
    pub states: Vec<State>,
    /// The lock files.
    pub locks: BTreeMap<String, Lock>,
    /// Objects that could not be read, and why.
    pub unread: BTreeMap<String, String>,
    /// Objects that S3 would not delete now, and why.
    pub protected: BTreeMap<String, String>,
}

/// A state that still lists resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its key.
    pub key: String,
    /// The version that was read.
    pub version: String,
    /// Whether it was deleted since.
    pub deleted: bool,
    /// How many resources it lists.
    pub resources: usize,
}

/// The newest version of a key that is not a delete marker.
struct Newest {
    key: String,
    version: Option<String>,
    size: i64,
    /// Whether it was not deleted since.
    is_latest: bool,
}

/// What reading one object gave.
enum Read {
    Gone,
    Bytes(Vec<u8>),
    /// Not read whole: the first bytes.
    Large(Vec<u8>),
    Unreadable(String),
}

/// Reads a bucket that was made for this environment: everything in it.
pub(super) async fn whole(
    session: &Session,
    target: &Target,
    bucket: &str,
    now: Timestamp,
) -> Result<Contents, CallError> {
    let s3 = session.s3();
    let mut list = List::default();
    list.read(session, &s3, bucket, "").await?;
    let mut contents = list.contents(target);
    // In such a bucket, deleted objects count as this deployment's.
    let names = list.newest.iter().filter(|found| found.is_latest && !target.owns_key(&found.key));
    let names: Vec<String> = names.map(|found| found.key.clone()).collect();
    let wanted: Vec<&Newest> = list.newest.iter().collect();
    let empty = look_into(session, &s3, bucket, &wanted, &mut contents).await?;
    // Nor is a state that lists nothing.
    contents.others.names = names.into_iter().filter(|key| !empty.contains(key)).collect();
    protection(session, &s3, bucket, &wanted, now, &mut contents).await?;
    Ok(contents)
}

/// Reads a bucket that others use, too: only this deployment's objects, and names of some others.
pub(super) async fn own(
    session: &Session,
    target: &Target,
    bucket: &str,
    now: Timestamp,
) -> Result<Contents, CallError> {
    let s3 = session.s3();
    let mut list = List { only: Some(target.clone()), ..List::default() };
    list.read(session, &s3, bucket, &target.backend.key).await?;
    list.read(session, &s3, bucket, WORKSPACES).await?;
    let mut contents = list.contents(target);
    contents.others = some_others(session, &s3, target, bucket).await?;
    let wanted: Vec<&Newest> = list.newest.iter().collect();
    look_into(session, &s3, bucket, &wanted, &mut contents).await?;
    protection(session, &s3, bucket, &wanted, now, &mut contents).await?;
    Ok(contents)
}

/// A listing of versions.
#[derive(Default)]
struct List {
    /// Leaves out what is not this deployment's.
    only: Option<Target>,
    /// Each version and delete marker, by key.
    counts: BTreeMap<String, usize>,
    newest: Vec<Newest>,
}

impl List {
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
                // Another process deleted it meanwhile.
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

/// One page of the current objects of others.
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

/// Reads the states and locks among some objects; gives the keys of states that list nothing.
async fn look_into(
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
        .filter(|found| if is_lock(&found.key) { found.is_latest } else { found.size >= LEAST })
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
                Read::Gone | Read::Large(_) => {}
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
    let large = found.size > MOST;
    let request = s3
        .get_object()
        .bucket(bucket)
        .key(&found.key)
        .set_version_id(found.version.clone().filter(|id| id != "null"))
        .set_range(large.then(|| PROBE.to_owned()))
        .expected_bucket_owner(&session.account_id);
    let object = match call(operation, request.send().await) {
        Err(error) if ["NoSuchKey", "NoSuchVersion", "NoSuchBucket"].iter().any(|code| error.is(code)) => {
            return Ok(Read::Gone);
        }
        Err(error) if is_unreadable(&error) => return Ok(Read::Unreadable(error.reason())),
        answer => answer?,
    };
    let bytes = object.body.collect().await;
    let bytes = bytes.map_err(|error| CallError::broken(operation, &error))?.to_vec();
    Ok(if large { Read::Large(bytes) } else { Read::Bytes(bytes) })
}

/// How many resources a Terraform state lists; `None` where the bytes are not a state.
fn resources(bytes: &[u8]) -> Option<usize> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let state = value.get("terraform_version").or(value.get("lineage"));
    state.and(value.get("resources")?.as_array()).map(Vec::len)
}

/// Whether the first bytes are those of a state: Terraform writes these members first.
fn starts_a_state(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.trim_start().starts_with('{')
        && (text.contains("\"terraform_version\"") || text.contains("\"lineage\""))
}

/// Finds objects that Object Lock protects, where the bucket has it.
async fn protection(
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
        // Some of S3's likes do not know it; who may not ask finds out when S3 refuses to delete.
        Err(error) if error.is_denied() || error.is("NotImplemented") => false,
        answer => answer?.object_lock_configuration.is_some_and(|lock| lock.object_lock_enabled.is_some()),
    };
    if !locked {
        return Ok(());
    }
    for some in objects.chunks(AT_ONCE) {
        let reads = some.iter().map(|found| held(session, s3, bucket, found, now));
        for (found, held) in some.iter().zip(join_all(reads).await) {
            if let Some(why) = held? {
                contents.protected.insert(found.key.clone(), why);
            }
        }
    }
    Ok(())
}

/// Why S3 would not delete a version now. S3 shows it to callers with `s3:GetObjectRetention` and `s3:GetObjectLegalHold`.
async fn held(
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
    fn a_state_is_known_by_its_shape() {
        let state = br#"{"version":4,"terraform_version":"1.11.4","lineage":"x","resources":[{}]}"#;
        assert_eq!(resources(state), Some(1));
        assert_eq!(resources(br#"{"version":4,"lineage":"x","resources":[]}"#), Some(0));
        assert_eq!(resources(br#"{"resources":[{}]}"#), None);
        assert_eq!(resources(b"hello"), None);
        assert!(starts_a_state(&state[..40]));
        assert!(!starts_a_state(b"PK\x03\x04 \"lineage\""));
    }
}
