//! Everything that the guards need to know about a revision, and the base that its migrations are compared with.

use super::checkout::{Error, Link, Osmt, Release, Snapshot};
use super::database::Database;
use super::migrations;
use super::migrations::{Comparison, Migrations, Obstacle};
use super::record::Record;
use crate::account::Known;
use crate::config::Config;
use crate::git;
use crate::git::Changes;
use crate::registry::{Image, Platform};

/// The revision to select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A revision, as git reads it.
    Rev(String),
    /// The commit that is checked out.
    Head,
    /// The newest release.
    Latest,
}

/// What migrated the database, as given with `--from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// The app of this revision.
    Rev(String),
    /// Nothing: there is no database yet.
    Nothing,
}

/// The options of a selection.
#[derive(Clone, Debug)]
pub struct Request {
    /// The revision to select.
    pub wanted: Wanted,
    /// The image's tag or digest, if it does not follow from the revision.
    pub tag: Option<String>,
    /// What migrated the database, if the user gives it; otherwise it follows from the config and the records.
    pub from: Option<From>,
}

/// A commit whose app may have migrated the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// For messages: a version, or a short commit id.
    pub label: String,
    /// The full commit id.
    pub commit: String,
    /// Its migrations.
    pub migrations: Migrations,
}

/// The migrations that were applied to the database, as far as git shows them.
///
/// Migrations are not undone: what the selected app or a recorded deployment has applied stays applied after a rollback of the
/// app. Only a recorded restore starts again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The commits: first the config's selection, then the records from newest to oldest. Empty: there is no database yet.
    pub sources: Vec<Source>,
    /// The migrations of all of them.
    pub migrations: Migrations,
    /// Whether the user gave it with `--from`.
    pub given: bool,
    /// Whether the newest record is of the config's selection.
    pub recorded: bool,
    /// Migrations that failed half-way; known only if Flyway's history was read.
    pub failed: Vec<String>,
}

impl Base {
    fn new(sources: Vec<Source>, given: bool, newest: Option<&Record>) -> Self {
        let migrations = Migrations::union(sources.iter().map(|source| &source.migrations));
        let recorded =
            matches!((sources.first(), newest), (Some(first), Some(record)) if first.commit == record.commit);
        Self { sources, migrations, given, recorded, failed: Vec::new() }
    }

    /// What the recorded deployments have applied since the last restore; no sources if nothing was recorded.
    pub fn of_records(osmt: &Osmt, records: &[Record]) -> Result<Self, git::Error> {
        let sources = sources(osmt, since_restore(Vec::new(), records))?;
        Ok(Self::new(sources, false, records.first()))
    }

    /// What was applied according to Flyway's history.
    pub fn of_database(osmt: &Osmt, database: &Database, candidate: &Migrations) -> Result<Self, git::Error> {
        let mut known = vec![candidate.clone()];
        known.extend(osmt.known_migrations()?);
        let migrations = database.migrations(&known);
        let source = Source { label: database.label(), commit: String::new(), migrations };
        Ok(Self { failed: database.failed(), ..Self::new(vec![source], true, None) })
    }

    /// The label of the first source that has a migration.
    pub fn label_of(&self, file: &str) -> &str {
        let has = |source: &&Source| {
            let all = &source.migrations;
            all.versioned.iter().chain(&all.repeatable).any(|migration| migration.file == file)
        };
        let source = self.sources.iter().find(has).or(self.sources.first());
        source.map_or("an empty database", |source| source.label.as_str())
    }

    /// Whether a comparison with the selection alone would miss an obstacle for the candidate.
    pub fn selection_hides(&self, candidate: &Migrations) -> bool {
        let Some((selection, records)) = self.sources.split_first() else { return false };
        let of = |applied: &Migrations| {
            let comparison = Comparison::new(applied, candidate);
            let mut found: Vec<(Obstacle, String)> =
                comparison.obstacles().into_iter().map(|(what, file)| (what, file.to_owned())).collect();
            found.sort();
            found
        };
        let alone = of(&selection.migrations);
        // If the selection was not recorded, it is not known whether its app ever ran.
        let newest = records.first().filter(|_| !self.recorded);
        let newest = newest.map_or_else(Vec::new, |record| of(&record.migrations));
        of(&self.migrations) != alone || newest.iter().any(|obstacle| !alone.contains(obstacle))
    }
}

/// Everything that the guards need to know about a revision.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// For messages: a version, or a short commit id.
    pub label: String,
    /// The content of the commit.
    pub snapshot: Snapshot,
    /// The release, if the commit has a release tag.
    pub release: Option<Release>,
    /// The newest release in its history, including its own.
    pub line: Option<String>,
    /// Release tags of other commits with the same version.
    pub duplicates: Vec<String>,
    /// Newer releases that `--latest` skipped because no remote has them.
    pub skipped: Vec<String>,
    /// The image's repository, from the config.
    pub docker_image: String,
    /// The image's tag or digest: from the revision, or from `--tag`.
    pub docker_tag: String,
    /// The commit of a tag that was given with `--tag` and does not follow from the revision.
    pub given: Option<Link>,
    /// The tag of the Elasticsearch image in the config.
    pub elasticsearch: String,
    /// The changes of the working tree, for `--head`.
    pub changes: Option<Changes>,
    /// Whether a remote has the commit.
    pub pushed: Known<bool>,
    /// The base of the comparison.
    pub base: Known<Base>,
    /// The newest record of the environment.
    pub record: Option<Record>,
    /// The platform of the task.
    pub platform: Platform,
    /// The image as its registry describes it; `Known(None)` if the registry does not have it.
    pub image: Known<Option<Image>>,
}

