//! The guards: checks of a revision before it is selected. All of them report at once, as findings.
//!
//! An error refuses the selection. For most codes `--accept CODE` makes it a warning.

mod companions;
mod files;
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
        "the commit is not one of OSMT: it lacks a file that every OSMT commit has",
        include_str!("../../../docs/rules/REL001.md"),
        revision::not_osmt,
    ),
    guard(
        "REL002",
        "dirty-tree",
        Severity::Error,
        "the working tree differs from the commit checked out",
        include_str!("../../../docs/rules/REL002.md"),
        revision::dirty,
    ),
    guard(
        "REL003",
        "unpushed-commit",
        Severity::Warning,
        "no remote has the commit",
        include_str!("../../../docs/rules/REL003.md"),
        revision::unpushed,
    ),
    guard(
        "REL004",
        "no-public-image",
        Severity::Warning,
        "only released versions have a public image",
        include_str!("../../../docs/rules/REL004.md"),
        revision::no_image,
    ),
    guard(
        "REL005",
        "version-differs",
        Severity::Warning,
        "the release tag and the version in pom.xml differ",
        include_str!("../../../docs/rules/REL005.md"),
        revision::version_differs,
    ),
    guard(
        "REL006",
        "cannot-compare",
        Severity::Error,
        "the commit that migrated the database is not known",
        include_str!("../../../docs/rules/REL006.md"),
        schema::cannot_compare,
    ),
    guard(
        "REL007",
        "migration-changed",
        Severity::Error,
        "an applied migration has other content in the selected commit",
        include_str!("../../../docs/rules/REL007.md"),
        schema::changed,
    ),
    guard(
        "REL008",
        "migration-renamed",
        Severity::Error,
        "an applied migration has another description in the selected commit",
        include_str!("../../../docs/rules/REL008.md"),
        schema::renamed,
    ),
    guard(
        "REL009",
        "migration-missing",
        Severity::Error,
        "an applied migration is missing in the selected commit",
        include_str!("../../../docs/rules/REL009.md"),
        schema::missing,
    ),
    guard(
        "REL010",
        "migration-out-of-order",
        Severity::Error,
        "a new migration is older than one that was applied",
        include_str!("../../../docs/rules/REL010.md"),
        schema::out_of_order,
    ),
    guard(
        "REL011",
        "migration-twins",
        Severity::Error,
        "two migrations have the same version",
        include_str!("../../../docs/rules/REL011.md"),
        schema::twins,
    ),
    guard(
        "REL012",
        "migration-name",
        Severity::Warning,
        "Flyway ignores a file because of its name",
        include_str!("../../../docs/rules/REL012.md"),
        files::names,
    ),
    guard(
        "REL013",
        "going-back",
        Severity::Error,
        "the database has newer migrations than the selected commit",
        include_str!("../../../docs/rules/REL013.md"),
        schema::going_back,
    ),
    guard(
        "REL014",
        "no-way-back",
        Severity::Warning,
        "a new migration cannot be undone",
        include_str!("../../../docs/rules/REL014.md"),
        schema::no_way_back,
    ),
    guard(
        "REL015",
        "selected-is-not-recorded",
        Severity::Error,
        "the config selects another release than the last record",
        include_str!("../../../docs/rules/REL015.md"),
        schema::not_recorded,
    ),
    guard(
        "REL016",
        "tag-of-another-commit",
        Severity::Error,
        "the image's tag belongs to another commit",
        include_str!("../../../docs/rules/REL016.md"),
        revision::other_commit,
    ),
    guard(
        "REL017",
        "ambiguous-release",
        Severity::Error,
        "two commits have the same version",
        include_str!("../../../docs/rules/REL017.md"),
        revision::ambiguous,
    ),
    guard(
        "REL018",
        "flyway-settings",
        Severity::Error,
        "Flyway is configured differently than the comparison assumes",
        include_str!("../../../docs/rules/REL018.md"),
        files::settings,
    ),
    guard(
        "REL019",
        "migration-unreadable",
        Severity::Error,
        "a migration cannot be read",
        include_str!("../../../docs/rules/REL019.md"),
        files::unreadable,
    ),
    guard(
        "REL020",
        "companion-differs",
        Severity::Error,
        "Elasticsearch has another major version than the release is developed with",
        include_str!("../../../docs/rules/REL020.md"),
        companions::elasticsearch,
    ),
    guard(
        "REL021",
        "no-import-lists",
        Severity::Warning,
        "the image has no job code lists to import",
        include_str!("../../../docs/rules/REL021.md"),
        companions::import_lists,
    ),
    guard(
        "REL022",
        "migration-failed",
        Severity::Error,
        "a migration failed half-way in the database",
        include_str!("../../../docs/rules/REL022.md"),
        schema::failed,
    ),
    guard(
        "REL023",
        "unknown-line",
        Severity::Error,
        "the release line of the commit is not known",
        include_str!("../../../docs/rules/REL023.md"),
        revision::unknown_line,
    ),
    guard(
        "REL030",
        "image-not-found",
        Severity::Error,
        "the registry does not have the image",
        include_str!("../../../docs/rules/REL030.md"),
        image::not_found,
    ),
    guard(
        "REL031",
        "image-of-another-platform",
        Severity::Error,
        "the image does not run on the task's processor",
        include_str!("../../../docs/rules/REL031.md"),
        image::other_platform,
    ),
    guard(
        "REL032",
        "image-of-another-commit",
        Severity::Warning,
        "the image's label names another commit than the selected one",
        include_str!("../../../docs/rules/REL032.md"),
        image::other_revision,
    ),
];

/// Guards that `--accept` cannot override: the app would not start.
const NEVER_ACCEPTED: [&str; 4] = ["REL001", "REL011", "REL019", "REL023"];

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

/// Guards that compare with the migrations that were applied to the database.
const BY_BASE: [&str; 7] = ["REL006", "REL007", "REL008", "REL009", "REL010", "REL013", "REL015"];

/// Whether the candidate is refused because of what was applied to the database.
pub fn refuses_by_base(findings: &Findings) -> bool {
    findings
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Error && BY_BASE.contains(&finding.code.as_ref()))
}

/// The codes that `--accept` takes.
pub fn acceptable() -> impl Iterator<Item = &'static str> {
    GUARDS
        .iter()
        .filter(|guard| guard.rule.severity == Severity::Error)
        .map(|guard| guard.rule.code)
        .filter(|code| !NEVER_ACCEPTED.contains(code))
}

/// Runs all guards on a candidate. Errors of an accepted code become warnings.
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
