//! Reads of the lock table: its settings, the lock in it and the digest of the state.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeyType, PointInTimeRecoveryStatus, SseStatus, TableDescription,
};

use super::unread::{Unread, keep};
use crate::account::{Lock, Table};
use crate::arn::Partition;
use crate::aws::{CallError, Session, call};

/// Reads a table and the lock in it; `None` where there is no such table. One setting that cannot be read is an error.
pub async fn table(session: &Session, name: &str, lock_id: &str) -> Result<Option<Table>, CallError> {
    let Some((table, unread)) = Box::pin(look(session, name, lock_id)).await? else {
        return Ok(None);
    };
    unread.into_iter().next().map_or(Ok(Some(table)), |(_, error)| Err(error))
}

/// Reads a table as far as this caller may; the settings that could not be read are listed.
pub(super) async fn look(
    session: &Session,
    name: &str,
    lock_id: &str,
) -> Result<Option<(Table, Unread)>, CallError> {
    let client = session.dynamodb();
    let (region, account) = (&session.region, &session.account_id);
    let arn = format!("arn:{}:dynamodb:{region}:{account}:table/{name}", Partition::of(region).name);
    let backups = async {
        let request = client.describe_continuous_backups().table_name(name);
        call("dynamodb:DescribeContinuousBackups", request.send().await)
    };
    let tags = async {
        let request = client.list_tags_of_resource().resource_arn(&arn);
        call("dynamodb:ListTagsOfResource", request.send().await)
    };
    // All at the same time: what the others answer counts only where the table exists.
    let (described, backups, tags, lock) = tokio::join!(
        client.describe_table().table_name(name).send(),
        backups,
        tags,
        table_lock(&client, name, lock_id),
    );
    let described = match call("dynamodb:DescribeTable", described) {
        Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
        answer => answer?,
    };
    let Some(described) = described.table else {
        return Ok(None);
    };
    let described = settings(name, &described);
    let lockable = described.partition_key == Some(("LockID".to_owned(), "S".to_owned()));
    // A table with another key holds no lock of Terraform, and refuses the question.
    let lock = if lockable && !described.sort_key { lock } else { Ok(None) };
    // Another process removed it meanwhile.
    let gone =
        |error: &CallError| error.is("TableNotFoundException") || error.is("ResourceNotFoundException");
    if backups.as_ref().is_err_and(gone) || tags.as_ref().is_err_and(gone) {
        return Ok(None);
    }
    let mut unread = Unread::new();
    let backups = keep(&mut unread, "point_in_time_recovery", backups.map(Some));
    let tags = keep(&mut unread, "tags", tags.map(Some)).and_then(|answer| answer.tags);
    let lock = keep(&mut unread, "lock", lock);
    let point_in_time_recovery = backups
        .and_then(|answer| answer.continuous_backups_description)
        .and_then(|backups| backups.point_in_time_recovery_description)
        .and_then(|recovery| recovery.point_in_time_recovery_status)
        == Some(PointInTimeRecoveryStatus::Enabled);
    let tags = tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    Ok(Some((Table { point_in_time_recovery, tags, lock, ..described }, unread)))
}

/// The settings that the description of a table holds.
fn settings(name: &str, described: &TableDescription) -> Table {
    let key = |kind: &KeyType| {
        described
            .key_schema()
            .iter()
            .find(|element| element.key_type() == kind)
            .map(|element| element.attribute_name().to_owned())
    };
    let kind = |name: &str| {
        described
            .attribute_definitions()
            .iter()
            .find(|attribute| attribute.attribute_name() == name)
            .map(|attribute| attribute.attribute_type().as_str().to_owned())
            .unwrap_or_default()
    };
    Table {
        name: name.to_owned(),
        status: described.table_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        sort_key: key(&KeyType::Range).is_some(),
        partition_key: key(&KeyType::Hash).map(|name| (name.clone(), kind(&name))),
        // AWS leaves the summary out of a table that was always provisioned.
        billing: described
            .billing_mode_summary()
            .and_then(|summary| summary.billing_mode())
            .map_or("PROVISIONED", |mode| mode.as_str())
            .to_owned(),
        kms: described.sse_description().and_then(|sse| sse.status()).is_some_and(|status| {
            matches!(status, SseStatus::Enabled | SseStatus::Enabling | SseStatus::Updating)
        }),
        deletion_protection: described.deletion_protection_enabled().unwrap_or_default(),
        ..Table::default()
    }
}

/// Reads the MD5 of the state that Terraform keeps in the table; `None` where there is none.
pub async fn digest(session: &Session, table: &str, lock_id: &str) -> Result<Option<String>, CallError> {
    let request = session.dynamodb().get_item().table_name(table).consistent_read(true);
    let request = request.key("LockID", AttributeValue::S(format!("{lock_id}-md5")));
    match call("dynamodb:GetItem", request.send().await) {
        Err(error) if error.is("ResourceNotFoundException") || error.is("ValidationException") => Ok(None),
        answer => Ok(answer?.item.and_then(|item| item.get("Digest")?.as_s().ok().cloned())),
    }
}

async fn table_lock(client: &Client, table: &str, lock_id: &str) -> Result<Option<Lock>, CallError> {
    let request = client.get_item().table_name(table).consistent_read(true);
    let request = request.key("LockID", AttributeValue::S(lock_id.to_owned()));
    match call("dynamodb:GetItem", request.send().await) {
        // A table that is still being created holds no lock.
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        answer => Ok(answer?.item.map(|item| {
            let note = item.get("Info").and_then(|info| info.as_s().ok());
            Lock::parse(note.map_or("", String::as_str))
        })),
    }
}
