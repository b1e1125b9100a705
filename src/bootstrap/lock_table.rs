//! The DynamoDB table with which Terraform locks the state.
//!
//! A table with another key schema than Terraform's has another purpose and is refused. Tags of others and a customer managed
//! KMS key are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ScalarAttributeType, SseSpecification, TableStatus, Tag,
};

use super::judged::Thing;
use super::ownership::{present_tags, refuse_other_environment, tags_text};
use super::{Error, Judged, Target};
use crate::account::Table;
use crate::aws::{CallError, Policy, Session, call, retry};

/// How long DynamoDB may take to create or change an empty table.
const BUSY: Policy = Policy::new(Duration::from_millis(200), Duration::from_secs(5), 300);

/// How long a new table may be invisible.
const NOT_VISIBLE: Policy = Policy::new(Duration::from_millis(200), Duration::from_secs(5), 30);

/// Checks the value of `--lock-table` (`DynamoDB` Developer Guide, "Naming rules").
pub fn name(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if (3..=255).contains(&text.len()) && text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("a table name has 3 to 255 letters, digits, `_`, `-` and `.`".to_owned())
    }
}

/// One change to the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Create the table: on demand, encrypted, with deletion protection and tags.
    Create,
    /// Turn deletion protection on.
    EnableDeletionProtection,
    /// Encrypt with a KMS key.
    Encrypt,
    /// Turn point-in-time recovery on.
    EnablePointInTimeRecovery,
    /// Bill by request.
    BillOnDemand,
    /// Our tags; `TagResource` keeps all others.
    Tags(BTreeMap<String, String>),
}

/// Judges the table's settings.
pub fn judge(target: &Target, name: &str, seen: Option<&Table>) -> Result<Vec<Judged<Change>>, Error> {
    let text = format!("DynamoDB table {name}");
    let recovery = "point-in-time recovery";
    let Some(table) = seen else {
        return Ok(vec![
            Judged::create(
                &text,
                Some("key LockID (S), on demand, encrypted, deletion protection, tags"),
                Change::Create,
            ),
            Judged::setting(
                Thing { name: &text, exists: false },
                recovery,
                None,
                "on",
                false,
                Change::EnablePointInTimeRecovery,
            ),
        ]);
    };
    refuse_unusable(name, table)?;
    refuse_other_environment(target, &text, &table.tags)?;
    let thing = Thing::existing(&text);
    let switch = |on: bool| Some(if on { "on" } else { "off" }.to_owned());
    let wanted = target.wanted_tags(&table.tags, name == target.deployment.prefix());
    let merged: BTreeMap<_, _> = table.tags.clone().into_iter().chain(wanted.clone()).collect();
    Ok(vec![
        Judged::setting(
            thing,
            "deletion protection",
            switch(table.deletion_protection),
            "on",
            table.deletion_protection,
            Change::EnableDeletionProtection,
        ),
        Judged::setting(thing, "encryption with KMS", switch(table.kms), "on", table.kms, Change::Encrypt),
        Judged::setting(
            thing,
            recovery,
            switch(table.point_in_time_recovery),
            "on",
            table.point_in_time_recovery,
            Change::EnablePointInTimeRecovery,
        ),
        Judged::setting(
            thing,
            "billing",
            Some(table.billing.clone()),
            "PAY_PER_REQUEST",
            table.billing == "PAY_PER_REQUEST",
            Change::BillOnDemand,
        ),
        Judged::setting(
            thing,
            "tags",
            present_tags(&wanted, &table.tags),
            &tags_text(&wanted),
            merged == table.tags,
            Change::Tags(wanted.clone()),
        ),
    ])
}

fn refuse_unusable(name: &str, table: &Table) -> Result<(), Error> {
    let why = match &table.partition_key {
        _ if table.status == "DELETING" => "it is being deleted; wait a minute".to_owned(),
        Some((key, of)) if key == "LockID" && of == "S" && !table.sort_key => return Ok(()),
        Some((key, of)) if table.sort_key => {
            format!("its key is {key} ({of}) and a sort key, Terraform needs LockID (S) alone")
        }
        Some((key, of)) => format!("its key is {key} ({of}), Terraform needs LockID (S)"),
        None => "its key is not known, Terraform needs LockID (S)".to_owned(),
    };
    Err(Error::Table { table: name.to_owned(), why })
}

