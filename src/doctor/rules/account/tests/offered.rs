//! What services and the provider of sign-in answer, judged.

use super::*;
use crate::account::services::{
    CacheNode, CacheVersion, DATABASE_PARAMETERS, DatabaseClass, DatabaseParameter, DatabaseParameters,
    DatabaseVersion,
};

/// Everything is offered, and nothing else is in the account.
pub(super) fn services(config: &Config) -> Services {
    let parameter = |(name, value): (&str, &str)| {
        let allowed = if name == "long_query_time" { "0-31536000".into() } else { format!("x,{value}") };
        (name.to_owned(), DatabaseParameter { allowed, apply: "dynamic".into(), modifiable: true })
    };
    let (rds, cache) = (&config.rds, &config.elasticache);
    Services {
        database_parameters: Known::Known(DatabaseParameters {
            family: rds.parameter_group_family.clone(),
            parameters: DATABASE_PARAMETERS.into_iter().map(parameter).collect(),
        }),
        database_versions: Known::Known(vec![DatabaseVersion {
            version: rds.engine_version.clone(),
            status: "available".into(),
        }]),
        database_class: Known::Known(DatabaseClass {
            class: rds.instance_class.clone(),
            zones: [(rds.engine_version.clone(), config.vpc.azs.clone())].into(),
        }),
        cache_versions: Known::Known(vec![CacheVersion {
            version: cache.engine_version.clone(),
            family: "redis7".into(),
        }]),
        cache_node: Known::Known(CacheNode { node_type: cache.node_type.clone(), listed: true }),
        fargate_vcpus: Known::Known(Quota { limit: 100, others: None }),
        addresses: Known::Known(Quota { limit: 5, others: Some(0) }),
        vpcs: Known::Known(Quota { limit: 5, others: Some(1) }),
        nat_gateways: Known::Known(ZoneQuota { limit: 5, others: [(config.vpc.azs[0].clone(), 4)].into() }),
        group_rules: Known::Known(Quota { limit: 60, others: Some(0) }),
    }
}

#[test]
fn each_service_that_does_not_answer_is_unknown_alone() {
    let spoil = |a: &mut Audit| offers(a).database_versions = Known::Unknown("rds was denied".into());
    assert_eq!(unknown(spoil), ["OFF002"]);
    let spoil = |a: &mut Audit| sign_in(a).client = Known::Unknown("could not reach it".into());
    assert_eq!(unknown(spoil), ["IDP002"]);
    let spoil =
        |a: &mut Audit| sign_in(a).metadata = Known::Known(Metadata { status: 503, ..Metadata::default() });
    assert_eq!(unknown(spoil), ["IDP001"]);
    // Facts about another class, client or family say nothing about this one.
    let spoil = |a: &mut Audit| a.config.rds.instance_class = "db.m7g.large".into();
    assert_eq!(unknown(spoil), ["OFF003"]);
    let spoil = |a: &mut Audit| {
        a.config.app.oauth.client_id = "other".into();
        a.facts.app = Known::Known(None);
    };
    assert_eq!(unknown(spoil), ["IDP002"]);
}

#[test]
fn keycloak_says_with_its_status_whether_it_knows_the_client() {
    let said = |issuer: &str, status: u16| {
        let mut audit = audit();
        audit.config.app.oauth.issuer = issuer.into();
        audit.facts.app = Known::Known(None);
        let found = sign_in(&mut audit);
        found.issuer = issuer.into();
        found.metadata =
            Known::Known(Metadata { status: 200, issuer: Some(issuer.into()), authorization_endpoint: None });
        found.client = Known::Known(Client { status, returns: false, error: None });
        let judged = judge(&audit);
        (judged.worst(), judged.unknown.len())
    };
    let keycloak = "https://sso.example.org/realms/osmt";
    assert_eq!(said(keycloak, 200), (None, 0));
    assert_eq!(said(keycloak, 400), (Some(Severity::Error), 0));
    assert_eq!(said(keycloak, 500), (None, 1));
    // What another provider means with a page is not clear.
    assert_eq!(said("https://idp.example.org", 200), (None, 1));
    assert_eq!(said("https://idp.example.org", 400), (Some(Severity::Warning), 0));
}

#[test]
fn a_quota_that_only_a_deployment_exceeds_is_a_warning() {
    let worst = |limit: u64, others: u64| {
        let mut audit = audit();
        offers(&mut audit).addresses = Known::Known(Quota { limit, others: Some(others) });
        judge(&audit).worst()
    };
    assert_eq!(worst(5, 0), None);
    assert_eq!(worst(5, 4), Some(Severity::Warning));
    assert_eq!(worst(5, 5), Some(Severity::Error));
}

#[test]
fn the_parameters_are_those_that_terraform_sets() {
    let module = include_str!("../../../../../terraform/module/rds.tf");
    for (name, value) in DATABASE_PARAMETERS {
        assert!(module.contains(name), "{name} is not in rds.tf");
        assert!(value.starts_with("utf8mb3") || module.contains(&format!("\"{value}\"")), "{name} = {value}");
    }
    let one = |allowed: &str| DatabaseParameter { allowed: allowed.into(), ..DatabaseParameter::default() };
    assert!(one("0-31536000").allows("2") && one("").allows("x") && one("TABLE,FILE").allows("FILE"));
    assert!(!one("0,1").allows("2") && !one("utf8, utf8mb4").allows("utf8mb3"));
}

#[test]
fn gateways_count_in_their_own_zone_and_the_first_one_is_needed_in_any_case() {
    let worst = |zone: usize, others: u64| {
        let mut audit = audit();
        let others = [(audit.config.vpc.azs[zone].clone(), others)].into();
        offers(&mut audit).nat_gateways = Known::Known(ZoneQuota { limit: 5, others });
        judge(&audit).worst()
    };
    assert_eq!(worst(0, 4), None);
    assert_eq!(worst(0, 5), Some(Severity::Error));
    assert_eq!(worst(1, 5), Some(Severity::Warning));
    let spoil = |a: &mut Audit| offers(a).nat_gateways = Known::Unknown("ec2 was denied".into());
    assert_eq!(unknown(spoil), ["QUO004"]);
}

#[test]
fn rules_of_a_security_group_are_counted_for_each_family() {
    let worst = |ipv4: usize, ipv6: usize, limit: u64, others: u64| {
        let mut audit = audit();
        let blocks = (0..ipv4).map(|i| format!("203.0.113.{i}/32"));
        audit.config.alb.ingress_cidrs =
            blocks.chain((0..ipv6).map(|i| format!("2001:db8::{i}/128"))).collect();
        offers(&mut audit).group_rules = Known::Known(Quota { limit, others: Some(others) });
        judge(&audit).worst()
    };
    assert_eq!(worst(30, 30, 60, 0), None);
    assert_eq!(worst(31, 0, 60, 0), Some(Severity::Error));
    assert_eq!(worst(0, 31, 60, 0), Some(Severity::Error));
    assert_eq!(worst(30, 0, 60, 1), Some(Severity::Error));
    assert_eq!(worst(100, 0, 200, 0), None);
    let spoil = |a: &mut Audit| {
        offers(a).group_rules = Known::Known(Quota { limit: 60, others: None });
    };
    assert_eq!(unknown(spoil), ["QUO005"]);
}
