//! Reads of the certificate and of the hosted zone: what the domain needs.

use crate::account::{Certificate, HostedZone, Record};
use crate::aws::{CallError, Session, call, rfc3339};

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
