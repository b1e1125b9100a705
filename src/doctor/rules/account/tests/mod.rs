//! An account as the toolkit leaves it, and what is said of each way to spoil it.

mod offered;
mod serving;
mod zones_shown;

use super::*;
use crate::account::app::Health;
use crate::account::services::{Client, Metadata, Quota, Services, SignIn, ZoneQuota};
use crate::account::{
    Bucket, Certificate, Facts, HostedZone, Known, LifecycleRule, Lock, PublicAccessBlock, Secret, State,
    Table, Zone,
};
use crate::config::{Config, NO_ZONE};
use crate::document::Document;
use crate::finding::Findings;

/// An account as the toolkit leaves it.
fn audit() -> Audit {
    let text = include_str!("../../../../../tests/support/config.json");
    let document = Document::parse(text.replace("ENV", "test")).unwrap();
    let config = Config::from_document(&document).unwrap();
    let secret = Secret { has_value: true, ..Secret::default() };
    Audit {
        facts: Facts {
            version: 1,
            account_id: Known::Known(config.account_id.clone()),
            region: config.region.clone(),
            recorded: Some("2025-12-31T20:00:00Z".into()),
            certificate_arn: Some(config.alb.certificate_arn.clone()),
            hosted_zone_id: config.domain.hosted_zone_id.clone(),
            state: Known::Known(State::default()),
            state_bucket: Known::Known(Some(Bucket {
                name: "osmt-test-123456789012-us-west-2".into(),
                region: config.region.clone(),
                versioning: Some("Enabled".into()),
                encryption: Some("aws:kms".into()),
                bucket_key: true,
                public_access_block: PublicAccessBlock::ALL,
                object_ownership: Some("BucketOwnerEnforced".into()),
                policy: Some(
                    r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::osmt-test-123456789012-us-west-2","arn:aws:s3:::osmt-test-123456789012-us-west-2/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#
                        .into(),
                ),
                lifecycle: [(
                    "osmt-state".to_owned(),
                    LifecycleRule {
                        enabled: true,
                        noncurrent_days: Some(90),
                        abort_upload_days: Some(7),
                        ..LifecycleRule::default()
                    },
                )]
                .into(),
                ..Bucket::default()
            })),
            lock_table: Known::Known(Some(Table {
                name: "osmt-test".into(),
                status: "ACTIVE".into(),
                partition_key: Some(("LockID".into(), "S".into())),
                kms: true,
                point_in_time_recovery: true,
                deletion_protection: true,
                ..Table::default()
            })),
            secrets: [
                ("osmt/test/app".to_owned(), Known::Known(Some(secret.clone()))),
                ("osmt/test/rds".to_owned(), Known::Known(Some(secret))),
            ]
            .into(),
            certificate: Known::Known(Some(Certificate {
                arn: config.alb.certificate_arn.clone(),
                status: "ISSUED".into(),
                names: vec![config.domain.name.clone()],
                key_algorithm: "RSA_2048".into(),
                not_after: Some("2030-01-01T00:00:00Z".into()),
                ..Certificate::default()
            })),
            hosted_zone: Known::Known(Some(HostedZone {
                id: config.domain.hosted_zone_id.clone().unwrap(),
                name: "rehearsal-school.org".into(),
                ..HostedZone::default()
            })),
            zones: Known::Known(
                ["us-west-2a", "us-west-2b", "us-west-2c"]
                    .map(|name| Zone {
                        name: name.into(),
                        state: "available".into(),
                        kind: "availability-zone".into(),
                        ..Zone::default()
                    })
                    .into(),
            ),
            services: Known::Known(offered::services(&config)),
            sign_in: Known::Known(SignIn {
                issuer: config.app.oauth.issuer.clone(),
                client_id: config.app.oauth.client_id.clone(),
                redirect: format!("https://{}/login/oauth2/code/okta", config.domain.name),
                metadata: Known::Known(Metadata {
                    status: 200,
                    issuer: Some(config.app.oauth.issuer.clone()),
                    authorization_endpoint: Some("https://provider.example/authorize".into()),
                }),
                client: Known::Known(Client {
                    status: 302,
                    returns: true,
                    error: Some("login_required".into()),
                }),
            }),
            app: Known::Known(Some(serving::app(&config))),
        },
        config,
        lock_table: true,
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
    }
}

