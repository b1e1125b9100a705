//! Findings as `JUnit` XML: one suite per file, one case per finding. Errors and warnings are failures; unknown checks are skipped.
//!
//! The format is the one that Jenkins, GitLab and Azure DevOps read.

use std::fmt::Write as _;
use std::io;
use std::io::Write;

use super::located::Mask;
use super::markup::escaped;
use super::{About, FileReport, located};
use crate::explain::count;
use crate::finding::Severity;

/// Writes one document.
pub(super) fn write(reports: &[FileReport<'_>], about: &About<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut suites = String::new();
    let mut totals = (0, 0, 0);
    for report in reports {
        let mask = Mask::new(report);
        let (mut cases, mut tests, mut failures, mut skipped) = (String::new(), 0, 0, 0);
        let file = escaped(report.file);
        let mut case = |name: &str, line: Option<usize>, body: &str| {
            tests += 1;
            let line = line.map_or_else(String::new, |line| format!(" line=\"{line}\""));
            let _ = writeln!(
                cases,
                "    <testcase classname=\"{file}\" name=\"{}\" file=\"{file}\"{line}>{body}</testcase>",
                escaped(name)
            );
        };
        for located in located::sorted(report, &mask) {
            let finding = located.finding;
            let at = located.at.as_ref();
            let line = at.and_then(|place| place.range.as_ref()).map(|range| range.start.line);
            let pointer = at.map_or("", |place| place.pointer);
            let text = match &located.help {
                Some(help) => format!("{}\nhelp: {help}", located.message),
                None => located.message.to_string(),
            };
            let body = if finding.severity == Severity::Note {
                format!("<system-out>{}</system-out>", escaped(&text))
            } else {
                failures += 1;
                format!(
                    "<failure type=\"{}\" message=\"{}\">{}</failure>",
                    finding.severity.name(),
                    escaped(&located.message),
                    escaped(&text)
                )
            };
            case(&format!("{} {} {pointer}", finding.code, finding.name), line, &body);
        }
        for unknown in located::unknown(report) {
            skipped += 1;
            let body = format!("<skipped message=\"could not check: {}\"/>", escaped(&unknown.reason));
            case(&format!("{} could not be checked", unknown.code), None, &body);
        }
        case(&format!("{} passed", count(report.findings.passed, "check")), None, "");
        totals = (totals.0 + tests, totals.1 + failures, totals.2 + skipped);
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n{cases}  </testsuite>"
        );
    }
    let (tests, failures, skipped) = totals;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n{suites}</testsuites>",
        escaped(about.tool)
    )
}
