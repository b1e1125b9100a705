//! Guards on the migrations: what Flyway would refuse, and whether a rollback stays possible.

use crate::account::Known;
use crate::finding::{Severity, Sink};
use crate::release::migrations::{Comparison, Migration};
use crate::release::sql::{Class, Difference, difference};
use crate::release::{Base, Candidate, POINTER};

pub(super) fn cannot_compare(candidate: &Candidate, sink: &mut Sink<'_>) {
    if let Known::Unknown(reason) = &candidate.base {
        sink.value(POINTER, format!("the migrations cannot be compared: {reason}")).help(
            "`--from REV` names the commit whose app migrated the database; `--from none` if there is no database yet",
        );
    }
}

/// Runs a check that needs the comparison. Without a comparison the check is unknown, not passed.
fn compared(
    candidate: &Candidate,
    sink: &mut Sink<'_>,
    check: impl Fn(&Comparison<'_>, &Base, &mut Sink<'_>),
) {
    match &candidate.base {
        Known::Known(base) => {
            let comparison = Comparison::new(&base.migrations, &candidate.snapshot.migrations);
            check(&comparison, base, sink);
        }
        Known::Unknown(reason) => sink.unknown(reason.clone()),
    }
}

pub(super) fn changed(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        for (before, after) in &found.changed {
            let (is_harmless, differs) = match difference(&before.sql, &after.sql) {
                Difference::Layout => {
                    (true, "the statements are the same, only layout, comments or case differ".into())
                }
                Difference::Prefixes(which) => {
                    (true, format!("only the length of index prefixes differs ({})", which.join("; ")))
                }
                Difference::Statements(which) => (false, format!("statements differ: {}", which.join("; "))),
            };
            let checksum =
                |of: &Migration| of.checksum.map_or("none".to_owned(), |checksum| checksum.to_string());
            let help = if is_harmless {
                "go on with `--accept REL007`, then `osmt-release migrate --without-validation`, which takes a snapshot first"
            } else {
                "put the change into a new migration, or repair Flyway's history first"
            };
            sink.elsewhere(format!(
                "{} has checksum {} since {}, {} in {}; {differs}",
                after.file,
                checksum(before),
                base.label_of(&before.file),
                checksum(after),
                candidate.label
            ))
            .help(help);
        }
    });
}

pub(super) fn failed(candidate: &Candidate, sink: &mut Sink<'_>) {
    // Only Flyway's history, which `--live` reads, shows a failed migration. REL006 reports an unknown base.
    let Known::Known(base) = &candidate.base else { return };
    for file in &base.failed {
        let label = base.sources.first().map_or("", |source| source.label.as_str());
        sink.elsewhere(format!(
            "{file} failed half-way ({label}); Flyway refuses every migration until its history is repaired"
        ))
        .help("restore the snapshot, or undo by hand what it did and run `osmt-release migrate --repair`");
    }
}

pub(super) fn renamed(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        for (before, after) in &found.renamed {
            let label = base.label_of(&before.file);
            sink.elsewhere(format!("{} of {label} is {} in {}", before.file, after.file, candidate.label))
                .help("keep the name, or repair Flyway's history first");
        }
    });
}

pub(super) fn missing(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        for gone in &found.missing {
            let others = &candidate.snapshot.migrations.versioned;
            let moved = others.iter().find(|other| {
                other.checksum.is_some() && other.checksum == gone.checksum && other.version != gone.version
            });
            let moved = moved.map_or(String::new(), |to| format!("; {} has its content", to.file));
            let newer = if gone.version.is_some() { ", which has newer ones" } else { "" };
            sink.elsewhere(format!(
                "{} of {} is not in {}{newer} ({}){moved}",
                gone.file,
                base.label_of(&gone.file),
                candidate.label,
                why(gone)
            ))
            .help("select a commit that has it; or restore a database snapshot from before it and name its commit: `--from REV`");
        }
    });
}