fn offers(audit: &mut Audit) -> &mut Services {
    let Known::Known(services) = &mut audit.facts.services else { unreachable!("made above") };
    services
}

fn sign_in(audit: &mut Audit) -> &mut SignIn {
    let Known::Known(sign_in) = &mut audit.facts.sign_in else { unreachable!("made above") };
    sign_in
}

fn judge(audit: &Audit) -> Findings {
    let mut findings = Findings::default();
    for theme in THEMES {
        findings.run(theme, audit);
    }
    findings
}

fn rules() -> Vec<&'static str> {
    let checks = THEMES.iter().copied().flatten();
    checks.map(|check| check.rule.code).collect()
}

type Spoil = fn(&mut Audit);

fn bucket(audit: &mut Audit) -> &mut Bucket {
    let Known::Known(Some(bucket)) = &mut audit.facts.state_bucket else { unreachable!("made above") };
    bucket
}

fn table(audit: &mut Audit) -> &mut Table {
    let Known::Known(Some(table)) = &mut audit.facts.lock_table else { unreachable!("made above") };
    table
}

fn certificate(audit: &mut Audit) -> &mut Certificate {
    let Known::Known(Some(certificate)) = &mut audit.facts.certificate else { unreachable!("made above") };
    certificate
}

fn zone(audit: &mut Audit) -> &mut HostedZone {
    let Known::Known(Some(zone)) = &mut audit.facts.hosted_zone else { unreachable!("made above") };
    zone
}

fn zones(audit: &mut Audit) -> &mut Vec<Zone> {
    let Known::Known(zones) = &mut audit.facts.zones else { unreachable!("made above") };
    zones
}

fn secret(audit: &mut Audit) -> &mut Option<Secret> {
    let secret = audit.facts.secrets.get_mut("osmt/test/rds");
    let Some(Known::Known(secret)) = secret else { unreachable!("made above") };
    secret
}

