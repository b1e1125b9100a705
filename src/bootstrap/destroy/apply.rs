//! The calls that look into the bucket and the table, and those that delete; each can be repeated.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::TableStatus;
use aws_sdk_route53::types::ChangeAction;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures_util::future::join_all;

use crate::account::Lock;
use crate::account::observe::parse_lock;
use crate::aws::{CallError, Session, call};
use crate::bootstrap::certificate::apply::change_records;
use crate::bootstrap::certificate::dns;
use crate::bootstrap::destroy::{Contents, State, Step};
use crate::bootstrap::{Error, Target};

/// How many objects are read at the same time.
const AT_ONCE: usize = 16;
/// Bytes that a state with a resource in it has at least; anything smaller need not be read.
const LEAST: i64 = 64;

/// The newest version of a key that is no delete marker.
struct Newest {
    key: String,
    version: Option<String>,
    size: i64,
    /// Whether nobody deleted it since.
    is_latest: bool,
}

/// Reads what lies in the bucket: of each key the newest version, also where it was deleted since.
pub(in crate::bootstrap) async fn contents(session: &Session, bucket: &str) -> Result<Contents, CallError> {
    let s3 = session.s3();
    let (versions, newest) = listing(session, &s3, bucket).await?;
    let mut contents = Contents { versions, ..Contents::default() };
    let wanted: Vec<&Newest> = newest
        .iter()
        // A lock file that was deleted is a lock that was given back.
        .filter(|found| if is_lock(&found.key) { found.is_latest } else { found.size >= LEAST })
        .collect();
    for some in wanted.chunks(AT_ONCE) {
        let reads = some.iter().map(|found| read(session, &s3, bucket, found));
        for (found, bytes) in some.iter().zip(join_all(reads).await) {
            let Some(bytes) = bytes? else { continue };
            let key = found.key.clone();
            if is_lock(&key) {
                let lock = parse_lock(&String::from_utf8_lossy(&bytes));
                contents.locks.insert(key, lock);
            } else if let Some(count) = resources(&bytes).filter(|count| *count > 0) {
                contents.states.push(State {
                    key,
                    version: found.version.clone().unwrap_or_else(|| "null".to_owned()),
                    deleted: !found.is_latest,
                    resources: count,
                });
            }
        }
    }
    Ok(contents)
}

fn is_lock(key: &str) -> bool {
    key.ends_with(".tflock")
}

/// Counts all versions and delete markers, and finds the newest version of each key.
async fn listing(session: &Session, s3: &Client, bucket: &str) -> Result<(usize, Vec<Newest>), CallError> {
    let (mut count, mut newest) = (0, Vec::<Newest>::new());
    let (mut key_marker, mut version_marker) = (None, None);
    loop {
        let request = s3
            .list_object_versions()
            .bucket(bucket)
            .set_key_marker(key_marker)
            .set_version_id_marker(version_marker)
            .expected_bucket_owner(&session.account_id);
        let page = match call("s3:ListBucketVersions", request.send().await) {
            // Somebody else was faster.
            Err(error) if error.is("NoSuchBucket") => return Ok((0, Vec::new())),
            page => page?,
        };
        count += page.versions().len() + page.delete_markers().len();
        // S3 lists keys in order, and the versions of a key newest first.
        for version in page.versions.unwrap_or_default() {
            let key = version.key.unwrap_or_default();
            if newest.last().is_none_or(|last| last.key != key) {
                newest.push(Newest {
                    key,
                    version: version.version_id,
                    size: version.size.unwrap_or(i64::MAX),
                    is_latest: version.is_latest.unwrap_or_default(),
                });
            }
        }
        (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
        if key_marker.is_none() {
            return Ok((count, newest));
        }
    }
}

async fn read(
    session: &Session,
    s3: &Client,
    bucket: &str,
    found: &Newest,
) -> Result<Option<Vec<u8>>, CallError> {
    let operation = "s3:GetObjectVersion";
    let request = s3
        .get_object()
        .bucket(bucket)
        .key(&found.key)
        .set_version_id(found.version.clone().filter(|id| id != "null"))
        .expected_bucket_owner(&session.account_id);
    let object = match call(operation, request.send().await) {
        Err(error) if ["NoSuchKey", "NoSuchVersion", "NoSuchBucket"].iter().any(|code| error.is(code)) => {
            return Ok(None);
        }
        answer => answer?,
    };
    let bytes = object.body.collect().await;
    let bytes = bytes.map_err(|error| CallError::broken(operation, &error))?;
    Ok(Some(bytes.to_vec()))
}

/// How many resources a Terraform state lists; `None` where the bytes are no state.
fn resources(bytes: &[u8]) -> Option<usize> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let state = value.get("terraform_version").or(value.get("lineage"));
    state.and(value.get("resources")?.as_array()).map(Vec::len)
}

/// Reads every lock in the table, whatever state it is on.
pub(in crate::bootstrap) async fn locks(
    session: &Session,
    table: &str,
) -> Result<BTreeMap<String, Lock>, CallError> {
    let mut locks = BTreeMap::new();
    let mut pages = session
        .dynamodb()
        .scan()
        .table_name(table)
        .consistent_read(true)
        .filter_expression("attribute_exists(Info)")
        .into_paginator()
        .items()
        .send();
    while let Some(item) = pages.next().await {
        let item = match call("dynamodb:Scan", item) {
            // Somebody else was faster, or it is only being made.
            Err(error) if error.is("ResourceNotFoundException") => return Ok(locks),
            item => item?,
        };
        let text = |name| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
        locks.insert(text("LockID").to_owned(), parse_lock(text("Info")));
    }
    Ok(locks)
}

