//! `osmt-doctor check`: check configs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;

use super::live::{Live, Recording};
use super::organisation::PolicyFlags;
use super::verdict::{Verdict, report};
use super::{inputs, organisation, surroundings};
use crate::command::Context;
use crate::doctor::workspace::Judged;
use crate::doctor::{CheckOptions, Checked, workspace};
use crate::explain::{Exit, Failure};
use crate::finding::Findings;
use crate::report::{FileReport, STDIN};
use crate::{doctor, files};

/// Check configs (syntax, schema, rules, policies) and their Terraform directories; without network access.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-doctor check\n  \
    osmt-doctor check --live\n  \
    osmt-doctor check terraform/test terraform/prod --format github")]
pub(super) struct Check {
    /// Configs, folders to search for *.tfvars.json, patterns, or - for stdin [default: --config].
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Do not call AWS (the default).
    #[arg(long)]
    offline: bool,
    /// Report only findings that are not in this report of an earlier run (`--format json`).
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    policy_flags: PolicyFlags,
    #[command(flatten)]
    live: Live,
    #[command(flatten)]
    verdict: Verdict,
}

/// A checked config with its Terraform directory.
struct Directory {
    file: String,
    checked: Checked,
    /// The other files of the directory, with their paths.
    around: Vec<(String, Judged)>,
}

impl Check {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let (shared, ui) = (&cx.shared, &cx.ui);
        let mut paths = inputs::expand(&self.files)?;
        if paths.is_empty() {
            paths.push(shared.config_path());
        }
        if self.live.is_wanted() && paths.len() > 1 {
            return Err(Failure::new(
                Exit::Usage,
                "`--live` and `--facts` check one account: give one config",
            ));
        }
        let policies = self.policy_flags.policies(shared)?;
        let settings = organisation::settings(shared, &policies)?;
        let mut baseline = self.baseline.as_deref().map(organisation::baseline).transpose()?;
        let ignores = organisation::ignores(shared)?;
        let options = CheckOptions { loopback: shared.is_local(), policies: &policies };
        let mut exit = Exit::Done;
        let mut judged: Vec<Directory> = Vec::new();
        let mut recordings: Vec<Recording> = Vec::new();
        for (path, result) in paths.iter().zip(check_all(&paths, options)) {
            match result {
                Ok(mut checked) => {
                    if self.live.is_wanted() {
                        let Checked { document, findings, .. } = &mut checked;
                        let document = document.as_ref();
                        recordings.extend(self.live.judge(document, findings, &policies, cx)?);
                    } else {
                        checked.findings.unknown.extend(doctor::unknown_offline(&policies));
                    }
                    judged.push(Directory::new(path, checked));
                }
                Err(error) => {
                    ui.failure(&error.into());
                    exit = Exit::Usage;
                }
            }
        }
        let all = judged.iter_mut().flat_map(Directory::findings);
        for (file, findings) in all.chain(recordings.iter_mut().map(Recording::findings)) {
            settings.apply(findings);
            if let Some(known) = &mut baseline {
                known.apply(file, findings);
            }
        }
        let own = ignores.as_ref().map(|(_, ignores)| {
            let files = judged.iter_mut().flat_map(Directory::findings).map(|(_, findings)| findings);
            let files = files.chain(recordings.iter_mut().map(|recording| recording.findings().1));
            organisation::accept(ignores, &policies, files)
        });
        let mut reports: Vec<FileReport<'_>> = judged.iter().flat_map(Directory::reports).collect();
        reports.extend(
            recordings.iter().map(Recording::report).filter(|report| !report.findings.findings.is_empty()),
        );
        reports.extend(organisation::report_of(ignores.as_ref(), own.as_ref()));
        if !reports.is_empty() {
            report(cx, "check", &reports)?;
        }
        Ok(match self.verdict.exit(&reports) {
            verdict if exit == Exit::Done => verdict,
            _ => exit,
        })
    }
}

impl Directory {
    /// Adds the config's directory; a config from stdin has none.
    fn new(path: &Path, mut checked: Checked) -> Self {
        let around = if path == Path::new(STDIN) { None } else { surroundings::read(path) };
        let judged =
            around.map(|around| workspace::judge(&around, checked.document.as_ref())).unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut around = Vec::new();
        for one in judged {
            if let Some(name) = &one.name {
                around.push((folder.join(name).to_string_lossy().into_owned(), one));
            } else {
                // Findings without a file are reported with the config.
                let all = &mut checked.findings;
                all.findings.extend(one.findings.findings);
                all.unknown.extend(one.findings.unknown);
                all.passed += one.findings.passed;
            }
        }
        Self { file: path.to_string_lossy().into_owned(), checked, around }
    }

    /// The findings of each file, with its path.
    fn findings(&mut self) -> impl Iterator<Item = (&str, &mut Findings)> {
        let around = self.around.iter_mut().map(|(file, judged)| (file.as_str(), &mut judged.findings));
        std::iter::once((self.file.as_str(), &mut self.checked.findings)).chain(around)
    }

    fn reports(&self) -> impl Iterator<Item = FileReport<'_>> {
        let own = FileReport {
            file: &self.file,
            text: &self.checked.text,
            document: self.checked.document.as_ref(),
            findings: &self.checked.findings,
        };
        let around = self.around.iter().map(|(file, judged)| FileReport {
            file,
            text: &judged.text,
            document: None,
            findings: &judged.findings,
        });
        std::iter::once(own).chain(around)
    }
}

/// Reads and checks every file on several threads; the results are in the order of the files.
fn check_all(paths: &[PathBuf], options: CheckOptions<'_>) -> Vec<Result<Checked, files::Error>> {
    let one = |path: &Path| inputs::read(path).map(|bytes| doctor::check(bytes, options));
    if let [path] = paths {
        return vec![one(path)];
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(paths.len());
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, Result<Checked, files::Error>)> = std::thread::scope(|scope| {
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
        // A panic in a thread is passed on: a file that was not checked must not look like one without findings.
        let joined = handles.into_iter().map(|handle| match handle.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
