//! The certificate and the hosted zone that the config names.

use jiff::Timestamp;

use super::Audit;
use super::state::fact;
use crate::account::{Certificate, HostedZone, Known};
use crate::arn::Arn;
use crate::config::NO_ZONE;
use crate::document::Place;
use crate::finding::{Check, Rule, Severity, Sink};

const ARN: &str = "/config/alb/certificate_arn";
const DOMAIN: &str = "/config/domain/name";
const ZONE: &str = "/config/domain/hosted_zone_id";

/// ACM renews 60 days before the end. If fewer days than this are left, the renewal has failed.
const LATE_DAYS: i64 = 30;

/// Certificate and hosted zone.
pub(super) const CHECKS: &[Check<Audit>] = &[
    Check {
        rule: Rule {
            code: "ACM001",
            name: "certificate-missing",
            severity: Severity::Error,
            summary: "The certificate does not exist",
            explain: include_str!("../../../../docs/rules/ACM001.md"),
        },
        run: |audit, sink| {
            if is_other_certificate(audit, sink) {
                return;
            }
            if let Ok(None) = fact(&audit.facts.certificate, sink) {
                sink.value(ARN, "this certificate does not exist")
                    .help("`osmt-bootstrap certificate` requests one and writes its ARN here");
            }
        },
    },
    Check {
        rule: Rule {
            code: "ACM002",
            name: "certificate-not-issued",
            severity: Severity::Error,
            summary: "The certificate is not issued",
            explain: include_str!("../../../../docs/rules/ACM002.md"),
        },
        run: not_issued,
    },
    Check {
        rule: Rule {
            code: "ACM003",
            name: "certificate-expires",
            severity: Severity::Warning,
            summary: "The certificate has expired, or will soon",
            explain: include_str!("../../../../docs/rules/ACM003.md"),
        },
        run: expires,
    },
    Check {
        rule: Rule {
            code: "ACM004",
            name: "certificate-for-another-domain",
            severity: Severity::Error,
            summary: "The certificate does not cover the domain",
            explain: include_str!("../../../../docs/rules/ACM004.md"),
        },
        run: uncovered,
    },
    Check {
        rule: Rule {
            code: "ACM005",
            name: "certificate-key-unfit",
            severity: Severity::Error,
            summary: "The load balancer does not support the certificate's key",
            explain: include_str!("../../../../docs/rules/ACM005.md"),
        },
        run: unfit,
    },
    Check {
        rule: Rule {
            code: "ACM006",
            name: "certificate-in-another-region",
            severity: Severity::Error,
            summary: "The certificate is in another region",
            explain: include_str!("../../../../docs/rules/ACM006.md"),
        },
        run: elsewhere,
    },
    Check {
        rule: Rule {
            code: "ZON001",
            name: "hosted-zone-missing",
            severity: Severity::Error,
            summary: "The hosted zone does not exist",
            explain: include_str!("../../../../docs/rules/ZON001.md"),
        },
        run: |audit, sink| {
            if audit.config.domain.hosted_zone_id.is_none() || is_other_zone(audit, sink) {
                return;
            }
            if let Ok(None) = fact(&audit.facts.hosted_zone, sink) {
                sink.value(ZONE, "this hosted zone does not exist")
                    .help("`aws route53 list-hosted-zones` lists the account's zones");
            }
        },
    },
    Check {
        rule: Rule {
            code: "ZON002",
            name: "hosted-zone-private",
            severity: Severity::Error,
            summary: "The hosted zone is private",
            explain: include_str!("../../../../docs/rules/ZON002.md"),
        },
        run: |audit, sink| {
            if let Some(zone) = zone(audit, sink)
                && zone.private
            {
                sink.value(ZONE, format!("zone {} is private", zone.name))
                    .help("write the id of the domain's public zone");
            }
        },
    },
    Check {
        rule: Rule {
            code: "ZON003",
            name: "domain-outside-zone",
            severity: Severity::Error,
            summary: "The domain is not part of the hosted zone",
            explain: include_str!("../../../../docs/rules/ZON003.md"),
        },
        run: outside,
    },
];

/// Whether the facts are about another certificate than the config's; reports that as unknown.
fn is_other_certificate(audit: &Audit, sink: &mut Sink<'_>) -> bool {
    let found = match &audit.facts.certificate {
        Known::Known(found) => found.as_ref().map(|certificate| certificate.arn.as_str()),
        Known::Unknown(_) => None,
    };
    let recorded = audit.facts.certificate_arn.as_deref().or(found);
    is_other("certificate", recorded, &audit.config.alb.certificate_arn, sink)
}