/// Does one step; what is gone already is as good as deleted. Tells how many versions are gone.
pub async fn apply(
    session: &Session,
    target: &Target,
    step: &Step,
    progress: impl Fn(usize),
) -> Result<(), Error> {
    match step {
        Step::Admin(step) => crate::bootstrap::apply(session, target, step).await?,
        Step::Certificate(arn) => {
            let request = session.acm().delete_certificate().certificate_arn(arn);
            match call("acm:DeleteCertificate", request.send().await) {
                Err(error) if error.is("ResourceNotFoundException") => {}
                answer => answer.map(drop)?,
            }
        }
        Step::Records { zone, records } => {
            let mut sets = Vec::new();
            for record in records {
                sets.extend(dns::find_record(session, zone, record).await?);
            }
            if !sets.is_empty() {
                change_records(session, zone, sets, &ChangeAction::Delete).await?;
            }
        }
        Step::Empty(bucket, _) => empty(session, bucket, progress).await?,
        Step::Bucket(bucket) => {
            let mut tries = 0;
            loop {
                let request =
                    session.s3().delete_bucket().bucket(bucket).expected_bucket_owner(&session.account_id);
                match call("s3:DeleteBucket", request.send().await) {
                    Err(error) if error.is("NoSuchBucket") => break,
                    // Not all of S3's servers know yet that it is empty, or somebody else is at it.
                    Err(error)
                        if tries < 6 && (error.is("BucketNotEmpty") || error.is("OperationAborted")) => {}
                    answer => {
                        answer.map(drop)?;
                        break;
                    }
                }
                tries += 1;
                tokio::time::sleep(Duration::from_millis(250 << tries)).await;
            }
        }
        Step::Unprotect(table) => {
            let mut tries = 0;
            loop {
                let request =
                    session.dynamodb().update_table().table_name(table).deletion_protection_enabled(false);
                match call("dynamodb:UpdateTable", request.send().await) {
                    Err(error) if error.is("ResourceNotFoundException") => break,
                    // Still busy with the last change.
                    Err(error) if error.is("ResourceInUseException") && tries < 60 => {}
                    answer => {
                        answer.map(drop)?;
                        break;
                    }
                }
                tries += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Step::Table(table) => delete_table(session, table).await?,
    }
    Ok(())
}

/// Deletes all versions and delete markers, a page at a time, until a listing is empty.
async fn empty(session: &Session, bucket: &str, progress: impl Fn(usize)) -> Result<(), CallError> {
    let s3 = session.s3();
    let mut gone = 0;
    loop {
        let request = s3.list_object_versions().bucket(bucket).expected_bucket_owner(&session.account_id);
        let page = match call("s3:ListBucketVersions", request.send().await) {
            Err(error) if error.is("NoSuchBucket") => return Ok(()),
            answer => answer?,
        };
        let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        let objects: Vec<_> = versions
            .chain(markers)
            .filter_map(|(key, version)| {
                ObjectIdentifier::builder().key(key?).set_version_id(version.map(str::to_owned)).build().ok()
            })
            .collect();
        if objects.is_empty() {
            return Ok(());
        }
        let count = objects.len();
        let all = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let request = s3
            .delete_objects()
            .bucket(bucket)
            .expected_bucket_owner(&session.account_id)
            .set_delete(all.ok());
        let answer = match call("s3:DeleteObjectVersion", request.send().await) {
            Err(error) if error.is("NoSuchBucket") => return Ok(()),
            answer => answer?,
        };
        if let Some(error) = answer.errors().first() {
            return Err(CallError::told(
                "s3:DeleteObjectVersion",
                error.code().unwrap_or("an error without a code"),
                error.message(),
            ));
        }
        gone += count;
        progress(gone);
    }
}

async fn delete_table(session: &Session, table: &str) -> Result<(), Error> {
    let client = session.dynamodb();
    let mut tries = 0;
    loop {
        let request = client.delete_table().table_name(table);
        match call("dynamodb:DeleteTable", request.send().await) {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(()),
            // Still busy with the last change, or already on its way out.
            Err(error) if error.is("ResourceInUseException") && tries < 60 => {}
            answer => {
                answer?;
            }
        }
        tries += 1;
        let request = client.describe_table().table_name(table);
        match call("dynamodb:DescribeTable", request.send().await) {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(()),
            answer => {
                let status = answer?.table.and_then(|table| table.table_status);
                if status == Some(TableStatus::Deleting) && tries >= 60 {
                    return Err(Error::Slow {
                        thing: format!("table {table}"),
                        state: "DELETING".to_owned(),
                    });
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::resources;

    #[test]
    fn a_state_is_known_by_its_shape() {
        let state = br#"{"version":4,"terraform_version":"1.11.4","lineage":"x","resources":[{}]}"#;
        assert_eq!(resources(state), Some(1));
        assert_eq!(resources(br#"{"version":4,"lineage":"x","resources":[]}"#), Some(0));
        assert_eq!(resources(br#"{"resources":[{}]}"#), None);
        assert_eq!(resources(b"hello"), None);
    }
}
