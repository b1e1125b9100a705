//! Ignores: findings that are accepted until a date, with a reason and an owner.
//!
//! An ignore that has expired, or that matches no finding, is itself a finding in the ignore file.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;

use super::rules;
use super::rules::ignores::{EXPIRED, NOT_POSSIBLE, UNUSED};
use super::rules::shape::NOT_JSON;
use super::user_file::{Error, UserFile};
use crate::document::{Document, Place};
use crate::finding::{Finding, Findings};

/// The schema of an ignore file, as it is published.
pub const SCHEMA: &str = include_str!("../../schemas/ignore.schema.json");

/// An end date further ahead is refused: no one would review the finding.
const LONGEST_YEARS: i16 = 2;

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// The finding's code.
    pub code: String,
    /// The finding's pointer.
    pub pointer: String,
    /// Why it is accepted.
    pub reason: String,
    /// Who accepts it.
    pub owner: String,
    /// The last day on which it is, as `2027-06-30`.
    #[serde(deserialize_with = "day")]
    pub until: Date,
}

/// An ignore file.
#[derive(Clone, Debug)]
pub struct Ignores {
    /// The file.
    pub document: Document,
    ignores: Vec<Ignore>,
}

/// Accepts a day only in the form 2027-06-30.
fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    date.ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a day such as 2027-06-30")))
}

/// Reads an ignore file; an end date that is too far ahead is an error.
pub fn read(text: &str, today: Date) -> Result<Ignores, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        ignores: Vec<Ignore>,
        #[serde(rename = "$schema")]
        _schema: Option<String>,
    }
    let help = "each ignore has code, pointer, reason, owner and until: schemas/ignore.schema.json";
    let user_file = UserFile::parse(text, help)?;
    let fault = |pointer, message| user_file.fault(pointer, message);
    let file: File = user_file.read()?;
    for (index, ignore) in file.ignores.iter().enumerate() {
        for (key, text) in [("reason", &ignore.reason), ("owner", &ignore.owner)] {
            if text.trim().is_empty() {
                return Err(fault(format!("/ignores/{index}/{key}"), format!("`{key}` is empty")));
            }
        }
        if ignore.until.year() - today.year() > LONGEST_YEARS {
            let message = format!(
                "{} is more than {LONGEST_YEARS} years ahead; choose a day on which the finding is reviewed",
                ignore.until
            );
            return Err(fault(format!("/ignores/{index}/until"), message));
        }
    }
    Ok(Ignores { document: user_file.document, ignores: file.ignores })
}

impl Ignore {
    fn matches(&self, finding: &Finding) -> bool {
        let pointer = finding.at.as_ref().map_or("", |at| at.pointer.as_str());
        let is_there = pointer == self.pointer || finding.stable.as_ref() == Some(&self.pointer);
        finding.code == self.code && is_there && !self.is_not_possible()
    }

    /// A syntax error cannot be ignored: a file that is not JSON is not checked.
    fn is_not_possible(&self) -> bool {
        self.code == NOT_JSON.code
    }
}

