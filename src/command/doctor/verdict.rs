//! Prints findings, and determines the exit of the verbs that report them.

use std::path::Path;

use clap::{Args, ValueEnum};

use crate::command::{Context, SharedArgs};
use crate::document::{Document, Kind};
use crate::explain::{Exit, Failure};
use crate::finding::Severity;
use crate::report::{About, Checkout, FileReport};
use crate::{doctor, files, report};

/// The flags that decide whether the exit is 1.
#[derive(Args, Clone, Debug)]
pub(super) struct Verdict {
    /// Exit 1 if a finding has at least this severity.
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,
    /// Exit 1 also if something could not be checked.
    #[arg(long)]
    strict: bool,
}

/// The values of `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Apply or start-up would fail, or data would be lost.
    Error,
    /// It works, but has a risk.
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
    /// The exit for the findings.
    pub(super) fn exit(&self, reports: &[FileReport<'_>]) -> Exit {
        let fails = |report: &FileReport<'_>| {
            report.findings.worst() >= Some(self.fail_on.into())
                || self.strict && !report.findings.unknown.is_empty()
        };
        if reports.iter().any(fails) { Exit::Pending } else { Exit::Done }
    }
}

/// Prints the reports in the format of `--format`; `verb` is part of the SARIF category.
pub(super) fn report(cx: &Context, verb: &str, reports: &[FileReport<'_>]) -> Result<(), Failure> {
    let (shared, ui) = (&cx.shared, &cx.ui);
    let rules = doctor::all_rules();
    let environment = environment(shared, reports).map_or_else(String::new, |env| format!("{env}/"));
    let checkout = checkout(shared);
    let about = About {
        tool: &ui.tool,
        rules: &rules,
        color: true,
        width: ui.width(),
        more: Some("`osmt-doctor explain CODE` explains a finding"),
        automation: Some(format!("osmt-doctor/{verb}/{environment}")),
        pages: checkout.as_ref().and_then(|checkout| pages(&checkout.root)),
        checkout,
    };
    ui.report(|out| report::write(ui.format, reports, &about, out))
}

/// The environment of the reported configs, if it is the same in all, otherwise that of `--config`.
fn environment(shared: &SharedArgs, reports: &[FileReport<'_>]) -> Option<String> {
    let env = |document: &Document| match &document.get("/config/env")?.kind {
        Kind::String(env) => Some(env.clone()),
        _ => None,
    };
    let mut found: Vec<String> = reports.iter().filter_map(|report| env(report.document?)).collect();
    if found.is_empty() {
        let text = files::read_text(&shared.config_path()).ok()?;
        found.extend(env(&Document::parse(text).ok()?));
    }
    found.dedup();
    match found.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// The git checkout that contains the config, otherwise the current folder.
fn checkout(shared: &SharedArgs) -> Option<Checkout> {
    let here = std::env::current_dir().ok()?;
    let fallback = shared.config_path();
    let folder = here.join(&fallback);
    let above = folder.ancestors().chain(here.ancestors()).find(|folder| folder.join(".git").exists());
    let root = above.unwrap_or(&here).to_owned();
    Some(Checkout { root, here, fallback })
}

/// The URL of the rules' pages on GitHub, in a GitHub job whose checkout contains them.
fn pages(root: &Path) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is `command`, which reads the environment")]
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    root.join("docs/rules").is_dir().then_some(())?;
    let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
    let revision = variable("GITHUB_SHA").unwrap_or_else(|| "HEAD".to_owned());
    Some(format!("{server}/{repository}/blob/{revision}/docs/rules/"))
}
