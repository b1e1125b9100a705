//! An ignore file, with the findings of the files that it is for.

use jiff::civil::Date;
use osmt::doctor::{self, ignore, rules};
use osmt::document::Place;
use osmt::finding::{Finding, Findings, Unknown};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Kind;
use crate::config::parsed;
use crate::judged::{File, Judged, Part};

pub(crate) const KIND: Kind = Kind { name: "ignores", codes, base: parsed, judge };

/// What is judged: the base is an ignore on its last day, and its finding.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    today: Date,
    /// As the ignore file has them.
    ignores: Value,
    /// The codes of the organisation's policies.
    policies: Vec<String>,
    /// The codes of the rules that were run.
    ran: Vec<String>,
    findings: Vec<Found>,
    unknown: Vec<NotKnown>,
}

/// A finding of a config or a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    code: String,
    pointer: String,
    stable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NotKnown {
    code: String,
    reason: String,
}

fn codes() -> Vec<String> {
    rules::ignores::ALL.iter().map(|rule| format!("{}-{}", rule.code, rule.name)).collect()
}

fn judge(text: &str) -> Judged {
    let input: Input = serde_json::from_str(text).unwrap();
    let file = serde_json::to_string_pretty(&json!({ "ignores": input.ignores })).unwrap();
    let ignores = ignore::read(&file, input.today).unwrap();
    let mut config = Findings {
        findings: input.findings.into_iter().map(Found::finding).collect(),
        unknown: input
            .unknown
            .into_iter()
            .map(|NotKnown { code, reason }| Unknown { code, reason })
            .collect(),
        ran: input.ran.into_iter().map(Into::into).collect(),
        ..Findings::default()
    };
    let policies: Vec<&str> = input.policies.iter().map(String::as_str).collect();
    let own = ignores.apply(input.today, &policies, [&mut config].into_iter());
    Judged(vec![
        Part { name: None, findings: own, file: File::Parsed(ignores.document) },
        Part { name: Some("config".to_owned()), findings: config, file: File::Pointers },
    ])
}

impl Found {
    fn finding(self) -> Finding {
        let rule = doctor::all_rules().into_iter().find(|rule| rule.code == self.code).unwrap();
        let mut finding = Finding::new(rule, Some(Place::value(self.pointer)), rule.summary);
        finding.stable = self.stable;
        finding
    }
}
