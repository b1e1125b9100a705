//! `osmt-release notes`: show the changes between two revisions.

use std::io;
use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::repositories::Repositories;
use crate::account::Known;
use crate::command::Context;
use crate::config::Config;
use crate::explain::{Exit, Failure, count, visible};
use crate::git;
use crate::git::Commit;
use crate::release;
use crate::release::Osmt;
use crate::release::migrations::Migration;

/// Show the changes between two revisions: commits, migrations with their effect on data, and OSMT's CHANGELOG.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-release --repo ../osmt notes\n  \
    osmt-release --repo ../osmt notes 2.5.0..3.0.0")]
pub(super) struct Notes {
    /// Two revisions, or the later one [default: from the last record to the config's selection].
    #[arg(value_name = "[FROM..]TO")]
    range: Option<String>,
    #[command(flatten)]
    repositories: Repositories,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    #[serde(flatten)]
    notes: &'a release::notes::Notes,
}

impl Notes {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let osmt = self.repositories.osmt()?;
        let (from, to) = match self.range.as_deref().map(|range| (range, range.split_once(".."))) {
            Some((range, Some((_, to)))) if to.starts_with('.') => {
                let message = format!("{range:?} has three dots");
                let help = "write FROM..TO: both directions are always shown";
                return Err(Failure::new(Exit::Usage, message).help(help));
            }
            Some((_, Some((from, to)))) => (resolve(&osmt, from)?, resolve(&osmt, to)?),
            // The config is read only once, because it may be a pipe.
            Some((to, None)) => {
                let (_, config) = cx.shared.load_config()?;
                (deployed(&config, &osmt)?, osmt.repository.resolve(to)?)
            }
            None => {
                let (_, config) = cx.shared.load_config()?;
                (deployed(&config, &osmt)?, selected(&config, &osmt)?)
            }
        };
        let notes = release::notes::Notes::observe(&osmt, &from, &to)?;
        if osmt.repository.shallow {
            ui.warn("this clone is shallow, so commits may be missing: run `git fetch --unshallow`");
        }
        if notes.is_cut() {
            ui.warn("not all commits are shown: `git log` shows the complete history");
        }
        if ui.is_human() {
            ui.write(|out| human(&osmt, &notes, out))?;
        }
        ui.json(&Report { version: crate::report::VERSION, tool: &ui.tool, notes: &notes })?;
        Ok(Exit::Done)
    }
}

/// One side of a range; an empty side is the checked-out commit, as in git.
fn resolve(osmt: &Osmt, rev: &str) -> Result<String, Failure> {
    Ok(match rev {
        "" => osmt.repository.head()?.to_owned(),
        rev => osmt.repository.resolve(rev)?,
    })
}

/// The commit of the newest record, else the commit that the config selects.
fn deployed(config: &Config, osmt: &Osmt) -> Result<String, Failure> {
    match osmt.records(config)?.into_iter().next() {
        Some(record) => Ok(record.commit),
        None => selected(config, osmt),
    }
}

fn selected(config: &Config, osmt: &Osmt) -> Result<String, Failure> {
    match osmt.selected(config)? {
        Known::Known(commit) => Ok(commit),
        Known::Unknown(reason) => Err(Failure::new(Exit::Usage, reason)
            .help("run `git fetch --tags`, or give both sides: `osmt-release notes FROM..TO`")),
    }
}

fn human(osmt: &Osmt, notes: &release::notes::Notes, out: &mut dyn Write) -> io::Result<()> {
    let (from, to) = (osmt.label(&notes.from), osmt.label(&notes.to));
    if notes.from == notes.to {
        return writeln!(out, "{to} is selected already: there are no changes");
    }
    writeln!(out, "{from} → {to}")?;
    commits(&format!("that {to} adds"), &notes.commits, out)?;
    commits(&format!("that {to} does not have"), &notes.left_behind, out)?;
    migrations(&format!("that {to} applies"), &notes.migrations, out)?;
    migrations(&format!("that {to} does not have"), &notes.undone, out)?;
    if !notes.changelog.is_empty() {
        writeln!(out, "\nOSMT's CHANGELOG")?;
    }
    for section in &notes.changelog {
        for line in section.text.lines() {
            writeln!(out, "{}", format!("  {}", visible(line)).trim_end())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn commits(title: &str, commits: &[Commit], out: &mut dyn Write) -> io::Result<()> {
    if commits.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} {title}", count(commits.len(), "commit"))?;
    for commit in commits {
        let date = commit.date.get(..10).unwrap_or(&commit.date);
        writeln!(out, "  {}  {date}  {}", git::short(&commit.id), commit.subject)?;
    }
    Ok(())
}

fn migrations(title: &str, migrations: &[Migration], out: &mut dyn Write) -> io::Result<()> {
    if migrations.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} {title}", count(migrations.len(), "migration"))?;
    for migration in migrations {
        let because = match migration.because.join(", ") {
            because if because.is_empty() => because,
            because => format!(" ({because})"),
        };
        writeln!(out, "  {}  {}{because}", visible(&migration.file), migration.class.name())?;
    }
    Ok(())
}
