//! What speaks against selecting a revision: all of it at once, as findings.
//!
//! An error refuses the selection; `--accept CODE` turns it into a warning where going on can make sense.

use super::Base;
use super::Candidate;
use super::POINTER;
use super::POM;
use super::PUBLIC_IMAGE;
use super::migrations::Comparison;
use super::migrations::Migration;
use super::sql::Class;
use crate::account::Known;
use crate::finding::Check;
use crate::finding::Findings;
use crate::finding::Rule;
use crate::finding::Severity;
use crate::finding::Sink;

/// Every guard, in the order of its code.
pub const GUARDS: &[Check<Candidate>] = &[
    guard(
        "REL001",
        "revision-is-not-osmt",
        Severity::Error,
        "the commit lacks what every OSMT commit has",
        "Every commit of OSMT has `pom.xml` and migrations. A commit without them cannot be the source of an image.",
        not_osmt,
    ),
    guard(
        "REL002",
        "dirty-tree",
        Severity::Error,
        "the working tree differs from the commit checked out",
        "`select --head` deploys the commit, not the files: changes that are not committed would silently be left out.",
        dirty,
    ),
    guard(
        "REL003",
        "unpushed-commit",
        Severity::Warning,
        "no remote has the commit",
        "A commit that only one machine has cannot be rebuilt or reviewed by anyone else.",
        unpushed,
    ),
    guard(
        "REL004",
        "no-public-image",
        Severity::Warning,
        "only released versions have a public image",
        "OSMT's images are built from released versions alone. Any other commit needs an image of your own.",
        no_image,
    ),
    guard(
        "REL005",
        "version-differs",
        Severity::Warning,
        "the release tag and the version in pom.xml differ",
        "The public image is named after the version that Maven built, which `pom.xml` tells.",
        version_differs,
    ),
    guard(
        "REL006",
        "cannot-compare",
        Severity::Error,
        "what the database was migrated by is not known",
        "Without the commit that runs now, its migrations cannot be compared with the candidate's.",
        cannot_compare,
    ),
    guard(
        "REL007",
        "migration-changed",
        Severity::Error,
        "a migration that was applied has other content now",
        "Flyway compares the checksum of every applied migration and refuses to start where one differs.",
        changed,
    ),
    guard(
        "REL008",
        "migration-renamed",
        Severity::Error,
        "a migration that was applied has another description now",
        "Flyway compares the description of every applied migration and refuses to start where one differs.",
        renamed,
    ),
    guard(
        "REL009",
        "migration-missing",
        Severity::Error,
        "a migration that was applied is gone from the middle",
        "Flyway refuses to start where an applied migration, older than the newest file, has no file.",
        missing,
    ),
    guard(
        "REL010",
        "migration-out-of-order",
        Severity::Error,
        "a new migration is older than one that was applied",
        "With `outOfOrder=false`, Flyway's default and OSMT's, such a migration stops the app at every start.",
        out_of_order,
    ),
    guard(
        "REL011",
        "migration-twins",
        Severity::Error,
        "two migrations have the same version",
        "Flyway stops at two files of one version.",
        twins,
    ),
    guard(
        "REL012",
        "migration-name",
        Severity::Warning,
        "Flyway does not know the name of a migration",
        "Flyway passes over SQL files that are not named `V<version>__<description>.sql`, without a word.",
        names,
    ),
    guard(
        "REL013",
        "going-back",
        Severity::Error,
        "the database is ahead of the candidate",
        "Flyway has no way back. Over a migration that takes something away an older version cannot run; \
         a snapshot from before it is the only way.",
        going_back,
    ),
    guard(
        "REL014",
        "no-way-back",
        Severity::Warning,
        "a new migration takes something away",
        "After a migration that drops, deletes, narrows or renames, only a snapshot leads back.",
        no_way_back,
    ),
    guard(
        "REL015",
        "selected-is-not-recorded",
        Severity::Note,
        "the last record names another image than the config",
        "The comparison is with what the config selects. If that was never applied, the database is elsewhere.",
        not_recorded,
    ),
];

/// Guards that no flag overrides: what they refuse cannot start.
const FINAL: [&str; 2] = ["REL001", "REL011"];

const fn guard(
    code: &'static str,
    name: &'static str,
    severity: Severity,
    summary: &'static str,
    explain: &'static str,
    run: fn(&Candidate, &mut Sink<'_>),
) -> Check<Candidate> {
    Check {
        rule: Rule {
            code,
            name,
            severity,
            summary,
            explain,
        },
        run,
    }
}

/// The codes that `--accept` takes.
pub fn acceptable() -> impl Iterator<Item = &'static str> {
    GUARDS
        .iter()
        .filter(|guard| guard.rule.severity == Severity::Error)
        .map(|guard| guard.rule.code)
        .filter(|code| !FINAL.contains(code))
}

/// Judges a candidate; errors of an accepted code become warnings that say so.
pub fn judge(candidate: &Candidate, accepted: &[String]) -> Findings {
    let mut all = Findings::default();
    all.run(GUARDS, candidate);
    for finding in &mut all.findings {
        let accepted = accepted.iter().any(|code| *code == finding.code);
        if accepted && finding.severity == Severity::Error {
            finding.severity = Severity::Warning;
            finding.message.push_str(" (accepted)");
            finding.help = None;
        }
    }
    all
}

fn not_osmt(candidate: &Candidate, sink: &mut Sink<'_>) {
    let lacks = [
        (!candidate.snapshot.has_pom, POM),
        (
            candidate.snapshot.migrations.is_empty(),
            super::migrations::FOLDER,
        ),
    ];
    for (_, what) in lacks.iter().filter(|(lacks, _)| *lacks) {
        sink.elsewhere(format!("{} has no {what}", candidate.label))
            .help("select a commit of OSMT's own history");
    }
}

