//! A config, judged by rules and shipped policies.

use std::sync::OnceLock;

use osmt::doctor::policy::Policy;
use osmt::doctor::{self, CheckOptions, Checked, check, policy};
use osmt::finding::Severity;
use serde_json::Value;

use crate::Kind;
use crate::judged::{File, Judged};
use crate::support::root;

pub(crate) const KIND: Kind = Kind { name: "config", codes, base: parsed, judge };

fn codes() -> Vec<String> {
    let rules = doctor::config_rules();
    let rules = rules.iter().map(|rule| format!("{}-{}", rule.code, rule.name));
    let policies = policy::shipped();
    let policies = policies.iter().map(|policy| format!("{}-policy", policy.code));
    rules.chain(policies).collect()
}

fn base(name: &str) -> String {
    std::fs::read_to_string(root().join(format!("tests/cases/bases/{name}.json"))).unwrap()
}

pub(crate) fn parsed(name: &str) -> Value {
    serde_json::from_str(&base(name)).unwrap()
}

fn checked(text: &str) -> Checked {
    static POLICIES: OnceLock<Vec<Policy>> = OnceLock::new();
    let policies = POLICIES.get_or_init(policy::shipped);
    check(text.as_bytes().to_vec(), CheckOptions { loopback: false, policies })
}

fn judge(text: &str) -> Judged {
    let checked = checked(text);
    let file = checked.document.map_or(File::Text(checked.text), File::Parsed);
    Judged::of_one(checked.findings, file)
}

#[test]
fn nothing_is_reported_of_good_configs() {
    let good = std::fs::read_dir(root().join("tests/cases/good")).unwrap();
    let good = good.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    for text in good.chain(["test", "prod"].map(base)) {
        let checked = checked(&text);
        let worse = |severity| severity > Severity::Note;
        assert!(!checked.findings.worst().is_some_and(worse), "{:?} of {text}", checked.findings);
    }
}

#[test]
fn the_template_yields_its_placeholders_and_nothing_else() {
    let template = root().join("terraform/invocation/config.auto.tfvars.json.tpl");
    let template = std::fs::read_to_string(template).unwrap();
    let open = template.matches('<').count();
    assert!(open > 5);
    let findings = checked(&template).findings.findings;
    assert!(findings.iter().all(|finding| finding.code == "CFG007"), "{findings:?}");
    assert_eq!(findings.len(), open);
}

#[test]
fn documentation_values_are_placeholders_too() {
    let findings = checked(&base("template")).findings.findings;
    let found = findings.iter().map(|finding| (finding.code.as_ref(), &finding.at.as_ref().unwrap().pointer));
    let mut found: Vec<_> = found.map(|(code, pointer)| (code, pointer.as_str())).collect();
    found.sort_unstable();
    let wanted = [
        "/config/account_id",
        "/config/alb/certificate_arn",
        "/config/app/oauth/client_id",
        "/config/app/oauth/issuer",
        "/config/domain/hosted_zone_id",
        "/config/domain/name",
    ];
    assert_eq!(found, wanted.map(|at| ("CFG007", at)));
}
