//! The pending and the applied migrations, from the checkout, the records and Flyway's history.

use crate::account::Known;
use crate::command::Ui;
use crate::config::Config;
use crate::explain::{Exit, Failure, count};
use crate::release::database::Database;
use crate::release::migrate::statements;
use crate::release::migrate::statements::Realigned;
use crate::release::migrations;
use crate::release::migrations::{Comparison, Migration};
use crate::release::sql::{Class, Difference, difference};
use crate::release::{Base, Osmt};

/// The pending migrations, and how the applied ones differ from the checkout.
#[derive(Default)]
pub(super) struct Pending {
    /// File and its effect on data.
    pub(super) cannot_be_undone: Vec<(String, &'static str)>,
    pub(super) out_of_order: Vec<String>,
    /// The new checksums in Flyway's history for harmless differences.
    pub(super) realigned: Vec<Realigned>,
    /// Applied migrations with another checksum in the release.
    pub(super) changed: Vec<(String, Difference)>,
    /// Applied migrations that the release does not have, or has under another name.
    pub(super) missing: Vec<String>,
    /// Migrations that failed and may be partly applied.
    pub(super) failed: Vec<String>,
    /// SQL that finds rows with which a migration would fail.
    pub(super) preflight: Vec<String>,
    /// Whether Flyway's history was read.
    pub(super) asked: bool,
    /// The base of the comparison: a record, or Flyway's history.
    pub(super) since: String,
}

impl Pending {
    /// Prints migrations that cannot be undone or are out of order. Refuses what Flyway would refuse, unless `out_of_order` is set.
    pub(super) fn check_order(&self, ui: &Ui, out_of_order: bool) -> Result<(), Failure> {
        for (file, class) in &self.cannot_be_undone {
            ui.warn(format_args!("{file} is new since {} and cannot be undone ({class})", self.since));
        }
        for file in &self.out_of_order {
            ui.say(format_args!("out of order: {file}"));
        }
        if self.out_of_order.is_empty() || out_of_order {
            return Ok(());
        }
        let files = self.out_of_order.join(", ");
        let message = format!("Flyway would refuse {files}: older than migrations that were applied");
        Err(Failure::new(Exit::Refused, message).help(
            "`osmt-release migrate --out-of-order` takes a snapshot, then applies them; it also rebuilds the search index",
        ))
    }

    /// Refuses if Flyway's history has a failed migration, unless it is repaired first.
    pub(super) fn check_failed(&self, repair: bool) -> Result<(), Failure> {
        if self.failed.is_empty() || repair {
            return Ok(());
        }
        let files = self.failed.join(", ");
        let message =
            format!("{files} failed and may be partly applied ({}): Flyway refuses to continue", self.since);
        Err(Failure::new(Exit::Refused, message).help(
            "restore the snapshot, or undo its changes by hand and run `osmt-release migrate --repair`; docs/release.md, \"A migration that failed\"",
        ))
    }

    /// Refuses if Flyway's validation would fail, or, with `without`, if it must not be left out. Prints how each file differs first.
    pub(super) fn check_validation(&self, ui: &Ui, without: bool) -> Result<(), Failure> {
        for (file, difference) in &self.changed {
            ui.say(format_args!("{file} differs since {}: {}", self.since, difference_text(difference)));
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
                    "Flyway would refuse {} with another checksum",
                    count(self.changed.len(), "applied migration")
                );
                return refuse(
                    message,
                    "all differences are harmless: `osmt-release migrate --without-validation` takes a snapshot, then migrates without Flyway's validation",
                );
            }
            // Not an error, because Flyway's history may have been repaired by hand.
            ui.warn(format_args!(
                "the statements of {} differ from what was applied: Flyway refuses unless its history was repaired",
                files(other)
            ));
            return Ok(());
        }
        if self.since.is_empty() {
            return refuse(
                "nothing was recorded, so the applied migrations cannot be compared".to_owned(),
                "record what was deployed before: `osmt-release tag REV`",
            );
        }
        if !other.is_empty() {
            let message = format!("the statements of {} differ from what was applied", files(other));
            return refuse(message, "validation can be left out only if all differences are harmless");
        }
        if !self.missing.is_empty() {
            let message =
                format!("the selected release does not have {}, which was applied", self.missing.join(", "));
            return refuse(message, "validation can be left out only if all differences are harmless");
        }
        if self.changed.is_empty() {
            let message = format!("no applied migration differs since {}", self.since);
            return refuse(message, "run this without `--without-validation`");
        }
        Ok(())
    }
}

/// How an applied migration differs, as text.
fn difference_text(difference: &Difference) -> String {
    match difference {
        Difference::Layout => "only layout, comments or case".to_owned(),
        Difference::Prefixes(which) => format!("only the length of index prefixes ({})", which.join("; ")),
        Difference::Statements(which) => format!("statements ({})", which.join("; ")),
    }
}

fn realigned(before: &Migration, after: &Migration) -> Option<Realigned> {
    Some(Realigned {
        version: before.version.as_ref()?.text.clone(),
        before: before.checksum?,
        after: after.checksum?,
    })
}

/// The pending migrations of the selected release: compared with Flyway's history if a task printed it, otherwise with all records
/// since the last restore.
pub(super) fn pending(
    osmt: &Known<Osmt>,
    config: &Config,
    database: &Known<Database>,
) -> Result<Known<Pending>, Failure> {
    let osmt = match osmt {
        Known::Known(osmt) => osmt,
        Known::Unknown(reason) => return Ok(Known::Unknown(reason.clone())),
    };
    let commit = match osmt.selected(config)? {
        Known::Known(commit) => commit,
        Known::Unknown(reason) => return Ok(Known::Unknown(reason)),
    };
    let after = migrations::read_one(&osmt.repository, &commit)?;
    let preflight = statements::preflight(&after, &config.rds.db_name);
    let records = osmt.records(config)?;
    let (base, since) = match (database, records.first()) {
        (Known::Known(database), _) => (Base::of_database(osmt, database, &after)?, database.label()),
        (Known::Unknown(_), Some(newest)) => (Base::of_records(osmt, &records)?, newest.name.clone()),
        (Known::Unknown(_), None) => return Ok(Known::Known(Pending { preflight, ..Pending::default() })),
    };
    let comparison = Comparison::new(&base.migrations, &after);
    let hard = comparison.pending().into_iter().filter(|one| one.class >= Class::Unclear);
    // In an empty database no data can be lost.
    let hard = hard.filter(|_| !base.migrations.is_empty());
    Ok(Known::Known(Pending {
        cannot_be_undone: hard.map(|one| (one.file.clone(), one.class.name())).collect(),
        out_of_order: comparison.out_of_order.iter().map(|one| one.file.clone()).collect(),
        changed: comparison
            .changed
            .iter()
            .map(|(before, after)| (after.file.clone(), difference(&before.sql, &after.sql)))
            .collect(),
        realigned: comparison.changed.iter().filter_map(|(before, after)| realigned(before, after)).collect(),
        missing: comparison
            .undone()
            .into_iter()
            .chain(comparison.renamed.iter().map(|(before, _)| *before))
            .map(|one| one.file.clone())
            .collect(),
        failed: base.failed.clone(),
        asked: matches!(database, Known::Known(_)),
        preflight,
        since,
    }))
}