/// Makes one change, once the table is active.
pub async fn apply(session: &Session, target: &Target, change: &Change) -> Result<(), Error> {
    let client = session.dynamodb();
    let name = target.backend.lock.table().unwrap_or_default();
    if *change == Change::Create {
        create(&client, name, target).await?;
        return wait_until_active(&client, name).await;
    }
    wait_until_active(&client, name).await?;
    let update = client.update_table().table_name(name);
    match change {
        Change::Create => {}
        Change::EnableDeletionProtection => {
            let request = update.deletion_protection_enabled(true);
            call("dynamodb:UpdateTable", request.send().await)?;
        }
        Change::Encrypt => {
            let request = update.sse_specification(encrypted());
            call("dynamodb:UpdateTable", request.send().await)?;
        }
        Change::BillOnDemand => {
            let request = update.billing_mode(BillingMode::PayPerRequest);
            call("dynamodb:UpdateTable", request.send().await)?;
        }
        Change::EnablePointInTimeRecovery => enable_point_in_time_recovery(&client, name).await?,
        Change::Tags(wanted) => {
            let arn = format!(
                "arn:{}:dynamodb:{}:{}:table/{name}",
                target.deployment.partition(),
                target.deployment.region,
                target.deployment.account_id
            );
            let request = client.tag_resource().resource_arn(arn).set_tags(Some(tags(wanted)));
            call("dynamodb:TagResource", request.send().await)?;
        }
    }
    Ok(())
}

async fn create(client: &Client, name: &str, target: &Target) -> Result<(), Error> {
    let key = KeySchemaElement::builder().attribute_name("LockID").key_type(KeyType::Hash).build();
    let attribute = AttributeDefinition::builder()
        .attribute_name("LockID")
        .attribute_type(ScalarAttributeType::S)
        .build();
    let request = client
        .create_table()
        .table_name(name)
        .set_key_schema(key.ok().map(|key| vec![key]))
        .set_attribute_definitions(attribute.ok().map(|attribute| vec![attribute]))
        .billing_mode(BillingMode::PayPerRequest)
        .sse_specification(encrypted())
        .deletion_protection_enabled(true)
        .set_tags(Some(tags(&target.deployment.tags())));
    match call("dynamodb:CreateTable", request.send().await) {
        // The response was lost, or another run created the table: the settings are verified afterwards.
        Err(error) if error.is("ResourceInUseException") => Ok(()),
        answer => Ok(answer.map(drop)?),
    }
}

async fn wait_until_active(client: &Client, name: &str) -> Result<(), Error> {
    let read_status = async || {
        let request = client.describe_table().table_name(name);
        let answer = call("dynamodb:DescribeTable", request.send().await)?;
        Ok::<_, CallError>(answer.table.and_then(|table| table.table_status))
    };
    let is_missing =
        |seen: &Result<_, CallError>| seen.as_ref().is_err_and(|error| error.is("ResourceNotFoundException"));
    retry(NOT_VISIBLE, is_missing, &read_status).await?;
    let is_busy =
        |seen: &Result<_, CallError>| seen.as_ref().is_ok_and(|status| *status != Some(TableStatus::Active));
    match retry(BUSY, is_busy, &read_status).await? {
        Some(TableStatus::Active) => Ok(()),
        status => Err(Error::Timeout {
            thing: format!("table {name}"),
            state: status.map_or("missing".into(), |status| status.as_str().to_owned()),
        }),
    }
}

async fn enable_point_in_time_recovery(client: &Client, name: &str) -> Result<(), Error> {
    // The backups of a new table are not available at once.
    let is_unready = |answer: &Result<_, CallError>| {
        answer.as_ref().is_err_and(|error| error.is("ContinuousBackupsUnavailableException"))
    };
    let switch_on = async || {
        let on = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
        let request = client
            .update_continuous_backups()
            .table_name(name)
            .set_point_in_time_recovery_specification(on.ok());
        call("dynamodb:UpdateContinuousBackups", request.send().await)
    };
    Ok(retry(BUSY, is_unready, switch_on).await.map(drop)?)
}

fn encrypted() -> SseSpecification {
    SseSpecification::builder().enabled(true).build()
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}
