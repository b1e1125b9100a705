//! The load balancer's certificate: request it, validate it by DNS, wait for it, write its ARN into the config.
//!
//! A suitable certificate is used and a pending one is waited for, so that a second run continues an interrupted one.

pub(super) mod apply;
pub mod dns;
pub mod external_dns;
pub mod preflight;

pub mod resolver;
pub(super) mod validation;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

pub(super) use self::apply::candidates;
pub use self::apply::{read_certificate, request, write_validation_records};
use self::preflight::Verdict;
use self::resolver::Resolver;
use crate::account::{Certificate, HostedZone, Record, observe};
use crate::aws::{CallError, Session};
use crate::config::{Config, NO_ZONE};
use crate::explain::{Exit, Explain};
use crate::plan::{Action, Line, Verb};

/// ACM renews a certificate 60 days before it expires. One that expires this soon was not renewed, and is not used.
const MIN_VALIDITY_LEFT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The certificate and its DNS as they are now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The config's zone and its DNS.
    pub dns: preflight::Seen,
    /// The certificate to use, or to wait for.
    pub certificate: Option<Certificate>,
    /// The certificate's validation records that the zone does not have.
    pub missing: Vec<Record>,
    /// ARNs of all certificates for the domain, also of those that failed.
    pub others: Vec<String>,
}

/// An action of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Request a certificate for the domain.
    Request(String),
    /// Write the validation records.
    WriteRecords {
        /// The id of the hosted zone.
        zone: String,
        /// Empty if they are not known before the request.
        records: Vec<Record>,
    },
    /// Print the validation records for the team that manages the DNS; empty if they are not known before the request.
    PrintRecords(Vec<Record>),
    /// Wait until ACM has issued the certificate.
    Wait(String),
    /// Write the ARN into the config.
    Write {
        /// The config's path, as the user named it.
        file: String,
        /// The present ARN.
        from: String,
        /// The new ARN; `None` if it is not known before the request.
        to: Option<String>,
    },
}

impl Step {
    /// The same step with the certificate's ARN.
    #[must_use]
    pub fn with_arn(&self, arn: &str) -> Self {
        match self {
            Self::Write { file, from, .. } => {
                Self::Write { file: file.clone(), from: from.clone(), to: Some(arn.to_owned()) }
            }
            other => other.clone(),
        }
    }
}

impl Action for Step {
    fn line(&self) -> Line {
        match self {
            Self::Request(domain) => Line::new(Verb::Create, format!("ACM certificate {domain}, *.{domain}")),
            Self::WriteRecords { zone, records } => {
                let names: Vec<&str> = records.iter().map(|record| &*record.name).collect();
                let mut line =
                    Line::new(Verb::Create, format!("DNS validation records in hosted zone {zone}"));
                line.to = (!names.is_empty()).then(|| names.join(", "));
                line
            }
            Self::PrintRecords(records) => {
                let names: Vec<&str> = records.iter().map(|record| &*record.name).collect();
                let mut line =
                    Line::new(Verb::Run, "print the DNS records for the team that manages the domain");
                line.to = (!names.is_empty()).then(|| names.join(", "));
                line
            }
            Self::Wait(domain) => Line::new(Verb::Run, format!("wait until {domain} is validated")),
            Self::Write { file, from, to } => Line::new(Verb::Update, file).setting(
                "certificate_arn",
                Some(from.clone()),
                Some(to.clone().unwrap_or_else(|| "the new ARN".to_owned())),
            ),
        }
    }
}

