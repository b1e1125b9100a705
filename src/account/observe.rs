//! Reads the facts of an account. Writes nothing, judges nothing.
//!
//! The reads are independent and can run at the same time. For [`facts`] a read that fails is an unknown fact;
//! for the caller of a single read it is an error.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeyType, PointInTimeRecoveryStatus, SseStatus};
use futures_util::future::join_all;

pub(crate) use super::observe_bucket::is_unreadable;
pub use super::observe_bucket::{Error as BucketError, bucket, state};
use super::observe_bucket::{Unread, keep, readable_bucket, reasons};
use super::observe_services::services;
use super::observe_sign_in::sign_in;
use super::{
    Certificate, Facts, HostedZone, Known, Lock, Record, Secret, Table, observe_app, observe_ec2, observe_iam,
};
use crate::aws::{CallError, Session, call, rfc3339};
use crate::config::{self, Config};
use crate::deployment::{self, StateBackend};
use crate::web::Web;

/// Reads everything at once; what cannot be read is unknown.
pub async fn facts(
    session: &Session,
    web: &Web,
    config: &Config,
    backend: &StateBackend,
    secrets: &[&str],
) -> Facts {
    let certificate_arn = &config.alb.certificate_arn;
    let hosted_zone_id = &config.domain.hosted_zone_id;
    // Where a lock file serves, a table of the standard name may still be left.
    let table = backend.lock.table().map_or_else(|| deployment::prefix(&config.env), str::to_owned);
    let secrets = async {
        let reads = secrets.iter().map(|name| {
            let name = deployment::secret_name(&config.env, name);
            Box::pin(async move { (name.clone(), secret(session, &name).await.into()) })
        });
        join_all(reads).await.into_iter().collect()
    };
    let lock_id = backend.lock_id();
    let app_role = deployment::app_role(&config.env);
    let (
        state_bucket,
        lock_table,
        state,
        secrets,
        certificate,
        hosted_zone,
        app_role,
        zones,
        services,
        sign_in,
        app,
    ) = tokio::join!(
        readable_bucket(session, &backend.bucket),
        look(session, &table, &lock_id),
        state(session, &backend.bucket, &backend.key),
        secrets,
        certificate(session, certificate_arn),
        async {
            match hosted_zone_id {
                Some(id) => hosted_zone(session, id).await,
                None => Ok(None),
            }
        },
        observe_iam::task_role(session, &app_role),
        observe_ec2::zones(session, &session.region),
        Box::pin(services(session, config)),
        Box::pin(sign_in(web, config)),
        Box::pin(observe_app::deployed(session, web, config)),
    );
    Facts {
        version: 1,
        account_id: Known::Known(session.account_id.clone()),
        region: session.region.clone(),
        recorded: None,
        certificate_arn: Some(certificate_arn.clone()),
        hosted_zone_id: Some(hosted_zone_id.clone().unwrap_or_else(|| config::NO_ZONE.to_owned())),
        state: state.into(),
        state_bucket: match state_bucket {
            Ok(fact) => Known::Known(fact),
            Err(error) => Known::Unknown(error.reason()),
        },
        lock_table: lock_table
            .map(|found| found.map(|(table, unread)| Table { unread: reasons(unread), ..table }))
            .into(),
        secrets,
        certificate: certificate.into(),
        hosted_zone: hosted_zone.into(),
        app_role: app_role.into(),
        zones: zones.into(),
        services: Known::Known(services),
        sign_in: Known::Known(sign_in),
        app: app.into(),
    }
}

/// Reads a table and the lock in it; `None` where there is no such table. One setting that cannot be read is an error.
pub async fn table(session: &Session, name: &str, lock_id: &str) -> Result<Option<Table>, CallError> {
    let Some((table, unread)) = Box::pin(look(session, name, lock_id)).await? else {
        return Ok(None);
    };
    unread.into_iter().next().map_or(Ok(Some(table)), |(_, error)| Err(error))
}