fn dirty(candidate: &Candidate, sink: &mut Sink<'_>) {
    let Some(changes) = &candidate.changes else {
        return;
    };
    if !changes.tracked.is_empty() {
        sink.elsewhere(format!(
            "the working tree differs from {} in {}",
            candidate.label,
            some(&changes.tracked)
        ))
        .help("commit or stash the changes");
    }
    if !changes.untracked.is_empty() {
        sink.elsewhere(format!(
            "{} not under version control and no part of {}",
            match changes.untracked.as_slice() {
                [one] => format!("{one} is"),
                many => format!("{} are", some(many)),
            },
            candidate.label
        ))
        .severity(Severity::Note);
    }
}

fn unpushed(candidate: &Candidate, sink: &mut Sink<'_>) {
    match &candidate.pushed {
        Known::Known(true) => {}
        Known::Known(false) => {
            sink.elsewhere(format!("no remote has {}", candidate.label))
                .help("push it, or `git fetch` if it was pushed from elsewhere");
        }
        Known::Unknown(reason) => sink.unknown(reason.clone()),
    }
}

fn no_image(candidate: &Candidate, sink: &mut Sink<'_>) {
    let image = candidate.docker_image.as_str();
    let public = image.strip_prefix("docker.io/").unwrap_or(image) == PUBLIC_IMAGE;
    if !public || candidate.tag_given {
        return;
    }
    let help = "build an image of this commit, push it to a registry of yours with the commit as its tag, and name that \
        registry in ecs.task.app.docker_image";
    match (&candidate.release, &candidate.snapshot.version) {
        (None, _) => {
            sink.value(
                POINTER,
                format!(
                    "{} is no release, and {PUBLIC_IMAGE} has images of releases only",
                    candidate.label
                ),
            )
            .help(help);
        }
        (Some(release), Some(version)) if version.is_snapshot() => {
            sink.value(
                POINTER,
                format!(
                    "{} was built as {}, which {PUBLIC_IMAGE} has no image of",
                    release.tag.name, version.text
                ),
            )
            .help(help);
        }
        _ => {}
    }
}

fn version_differs(candidate: &Candidate, sink: &mut Sink<'_>) {
    let Some(release) = &candidate.release else {
        return;
    };
    match &candidate.snapshot.version {
        Some(version) if version.text == release.version => {}
        Some(version) => {
            sink.elsewhere(format!(
                "tag {} is {} in {POM} ({})",
                release.tag.name, version.text, version.from
            ))
            .help("`--tag` names the image's tag where it is not the release's");
        }
        None => sink.unknown(format!(
            "{POM} has no version that can be told without Maven"
        )),
    }
}

fn cannot_compare(candidate: &Candidate, sink: &mut Sink<'_>) {
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

fn changed(candidate: &Candidate, sink: &mut Sink<'_>) {
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

fn renamed(candidate: &Candidate, sink: &mut Sink<'_>) {
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

fn missing(candidate: &Candidate, sink: &mut Sink<'_>) {
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

fn out_of_order(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, base, sink| {
        for late in &found.out_of_order {
            let newest = base
                .migrations
                .newest()
                .map_or("", |newest| newest.text.as_str());
            sink.elsewhere(format!(
                "{} is new in {} and older than {newest}, which {} has applied",
                late.file, candidate.label, base.label
            ))
            .help(
                "migrate once with `-Dspring.flyway.out-of-order=true`, then `--accept REL010`; or select a commit \
                 whose migrations are in order",
            );
        }
    });
}

fn twins(candidate: &Candidate, sink: &mut Sink<'_>) {
    for (one, other) in candidate.snapshot.migrations.twins() {
        sink.elsewhere(format!(
            "{} and {} have the same version",
            one.file, other.file
        ))
        .help("select another commit");
    }
}

fn names(candidate: &Candidate, sink: &mut Sink<'_>) {
    for file in &candidate.snapshot.migrations.ignored {
        sink.elsewhere(format!("Flyway would pass over {file}"))
            .help("name it V<version>__<description>.sql");
    }
}

fn going_back(candidate: &Candidate, sink: &mut Sink<'_>) {
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
                    "restore a database snapshot from before that migration, then `--accept REL013`; there is no other way back",
                ),
            };
        }
    });
}

fn no_way_back(candidate: &Candidate, sink: &mut Sink<'_>) {
    compared(candidate, sink, |found, _, sink| {
        for pending in found.pending() {
            if pending.class >= Class::Unclear {
                sink.elsewhere(format!(
                    "{} cannot be undone ({})",
                    pending.file,
                    why(pending)
                ))
                .help("take a database snapshot before `terraform apply`");
            }
        }
    });
}

fn not_recorded(candidate: &Candidate, sink: &mut Sink<'_>) {
    if let (Some(record), Known::Known(base)) = (&candidate.record, &candidate.base) {
        if base.commit != record.commit {
            sink.elsewhere(format!(
                "the last record, {}, is of {}; the comparison is with {}",
                record.name, record.image, base.label
            ))
            .help("`--from REV` compares with another commit");
        }
    }
}

fn why(migration: &Migration) -> String {
    if migration.because.is_empty() {
        return migration.class.name().to_owned();
    }
    format!(
        "{}: {}",
        migration.class.name(),
        migration.because.join(", ")
    )
}

/// The first few of a list, and how many more.
fn some(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, more @ ..] => format!("{one}, {two} and {} more", more.len()),
        [] => String::new(),
    }
}
