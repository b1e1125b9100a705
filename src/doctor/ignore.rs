//! Ignores: findings that somebody accepts, with a reason, an owner and an end.
//!
//! An ignore that has ended, or that matches nothing, is a finding in the ignore file itself.

use jiff::civil::Date;
use serde::Deserialize;
use thiserror::Error as ThisError;

use crate::document::{Document, Position};
use crate::explain::{Exit, Explain};
use crate::finding::{Finding, Findings, Place, Rule, Severity};

/// The schema of an ignore file, as it is published.
pub const SCHEMA: &str = include_str!("../../schemas/ignore.schema.json");

/// `expired-ignore`
pub static EXPIRED: Rule = Rule {
    code: "IGN001",
    name: "expired-ignore",
    severity: Severity::Warning,
    summary: "An ignore has ended",
    explain: include_str!("../../docs/rules/IGN001.md"),
};

/// `unused-ignore`
pub static UNUSED: Rule = Rule {
    code: "IGN002",
    name: "unused-ignore",
    severity: Severity::Warning,
    summary: "An ignore matches no finding",
    explain: include_str!("../../docs/rules/IGN002.md"),
};

/// What may be said about ignores.
pub static ALL: [&Rule; 2] = [&EXPIRED, &UNUSED];

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
    /// The last day on which it is.
    pub until: Date,
}

/// An ignore file.
#[derive(Clone, Debug)]
pub struct Ignores {
    /// The file.
    pub document: Document,
    ignores: Vec<Ignore>,
}

/// An ignore file that is none.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{message} at line {}, column {}", .at.line, .at.column)]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub at: Position,
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some("each ignore has code, pointer, reason, owner and until: schemas/ignore.schema.json".into())
    }
}

/// Reads an ignore file.
pub fn read(text: &str) -> Result<Ignores, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        ignores: Vec<Ignore>,
        #[serde(rename = "$schema")]
        _schema: Option<String>,
    }
    let document = Document::parse(text).map_err(|error| Error { message: error.message, at: error.at })?;
    let fault = |pointer: String, message: String| {
        let at = document.position(document.span(&Place::value(pointer)).start);
        Error { message, at }
    };
    let file: File = serde_path_to_error::deserialize(document.value())
        .map_err(|error| fault(super::policy::pointer(error.path()), error.into_inner().to_string()))?;
    for (index, ignore) in file.ignores.iter().enumerate() {
        for (key, text) in [("reason", &ignore.reason), ("owner", &ignore.owner)] {
            if text.trim().is_empty() {
                return Err(fault(format!("/ignores/{index}/{key}"), format!("`{key}` is empty")));
            }
        }
    }
    let ignores = file.ignores;
    Ok(Ignores { document, ignores })
}

impl Ignores {
    /// Takes the accepted findings out of all files; returns what is wrong with the ignores themselves.
    pub fn apply<'a>(&self, today: Date, files: impl Iterator<Item = &'a mut Findings>) -> Findings {
        let fits = |ignore: &Ignore, finding: &Finding| {
            finding.code == ignore.code && finding.at.as_ref().is_some_and(|at| at.pointer == ignore.pointer)
        };
        let mut used = vec![false; self.ignores.len()];
        for file in files {
            file.findings.retain(|finding| {
                let mut taken = false;
                for (ignore, used) in self.ignores.iter().zip(&mut used) {
                    let fits = fits(ignore, finding);
                    *used |= fits;
                    taken |= fits && today <= ignore.until;
                }
                file.ignored += usize::from(taken);
                !taken
            });
        }
        let mut own = Findings::default();
        for ((index, ignore), used) in self.ignores.iter().enumerate().zip(used) {
            let (rule, key, message, help) = if today > ignore.until {
                let message = format!("the ignore of {} ended on {}", ignore.code, ignore.until);
                (
                    &EXPIRED,
                    "until",
                    message,
                    format!("mend the finding, or ask {} for a later day", ignore.owner),
                )
            } else if used {
                continue;
            } else {
                let message = format!("no finding {} at {}", ignore.code, ignore.pointer);
                (&UNUSED, "pointer", message, "remove the ignore, or mend code and pointer".to_owned())
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

    fn findings() -> Findings {
        let rule = super::super::all().into_iter().find(|rule| rule.code == "RDS008").unwrap();
        let place = Place::value("/config/rds/multi_az");
        Findings { findings: vec![Finding::new(rule, Some(place), "one zone")], ..Findings::default() }
    }

    #[test]
    fn an_ignore_works_until_its_day_is_over() {
        let ignores = read(FILE).unwrap();
        let mut file = findings();
        let own = ignores.apply("2026-06-30".parse().unwrap(), [&mut file].into_iter());
        assert_eq!((file.findings.len(), file.ignored, own.findings.len()), (0, 1, 0));
        let mut file = findings();
        let own = ignores.apply("2026-07-01".parse().unwrap(), [&mut file].into_iter());
        assert_eq!((file.findings.len(), file.ignored), (1, 0));
        assert_eq!(own.findings[0].code, "IGN001");
        let own = ignores.apply("2026-06-30".parse().unwrap(), [].into_iter());
        assert_eq!(own.findings[0].code, "IGN002");
    }

    #[test]
    fn a_broken_file_names_its_line() {
        assert_eq!(read(&FILE.replace("2026-06-30", "soon")).unwrap_err().at.line, 2);
        assert_eq!(read(&FILE.replace("a pilot", " ")).unwrap_err().at.line, 2);
        assert!(read(&FILE.replace("\"owner\": \"ops\", ", "")).is_err());
    }
}
