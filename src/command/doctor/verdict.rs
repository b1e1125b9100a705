//! What the verbs that report findings have in common: printing them, and the exit.

use std::path::Path;

use clap::{Args, ValueEnum};

use crate::command::{Context, SharedArgs};
use crate::document::{Document, Kind};
use crate::explain::{Exit, Failure};
use crate::finding::Severity;
use crate::report::{About, Checkout, FileReport};
use crate::{doctor, files, report};

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
    /// The exit that the findings deserve.
    pub(super) fn exit(&self, reports: &[FileReport<'_>]) -> Exit {
        let bad = |report: &FileReport<'_>| {
            report.findings.worst() >= Some(self.fail_on.into())
                || self.strict && !report.findings.unknown.is_empty()
        };
        if reports.iter().any(bad) { Exit::Pending } else { Exit::Done }
    }
}

/// Prints the reports in the format that was asked for; `verb` distinguishes the SARIF files of one tool.
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

/// The environment that was judged: that of the reported configs, where they have one in common, or of the config beside.
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

/// The checkout that holds the config; where there is none, the current folder.
fn checkout(shared: &SharedArgs) -> Option<Checkout> {
    let here = std::env::current_dir().ok()?;
    let fallback = shared.config_path();
    let folder = here.join(&fallback);
    let above = folder.ancestors().chain(here.ancestors()).find(|folder| folder.join(".git").exists());
    let root = above.unwrap_or(&here).to_owned();
    Some(Checkout { root, here, fallback })
}

/// The address of the rules' pages, where GitHub says whose checkout this is and the pages are in it.
fn pages(root: &Path) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is `command`, which reads the environment")]
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    root.join("docs/rules").is_dir().then_some(())?;
    let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
    let revision = variable("GITHUB_SHA").unwrap_or_else(|| "HEAD".to_owned());
    Some(format!("{server}/{repository}/blob/{revision}/docs/rules/"))
}