/// Reads the zone, its DNS and the domain's certificates.
pub async fn observe(
    session: &Session,
    config: &Config,
    resolver: &Resolver,
    now: Timestamp,
) -> Result<Seen, Error> {
    let domain = &config.domain.name;
    let dns = async {
        let zone = match &config.domain.hosted_zone_id {
            Some(id) => observe::hosted_zone(session, id).await?,
            None => None,
        };
        let zone = usable_zone(zone, config)?;
        Ok::<_, Error>(preflight::observe(session, zone, domain, resolver).await?)
    };
    let (dns, certificates) = tokio::join!(Box::pin(dns), Box::pin(candidates(session, config)));
    let (dns, certificates) = (dns?, certificates?);
    let certificate = choose(&certificates, domain, &config.alb.certificate_arn, now);
    let wanted = certificate.iter().flat_map(|found| &found.validation);
    let missing = try_join_all(wanted.map(async |record| {
        let found = dns::find_record(session, &dns.zone.id, record).await?;
        Ok::<_, CallError>(found.is_none().then(|| record.clone()))
    }));
    let missing = missing.await?.into_iter().flatten().collect();
    Ok(Seen {
        dns,
        missing,
        certificate,
        others: {
            let mut arns: Vec<String> = certificates.into_iter().map(|one| one.arn).collect();
            arns.sort();
            arns
        },
    })
}

fn usable_zone(zone: Option<HostedZone>, config: &Config) -> Result<HostedZone, Error> {
    let id = config.domain.hosted_zone_id.clone().unwrap_or_else(|| NO_ZONE.to_owned());
    let domain = config.domain.name.clone();
    match zone {
        None => Err(Error::NoZone(id)),
        Some(zone) if zone.private => Err(Error::PrivateZone(id)),
        Some(zone) if !dns::contains(&zone, &domain) => Err(Error::OtherZone { id, zone: zone.name, domain }),
        Some(zone) => Ok(zone),
    }
}

/// The certificate to use: the one in the config if it is suitable, else the issued one that expires last, else a pending one.
fn choose(certificates: &[Certificate], domain: &str, named: &str, now: Timestamp) -> Option<Certificate> {
    let wildcard = format!("*.{domain}");
    let covers_both =
        |certificate: &&Certificate| certificate.covers(domain) && certificate.names.contains(&wildcard);
    let is_valid_long_enough = |certificate: &&Certificate| {
        certificate
            .not_after
            .as_ref()
            .and_then(|end| end.parse::<Timestamp>().ok())
            .is_none_or(|end| end.duration_since(now) > MIN_VALIDITY_LEFT)
    };
    let issued = || {
        certificates.iter().filter(|certificate| certificate.status == "ISSUED").filter(is_valid_long_enough)
    };
    issued()
        .find(|certificate| certificate.arn == named && certificate.covers(domain))
        .or_else(|| issued().filter(covers_both).max_by(|one, other| one.not_after.cmp(&other.not_after)))
        .or_else(|| {
            certificates
                .iter()
                .filter(|certificate| certificate.status == "PENDING_VALIDATION")
                .find(covers_both)
        })
        .cloned()
}

/// Refuses to wait for a certificate that ACM would never issue. If it is issued already, the reasons become warnings.
pub fn guard(seen: &Seen, config: &Config) -> Result<Verdict, Error> {
    refuse(preflight::judge(&seen.dns), seen.certificate.as_ref(), config)
}

fn refuse(
    mut verdict: Verdict,
    certificate: Option<&Certificate>,
    config: &Config,
) -> Result<Verdict, Error> {
    let issued = |certificate: &Certificate| certificate.status == "ISSUED";
    if certificate.is_some_and(issued) {
        let texts = verdict.blockers.drain(..).map(|(text, _)| text);
        verdict.warnings.extend(texts);
    }
    let (reasons, remedies): (Vec<_>, Vec<_>) = verdict.blockers.iter().cloned().unzip();
    if reasons.is_empty() {
        return Ok(verdict);
    }
    Err(Error::Blocked { domain: config.domain.name.clone(), reasons, remedies })
}