/// What is done to the good account, and the one code that must then be said.
const SPOILT: &[(&str, Spoil)] = &[
    ("ACC001", |a| {
        a.facts.account_id = Known::Known("210987654321".into());
    }),
    ("ACC002", |a| {
        a.facts.region = "eu-west-1".into();
    }),
    ("ACC003", |a| {
        a.facts.recorded = Some("2025-12-28T00:00:00Z".into());
    }),
    ("STA001", |a| {
        a.facts.state_bucket = Known::Known(None);
    }),
    ("STA002", |a| {
        bucket(a).region = "eu-west-1".into();
    }),
    ("STA003", |a| {
        bucket(a).public_access_block.block_public_policy = false;
    }),
    ("STA004", |a| {
        bucket(a).versioning = Some("Suspended".into());
    }),
    ("STA005", |a| {
        bucket(a).encryption = Some("AES256".into());
    }),
    ("STA006", |a| {
        bucket(a).object_ownership = None;
    }),
    ("STA007", |a| {
        bucket(a).policy = None;
    }),
    ("STA008", |a| {
        bucket(a).lifecycle.values_mut().for_each(|rule| rule.noncurrent_days = Some(9));
    }),
    ("LCK001", |a| {
        a.facts.lock_table = Known::Known(None);
    }),
    ("LCK002", |a| {
        table(a).partition_key = Some(("LockId".into(), "S".into()));
    }),
    ("LCK002", |a| {
        table(a).sort_key = true;
    }),
    ("LCK003", |a| {
        table(a).status = "DELETING".into();
    }),
    ("LCK004", |a| {
        table(a).deletion_protection = false;
    }),
    ("LCK005", |a| {
        table(a).point_in_time_recovery = false;
    }),
    ("LCK006", |a| {
        table(a).kms = false;
    }),
    ("LCK007", |a| {
        table(a).lock = Some(Lock::default());
    }),
    ("ASM001", |a| {
        *secret(a) = None;
    }),
    ("ASM002", |a| {
        secret(a).get_or_insert_default().has_value = false;
    }),
    ("ASM003", |a| {
        secret(a).get_or_insert_default().deleted = Some("2026-02-01T00:00:00Z".into());
    }),
    ("ASM004", |a| {
        secret(a).get_or_insert_default().rotation = true;
    }),
    ("ACM001", |a| {
        a.facts.certificate = Known::Known(None);
    }),
    ("ACM002", |a| {
        certificate(a).status = "PENDING_VALIDATION".into();
    }),
    ("ACM003", |a| {
        certificate(a).not_after = Some("2026-01-09T00:00:00Z".into());
    }),
    ("ACM004", |a| {
        certificate(a).names = vec!["other.org".into()];
    }),
    ("ACM005", |a| {
        certificate(a).key_algorithm = "RSA_1024".into();
    }),
    ("ACM006", |a| {
        let arn = a.config.alb.certificate_arn.replace("us-west-2", "us-east-1");
        certificate(a).arn.clone_from(&arn);
        a.facts.certificate_arn = Some(arn.clone());
        a.config.alb.certificate_arn = arn;
    }),
    ("ZON001", |a| {
        a.facts.hosted_zone = Known::Known(None);
    }),
    ("ZON002", |a| {
        zone(a).private = true;
    }),
    ("ZON003", |a| {
        zone(a).name = "school.org".into();
    }),
    ("AZS001", |a| {
        zones(a).remove(1);
    }),
    ("AZS002", |a| {
        zones(a)[1].state = "impaired".into();
    }),
    ("AZS002", |a| {
        zones(a)[1].kind = "local-zone".into();
    }),
    ("OFF001", |a| {
        let Known::Known(found) = &mut offers(a).database_parameters else { unreachable!("made above") };
        found.parameters.values_mut().for_each(|one| one.allowed = one.allowed.replace("utf8mb3", "utf8"));
    }),
    ("OFF001", |a| {
        let Known::Known(found) = &mut offers(a).database_parameters else { unreachable!("made above") };
        found.parameters.remove("log_output");
    }),
    ("OFF002", |a| {
        offers(a).database_versions = Known::Known(Vec::new());
    }),
    ("OFF002", |a| {
        let Known::Known(found) = &mut offers(a).database_versions else { unreachable!("made above") };
        found[0].status = "deprecated".into();
    }),
    ("OFF003", |a| {
        let Known::Known(found) = &mut offers(a).database_class else { unreachable!("made above") };
        found.zones.clear();
    }),
    ("OFF003", |a| {
        let Known::Known(found) = &mut offers(a).database_class else { unreachable!("made above") };
        found.zones.values_mut().for_each(|zones| *zones = vec!["us-west-2d".into()]);
    }),
    ("OFF004", |a| {
        let Known::Known(found) = &mut offers(a).cache_versions else { unreachable!("made above") };
        found[0].version = "5.0.6".into();
    }),
    ("OFF005", |a| {
        let Known::Known(found) = &mut offers(a).cache_node else { unreachable!("made above") };
        found.listed = false;
    }),
    ("QUO001", |a| {
        offers(a).fargate_vcpus = Known::Known(Quota { limit: 1, others: None });
    }),
    ("QUO002", |a| {
        offers(a).addresses = Known::Known(Quota { limit: 5, others: Some(5) });
    }),
    ("QUO003", |a| {
        offers(a).vpcs = Known::Known(Quota { limit: 5, others: Some(5) });
    }),
    ("QUO004", |a| {
        let others = [(a.config.vpc.azs[0].clone(), 5)].into();
        offers(a).nat_gateways = Known::Known(ZoneQuota { limit: 5, others });
    }),
    ("QUO005", |a| {
        offers(a).group_rules = Known::Known(Quota { limit: 60, others: Some(59) });
    }),
    ("IDP001", |a| {
        let issuer = Some("https://other.example".into());
        sign_in(a).metadata = Known::Known(Metadata { status: 200, issuer, authorization_endpoint: None });
    }),
    ("IDP001", |a| {
        sign_in(a).metadata = Known::Known(Metadata { status: 404, ..Metadata::default() });
    }),
    ("IDP002", |a| {
        sign_in(a).client = Known::Known(Client { status: 400, returns: false, error: None });
    }),
    ("IDP002", |a| {
        let error = Some("unauthorized_client".into());
        sign_in(a).client = Known::Known(Client { status: 302, returns: true, error });
    }),
    ("APP001", |a| {
        serving::of(a).health = Known::Known(Health { status: 503, ..Health::default() });
    }),
];

