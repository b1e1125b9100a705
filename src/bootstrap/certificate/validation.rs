//! The certificates that osmt-bootstrap requested, and whether other certificates need their validation records.
//!
//! ACM uses the same validation record for every certificate of an account with the same name or its wildcard, in all regions. A
//! record that another certificate needs is kept.

use std::collections::BTreeSet;

use aws_sdk_acm::Client;
use aws_sdk_acm::types::{Filters, KeyAlgorithm};
use futures_util::future::{join_all, try_join_all};

use crate::account::observe::ec2;
use crate::account::{Certificate, Record};
use crate::aws::{CallError, Session, call};
use crate::bootstrap::certificate::apply::{candidates, is_ours};
use crate::bootstrap::certificate::dns;
use crate::config::Config;

pub(in crate::bootstrap) struct OwnCertificates {
    /// The certificates with our tags.
    pub(in crate::bootstrap) ours: Vec<Certificate>,
    /// Their validation records that exist in the zone.
    pub(in crate::bootstrap) records: Vec<Record>,
}

/// Reads the domain's certificates with our tags, and their validation records.
pub(in crate::bootstrap) async fn own_certificates(
    session: &Session,
    config: &Config,
) -> Result<OwnCertificates, CallError> {
    let candidates = candidates(session, config).await?;
    let whose = try_join_all(candidates.into_iter().map(async |certificate| {
        let request = session.acm().list_tags_for_certificate().certificate_arn(&certificate.arn);
        let answer = call("acm:ListTagsForCertificate", request.send().await)?;
        Ok::<_, CallError>(is_ours(answer.tags(), &config.env).then_some(certificate))
    }));
    let ours: Vec<Certificate> = whose.await?.into_iter().flatten().collect();
    let wanted: BTreeSet<&Record> = ours.iter().flat_map(|certificate| &certificate.validation).collect();
    let Some(zone) = &config.domain.hosted_zone_id else {
        return Ok(OwnCertificates { ours, records: Vec::new() });
    };
    let found =
        try_join_all(wanted.into_iter().map(
            async |record| match dns::find_record(session, zone, record).await {
                Err(error) if error.is("NoSuchHostedZone") => Ok(None),
                found => Ok::<_, CallError>(found?.map(|_| record.clone())),
            },
        ));
    let records = found.await?.into_iter().flatten().collect();
    Ok(OwnCertificates { ours, records })
}

/// Why the validation records of our certificates must be kept: another certificate needs them, or that is not known.
pub async fn records_needed_elsewhere(
    session: &Session,
    config: &Config,
    ours: &[Certificate],
) -> Result<Option<String>, CallError> {
    let domain = &config.domain.name;
    let regions = match ec2::regions(session).await {
        Ok(regions) => regions,
        Err(error) if error.is_denied() => return Ok(Some(not_known(&error))),
        Err(error) => return Err(error),
    };
    let reads = regions.iter().map(async |region| {
        let client = session.acm_in(region);
        (region, certificates_for(&client, domain).await)
    });
    let mut unknown = None;
    for (region, found) in join_all(reads).await {
        match found {
            Ok(arns) => {
                let other = |arn: &String| ours.iter().all(|one| one.arn != *arn);
                if let Some(arn) = arns.into_iter().find(other) {
                    return Ok(Some(format!("certificate {arn} needs it, too")));
                }
            }
            Err(error) if *region == session.region => return Err(error),
            // The account may not use the region, or the region cannot be reached from here.
            Err(error) => unknown = Some(format!("{} ({region})", not_known(&error))),
        }
    }
    Ok(unknown)
}

/// Validation records that an earlier run kept; our certificates are deleted, so that only the zone shows them.
pub(in crate::bootstrap) async fn leftover_records(session: &Session, config: &Config) -> Option<String> {
    let (zone, domain) = (config.domain.hosted_zone_id.as_ref()?, &config.domain.name);
    match dns::validation_records(session, zone, domain).await {
        Ok(records) if records.is_empty() => None,
        Ok(records) => {
            let names: Vec<String> = records.into_iter().map(|record| record.name).collect();
            Some(format!(
                "{} in hosted zone {zone}: another certificate may need it; if none does, delete it in Route 53",
                names.join(", ")
            ))
        }
        Err(error) if error.is("NoSuchHostedZone") => None,
        Err(error) => Some(format!(
            "validation records of {domain} in hosted zone {zone}, if there are any: {}",
            error.reason()
        )),
    }
}

fn not_known(error: &CallError) -> String {
    format!("it is not known whether certificates in other regions need it: {}", error.reason())
}

/// ARNs of a region's certificates for the domain or its wildcard.
async fn certificates_for(client: &Client, domain: &str) -> Result<Vec<String>, CallError> {
    let wildcard = format!("*.{domain}");
    let matches = |name: &str| name.eq_ignore_ascii_case(domain) || name.eq_ignore_ascii_case(&wildcard);
    // Without this filter ACM lists certificates with RSA keys of up to 2048 bits only (`ListCertificates`).
    let keys = KeyAlgorithm::values().iter().copied().map(KeyAlgorithm::from);
    let mut pages = client
        .list_certificates()
        .includes(Filters::builder().set_key_types(Some(keys.collect())).build())
        .into_paginator()
        .items()
        .send();
    let mut found = Vec::new();
    while let Some(summary) = pages.next().await {
        let summary = call("acm:ListCertificates", summary)?;
        let Some(arn) = summary.certificate_arn() else {
            continue;
        };
        let mut names = vec![summary.domain_name().unwrap_or_default().to_owned()];
        names.extend(summary.subject_alternative_name_summaries().iter().cloned());
        let has_all_names = !summary.subject_alternative_name_summaries().is_empty()
            && summary.has_additional_subject_alternative_names() != Some(true);
        if !names.iter().any(|name| matches(name)) && !has_all_names {
            let request = client.describe_certificate().certificate_arn(arn);
            let answer = call("acm:DescribeCertificate", request.send().await)?;
            let detail = answer.certificate;
            names.extend(detail.and_then(|one| one.subject_alternative_names).unwrap_or_default());
        }
        if names.iter().any(|name| matches(name)) {
            found.push(arn.to_owned());
        }
    }
    Ok(found)
}
