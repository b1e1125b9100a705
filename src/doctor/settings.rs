//! `doctor.toml` (the severity of rules in an organisation) and the baseline of known findings.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error as ThisError;

use super::policy::Policy;
use super::rules::shape;
use crate::explain::{Exit, Explain};
use crate::finding::{Finding, Findings, Severity};

/// The level that a rule is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Off,
    Note,
    Warning,
    Error,
}

/// The settings of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    levels: BTreeMap<String, Level>,
}

/// A `doctor.toml` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{message}{}", .line.map_or_else(String::new, |line| format!(" at line {line}")))]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// The line, from 1, if known.
    pub line: Option<usize>,
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some(
            "write [rules] and lines such as RDS010 = \"off\"; the levels are off, note, warning, error"
                .into(),
        )
    }
}

/// Reads a `doctor.toml`; each key must be the code or name of a rule, or the code of a policy.
pub fn read(text: &str, policies: &[Policy]) -> Result<Settings, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        rules: BTreeMap<toml::Spanned<String>, Level>,
    }
    let line = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
    let file: File = toml::from_str(text).map_err(|error| Error {
        message: error.message().to_owned(),
        line: error.span().map(|span| line(span.start)),
    })?;
    let rules = super::all_rules();
    let mut levels = BTreeMap::new();
    for (key, level) in file.rules {
        let fault = |message: String| Error { message, line: Some(line(key.span().start)) };
        let wanted = key.get_ref().as_str();
        let rule = rules.iter().find(|rule| rule.code == wanted || rule.name == wanted).map(|rule| rule.code);
        let policy =
            || policies.iter().find(|policy| policy.code == wanted).map(|policy| policy.code.as_str());
        let Some(code) = rule.or_else(policy) else {
            return Err(fault(format!("`{wanted}` is not a rule or a policy")));
        };
        if [shape::NOT_JSON.code, shape::DUPLICATE_KEY.code].contains(&code) && level != Level::Error {
            return Err(fault(format!("{code} is a syntax error, which cannot be switched off")));
        }
        levels.insert(code.to_owned(), level);
    }
    Ok(Settings { levels })
}

impl Settings {
    /// Sets the severity of each finding. Findings of a rule that is off are removed and count as ignored.
    pub fn apply(&self, findings: &mut Findings) {
        let before = findings.findings.len();
        findings.findings.retain_mut(|finding| {
            finding.severity = match self.levels.get(finding.code.as_ref()) {
                Some(Level::Off) => return false,
                Some(Level::Note) => Severity::Note,
                Some(Level::Warning) => Severity::Warning,
                Some(Level::Error) => Severity::Error,
                None => finding.severity,
            };
            true
        });
        findings.ignored += before - findings.findings.len();
        findings.unknown.retain(|unknown| self.levels.get(&unknown.code) != Some(&Level::Off));
    }
}

/// Findings that are already known: the JSON report of an earlier run.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    known: Vec<Known>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Known {
    code: String,
    file: String,
    pointer: Option<String>,
    message: String,
}

/// Reads the output of `--format json`.
pub fn baseline(text: &str) -> Result<Baseline, String> {
    #[derive(Deserialize)]
    struct Report {
        version: u32,
        findings: Vec<Known>,
    }
    let report: Report = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if report.version == 1 {
        Ok(Baseline { known: report.findings })
    } else {
        Err(format!("version {} is not known", report.version))
    }
}

impl Baseline {
    /// Removes known findings, each as many times as it was reported before. Syntax errors are always kept.
    pub fn apply(&mut self, file: &str, findings: &mut Findings) {
        let mut taken = 0;
        findings.findings.retain(|finding| {
            let here =
                |known: &Known| known.code == finding.code && known.file == file && same(known, finding);
            match self.known.iter().position(here) {
                Some(index) if finding.code != shape::NOT_JSON.code => {
                    self.known.swap_remove(index);
                    taken += 1;
                    false
                }
                _ => true,
            }
        });
        findings.ignored += taken;
    }
}

/// Whether two findings of one rule and file are the same: they have the same pointer or, without one, the same message.
fn same(known: &Known, finding: &Finding) -> bool {
    let pointer = finding.at.as_ref().map(|at| at.pointer.as_str());
    match pointer {
        Some(pointer) if !pointer.is_empty() => known.pointer.as_deref() == Some(pointer),
        _ => known.message == finding.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Place;

    fn findings() -> Findings {
        let rule = super::super::all_rules().into_iter().find(|rule| rule.code == "RDS008").unwrap();
        let finding = Finding::new(rule, Some(Place::value("/config/rds/multi_az")), "one zone");
        Findings { findings: vec![finding], ..Findings::default() }
    }

    #[test]
    fn a_rule_is_switched_off_or_made_an_error() {
        let mut found = findings();
        read("[rules]\nRDS008 = \"error\"\n", &[]).unwrap().apply(&mut found);
        assert_eq!(found.findings[0].severity, Severity::Error);
        read("[rules]\nsingle-zone-in-production = \"off\"\n", &[]).unwrap().apply(&mut found);
        assert_eq!((found.findings.len(), found.ignored), (0, 1));
    }

    #[test]
    fn an_unusable_setting_names_its_line() {
        for (text, line) in [
            ("[rules]\nRDS999 = \"off\"\n", 2),
            ("[rules]\n\nRDS008 = \"loud\"\n", 3),
            ("[rules]\nJSON001 = \"off\"\n", 2),
            ("[rule]\nRDS008 = \"off\"\n", 1),
            ("[rules\n", 1),
        ] {
            assert_eq!(read(text, &[]).unwrap_err().line, Some(line), "{text}");
        }
        assert_eq!(read("", &[]).unwrap(), Settings::default());
    }

    #[test]
    fn a_baseline_removes_known_findings() {
        let report = r#"{"version": 1, "findings": [{"code": "RDS008", "file": "a", "pointer": "/config/rds/multi_az", "message": "x"}]}"#;
        let (mut here, mut there, mut again) = (findings(), findings(), findings());
        let mut known = baseline(report).unwrap();
        known.apply("b", &mut there);
        known.apply("a", &mut here);
        known.apply("a", &mut again);
        assert_eq!((here.findings.len(), there.findings.len(), again.findings.len()), (0, 1, 1));
        assert!(baseline("{}").is_err() && baseline(r#"{"version": 2, "findings": []}"#).is_err());
    }
}
