//! The AWS calls that delete; each can be repeated.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, TableStatus};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::aws::route53::Change;
use crate::aws::{CallError, Policy, Session, call, retry};
use crate::bootstrap::certificate::apply::change_records;
use crate::bootstrap::certificate::dns;
use crate::bootstrap::destroy::plan::Step;
use crate::bootstrap::ownership::WORKSPACES;
use crate::bootstrap::{Error, Target};

/// How long to repeat a call while a bucket or a table is busy with the previous change.
const BUSY: Policy = Policy::new(Duration::from_millis(500), Duration::from_secs(16), 65);

/// Makes one step; a resource that does not exist counts as deleted. `progress` gets the number of deleted versions.
pub async fn apply(
    session: &Session,
    target: &Target,
    step: &Step,
    progress: impl Fn(usize),
) -> Result<(), Error> {
    match step {
        Step::Role(step) => crate::bootstrap::apply(session, target, step).await?,
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
                change_records(session, zone, &sets, Change::Delete).await?;
            }
        }
        Step::Empty(bucket, _) => delete_versions(session, bucket, "", |_| true, &progress).await?,
        Step::Objects(bucket, _) => {
            for prefix in [&*target.backend.key, WORKSPACES] {
                delete_versions(session, bucket, prefix, |key| target.owns_key(key), &progress).await?;
            }
        }
        Step::Bucket(bucket) => {
            let delete = async || {
                let request =
                    session.s3().delete_bucket().bucket(bucket).expected_bucket_owner(&session.account_id);
                call("s3:DeleteBucket", request.send().await).map(drop)
            };
            // S3 may not see yet that the bucket is empty, or another change is in progress.
            let busy = ["BucketNotEmpty", "OperationAborted"];
            ok_if_missing(retry(BUSY, |answer| failed_with(answer, &busy), delete).await, "NoSuchBucket")?;
        }
        Step::DisableProtection(table) => {
            let switch_off = async || {
                let request =
                    session.dynamodb().update_table().table_name(table).deletion_protection_enabled(false);
                call("dynamodb:UpdateTable", request.send().await).map(drop)
            };
            // The previous change may be in progress.
            let busy = ["ResourceInUseException"];
            let answer = retry(BUSY, |answer| failed_with(answer, &busy), switch_off).await;
            ok_if_missing(answer, "ResourceNotFoundException")?;
        }
        Step::Table(table) => delete_table(session, table).await?,
        Step::Items(table, ids) => {
            for id in ids {
                delete_item(session, table, id).await?;
            }
        }
    }
    Ok(())
}

/// Deletes the versions and delete markers of the selected keys, one page after the other, until a listing has none of them.
async fn delete_versions(
    session: &Session,
    bucket: &str,
    prefix: &str,
    is_selected: impl Fn(&str) -> bool,
    progress: &impl Fn(usize),
) -> Result<(), CallError> {
    let s3 = session.s3();
    let mut deleted = 0;
    let (mut key_marker, mut version_marker) = (None, None);
    loop {
        let request = s3
            .list_object_versions()
            .bucket(bucket)
            .set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
            .set_key_marker(key_marker.take())
            .set_version_id_marker(version_marker.take())
            .expected_bucket_owner(&session.account_id);
        let page = match call("s3:ListBucketVersions", request.send().await) {
            Err(error) if error.is("NoSuchBucket") => return Ok(()),
            answer => answer?,
        };
        let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        let objects: Vec<_> = versions
            .chain(markers)
            .filter(|(key, _)| key.is_some_and(&is_selected))
            .filter_map(|(key, version)| {
                ObjectIdentifier::builder().key(key?).set_version_id(version.map(str::to_owned)).build().ok()
            })
            .collect();
        if objects.is_empty() {
            // All objects of this page belong to others.
            if page.next_key_marker.is_none() {
                return Ok(());
            }
            (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
            continue;
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
            return Err(CallError::in_answer(
                "s3:DeleteObjectVersion",
                error.code().unwrap_or("an error without a code"),
                error.message(),
            ));
        }
        deleted += count;
        progress(deleted);
    }
}

/// Deletes an item, unless it has become a lock (`Info`) since it was read.
async fn delete_item(session: &Session, table: &str, id: &str) -> Result<(), CallError> {
    let request = session
        .dynamodb()
        .delete_item()
        .table_name(table)
        .key("LockID", AttributeValue::S(id.to_owned()))
        .condition_expression("attribute_not_exists(Info)");
    match call("dynamodb:DeleteItem", request.send().await) {
        Err(error) if error.is("ResourceNotFoundException") => Ok(()),
        answer => answer.map(drop),
    }
}

async fn delete_table(session: &Session, table: &str) -> Result<(), Error> {
    let client = session.dynamodb();
    // Each attempt makes both calls, because DynamoDB refuses to delete a table that is busy with the previous change.
    let delete = async || {
        let request = client.delete_table().table_name(table);
        match call("dynamodb:DeleteTable", request.send().await) {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
            Err(error) if error.is("ResourceInUseException") => {}
            answer => {
                answer?;
            }
        }
        let request = client.describe_table().table_name(table);
        match call("dynamodb:DescribeTable", request.send().await) {
            Err(error) if error.is("ResourceNotFoundException") => Ok::<_, CallError>(None),
            answer => {
                let status = answer?.table.and_then(|table| table.table_status);
                Ok(Some(status.unwrap_or(TableStatus::Deleting)))
            }
        }
    };
    match retry(BUSY, |status| matches!(status, Ok(Some(_))), delete).await? {
        None => Ok(()),
        Some(status) => {
            Err(Error::Timeout { thing: format!("table {table}"), state: status.as_str().to_owned() })
        }
    }
}

fn failed_with(answer: &Result<(), CallError>, codes: &[&str]) -> bool {
    answer.as_ref().is_err_and(|error| codes.iter().any(|code| error.is(code)))
}

fn ok_if_missing(answer: Result<(), CallError>, missing: &str) -> Result<(), CallError> {
    match answer {
        Err(error) if error.is(missing) => Ok(()),
        answer => answer,
    }
}
