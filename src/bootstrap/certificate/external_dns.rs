//! For a domain whose DNS another team manages: the records that this team must add, and the certificate that needs them.

use std::fmt::Write as _;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use crate::account::{Certificate, Record};
use crate::aws::{CallError, Session, call};
use crate::bootstrap::Target;
use crate::bootstrap::certificate::preflight::{Caa, Verdict, judge_caa, nearest_caa};
use crate::bootstrap::certificate::resolver::{Answer, Resolver};
use crate::bootstrap::certificate::{Error, Step, candidates, choose, refuse};
use crate::config::Config;

/// The maximum size of a state that is read for the load balancer's name, in bytes.
const MAX_STATE_BYTES: i64 = 4 << 20;

/// The certificate, the CAA records and the load balancer as they are now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The CAA record set in public DNS that applies to the domain.
    pub caa: Answer<Option<Caa>>,
    /// The certificate to use, or to wait for.
    pub certificate: Option<Certificate>,
    /// ARNs of all certificates for the domain.
    pub others: Vec<String>,
    /// The load balancer; `None` if the state does not list one yet, an error if the state cannot be read.
    pub load_balancer: Result<Option<LoadBalancer>, String>,
}

/// The load balancer, to which the host name's record points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// The DNS name.
    pub name: String,
    /// The hosted zone id that an alias record in Route 53 needs; states of older versions of the module do not contain it.
    pub zone_id: Option<String>,
}

/// Reads the certificates, the CAA records and, from the state, the load balancer's name; all at the same time.
pub async fn observe(
    session: &Session,
    target: &Target,
    config: &Config,
    resolver: &Resolver,
    now: Timestamp,
) -> Result<Seen, Error> {
    let domain = &config.domain.name;
    let (certificates, caa, load_balancer) = tokio::join!(
        Box::pin(candidates(session, config)),
        Box::pin(nearest_caa(resolver, domain)),
        Box::pin(load_balancer(session, target)),
    );
    let certificates = certificates?;
    let certificate = choose(&certificates, domain, &config.alb.certificate_arn, now);
    let mut others: Vec<String> = certificates.into_iter().map(|one| one.arn).collect();
    others.sort();
    Ok(Seen { caa, certificate, others, load_balancer })
}

/// The load balancer, from the outputs in Terraform's state.
async fn load_balancer(session: &Session, target: &Target) -> Result<Option<LoadBalancer>, String> {
    let request = session
        .s3()
        .get_object()
        .bucket(&target.backend.bucket)
        .key(&target.backend.key)
        .expected_bucket_owner(&session.account_id);
    let answer = match call("s3:GetObject", request.send().await) {
        Err(error) if error.is("NoSuchKey") || error.is("NoSuchBucket") => return Ok(None),
        answer => answer.map_err(|error: CallError| error.reason())?,
    };
    if answer.content_length().unwrap_or_default() > MAX_STATE_BYTES {
        return Err(format!("the state has more than {} MB", MAX_STATE_BYTES >> 20));
    }
    let body = answer.body.collect().await.map_err(|error| error.to_string())?.into_bytes();
    let state: serde_json::Value =
        serde_json::from_slice(&body).map_err(|error| format!("the state is not JSON: {error}"))?;
    let outputs = &state["outputs"];
    let zone_id = outputs["load_balancer"]["value"]["zone_id"].as_str().map(str::to_owned);
    let name = outputs["alb_dns_name"]["value"].as_str();
    Ok(name.map(|name| LoadBalancer { name: name.to_owned(), zone_id }))
}

/// Refuses to wait for a certificate that ACM would never issue.
pub fn guard(seen: &Seen, config: &Config) -> Result<Verdict, Error> {
    let mut verdict = Verdict::default();
    judge_caa(&seen.caa, &config.domain.name, &mut verdict);
    if let Err(reason) = &seen.load_balancer {
        verdict.unknown.push(format!("the load balancer's DNS name: {reason}"));
    }
    refuse(verdict, seen.certificate.as_ref(), config)
}