pub(super) fn out_of_order(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        let newest = base.migrations.versioned.last();
        for late in &found.out_of_order {
            let version =
                newest.and_then(|newest| newest.version.as_ref()).map_or("", |version| &version.text);
            let label = newest.map_or("", |newest| base.label_of(&newest.file));
            let finding = sink.elsewhere(format!(
                "{} is new in {} and older than {version}, which {label} has applied",
                late.file, candidate.label
            ));
            if candidate.snapshot.migrations.out_of_order() {
                // The commit's own settings let Flyway do it.
                finding.severity(Severity::Warning);
            } else {
                finding.help(
                    "select a commit whose migrations are in order; or take a snapshot, go on with `--accept REL010`, and \
                     after `terraform apply` run `osmt-release migrate --out-of-order`",
                );
            }
        }
    });
}

pub(super) fn twins(candidate: &Candidate, sink: &mut Sink<'_>) {
    for (one, other) in candidate.snapshot.migrations.twins() {
        let what = if one.version.is_some() { "version" } else { "description" };
        sink.elsewhere(format!("{} and {} have the same {what}", one.file, other.file))
            .help("select another commit");
    }
}

pub(super) fn going_back(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        // REL009 reports migrations that are missing between others: Flyway refuses those.
        for undone in &found.ahead {
            let finding = sink.elsewhere(format!(
                "{} has applied {}, which {} does not have ({})",
                base.label_of(&undone.file),
                undone.file,
                candidate.label,
                why(undone)
            ));
            match undone.class {
                Class::Additive => finding.severity(Severity::Note),
                Class::Rewriting => finding.severity(Severity::Warning),
                Class::Breaking | Class::Unclear | Class::Destructive => finding.help(
                    "restore a database snapshot from before that migration, and give the commit that it was taken with: \
                     `--from REV`; an applied migration cannot be undone in another way",
                ),
            };
        }
    });
}

pub(super) fn no_way_back(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        if base.sources.is_empty() {
            // A new database has no data that could be lost.
            return;
        }
        for pending in found.pending().into_iter().filter(|pending| pending.class >= Class::Breaking) {
            let what = match pending.class {
                Class::Breaking => "may break an older version",
                Class::Additive | Class::Rewriting | Class::Unclear | Class::Destructive => {
                    "cannot be undone"
                }
            };
            sink.elsewhere(format!("{} {what} ({})", pending.file, why(pending)))
                .help("take a database snapshot before `osmt-release migrate`");
        }
        for callback in found.callbacks.iter().filter(|callback| callback.class > Class::Additive) {
            sink.elsewhere(format!(
                "{} is a callback that runs at every start ({})",
                callback.file,
                why(callback)
            ))
            .help("take a database snapshot before `osmt-release migrate`");
        }
    });
}

pub(super) fn not_recorded(candidate: &Candidate, sink: &mut Sink<'_>) {
    let (Some(record), Known::Known(base)) = (&candidate.record, &candidate.base) else { return };
    let Some(first) = base.sources.first() else { return };
    if first.commit.is_empty() {
        // The base is Flyway's history, not the records.
        return;
    }
    if !base.given && base.selection_hides(&candidate.snapshot.migrations) {
        let others: Vec<&str> = base.sources[1..].iter().map(|source| source.label.as_str()).collect();
        sink.value(
            POINTER,
            format!(
                "the config selects {}, but according to the records {} also migrated the database; the comparison is with all \
                 of them",
                first.label,
                others.join(", ")
            ),
        )
        .help(
            "set docker_tag to what was deployed last; after a restore, `osmt-release tag --restored` records it; `--from REV` \
             compares with one commit",
        );
    } else if first.commit != record.commit {
        sink.elsewhere(format!(
            "the last record, {}, is of {}; the comparison is with {}",
            record.name, record.image, first.label
        ))
        .severity(Severity::Note)
        .help("`--from REV` compares with one commit");
    }
}

fn why(migration: &Migration) -> String {
    if migration.because.is_empty() {
        return migration.class.name().to_owned();
    }
    format!("{}: {}", migration.class.name(), migration.because.join(", "))
}
