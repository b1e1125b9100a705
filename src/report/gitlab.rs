//! Findings as a code quality report, which GitLab shows in merge requests.
//!
//! The format is that of GitLab's "Code Quality", section "Code Quality report format".

use std::io;
use std::io::Write;

use serde_json::{Value, json};

use super::fingerprint::Fingerprints;
use super::located::Mask;
use super::{About, FileReport, located};
use crate::finding::Severity;

/// Writes one list. A check that could not be made is an entry with the lowest severity.
pub(super) fn write(reports: &[FileReport<'_>], about: &About<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut fingerprints = Fingerprints::default();
    let mut entries = Vec::new();
    for report in reports {
        let mask = Mask::new(report);
        let file =
            about.checkout.as_ref().map_or_else(|| report.file.to_owned(), |all| all.path(report.file));
        for located in located::sorted(report, &mask) {
            let finding = located.finding;
            let help = located.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
            let description = format!("{} {}: {}{help}", finding.code, finding.name, located.message);
            let range = located.at.as_ref().and_then(|place| place.range.as_ref());
            // A line is required; a finding without a place is shown on the first line.
            let line = range.map_or(1, |range| range.start.line);
            let (base, nth) = fingerprints.next(&file, &located);
            let fingerprint = numbered(base, nth);
            let severity = severity(finding.severity);
            entries.push(entry(&finding.code, severity, &description, &fingerprint, &file, line));
        }
        for unknown in located::unknown(report) {
            let description = format!("{}: could not check: {}", unknown.code, unknown.reason);
            let (base, nth) = fingerprints.of(&["unknown", &unknown.code, &file, &unknown.reason]);
            entries.push(entry(&unknown.code, "info", &description, &numbered(base, nth), &file, 1));
        }
    }
    serde_json::to_writer_pretty(&mut *out, &entries)?;
    writeln!(out)
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "critical",
        Severity::Warning => "minor",
        Severity::Note => "info",
    }
}

/// Makes a repeated fingerprint unique, as GitLab requires.
fn numbered(base: String, nth: usize) -> String {
    if nth == 1 { base } else { format!("{base}-{nth}") }
}

fn entry(code: &str, severity: &str, description: &str, fingerprint: &str, file: &str, line: usize) -> Value {
    json!({
        "description": description,
        "check_name": code,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": { "path": normalised(file), "lines": { "begin": line } },
    })
}

/// GitLab compares the path with the paths of the merge request: relative to the root, with slashes, without `./`.
fn normalised(file: &str) -> String {
    let path = file.replace('\\', "/");
    path.strip_prefix("./").unwrap_or(&path).to_owned()
}
