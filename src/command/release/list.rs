//! `osmt-release list`: list the releases, and the commits of the checkout.

use std::io;
use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::repositories::Repositories;
use crate::account::Known;
use crate::command::Context;
use crate::config::Config;
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::git;
use crate::git::Commit;
use crate::release::{Osmt, Release, Summary};

/// List the releases that can be selected, newest first.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-release --repo ../osmt list\n  \
    osmt-release --repo ../osmt list --commits 20")]
pub(super) struct List {
    /// Also the newest N commits of the checkout.
    #[arg(long, value_name = "N")]
    commits: Option<usize>,
    #[command(flatten)]
    repositories: Repositories,
}

#[derive(Serialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    commit: String,
    date: String,
    version: Option<String>,
    version_from: Option<&'static str>,
    migrations: usize,
    selected: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

impl Row {
    fn new(id: &str, date: &str, summary: &Summary, selected: bool) -> Self {
        Self {
            tag: None,
            commit: id.to_owned(),
            date: date.to_owned(),
            version: summary.version.as_ref().map(|version| version.text.clone()),
            version_from: summary.version.as_ref().map(|version| version.from),
            migrations: summary.migrations,
            selected,
            subject: None,
        }
    }

    fn of_release(release: &Release, summary: &Summary, selected: bool) -> Self {
        let tag = Some(release.tag.name.clone());
        Self { tag, ..Self::new(&release.tag.commit, &release.tag.date, summary, selected) }
    }

    fn of_commit(commit: &Commit, tag: Option<String>, summary: &Summary, selected: bool) -> Self {
        let subject = Some(commit.subject.clone());
        Self { tag, subject, ..Self::new(&commit.id, &commit.date, summary, selected) }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    selected: Option<String>,
    shallow: bool,
    releases: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commits: Option<Vec<Row>>,
}

impl List {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let osmt = self.repositories.osmt()?;
        let selected = selected(cx)?;
        let commit = match &selected {
            Some(config) => match osmt.selected(config)? {
                Known::Known(commit) => Some(commit),
                Known::Unknown(reason) => {
                    ui.warn(format_args!("the config's selection is not marked: {reason}"));
                    None
                }
            },
            None => None,
        };
        let log = match self.commits {
            Some(limit) => osmt.repository.log(None, osmt.repository.head()?, limit)?,
            None => Vec::new(),
        };
        let tagged = osmt.releases.iter().map(|release| release.tag.commit.clone());
        let ids: Vec<String> = tagged.chain(log.iter().map(|commit| commit.id.clone())).collect();
        let bar = ui.bar(&format!("reading {} commits", ids.len()));
        let summaries: Result<Vec<Summary>, _> = ids.iter().map(|id| osmt.summary(id)).collect();
        bar.finish_and_clear();
        let summaries = summaries?;
        let (of_releases, of_commits) = summaries.split_at(osmt.releases.len());
        let is_selected = |id: &str| commit.as_deref() == Some(id);
        let releases: Vec<Row> = osmt
            .releases
            .iter()
            .zip(of_releases)
            .map(|(release, summary)| Row::of_release(release, summary, is_selected(&release.tag.commit)))
            .collect();
        let row = |(one, summary): (&Commit, &Summary)| {
            let tag = osmt.release_of(&one.id).map(|release| release.tag.name.clone());
            Row::of_commit(one, tag, summary, is_selected(&one.id))
        };
        let commits = self.commits.map(|_| log.iter().zip(of_commits).map(row).collect::<Vec<Row>>());
        warn_of_missing_history(cx, &osmt);
        if ui.is_human() {
            ui.write(|out| {
                if !releases.is_empty() {
                    table(&releases, out)?;
                }
                match &commits {
                    Some(commits) => {
                        writeln!(out)?;
                        table(commits, out)
                    }
                    None => Ok(()),
                }
            })?;
        }
        ui.json(&Report {
            version: crate::report::VERSION,
            tool: &ui.tool,
            selected: selected.map(|config| config.ecs.task.app.docker_tag),
            shallow: osmt.repository.shallow,
            releases,
            commits,
        })?;
        Ok(Exit::Done)
    }
}

/// The config; `None` if there is none yet.
fn selected(cx: &Context) -> Result<Option<Config>, Failure> {
    let path = cx.shared.config_path();
    // If `--config` names a file that does not exist, that is a mistake; the default config may not exist yet.
    if cx.shared.config.is_none() && matches!(files::read(&path), Err(files::Error::Missing(_))) {
        let path = shown(&path);
        let text = format_args!("{path} does not exist: no selection is marked");
        cx.ui.say(text);
        return Ok(None);
    }
    let (_, config) = cx.shared.load_config()?;
    Ok(Some(config))
}

fn warn_of_missing_history(cx: &Context, osmt: &Osmt) {
    if osmt.repository.shallow {
        cx.ui.warn(
            "this clone is shallow, so releases and commits may be missing: run `git fetch --unshallow --tags`",
        );
    } else if osmt.releases.is_empty() {
        cx.ui.warn("there are no release tags: run `git fetch --tags`");
    }
}

fn table(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let width = |of: fn(&Row) -> &str, least: usize| {
        rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0).max(least)
    };
    let tag = |row: &Row| -> String { row.tag.clone().unwrap_or_default() };
    let tags = width(|row| row.tag.as_deref().unwrap_or(""), 3);
    let versions = width(|row| row.version.as_deref().unwrap_or("unknown"), 7);
    writeln!(
        out,
        "  {:tags$}  {:12}  {:10}  {:versions$}  MIGRATIONS{}",
        "TAG",
        "COMMIT",
        "DATE",
        "POM.XML",
        if rows.iter().any(|row| row.subject.is_some()) { "  SUBJECT" } else { "" }
    )?;
    for row in rows {
        let subject = row.subject.as_deref().unwrap_or_default();
        let line = format!(
            "{} {:tags$}  {}  {:10}  {:versions$}  {:<10}  {subject}",
            if row.selected { '*' } else { ' ' },
            tag(row),
            git::short(&row.commit),
            row.date.get(..10).unwrap_or(&row.date),
            row.version.as_deref().unwrap_or("unknown"),
            row.migrations,
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
