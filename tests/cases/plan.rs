//! A Terraform plan, judged with the config that it is for.

use osmt::config::Config;
use osmt::doctor::{review, rules};
use osmt::document::Document;
use serde_json::Value;

use crate::Kind;
use crate::config::parsed;
use crate::judged::{File, Judged};
use crate::support;

pub(crate) const KIND: Kind = Kind { name: "plan", codes, base: parsed, judge };

fn codes() -> Vec<String> {
    let checks = rules::plan::THEMES.iter().copied().flatten();
    checks.map(|check| format!("{}-{}", check.rule.code, check.rule.name)).collect()
}

fn judge(text: &str) -> Judged {
    let config = Document::parse(support::config("test")).unwrap();
    let config = Config::from_document(&config).unwrap();
    let plan: Value = serde_json::from_str(text).unwrap();
    let findings = review(plan.clone(), Some(config), &[]).unwrap();
    for finding in &findings.findings {
        // What a pointer names must be there, or be an attribute that is left out.
        let pointer = &finding.at.as_ref().unwrap().pointer;
        let parent = pointer.rsplit_once('/').unwrap().0;
        assert!(plan.pointer(parent).is_some(), "{pointer} of {text}");
    }
    Judged::of_one(findings, File::Pointers)
}