/// Reads a table as far as this caller may; the settings that could not be read are listed.
async fn look(session: &Session, name: &str, lock_id: &str) -> Result<Option<(Table, Unread)>, CallError> {
    let client = session.dynamodb();
    let (region, account) = (&session.region, &session.account_id);
    let arn = format!("arn:{}:dynamodb:{region}:{account}:table/{name}", config::partition(region));
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
    let key = |kind: &KeyType| {
        described
            .key_schema()
            .iter()
            .find(|element| element.key_type() == kind)
            .map(|element| element.attribute_name().to_owned())
    };
    let partition_key = key(&KeyType::Hash).map(|name| {
        let of = described
            .attribute_definitions()
            .iter()
            .find(|attribute| attribute.attribute_name() == name)
            .map(|attribute| attribute.attribute_type().as_str().to_owned())
            .unwrap_or_default();
        (name, of)
    });
    let lockable = partition_key == Some(("LockID".to_owned(), "S".to_owned()));
    let sort_key = key(&KeyType::Range).is_some();
    // A table with another key holds no lock of Terraform, and refuses the question.
    let lock = if lockable && !sort_key { lock } else { Ok(None) };
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
    let table = Table {
        name: name.to_owned(),
        status: described.table_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        sort_key,
        partition_key,
        // AWS leaves the summary out of a table that was always provisioned.
        billing: described
            .billing_mode_summary()
            .and_then(|summary| summary.billing_mode())
            .map_or("PROVISIONED", |mode| mode.as_str())
            .to_owned(),
        kms: described.sse_description().and_then(|sse| sse.status()).is_some_and(|status| {
            matches!(status, SseStatus::Enabled | SseStatus::Enabling | SseStatus::Updating)
        }),
        point_in_time_recovery,
        deletion_protection: described.deletion_protection_enabled().unwrap_or_default(),
        tags: tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect(),
        lock,
        unread: BTreeMap::new(),
    };
    Ok(Some((table, unread)))
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

async fn table_lock(
    client: &aws_sdk_dynamodb::Client,
    table: &str,
    lock_id: &str,
) -> Result<Option<Lock>, CallError> {
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

/// Reads what Secrets Manager shows of a secret without its value; `None` where there is no such secret.
pub async fn secret(session: &Session, name: &str) -> Result<Option<Secret>, CallError> {
    let answer = session.secretsmanager().describe_secret().secret_id(name).send().await;
    match call("secretsmanager:DescribeSecret", answer) {
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        answer => {
            let secret = answer?;
            Ok(Some(Secret {
                has_value: secret
                    .version_ids_to_stages()
                    .is_some_and(|versions| versions.values().flatten().any(|stage| stage == "AWSCURRENT")),
                rotation: secret.rotation_enabled().unwrap_or_default(),
                deleted: secret.deleted_date().and_then(rfc3339),
                arn: secret.arn.unwrap_or_default(),
            }))
        }
    }
}

/// Reads a certificate; `None` where there is no such certificate.
pub async fn certificate(session: &Session, arn: &str) -> Result<Option<Certificate>, CallError> {
    let answer = session.acm().describe_certificate().certificate_arn(arn).send().await;
    let detail = match call("acm:DescribeCertificate", answer) {
        Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
        answer => answer?.certificate,
    };
    Ok(detail.map(|detail| {
        let mut names: Vec<String> = detail.domain_name.into_iter().collect();
        for name in detail.subject_alternative_names.unwrap_or_default() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mut validation: Vec<Record> = detail
            .domain_validation_options
            .unwrap_or_default()
            .into_iter()
            .filter_map(|option| option.resource_record)
            .map(|record| Record {
                name: undotted(record.name()),
                kind: record.r#type().as_str().to_owned(),
                value: undotted(record.value()),
            })
            .collect();
        validation.sort();
        // A name and its wildcard are proven by one record.
        validation.dedup();
        Certificate {
            arn: detail.certificate_arn.unwrap_or_default(),
            status: detail.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            names,
            key_algorithm: detail.key_algorithm.map(|key| key.as_str().replace('-', "_")).unwrap_or_default(),
            not_after: detail.not_after.as_ref().and_then(rfc3339),
            in_use_by: detail.in_use_by.unwrap_or_default(),
            failure: detail.failure_reason.map(|reason| reason.as_str().to_owned()),
            validation,
        }
    }))
}

/// Reads a hosted zone; `None` where there is no such zone.
pub async fn hosted_zone(session: &Session, id: &str) -> Result<Option<HostedZone>, CallError> {
    let zone = match session.route53().get_hosted_zone(id).await {
        Err(error) if error.is("NoSuchHostedZone") => return Ok(None),
        answer => answer?,
    };
    Ok(Some(HostedZone {
        name: undotted(&zone.name),
        private: zone.is_private,
        name_servers: zone.name_servers.iter().map(|name| undotted(name)).collect(),
        id: zone.id,
    }))
}

fn undotted(name: &str) -> String {
    name.trim_end_matches('.').to_owned()
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
