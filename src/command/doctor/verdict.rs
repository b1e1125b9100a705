//! What the verbs that report findings have in common: printing them, and the exit.

use clap::{Args, ValueEnum};

use crate::command::Ui;
use crate::explain::{Exit, Failure};
use crate::finding::Severity;
use crate::report::FileReport;
use crate::{doctor, report};

/// When findings make the exit 1.
#[derive(Args, Clone, Debug)]
pub(super) struct Verdict {
    /// The least severity that makes the exit 1.
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,
    /// What could not be checked counts as a failure.
    #[arg(long)]
    strict: bool,
}

/// The values of `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Apply or start-up would fail, or data would be lost.
    Error,
    /// It works and is unwise.
    Warning,
    /// Worth knowing.
    Note,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Error => Self::Error,
            FailOn::Warning => Self::Warning,
            FailOn::Note => Self::Note,
        }
    }
}

impl Verdict {
    /// The exit that the findings deserve.
    pub(super) fn exit(&self, reports: &[FileReport<'_>]) -> Exit {
        let bad = |report: &FileReport<'_>| {
            report.findings.worst() >= Some(self.fail_on.into())
                || self.strict && !report.findings.unknown.is_empty()
        };
        if reports.iter().any(bad) { Exit::Pending } else { Exit::Done }
    }
}

/// Prints the reports in the format that was asked for.
pub(super) fn report(ui: &Ui, reports: &[FileReport<'_>]) -> Result<(), Failure> {
    let rules = doctor::all();
    ui.write(|out| report::write(ui.format, reports, &ui.tool, &rules, true, out))
}
