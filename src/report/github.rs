//! Findings as GitHub workflow annotations.
//!
//! The format is that of GitHub's "Workflow commands for GitHub Actions".

use std::io;
use std::io::Write;

use super::located::Mask;
use super::{About, FileReport, located, visible};
use crate::finding::Severity;

/// Writes one line per finding, and one per check that could not be made.
pub(super) fn write(reports: &[FileReport<'_>], about: &About<'_>, out: &mut dyn Write) -> io::Result<()> {
    for report in reports {
        let mask = Mask::new(report);
        for located in located::sorted(report, &mask) {
            let finding = located.finding;
            let command = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let file =
                about.checkout.as_ref().map_or_else(|| report.file.to_owned(), |all| all.path(report.file));
            write!(out, "::{command} file={}", property(&file))?;
            let at = located.at.as_ref();
            if let Some(at) = at.and_then(|place| place.range.as_ref()) {
                write!(out, ",line={},endLine={}", at.start.line, at.end.line)?;
                // GitHub accepts columns only for a range on one line.
                if at.start.line == at.end.line {
                    write!(out, ",col={},endColumn={}", at.start.column, at.end.column)?;
                }
            }
            let title = property(&format!("{} {}", finding.code, finding.name));
            write!(out, ",title={title}::{}", data(&located.message))?;
            if let Some(help) = &located.help {
                write!(out, "%0Ahelp: {}", data(help))?;
            }
            writeln!(out)?;
        }
        for unknown in located::unknown(report) {
            let reason = data(&unknown.reason);
            let code = property(&unknown.code);
            writeln!(out, "::notice title={code}::could not check: {reason}")?;
        }
    }
    Ok(())
}

fn data(text: &str) -> String {
    visible::lines(&text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")).into_owned()
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
