//! What speaks against selecting a revision: all of it at once, as findings.
//!
//! An error refuses the selection; `--accept CODE` turns it into a warning where going on can make sense.

mod image;
mod revision;
mod schema;

use super::Candidate;
use crate::finding::{Check, Findings, Rule, Severity, Sink};

/// Every guard, in the order of its code.
pub const GUARDS: &[Check<Candidate>] = &[
    guard(
        "REL001",
        "revision-is-not-osmt",
        Severity::Error,
        "the commit lacks what every OSMT commit has",
        "Every commit of OSMT has `pom.xml` and migrations. A commit without them cannot be the source of an image.",
        revision::not_osmt,
    ),
    guard(
        "REL002",
        "dirty-tree",
        Severity::Error,
        "the working tree differs from the commit checked out",
        "`select --head` deploys the commit, not the files: changes that are not committed would silently be left out.",
        revision::dirty,
    ),
    guard(
        "REL003",
        "unpushed-commit",
        Severity::Warning,
        "no remote has the commit",
        "A commit that only one machine has cannot be rebuilt or reviewed by anyone else.",
        revision::unpushed,
    ),
    guard(
        "REL004",
        "no-public-image",
        Severity::Warning,
        "only released versions have a public image",
        "OSMT's images are built from released versions alone. Any other commit needs an image of your own.",
        revision::no_image,
    ),
    guard(
        "REL005",
        "version-differs",
        Severity::Warning,
        "the release tag and the version in pom.xml differ",
        "The public image is named after the version that Maven built, which `pom.xml` tells.",
        revision::version_differs,
    ),
    guard(
        "REL006",
        "cannot-compare",
        Severity::Error,
        "what the database was migrated by is not known",
        "Without the commit that runs now, its migrations cannot be compared with the candidate's.",
        schema::cannot_compare,
    ),
    guard(
        "REL007",
        "migration-changed",
        Severity::Error,
        "a migration that was applied has other content now",
        "Flyway compares the checksum of every applied migration and refuses to start where one differs.",
        schema::changed,
    ),
    guard(
        "REL008",
        "migration-renamed",
        Severity::Error,
        "a migration that was applied has another description now",
        "Flyway compares the description of every applied migration and refuses to start where one differs.",
        schema::renamed,
    ),
    guard(
        "REL009",
        "migration-missing",
        Severity::Error,
        "a migration that was applied is gone from the middle",
        "Flyway refuses to start where an applied migration, older than the newest file, has no file.",
        schema::missing,
    ),
    guard(
        "REL010",
        "migration-out-of-order",
        Severity::Error,
        "a new migration is older than one that was applied",
        "With `outOfOrder=false`, Flyway's default and OSMT's, Flyway refuses to migrate at all.",
        schema::out_of_order,
    ),
    guard(
        "REL011",
        "migration-twins",
        Severity::Error,
        "two migrations have the same version",
        "Flyway stops at two files of one version.",
        schema::twins,
    ),
    guard(
        "REL012",
        "migration-name",
        Severity::Warning,
        "Flyway does not know the name of a migration",
        "Flyway passes over SQL files that are not named `V<version>__<description>.sql`, without a word.",
        schema::names,
    ),
    guard(
        "REL013",
        "going-back",
        Severity::Error,
        "the database is ahead of the candidate",
        "Flyway has no way back. Over a migration that takes something away an older version cannot run; \
         a snapshot from before it is the only way.",
        schema::going_back,
    ),
    guard(
        "REL014",
        "no-way-back",
        Severity::Warning,
        "a new migration takes something away",
        "After a migration that drops, deletes, narrows or renames, only a snapshot leads back.",
        schema::no_way_back,
    ),
    guard(
        "REL015",
        "selected-is-not-recorded",
        Severity::Note,
        "the last record names another image than the config",
        "The comparison is with what the config selects. If that was never applied, the database is elsewhere.",
        schema::not_recorded,
    ),
    guard(
        "REL030",
        "image-not-found",
        Severity::Error,
        "the registry does not have the image",
        "ECS could not start a task: the rollout would fail, and a migration with it.",
        image::not_found,
    ),
    guard(
        "REL031",
        "image-of-another-platform",
        Severity::Error,
        "the image does not run on the task's processor",
        "ECS stops such a task with `CannotPullContainerError` or `exec format error`.",
        image::other_platform,
    ),
    guard(
        "REL032",
        "image-of-another-commit",
        Severity::Warning,
        "the image's label names another commit than the selected one",
        "The migrations that were judged are then not those that the image holds.",
        image::other_revision,
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
    Check { rule: Rule { code, name, severity, summary, explain }, run }
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