impl Candidate {
    /// Reads everything about a revision; writes nothing.
    pub fn observe(osmt: &Osmt, config: &Config, request: &Request) -> Result<Self, Error> {
        let repository = &osmt.repository;
        let mut skipped = Vec::new();
        let (commit, named) = match &request.wanted {
            Wanted::Rev(rev) => {
                let commit = repository.resolve(rev)?;
                let named = osmt.releases.iter().find(|release| release.tag.name == *rev);
                (commit, named)
            }
            Wanted::Head => (repository.head()?.to_owned(), None),
            Wanted::Latest => {
                let (latest, newer) = osmt.latest()?;
                skipped = newer.iter().map(|release| release.tag.name.clone()).collect();
                (latest.tag.commit.clone(), Some(latest))
            }
        };
        let release =
            named.filter(|release| release.tag.commit == commit).or_else(|| osmt.release_of(&commit));
        let task = &config.ecs.task.app;
        let follows = release.map_or(&commit, |release| &release.version);
        let docker_tag = request.tag.clone().unwrap_or_else(|| follows.clone());
        let records = osmt.records(config)?;
        let everywhere = osmt.records_of("")?;
        let given = request.tag.as_ref().filter(|tag| *tag != follows).map(|tag| osmt.link(tag, &everywhere));
        let changes = match request.wanted {
            Wanted::Head => Some(repository.changes()?),
            Wanted::Rev(_) | Wanted::Latest => None,
        };
        Ok(Self {
            label: release.map_or_else(|| git::short(&commit).to_owned(), |one| one.version.clone()),
            docker_image: task.docker_image.clone(),
            elasticsearch: config.ecs.task.elasticsearch.docker_tag.clone(),
            duplicates: release.map_or_else(Vec::new, |release| {
                osmt.duplicates(&release.version, &commit).map(|other| other.tag.name.clone()).collect()
            }),
            line: line(osmt, &commit)?,
            release: release.cloned(),
            docker_tag,
            given,
            changes,
            skipped,
            pushed: pushed(osmt, &commit, release.is_some())?,
            base: base(osmt, config, request.from.as_ref(), &records)?,
            record: records.into_iter().next(),
            platform: Platform::of_task(&task.cpu_architecture),
            image: Known::Unknown("the registry was not asked".into()),
            snapshot: osmt.snapshot(&commit)?,
        })
    }
}

impl Candidate {
    /// Uses Flyway's history of the database as the only base.
    pub fn with_database(&mut self, osmt: &Osmt, database: &Known<Database>) -> Result<(), git::Error> {
        self.base = match database {
            Known::Known(database) => {
                Known::Known(Base::of_database(osmt, database, &self.snapshot.migrations)?)
            }
            Known::Unknown(reason) => Known::Unknown(reason.clone()),
        };
        Ok(())
    }

    /// Uses an empty database as the base: AWS answered that there is none yet.
    pub fn without_database(&mut self) {
        self.base = Known::Known(Base::new(Vec::new(), true, None));
    }
}

fn pushed(osmt: &Osmt, commit: &str, released: bool) -> Result<Known<bool>, git::Error> {
    let repository = &osmt.repository;
    Ok(if repository.is_pushed(commit)? {
        Known::Known(true)
    } else if repository.remotes()?.is_empty() {
        if released {
            // A copy without remotes, for example from an archive: nothing shows that the tag was created locally.
            return Ok(Known::Known(true));
        }
        Known::Unknown("the repository has no remote".into())
    } else if released && !repository.has_remote_branches()? {
        // For example in a clone of a single tag.
        Known::Unknown("no branch of a remote was fetched".into())
    } else {
        Known::Known(false)
    })
}

/// The newest release that the commit's history contains.
fn line(osmt: &Osmt, commit: &str) -> Result<Option<String>, git::Error> {
    if let Some(release) = osmt.release_of(commit) {
        return Ok(Some(release.version.clone()));
    }
    let within = osmt.repository.tags_within(commit)?;
    let newest = osmt.releases.iter().find(|release| within.contains(&release.tag.name));
    Ok(newest.map(|release| release.version.clone()))
}

/// The base of the comparison, as far as git shows it.
pub(super) fn base(
    osmt: &Osmt,
    config: &Config,
    from: Option<&From>,
    records: &[Record],
) -> Result<Known<Base>, git::Error> {
    let commits = match from {
        Some(From::Nothing) => Vec::new(),
        Some(From::Rev(rev)) => vec![osmt.repository.resolve(rev)?],
        None => match osmt.selected(config)? {
            Known::Known(selected) => since_restore(vec![selected], records),
            Known::Unknown(reason) => return Ok(Known::Unknown(reason)),
        },
    };
    Ok(Known::Known(Base::new(sources(osmt, commits)?, from.is_some(), records.first())))
}

/// Adds the commits that were recorded since the last restore. What earlier deployments applied is no longer in the database.
fn since_restore(mut commits: Vec<String>, records: &[Record]) -> Vec<String> {
    let restored = records.iter().position(|record| record.restored);
    let since = restored.map_or(records.len(), |at| at + 1);
    for record in &records[..since] {
        if !commits.contains(&record.commit) {
            commits.push(record.commit.clone());
        }
    }
    commits
}

fn sources(osmt: &Osmt, commits: Vec<String>) -> Result<Vec<Source>, git::Error> {
    let all = migrations::read(&osmt.repository, &commits)?;
    let named = commits.into_iter().zip(all);
    Ok(named.map(|(commit, migrations)| Source { label: osmt.label(&commit), commit, migrations }).collect())
}