#[test]
fn a_good_account_is_silent_and_every_rule_passes() {
    let findings = judge(&audit());
    assert_eq!(findings.findings, []);
    assert_eq!(findings.unknown, []);
    assert_eq!(findings.passed, rules().len());
}

#[test]
fn each_rule_speaks_of_its_own_fault_and_no_other_does() {
    for (code, spoil) in SPOILT {
        let mut audit = audit();
        spoil(&mut audit);
        let findings = judge(&audit);
        let mut said: Vec<_> = findings.findings.iter().map(|f| f.code.as_ref()).collect();
        said.dedup();
        assert_eq!(said, [*code]);
    }
    for code in rules() {
        assert!(SPOILT.iter().any(|(spoilt, _)| *spoilt == code), "{code}");
    }
}

#[test]
fn an_expired_certificate_is_an_error_and_a_late_one_a_warning() {
    for (end, severity) in
        [("2025-12-31T00:00:00Z", Severity::Error), ("2026-01-20T00:00:00Z", Severity::Warning)]
    {
        let mut audit = audit();
        certificate(&mut audit).not_after = Some(end.into());
        assert_eq!(judge(&audit).worst(), Some(severity));
    }
}

#[test]
fn what_is_not_known_is_unknown_and_never_passes() {
    let mut audit = audit();
    audit.facts.account_id = Known::Unknown("no".into());
    audit.facts.state_bucket = Known::Unknown("s3:GetBucketPolicy was denied".into());
    audit.facts.lock_table = Known::Unknown("no".into());
    audit.facts.secrets.values_mut().for_each(|secret| *secret = Known::Unknown("no".into()));
    audit.facts.certificate = Known::Unknown("no".into());
    audit.facts.hosted_zone = Known::Unknown("no".into());
    audit.facts.zones = Known::Unknown("no".into());
    audit.facts.services = Known::Unknown("no".into());
    audit.facts.sign_in = Known::Unknown("no".into());
    audit.facts.app = Known::Unknown("no".into());
    let findings = judge(&audit);
    assert_eq!(findings.findings, []);
    // Only the region and the time are known without asking.
    assert_eq!(findings.passed, 2);
    let mut codes: Vec<_> = findings.unknown.iter().map(|u| u.code.as_str()).collect();
    codes.dedup();
    assert_eq!(codes.len(), rules().len() - 2);
}

#[test]
fn without_a_lock_table_none_is_missed() {
    let mut audit = audit();
    audit.lock_table = false;
    audit.facts.lock_table = Known::Known(None);
    assert_eq!(judge(&audit).findings, []);
}

