//! The facts of an account, as a recording has them, judged with the config that they are about.

use jiff::Timestamp;
use osmt::account::Facts;
use osmt::config::Config;
use osmt::doctor::rules::account::{Audit, THEMES};
use osmt::doctor::{audit, rules};
use osmt::document::Document;
use serde::Deserialize;
use serde_json::Value;

use crate::Kind;
use crate::config::parsed;
use crate::judged::{File, Judged};
use crate::support;

pub(crate) const KIND: Kind = Kind { name: "account", codes, base, judge };

/// What is judged: the base is an account as the toolkit leaves it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    now: Timestamp,
    /// Whether Terraform keeps its lock in a table.
    lock_table: bool,
    /// Whether the names of IAM roles carry the Region; `null` where `operations.tf` does not say it literally.
    region_in_names: Option<bool>,
    facts: Facts,
    /// Of `tests/support`, unless it is given.
    config: Value,
}

fn codes() -> Vec<String> {
    let checks = rules::account::THEMES.iter().copied().flatten();
    checks.map(|check| format!("{}-{}", check.rule.code, check.rule.name)).collect()
}

fn base(name: &str) -> Value {
    let mut base = parsed(name);
    base["config"] = config();
    base
}

/// The config of `tests/support`.
pub(crate) fn config() -> Value {
    let mut config: Value = serde_json::from_str(&support::config("test")).unwrap();
    config["config"].take()
}

/// A config as a file has it.
pub(crate) fn file(config: &Value) -> (Document, Config) {
    let text = serde_json::to_string_pretty(&serde_json::json!({ "config": config })).unwrap();
    let document = Document::parse(text).unwrap();
    let config = Config::from_document(&document).unwrap();
    (document, config)
}

fn judge(text: &str) -> Judged {
    let input: Input = serde_json::from_str(text).unwrap();
    let (document, config) = file(&input.config);
    let account = Audit {
        config,
        facts: input.facts,
        lock_table: input.lock_table,
        region_in_names: input.region_in_names,
        now: input.now,
    };
    Judged::of_one(audit(&account, &[]).config, File::Parsed(document))
}

#[test]
fn every_rule_passes_on_an_account_as_the_toolkit_leaves_it() {
    let findings = judge(&base("account").to_string()).0.remove(0).findings;
    assert_eq!((findings.findings, findings.unknown), (vec![], vec![]));
    assert_eq!(findings.passed, codes().len());
}

#[test]
fn what_is_not_known_is_unknown_and_never_passes() {
    let mut input = base("account");
    for (name, fact) in input["facts"].as_object_mut().unwrap() {
        if name == "secrets" {
            let secrets = fact.as_object_mut().unwrap();
            secrets.values_mut().for_each(|secret| *secret = serde_json::json!({ "unknown": "no" }));
        } else if fact.get("known").is_some() {
            *fact = serde_json::json!({ "unknown": "no" });
        }
    }
    let findings = judge(&input.to_string()).0.remove(0).findings;
    // Only the region and the time are known without asking.
    assert_eq!((findings.findings, findings.passed), (vec![], 2));
    let mut codes: Vec<_> = findings.unknown.iter().map(|unknown| unknown.code.as_str()).collect();
    codes.dedup();
    assert_eq!(codes.len(), THEMES.iter().copied().flatten().count() - 2);
}