impl Ignores {
    /// Removes the accepted findings from all files; returns the findings about the ignores themselves.
    ///
    /// `policies` are the codes of all policies of the organisation, including those that were not run.
    pub fn apply<'a>(
        &self,
        today: Date,
        policies: &[&str],
        files: impl Iterator<Item = &'a mut Findings>,
    ) -> Findings {
        let mut used = vec![false; self.ignores.len()];
        let (mut ran, mut undecided) = (BTreeSet::new(), BTreeSet::new());
        for file in files {
            file.findings.retain(|finding| {
                let mut taken = false;
                for (ignore, used) in self.ignores.iter().zip(&mut used) {
                    let fits = ignore.matches(finding);
                    *used |= fits;
                    taken |= fits && today <= ignore.until;
                }
                file.ignored += usize::from(taken);
                !taken
            });
            ran.extend(file.ran.iter().cloned());
            undecided.extend(file.unknown.iter().map(|unknown| unknown.code.clone()));
        }
        let rules = rules::all_rules();
        let exists = |code: &str| rules.iter().any(|rule| rule.code == code) || policies.contains(&code);
        // If a rule was not run, or could not decide, its ignore may still be needed.
        let decided = |code: &str| ran.contains(code) && !undecided.contains(code);
        let mut own = Findings::default();
        for ((index, ignore), used) in self.ignores.iter().enumerate().zip(used) {
            let code = ignore.code.as_str();
            let (rule, key, message, help) = if ignore.is_not_possible() {
                let message = format!("{code} is a syntax error and cannot be ignored");
                (&NOT_POSSIBLE, "code", message, "correct the file, and remove the ignore".to_owned())
            } else if today > ignore.until {
                let message = format!("the ignore of {code} ended on {}", ignore.until);
                let help = format!("fix the finding, or ask {} for a later day", ignore.owner);
                (&EXPIRED, "until", message, help)
            } else if used {
                continue;
            } else if !exists(code) {
                let message = format!("no rule or policy has the code {code}");
                (&UNUSED, "code", message, "`osmt-doctor rules` lists the codes".to_owned())
            } else if decided(code) {
                let message = format!("no finding {code} at {:?}", ignore.pointer);
                (&UNUSED, "pointer", message, "remove the ignore, or correct code and pointer".to_owned())
            } else {
                continue;
            };
            let place = Place::value(format!("/ignores/{index}/{key}"));
            let mut finding = Finding::new(rule, Some(place), message);
            finding.help(help);
            own.findings.push(finding);
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{ "ignores": [
  { "code": "RDS008", "pointer": "/config/rds/multi_az", "reason": "a pilot", "owner": "ops", "until": "2026-06-30" }
] }"#;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn read(text: &str) -> Result<Ignores, Error> {
        super::read(text, day("2026-06-01"))
    }

    fn findings() -> Findings {
        let rule = rules::all_rules().into_iter().find(|rule| rule.code == "RDS008").unwrap();
        let place = Place::value("/config/rds/multi_az");
        Findings { findings: vec![Finding::new(rule, Some(place), "one zone")], ..Findings::default() }
    }

    #[test]
    fn an_ignore_works_until_its_day_is_over() {
        let ignores = read(FILE).unwrap();
        let mut file = findings();
        let own = ignores.apply(day("2026-06-30"), &[], [&mut file].into_iter());
        assert_eq!((file.findings.len(), file.ignored, own.findings.len()), (0, 1, 0));
        let mut file = findings();
        let own = ignores.apply(day("2026-07-01"), &[], [&mut file].into_iter());
        assert_eq!((file.findings.len(), file.ignored), (1, 0));
        assert_eq!(own.findings[0].code, "IGN001");
    }

    #[test]
    fn an_ignore_is_unused_only_where_its_rule_was_run() {
        let used = |file: &str, policies: &[&str], mut run: Findings| {
            let own = read(file).unwrap().apply(day("2026-06-30"), policies, [&mut run].into_iter());
            own.findings.first().map(|finding| finding.code.to_string())
        };
        let mut ran = Findings::default();
        assert_eq!(used(FILE, &[], ran.clone()), None);
        ran.ran.insert("RDS008".into());
        assert_eq!(used(FILE, &[], ran.clone()).as_deref(), Some("IGN002"));
        ran.unknown.push(crate::finding::Unknown { code: "RDS008".into(), reason: "denied".into() });
        assert_eq!(used(FILE, &[], ran), None);
        let other = FILE.replace("RDS008", "ACME001");
        assert_eq!(used(&other, &[], Findings::default()).as_deref(), Some("IGN002"));
        assert_eq!(used(&other, &["ACME001"], Findings::default()), None);
    }

    #[test]
    fn a_syntax_error_cannot_be_ignored() {
        let file = FILE.replace("RDS008", "JSON001").replace("/config/rds/multi_az", "");
        let mut run = Findings::default();
        run.findings.push(Finding::new(&NOT_JSON, Some(Place::value("")), "not JSON"));
        let own = read(&file).unwrap().apply(day("2026-06-01"), &[], [&mut run].into_iter());
        assert_eq!((run.findings.len(), run.ignored), (1, 0));
        assert_eq!(own.findings[0].code, "IGN003");
    }

    #[test]
    fn an_ignore_may_name_a_resource_by_its_address() {
        let file = FILE.replace("/config/rds/multi_az", "/resource_changes/a.b/change");
        let mut run = findings();
        run.findings[0].at = Some(Place::value("/resource_changes/3/change"));
        run.findings[0].stable = Some("/resource_changes/a.b/change".into());
        read(&file).unwrap().apply(day("2026-06-01"), &[], [&mut run].into_iter());
        assert_eq!((run.findings.len(), run.ignored), (0, 1));
    }

    #[test]
    fn a_broken_file_names_its_line() {
        for wrong in ["soon", "20260630", "9999-12-31", "2026-6-30", "2030-01-01"] {
            assert_eq!(read(&FILE.replace("2026-06-30", wrong)).unwrap_err().at.line, 2, "{wrong}");
        }
        assert!(read(&FILE.replace("2026-06-30", "2028-05-31")).is_ok());
        assert_eq!(read(&FILE.replace("a pilot", " ")).unwrap_err().at.line, 2);
        assert!(read(&FILE.replace("\"owner\": \"ops\", ", "")).is_err());
    }
}
