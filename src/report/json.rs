//! Findings as one JSON document; `schemas/report.schema.json` describes it.

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

/// Writes the document and a line end.
pub(super) fn write(reports: &[FileReport<'_>], tool: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut whole = Report {
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
                Severity::Error => whole.summary.error += 1,
                Severity::Warning => whole.summary.warning += 1,
                Severity::Note => whole.summary.note += 1,
            }
            let at = located.at;
            let page = at.as_ref().and_then(|spot| spot.page.as_ref());
            whole.findings.push(Finding {
                code: &located.finding.code,
                name: &located.finding.name,
                severity: located.finding.severity,
                message: located.message.into_owned(),
                help: located.help.map(Into::into),
                file: report.file,
                pointer: at.as_ref().map(|spot| spot.pointer),
                start: page.map(|page| page.start),
                end: page.map(|page| page.end),
                related: located
                    .related
                    .into_iter()
                    .map(|(spot, message)| Related {
                        pointer: spot.pointer,
                        message: message.into_owned(),
                        start: spot.page.as_ref().map(|page| page.start),
                        end: spot.page.as_ref().map(|page| page.end),
                    })
                    .collect(),
            });
        }
        let unknown = located::unknown(report);
        whole.summary.unknown += unknown.len();
        whole.unknown.extend(unknown);
        whole.summary.passed += report.findings.passed;
        whole.summary.ignored += report.findings.ignored;
    }
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    writeln!(out)
}
