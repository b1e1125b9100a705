//! `osmt-doctor check`: read the files, judge them, report.

use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use clap::Args;
use clap::ValueEnum;

use crate::command::Common;
use crate::command::Ui;
use crate::doctor;
use crate::doctor::Asked;
use crate::doctor::Diagnosis;
use crate::explain::Exit;
use crate::explain::Failure;
use crate::files;
use crate::finding::Severity;
use crate::report;
use crate::report::FileReport;

/// Check configs: syntax, shape, rules and policies; without network.
#[derive(Args, Clone, Debug)]
pub(super) struct Check {
    /// The configs [default: --config].
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Say aloud that nothing is asked of AWS (the default).
    #[arg(long)]
    offline: bool,
    /// The least severity that makes the exit 1.
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,
    /// What could not be checked counts as a failure.
    #[arg(long)]
    strict: bool,
}

/// The values of `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
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

impl Check {
    pub(super) fn run(self, common: &Common, ui: &Ui) -> Result<Exit, Failure> {
        let mut paths = self.files;
        if paths.is_empty() {
            paths.push(common.config_path());
        }
        let asked = Asked {
            loopback: is_loopback(common.endpoint_url.as_deref()),
        };
        let mut exit = Exit::Done;
        let mut judged: Vec<(String, Diagnosis)> = Vec::new();
        for (path, result) in paths.iter().zip(examine(&paths, asked)) {
            match result {
                Ok(diagnosis) => judged.push((path.display().to_string(), diagnosis)),
                Err(error) => {
                    ui.failure(&error.into());
                    exit = Exit::Usage;
                }
            }
        }
        let reports: Vec<FileReport<'_>> = judged
            .iter()
            .map(|(file, diagnosis)| FileReport {
                file,
                text: &diagnosis.text,
                document: diagnosis.document.as_ref(),
                findings: &diagnosis.findings,
            })
            .collect();
        if !reports.is_empty() {
            report(ui, &reports)?;
        }
        let bad = |report: &FileReport<'_>| {
            report.findings.worst() >= Some(self.fail_on.into())
                || self.strict && !report.findings.unknown.is_empty()
        };
        Ok(if exit == Exit::Done && reports.iter().any(bad) {
            Exit::Pending
        } else {
            exit
        })
    }
}

/// Prints the reports in the format that was asked for.
fn report(ui: &Ui, reports: &[FileReport<'_>]) -> Result<(), Failure> {
    let rules = doctor::all();
    ui.write(|out| report::write(ui.format, reports, &ui.tool, &rules, true, out))
}

/// Reads and judges every file, on as many threads as there are processors; the results in the files' order.
fn examine(paths: &[PathBuf], asked: Asked) -> Vec<Result<Diagnosis, files::Error>> {
    let one = |path: &Path| files::read(path).map(|bytes| doctor::diagnose(bytes, asked));
    if let [path] = paths {
        return vec![one(path)];
    }
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(paths.len());
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, Result<Diagnosis, files::Error>)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(path) = paths.get(index) else {
                    return done;
                };
                done.push((index, one(path)));
            }
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles
            .into_iter()
            .flat_map(|handle| handle.join().unwrap_or_default())
            .collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Whether AWS is to be reached on this machine, where an emulator answers.
fn is_loopback(flag: Option<&str>) -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is `command`, which reads the environment"
    )]
    let variable = std::env::var("AWS_ENDPOINT_URL").ok();
    let Some(url) = flag.map(str::to_owned).or(variable) else {
        return false;
    };
    let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    ["127.", "localhost", "[::1]"]
        .iter()
        .any(|start| host.starts_with(start))
}
