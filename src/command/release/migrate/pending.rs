//! What the checkout and the newest record say about the migrations that will be applied, and about those that were.

use super::super::Context;
use crate::account::Known;
use crate::command::Ui;
use crate::config::Config;
use crate::explain::{Exit, Failure};
use crate::release::migrate::statements;
use crate::release::migrations;
use crate::release::migrations::Comparison;
use crate::release::sql::{Class, Difference, difference};

/// What the checkout says about the migrations that will be applied.
#[derive(Default)]
pub(super) struct Pending {
    /// File and what it does to data.
    pub(super) cannot_be_undone: Vec<(String, &'static str)>,
    pub(super) out_of_order: Vec<String>,
    /// Applied migrations that the release has with another checksum.
    pub(super) changed: Vec<(String, Difference)>,
    /// Applied migrations that the release does not have, or has under another name.
    pub(super) gone: Vec<String>,
    /// SQL that finds rows which a migration would fail on.
    pub(super) preflight: Vec<String>,
    /// The record that it is compared with.
    pub(super) since: String,
}

impl Pending {
    /// Whether Flyway's validation would pass, and whether it may be left out. Says how each file differs before anything else.
    pub(super) fn validation(&self, ui: &Ui, without: bool) -> Result<(), Failure> {
        for (file, difference) in &self.changed {
            ui.say(format_args!("{file} differs since {}: {}", self.since, said(difference)));
        }
        let refuse = |message: String, help: &str| Err(Failure::new(Exit::Refused, message).help(help));
        let files = |names: Vec<&str>| names.join(", ");
        let other: Vec<&str> = self
            .changed
            .iter()
            .filter(|(_, difference)| !difference.is_harmless())
            .map(|(file, _)| file.as_str())
            .collect();
        if !without {
            if self.changed.is_empty() {
                return Ok(());
            }
            if other.is_empty() {
                let message = format!(
                    "Flyway would refuse {} applied migrations that have another checksum; nothing was started",
                    self.changed.len()
                );
                return refuse(
                    message,
                    "all that differs is harmless: `osmt-release migrate --without-validation` takes a snapshot, then migrates once without Flyway's validation",
                );
            }
            // Flyway's history may have been repaired by hand.
            ui.warn(format_args!(
                "the statements of {} differ from what was applied: Flyway refuses unless its history was repaired",
                files(other)
            ));
            return Ok(());
        }
        if self.since.is_empty() {
            return refuse(
                "nothing was recorded, so the applied migrations cannot be compared; nothing was started"
                    .to_owned(),
                "record what was deployed before: `osmt-release tag REV`",
            );
        }
        if !other.is_empty() {
            let message = format!(
                "the statements of {} differ from what was applied; nothing was started",
                files(other)
            );
            return refuse(message, "validation is left out only where all that differs is harmless");
        }
        if !self.gone.is_empty() {
            let message = format!(
                "the selected release does not have {}, which was applied; nothing was started",
                self.gone.join(", ")
            );
            return refuse(message, "validation is left out only where all that differs is harmless");
        }
        if self.changed.is_empty() {
            let message = format!("no applied migration differs since {}; nothing was started", self.since);
            return refuse(message, "run it without `--without-validation`");
        }
        Ok(())
    }
}

/// How an applied migration differs.
fn said(difference: &Difference) -> String {
    match difference {
        Difference::Layout => "only layout, comments or case".to_owned(),
        Difference::Prefixes(which) => format!("only the length of index prefixes ({})", which.join("; ")),
        Difference::Statements(which) => format!("statements ({})", which.join("; ")),
    }
}

/// What a checkout and the newest record say about the migrations that are pending.
pub(super) fn pending(context: &Context<'_>, config: &Config) -> Result<Known<Pending>, Failure> {
    let osmt = match (context.repo, context.osmt()) {
        (_, Ok(osmt)) => osmt,
        (Some(_), Err(failure)) => return Err(failure),
        (None, Err(_)) => {
            return Ok(Known::Unknown("there is no checkout of OSMT; `--repo DIR` names one".into()));
        }
    };
    let commit = match osmt.selected(config)? {
        Known::Known(commit) => commit,
        Known::Unknown(reason) => return Ok(Known::Unknown(reason)),
    };
    let after = migrations::read_one(&osmt.repository, &commit)?;
    let preflight = statements::preflight(&after, &config.rds.db_name);
    let Some(record) = osmt.records(config)?.into_iter().next() else {
        return Ok(Known::Known(Pending { preflight, ..Pending::default() }));
    };
    let before = migrations::read_one(&osmt.repository, &record.commit)?;
    let comparison = Comparison::new(&before, &after);
    let hard = comparison.pending().into_iter().filter(|one| one.class >= Class::Unclear);
    Ok(Known::Known(Pending {
        cannot_be_undone: hard.map(|one| (one.file.clone(), one.class.name())).collect(),
        out_of_order: comparison.out_of_order.iter().map(|one| one.file.clone()).collect(),
        changed: comparison
            .changed
            .iter()
            .map(|(before, after)| (after.file.clone(), difference(&before.sql, &after.sql)))
            .collect(),
        gone: comparison
            .undone()
            .into_iter()
            .chain(comparison.renamed.iter().map(|(before, _)| *before))
            .map(|one| one.file.clone())
            .collect(),
        preflight,
        since: record.name,
    }))
}
