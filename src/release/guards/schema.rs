//! Guards on the database's schema: what Flyway would say, and which way leads back.

use crate::account::Known;
use crate::finding::{Severity, Sink};
use crate::release::migrations::{Comparison, Migration};
use crate::release::sql::Class;
use crate::release::{Base, Candidate, POINTER};

pub(super) fn cannot_compare(candidate: &Candidate, sink: &mut Sink<'_>) {
    if let Known::Unknown(reason) = &candidate.base {
        sink.value(POINTER, format!("the migrations cannot be compared: {reason}")).help(
            "`--from REV` names the commit that runs now; before the first deployment `--accept REL006` goes on without",
        );
    }
}

/// Runs a check that needs the comparison; without one it is unknown, never passed.
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
            sink.elsewhere(format!(
                "{} has checksum {} since {}, {} in {}",
                after.file, before.checksum, base.label, after.checksum, candidate.label
            ))
            .help("put the change into a new migration, or repair Flyway's history first");
        }
    });
}

pub(super) fn renamed(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        for (before, after) in &found.renamed {
            sink.elsewhere(format!(
                "{} of {} is {} in {}",
                before.file, base.label, after.file, candidate.label
            ))
            .help("keep the name, or repair Flyway's history first");
        }
    });
}

pub(super) fn missing(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        for gone in &found.missing {
            let moved = candidate
                .snapshot
                .migrations
                .versioned
                .iter()
                .find(|other| other.checksum == gone.checksum && other.version != gone.version);
            let moved = moved.map_or(String::new(), |to| format!("; {} has its content", to.file));
            sink.elsewhere(format!(
                "{} of {} is not in {}, which has newer ones{moved}",
                gone.file, base.label, candidate.label
            ))
            .help("select a commit that has it");
        }
    });
}

pub(super) fn out_of_order(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        for late in &found.out_of_order {
            let newest = base.migrations.newest().map_or("", |newest| newest.text.as_str());
            sink.elsewhere(format!(
                "{} is new in {} and older than {newest}, which {} has applied",
                late.file, candidate.label, base.label
            ))
            .help(
                "select a commit whose migrations are in order; or take a snapshot, go on with `--accept REL010`, and after \
                 `terraform apply` run `osmt-release migrate --out-of-order`",
            );
        }
    });
}

pub(super) fn twins(candidate: &Candidate, sink: &mut Sink<'_>) {
    for (one, other) in candidate.snapshot.migrations.twins() {
        sink.elsewhere(format!("{} and {} have the same version", one.file, other.file))
            .help("select another commit");
    }
}

pub(super) fn names(candidate: &Candidate, sink: &mut Sink<'_>) {
    for file in &candidate.snapshot.migrations.ignored {
        sink.elsewhere(format!("Flyway would pass over {file}"))
            .help("name it V<version>__<description>.sql");
    }
}

pub(super) fn going_back(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        for undone in found.undone() {
            let finding = sink.elsewhere(format!(
                "{} has applied {}, which {} does not know ({})",
                base.label,
                undone.file,
                candidate.label,
                why(undone)
            ));
            match undone.class {
                Class::Additive => finding.severity(Severity::Note),
                Class::Rewriting => finding.severity(Severity::Warning),
                Class::Unclear | Class::Destructive => finding.help(
                    "restore a database snapshot from before that migration and name the commit that it was made with: \
                     `--from REV`; there is no other way back",
                ),
            };
        }
    });
}

pub(super) fn no_way_back(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, _, sink| {
        for pending in found.pending() {
            if pending.class >= Class::Unclear {
                sink.elsewhere(format!("{} cannot be undone ({})", pending.file, why(pending)))
                    .help("take a database snapshot before `terraform apply`");
            }
        }
    });
}

pub(super) fn not_recorded(candidate: &Candidate, sink: &mut Sink<'_>) {
    if let (Some(record), Known::Known(base)) = (&candidate.record, &candidate.base)
        && base.commit != record.commit
    {
        sink.elsewhere(format!(
            "the last record, {}, is of {}; the comparison is with {}",
            record.name, record.image, base.label
        ))
        .help("`--from REV` compares with another commit");
    }
}

fn why(migration: &Migration) -> String {
    if migration.because.is_empty() {
        return migration.class.name().to_owned();
    }
    format!("{}: {}", migration.class.name(), migration.because.join(", "))
}