/// The plan.
pub fn plan(seen: &Seen, config: &Config, file: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let issued = seen.certificate.as_ref().is_some_and(|certificate| certificate.status == "ISSUED");
    if seen.certificate.is_none() {
        steps.push(Step::Request(config.domain.name.clone()));
    }
    if !issued {
        let records = seen.certificate.as_ref().map(|one| one.validation.clone()).unwrap_or_default();
        steps.push(Step::PrintRecords(records));
        steps.push(Step::Wait(config.domain.name.clone()));
    }
    let from = config.alb.certificate_arn.clone();
    let to = seen.certificate.as_ref().map(|certificate| certificate.arn.clone());
    if to.as_ref() != Some(&from) {
        steps.push(Step::Write { file: file.to_owned(), from, to });
    }
    steps
}

/// A record that the other team must add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NeededRecord {
    /// Without the final dot.
    pub name: String,
    /// `CNAME`
    #[serde(rename = "type")]
    pub kind: String,
    /// Without the final dot.
    pub value: String,
    /// What the record is needed for.
    pub purpose: Purpose,
    /// Whether public DNS has it; `None` if that is not known.
    pub published: Option<bool>,
    /// The hosted zone id of the target, which an alias record in Route 53 needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_hosted_zone_id: Option<String>,
}

/// The purpose of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// ACM validates the domain with it, and again before each renewal.
    Validation,
    /// It points the host name to the load balancer.
    Application,
}

/// The records that the domain needs, and which of them public DNS has.
pub async fn needed(
    resolver: &Resolver,
    domain: &str,
    validation: &[Record],
    load_balancer: Option<&LoadBalancer>,
) -> Vec<NeededRecord> {
    let wanted = validation.iter().map(|record| (record.clone(), Purpose::Validation));
    let application = load_balancer.map(|target| {
        let record = Record { name: domain.to_owned(), kind: "CNAME".to_owned(), value: target.name.clone() };
        (record, Purpose::Application)
    });
    join_all(wanted.chain(application).map(async |(record, purpose)| {
        let published = match (resolver.alias(&record.name).await, purpose) {
            (Answer::Found(Some(target)), _) => Some(target.eq_ignore_ascii_case(&record.value)),
            (Answer::Found(None), Purpose::Validation) => Some(false),
            // DNS answers do not show whether a name is an ALIAS or ANAME record.
            (Answer::Found(None), Purpose::Application) | (Answer::ServFail | Answer::Unknown(_), _) => None,
        };
        let alias_hosted_zone_id =
            load_balancer.filter(|_| purpose == Purpose::Application).and_then(|one| one.zone_id.clone());
        let Record { name, kind, value } = record;
        NeededRecord { name, kind, value, purpose, published, alias_hosted_zone_id }
    }))
    .await
}

/// The records as a zone file (RFC 1035, section 5).
pub fn zone_file(domain: &str, records: &[NeededRecord]) -> String {
    let mut text = format!("; DNS records for {domain}\n");
    let mut section = |purpose: Purpose, comment: &str| {
        let mut of = records.iter().filter(|record| record.purpose == purpose).peekable();
        if of.peek().is_some() {
            text.push_str(comment);
        }
        for NeededRecord { name, kind, value, .. } in of {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name}. 300 IN {kind} {value}.");
        }
    };
    section(
        Purpose::Validation,
        "; ACM validates the domain with this record, and again before each renewal: keep it\n",
    );
    section(
        Purpose::Application,
        "; the load balancer; at the apex of a zone use the DNS provider's ALIAS or ANAME record instead of CNAME\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, value: &str, purpose: Purpose) -> NeededRecord {
        NeededRecord {
            name: name.into(),
            kind: "CNAME".into(),
            value: value.into(),
            purpose,
            published: None,
            alias_hosted_zone_id: None,
        }
    }

    #[test]
    fn a_zone_file_has_absolute_names_and_only_the_sections_that_it_needs() {
        let validation = record("_a.osmt.example.org", "_b.acm-validations.aws", Purpose::Validation);
        let text = zone_file("osmt.example.org", std::slice::from_ref(&validation));
        assert!(text.contains("\n_a.osmt.example.org. 300 IN CNAME _b.acm-validations.aws.\n"), "{text}");
        assert!(!text.contains("load balancer"), "{text}");
        let application = record("osmt.example.org", "x.elb.amazonaws.com", Purpose::Application);
        let text = zone_file("osmt.example.org", &[validation, application]);
        assert!(text.ends_with("\nosmt.example.org. 300 IN CNAME x.elb.amazonaws.com.\n"), "{text}");
    }
}