/// The plan.
pub fn plan(seen: &Seen, config: &Config, file: &str) -> Vec<Step> {
    let domain = config.domain.name.clone();
    let issued = seen.certificate.as_ref().is_some_and(|certificate| certificate.status == "ISSUED");
    // ACM returns the records of a pending certificate some seconds after the request.
    let unknown =
        seen.certificate.as_ref().is_none_or(|certificate| !issued && certificate.validation.is_empty());
    let mut steps = Vec::new();
    if seen.certificate.is_none() {
        steps.push(Step::Request(domain.clone()));
    }
    if unknown || !seen.missing.is_empty() {
        steps.push(Step::WriteRecords { zone: seen.dns.zone.id.clone(), records: seen.missing.clone() });
    }
    if !issued {
        steps.push(Step::Wait(domain));
    }
    let from = config.alb.certificate_arn.clone();
    let to = seen.certificate.as_ref().map(|certificate| certificate.arn.clone());
    if to.as_ref() != Some(&from) {
        let file = file.to_owned();
        steps.push(Step::Write { file, from, to });
    }
    steps
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The config's zone is not in this account.
    #[error("hosted zone {0} does not exist in this account")]
    NoZone(String),
    /// Public DNS does not have it.
    #[error("hosted zone {0} is private: ACM cannot read validation records in it")]
    PrivateZone(String),
    /// The zone does not contain the domain.
    #[error("hosted zone {id} is {zone}, which does not contain {domain}")]
    OtherZone {
        /// The id of the zone.
        id: String,
        /// The zone's name.
        zone: String,
        /// The config's domain.
        domain: String,
    },
    /// The certificate would be pending for 72 hours and then fail.
    #[error("ACM would never issue a certificate for {domain}: {}", .reasons.join("; "))]
    Blocked {
        /// The config's domain.
        domain: String,
        /// Every blocker.
        reasons: Vec<String>,
        /// One for each reason.
        remedies: Vec<String>,
    },
    /// ACM did not issue the certificate.
    #[error("ACM did not issue the certificate: {status} {reason}")]
    Failed {
        /// `FAILED`, `VALIDATION_TIMED_OUT`, …
        status: String,
        /// `CAA_ERROR`, …
        reason: String,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NoZone(_) | Self::PrivateZone(_) | Self::OtherZone { .. } | Self::Blocked { .. } => {
                Exit::Refused
            }
            Self::Failed { .. } => Exit::Failed,
            Self::Call(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoZone(_) | Self::PrivateZone(_) => Some(
                "set `domain.hosted_zone_id` to a public zone of this account (`aws route53 list-hosted-zones`); if another team manages the domain's DNS, set it to `none` or give `--external-dns`".into(),
            ),
            Self::OtherZone { .. } => Some(
                "correct `domain.name` or `domain.hosted_zone_id` in the config".into(),
            ),
            Self::Blocked { remedies, .. } => Some(remedies.join("; ")),
            Self::Failed { .. } => Some("remove the cause and run this again: it requests another certificate".into()),
            Self::Call(error) => error.help(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: &str = "osmt.example.org";

    fn certificate(arn: &str, status: &str, not_after: Option<&str>) -> Certificate {
        Certificate {
            arn: arn.into(),
            status: status.into(),
            names: vec![DOMAIN.into(), format!("*.{DOMAIN}")],
            not_after: not_after.map(str::to_owned),
            ..Certificate::default()
        }
    }

    fn chosen(certificates: &[Certificate], named: &str) -> Option<String> {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        choose(certificates, DOMAIN, named, now).map(|certificate| certificate.arn)
    }

    #[test]
    fn a_suitable_certificate_is_used_again() {
        let short = certificate("short", "ISSUED", Some("2026-03-01T00:00:00Z"));
        let long = certificate("long", "ISSUED", Some("2026-12-01T00:00:00Z"));
        let ends = certificate("ends", "ISSUED", Some("2026-01-10T00:00:00Z"));
        let pending = certificate("pending", "PENDING_VALIDATION", None);
        let all = [pending.clone(), short.clone(), long, ends.clone()];
        assert_eq!(chosen(&all, "").as_deref(), Some("long"));
        assert_eq!(chosen(&all, "short").as_deref(), Some("short"));
        assert_eq!(chosen(&all, "ends").as_deref(), Some("long"));
        assert_eq!(chosen(&[ends, pending], "ends").as_deref(), Some("pending"));
        assert_eq!(chosen(&[certificate("x", "FAILED", None)], "x"), None);
    }

    #[test]
    fn a_certificate_without_the_wildcard_is_used_only_if_the_config_names_it() {
        let mut bare = certificate("bare", "ISSUED", None);
        bare.names.truncate(1);
        assert_eq!(chosen(std::slice::from_ref(&bare), ""), None);
        assert_eq!(chosen(&[bare], "bare").as_deref(), Some("bare"));
    }
}
