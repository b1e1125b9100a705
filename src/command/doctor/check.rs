//! `osmt-doctor check`: read the files, judge them, report.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;

use super::beside;
use super::beside::Beside;
use super::live::Live;
use super::verdict::{Verdict, report};
use crate::command::{Common, Ui};
use crate::doctor::{Asked, Diagnosis};
use crate::explain::{Exit, Failure};
use crate::report::FileReport;
use crate::{doctor, files};

/// Check configs: syntax, shape, rules and policies; without network.
#[derive(Args, Clone, Debug)]
pub(super) struct Check {
    /// The configs [default: --config].
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Say aloud that nothing is asked of AWS (the default).
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    beside: Beside,
    #[command(flatten)]
    live: Live,
    #[command(flatten)]
    verdict: Verdict,
}

impl Check {
    pub(super) fn run(self, common: &Common, ui: &Ui) -> Result<Exit, Failure> {
        let mut paths = self.files;
        if paths.is_empty() {
            paths.push(common.config_path());
        }
        if self.live.is_asked() && paths.len() > 1 {
            return Err(Failure::new(
                Exit::Usage,
                "facts are of one account: name one config with `--live` or `--facts`",
            ));
        }
        let policies = self.beside.policies(common)?;
        let ignores = beside::ignores(common)?;
        let asked = Asked { loopback: common.is_local(), policies: &policies };
        let mut exit = Exit::Done;
        let mut judged: Vec<(String, Diagnosis)> = Vec::new();
        for (path, result) in paths.iter().zip(examine(&paths, asked)) {
            match result {
                Ok(mut diagnosis) => {
                    if self.live.is_asked() {
                        let Diagnosis { document, findings, .. } = &mut diagnosis;
                        let document = document.as_ref();
                        self.live.judge(document, findings, &policies, common, ui)?;
                    }
                    judged.push((path.display().to_string(), diagnosis));
                }
                Err(error) => {
                    ui.failure(&error.into());
                    exit = Exit::Usage;
                }
            }
        }
        let own = ignores.as_ref().map(|(_, ignores)| {
            let files = judged.iter_mut().map(|(_, diagnosis)| &mut diagnosis.findings);
            beside::accept(ignores, &policies, files)
        });
        let mut reports: Vec<FileReport<'_>> = judged
            .iter()
            .map(|(file, diagnosis)| FileReport {
                file,
                text: &diagnosis.text,
                document: diagnosis.document.as_ref(),
                findings: &diagnosis.findings,
            })
            .collect();
        reports.extend(beside::report_of(ignores.as_ref(), own.as_ref()));
        if !reports.is_empty() {
            report(ui, &reports)?;
        }
        Ok(match self.verdict.exit(&reports) {
            verdict if exit == Exit::Done => verdict,
            _ => exit,
        })
    }
}

/// Reads and judges every file, on as many threads as there are processors; the results in the files' order.
fn examine(paths: &[PathBuf], asked: Asked<'_>) -> Vec<Result<Diagnosis, files::Error>> {
    let one = |path: &Path| files::read(path).map(|bytes| doctor::diagnose(bytes, asked));
    if let [path] = paths {
        return vec![one(path)];
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(paths.len());
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
        handles.into_iter().flat_map(|handle| handle.join().unwrap_or_default()).collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
