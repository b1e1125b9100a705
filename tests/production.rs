//! What counts as production is the same for the rules, for Terraform's checks and for the shipped policies.

#![expect(clippy::unwrap_used, reason = "a panic is how this test fails")]

use std::fs;
use std::path::Path;

use osmt::deployment::environment::{self, is_production};
use serde_json::{Value, json};

const PRODUCTION: [&str; 9] =
    ["prod", "production", "prd", "live", "eu-prod", "prod2", "prod-eu", "a-live-b", "prod-12"];

const OTHERS: [&str; 12] = [
    "test",
    "dev",
    "pre-prod",
    "non-prod",
    "nonprod",
    "preprod",
    "not-live",
    "prod-like",
    "product",
    "prodx",
    "alive",
    "staging",
];

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn accepts(schema: &Value, value: &Value) -> bool {
    jsonschema::validator_for(schema).unwrap().is_valid(value)
}

#[test]
fn the_function_knows_the_names() {
    for env in PRODUCTION {
        assert!(is_production(env), "{env}");
    }
    for env in OTHERS {
        assert!(!is_production(env), "{env}");
    }
}

#[test]
fn the_patterns_say_the_same_as_the_function() {
    let is = json!({ "pattern": environment::PRODUCTION, "not": { "pattern": environment::NOT_PRODUCTION } });
    for env in PRODUCTION.iter().chain(&OTHERS) {
        assert_eq!(accepts(&is, &json!(env)), is_production(env), "{env}");
    }
}

#[test]
fn terraforms_checks_use_these_patterns() {
    let checks = file("terraform/module/checks.tf");
    let line = checks.lines().find(|line| line.trim_start().starts_with("production ")).unwrap();
    let patterns: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
    assert_eq!(patterns, [environment::PRODUCTION, environment::NOT_PRODUCTION], "{line}");
    assert!(line.contains("can(regex(") && line.contains("&& !can(regex("), "{line}");
}

#[test]
fn every_shipped_policy_for_production_applies_to_these_names() {
    let policies: Value = serde_json::from_str(&file("schemas/policies/production.json")).unwrap();
    let policies = policies["policies"].as_array().unwrap();
    assert!(policies.len() >= 3);
    for policy in policies {
        for env in PRODUCTION.iter().chain(&OTHERS) {
            let applies = accepts(&policy["when"], &json!({ "env": env }));
            assert_eq!(applies, is_production(env), "{}: {env}", policy["code"]);
        }
    }
}
