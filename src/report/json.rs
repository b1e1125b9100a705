//! Findings as one JSON document, described by `schemas/report.schema.json`.

use std::io;
use std::io::Write;

use serde::Serialize;

use super::located::Mask;
use super::{FileReport, VERSION, located};
use crate::document::Position;
use crate::finding::{Severity, Unknown};

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    findings: Vec<Finding<'a>>,
    unknown: Vec<&'a Unknown>,
    summary: Summary,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a str,
    name: &'a str,
    severity: Severity,
    message: String,
    help: Option<String>,
    file: &'a str,
    pointer: Option<&'a str>,
    start: Option<Position>,
    end: Option<Position>,
    related: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Related<'a> {
    pointer: &'a str,
    message: String,
    start: Option<Position>,
    end: Option<Position>,
}

#[derive(Default, Serialize)]
struct Summary {
    error: usize,
    warning: usize,
    note: usize,
    unknown: usize,
    passed: usize,
    ignored: usize,
}

/// Writes the document and a line break.
pub(super) fn write(reports: &[FileReport<'_>], tool: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut document = Report {
        version: VERSION,
        tool,
        findings: Vec::new(),
        unknown: Vec::new(),
        summary: Summary::default(),
    };
    for report in reports {
        let mask = Mask::new(report);
        for located in located::sorted(report, &mask) {
            match located.finding.severity {
                Severity::Error => document.summary.error += 1,
                Severity::Warning => document.summary.warning += 1,
                Severity::Note => document.summary.note += 1,
            }
            let at = located.at;
            let range = at.as_ref().and_then(|place| place.range.as_ref());
            document.findings.push(Finding {
                code: &located.finding.code,
                name: &located.finding.name,
                severity: located.finding.severity,
                message: located.message.into_owned(),
                help: located.help.map(Into::into),
                file: report.file,
                pointer: at.as_ref().map(|place| place.pointer),
                start: range.map(|range| range.start),
                end: range.map(|range| range.end),
                related: located
                    .related
                    .into_iter()
                    .map(|(place, message)| Related {
                        pointer: place.pointer,
                        message: message.into_owned(),
                        start: place.range.as_ref().map(|range| range.start),
                        end: place.range.as_ref().map(|range| range.end),
                    })
                    .collect(),
            });
        }
        let unknown = located::unknown(report);
        document.summary.unknown += unknown.len();
        document.unknown.extend(unknown);
        document.summary.passed += report.findings.passed;
        document.summary.ignored += report.findings.ignored;
    }
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
