//! The AWS calls that find and request a certificate and write its validation records; each can be repeated.

use aws_sdk_acm::types::{Filters, KeyAlgorithm, Tag, ValidationMethod};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::account::{Certificate, Record, observe};
use crate::aws::route53::{Change, RecordSet};
use crate::aws::{CallError, Session, call};
use crate::bootstrap::certificate::Error;
use crate::config::Config;
use crate::deployment;

/// The account's certificates for the domain, and the certificate in the config.
pub(in crate::bootstrap) async fn candidates(
    session: &Session,
    config: &Config,
) -> Result<Vec<Certificate>, CallError> {
    let acm = session.acm();
    // Without this filter ACM lists certificates with RSA keys of up to 2048 bits only (`ListCertificates`).
    let keys = [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcPrime256v1, KeyAlgorithm::EcSecp384r1];
    let mut arns = Vec::new();
    let mut pages = acm
        .list_certificates()
        .includes(Filters::builder().set_key_types(Some(keys.into())).build())
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        for summary in call("acm:ListCertificates", page)?.certificate_summary_list.unwrap_or_default() {
            if summary.domain_name().is_some_and(|name| name.eq_ignore_ascii_case(&config.domain.name)) {
                arns.extend(summary.certificate_arn);
            }
        }
    }
    let ours = format!("arn:{}:acm:{}:{}:certificate/", config.partition(), config.region, config.account_id);
    let named = &config.alb.certificate_arn;
    if named.starts_with(&ours) && !arns.contains(named) {
        arns.push(named.clone());
    }
    let reads = arns.iter().map(|arn| observe::certificate(session, arn));
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// Requests a certificate and returns its ARN. A second request within a minute returns the same certificate.
pub async fn request(
    session: &Session,
    config: &Config,
    others: &[String],
    now: Timestamp,
) -> Result<String, CallError> {
    let domain = &config.domain.name;
    let minute = now.as_second() / 60;
    // `others` is part of the token: ACM must not return a certificate that failed or was deleted since.
    let token = Sha256::digest(format!("{}|{domain}|{minute}|{others:?}", config.env));
    let token = token.iter().take(16).fold(String::new(), |token, byte| format!("{token}{byte:02x}"));
    let tags = deployment::tags::of(&config.env)
        .into_iter()
        .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok());
    let request = session
        .acm()
        .request_certificate()
        .domain_name(domain)
        .subject_alternative_names(format!("*.{domain}"))
        .validation_method(ValidationMethod::Dns)
        .key_algorithm(KeyAlgorithm::Rsa2048)
        .idempotency_token(token)
        .set_tags(Some(tags.collect()));
    let answer = call("acm:RequestCertificate", request.send().await)?;
    Ok(answer.certificate_arn.unwrap_or_default())
}

/// Writes validation records; a record that exists is written again.
pub async fn write_validation_records(
    session: &Session,
    zone: &str,
    records: &[Record],
) -> Result<(), CallError> {
    let sets = records.iter().map(|record| RecordSet::new(&record.name, &record.kind, &record.value));
    change_records(session, zone, &sets.collect::<Vec<_>>(), Change::Upsert).await
}

/// Writes or deletes record sets in one batch: all of them or none.
pub(in crate::bootstrap) async fn change_records(
    session: &Session,
    zone: &str,
    sets: &[RecordSet],
    change: Change,
) -> Result<(), CallError> {
    let comment = "validates OSMT's certificate";
    session.route53().change_resource_record_sets(zone, change, sets, comment).await
}

/// Reads the certificate; an error if it can no longer be issued.
pub async fn read_certificate(session: &Session, arn: &str) -> Result<Certificate, Error> {
    match observe::certificate(session, arn).await? {
        Some(certificate) if matches!(certificate.status.as_str(), "ISSUED" | "PENDING_VALIDATION") => {
            Ok(certificate)
        }
        Some(certificate) => {
            Err(Error::Failed { status: certificate.status, reason: certificate.failure.unwrap_or_default() })
        }
        // A new certificate may not be visible yet.
        None => Ok(Certificate {
            arn: arn.to_owned(),
            status: "PENDING_VALIDATION".to_owned(),
            ..Certificate::default()
        }),
    }
}

/// Whether osmt-bootstrap requested a certificate with these tags.
pub(in crate::bootstrap) fn is_ours(tags: &[Tag], env: &str) -> bool {
    deployment::tags::are_complete(env, tags.iter().filter_map(|tag| Some((tag.key(), tag.value()?))))
}