/// Codes that are unknown after something was done to the good account; no finding may come of it.
fn unknown(spoil: Spoil) -> Vec<String> {
    let mut audit = audit();
    spoil(&mut audit);
    let findings = judge(&audit);
    assert_eq!(findings.findings, []);
    let mut codes: Vec<_> = findings.unknown.into_iter().map(|unknown| unknown.code).collect();
    codes.dedup();
    codes
}

#[test]
fn facts_of_another_certificate_zone_or_environment_are_not_judged() {
    let acm = ["ACM001", "ACM002", "ACM003", "ACM004", "ACM005", "ACM006"];
    assert_eq!(
        unknown(|a| a.config.alb.certificate_arn = "arn:aws:acm:us-west-2:1:certificate/new".into()),
        acm
    );
    let zone = |a: &mut Audit| a.config.domain.hosted_zone_id = Some("Z0000000000000000000".into());
    assert_eq!(unknown(zone), ["ZON001", "ZON002", "ZON003"]);
    let recorded_without = |a: &mut Audit| a.facts.hosted_zone_id = Some(NO_ZONE.to_owned());
    assert_eq!(unknown(recorded_without), ["ZON001", "ZON002", "ZON003"]);
    assert_eq!(unknown(|a| a.facts.secrets.clear()), ["ASM001", "ASM002", "ASM003", "ASM004"]);
    // That a certificate was not there says nothing about another one.
    let gone = |a: &mut Audit| {
        a.facts.certificate = Known::Known(None);
        a.config.alb.certificate_arn = "arn:aws:acm:us-west-2:1:certificate/new".into();
    };
    assert!(unknown(gone).contains(&"ACM001".to_owned()));
}

#[test]
fn a_config_without_a_hosted_zone_needs_none() {
    let elsewhere = |a: &mut Audit| {
        (a.config.domain.hosted_zone_id, a.facts.hosted_zone) = (None, Known::Known(None));
        a.facts.hosted_zone_id = Some(NO_ZONE.to_owned());
    };
    assert_eq!(unknown(elsewhere), Vec::<String>::new());
}

#[test]
fn a_setting_that_may_not_be_read_leaves_the_others_known() {
    let denied = |a: &mut Audit| {
        let bucket = bucket(a);
        bucket.policy = None;
        bucket.unread.insert("policy".into(), "s3:GetBucketPolicy was denied".into());
    };
    assert_eq!(unknown(denied), ["STA007"]);
    let denied = |a: &mut Audit| {
        table(a).unread.insert("point_in_time_recovery".into(), "denied".into());
    };
    assert_eq!(unknown(denied), ["LCK005"]);
    let denied = |a: &mut Audit| {
        table(a).unread.insert("lock".into(), "denied".into());
    };
    assert_eq!(unknown(denied), ["LCK007"]);
}

#[test]
fn the_age_of_facts_is_said_and_old_ones_are_not_taken_for_todays() {
    let said = |recorded: Option<&str>| {
        let mut audit = audit();
        audit.facts.recorded = recorded.map(str::to_owned);
        let findings = judge(&audit);
        (findings.findings.len(), findings.unknown.len())
    };
    assert_eq!(said(Some("2025-12-31T23:59:00Z")), (0, 0));
    assert_eq!(said(Some("2025-12-30T00:00:00Z")), (1, 0));
    assert_eq!(said(Some("2025-01-01T00:00:00Z")), (1, 1));
    for odd in [None, Some("yesterday"), Some("2026-02-01T00:00:00Z")] {
        assert_eq!(said(odd), (0, 1), "{odd:?}");
    }
}

#[test]
fn the_lock_file_is_looked_at_where_there_is_no_table() {
    let mut audit = audit();
    audit.lock_table = false;
    audit.facts.state = Known::Known(State { lock: Known::Known(Some(Lock::default())), ..State::default() });
    let findings = judge(&audit).findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, "LCK007");
    audit.facts.state = Known::Unknown("denied".into());
    assert!(judge(&audit).unknown.iter().any(|unknown| unknown.code == "LCK007"));
}