/// Whether the facts are about another zone than the config's; reports that as unknown.
fn is_other_zone(audit: &Audit, sink: &mut Sink<'_>) -> bool {
    let found = match &audit.facts.hosted_zone {
        Known::Known(found) => found.as_ref().map(|zone| zone.id.as_str()),
        Known::Unknown(_) => None,
    };
    let recorded = audit.facts.hosted_zone_id.as_deref().or(found);
    if recorded == Some(NO_ZONE) {
        sink.unknown("the facts were recorded for a config without a hosted zone; record them again");
        return true;
    }
    let wanted = audit.config.domain.hosted_zone_id.as_deref().unwrap_or(NO_ZONE);
    is_other("hosted zone", recorded, wanted, sink)
}

fn is_other(what: &str, recorded: Option<&str>, wanted: &str, sink: &mut Sink<'_>) -> bool {
    let Some(recorded) = recorded.filter(|recorded| *recorded != wanted) else {
        return false;
    };
    sink.unknown(format!("the facts are about {what} {recorded}; record them again"));
    true
}

fn certificate<'a>(audit: &'a Audit, sink: &mut Sink<'_>) -> Option<&'a Certificate> {
    if is_other_certificate(audit, sink) {
        return None;
    }
    fact(&audit.facts.certificate, sink).ok()?.as_ref()
}

/// The facts of the config's zone; `None` if another team manages the domain's DNS.
fn zone<'a>(audit: &'a Audit, sink: &mut Sink<'_>) -> Option<&'a HostedZone> {
    audit.config.domain.hosted_zone_id.as_ref()?;
    if is_other_zone(audit, sink) {
        return None;
    }
    fact(&audit.facts.hosted_zone, sink).ok()?.as_ref()
}

fn not_issued(audit: &Audit, sink: &mut Sink<'_>) {
    // ACM003 reports an expired certificate.
    if let Some(certificate) = certificate(audit, sink)
        && !["ISSUED", "EXPIRED"].contains(&certificate.status.as_str())
    {
        let why = certificate.failure.as_deref();
        let why = why.map_or(String::new(), |why| format!(" ({why})"));
        sink.value(ARN, format!("the certificate is {}{why}", certificate.status))
            .help("`osmt-bootstrap certificate` writes the validation records and waits");
    }
}

fn expires(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(certificate) = certificate(audit, sink) else {
        return;
    };
    let end = certificate.not_after.as_deref();
    let Some(end) = end.and_then(|end| end.parse::<Timestamp>().ok()) else {
        if certificate.status == "ISSUED" {
            sink.unknown("ACM does not say when the certificate ends");
        }
        return;
    };
    let days = end.duration_since(audit.now).as_hours().div_euclid(24);
    let help = "check that the validation record still exists, or import a new certificate";
    if days < 0 {
        sink.value(ARN, format!("the certificate expired on {end}")).severity(Severity::Error).help(help);
    } else if days < LATE_DAYS {
        sink.value(ARN, format!("the certificate expires in {days} days, on {end}")).help(help);
    }
}

fn uncovered(audit: &Audit, sink: &mut Sink<'_>) {
    let domain = &audit.config.domain.name;
    if let Some(certificate) = certificate(audit, sink)
        && !certificate.covers(domain)
    {
        let names = certificate.names.join(", ");
        sink.value(ARN, format!("the certificate is for {names}, not for {domain}"))
            .help("`osmt-bootstrap certificate` requests one for the domain")
            .related(Place::value(DOMAIN), "the domain");
    }
}

fn unfit(audit: &Audit, sink: &mut Sink<'_>) {
    const FIT: [&str; 6] =
        ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"];
    if let Some(certificate) = certificate(audit, sink) {
        let key = certificate.key_algorithm.as_str();
        if key.is_empty() {
            sink.unknown("ACM does not say which key the certificate has");
        } else if !FIT.contains(&key) {
            sink.value(
                ARN,
                format!("the certificate's key is {key}, which the load balancer does not support"),
            )
            .help("use one with RSA_2048 or EC_prime256v1");
        }
    }
}

fn elsewhere(audit: &Audit, sink: &mut Sink<'_>) {
    if let Some(certificate) = certificate(audit, sink) {
        let region = Arn::parse(&certificate.arn).map_or("", |arn| arn.region);
        if region != audit.config.region {
            sink.value(ARN, format!("the certificate is in {region}, not in {}", audit.config.region))
                .help("`osmt-bootstrap certificate` requests one in the config's region");
        }
    }
}

fn outside(audit: &Audit, sink: &mut Sink<'_>) {
    let domain = audit.config.domain.name.to_ascii_lowercase();
    if let Some(zone) = zone(audit, sink) {
        let name = zone.name.to_ascii_lowercase();
        if domain != name && !domain.ends_with(&format!(".{name}")) {
            sink.value(ZONE, format!("the domain {domain} is not part of the hosted zone {}", zone.name))
                .help("write the id of the domain's zone")
                .related(Place::value(DOMAIN), "the domain");
        }
    }
}
