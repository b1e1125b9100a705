//! Everything that the guards need to know of a revision, and the base that its migrations are compared with.

use super::checkout::{Error, Link, Osmt, Release, Snapshot};
use super::database::Database;
use super::migrations;
use super::migrations::{Comparison, Migrations};
use super::record::Record;
use crate::account::Known;
use crate::config::Config;
use crate::git;
use crate::git::Changes;
use crate::registry::{Image, Platform};

/// Which revision is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A revision, as git reads it.
    Rev(String),
    /// The commit checked out.
    Head,
    /// The newest release.
    Latest,
}

/// What the database was migrated by, as the user says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// The app of this revision.
    Rev(String),
    /// Nothing: there is no database yet.
    Nothing,
}

/// How a revision is to be selected.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which.
    pub wanted: Wanted,
    /// The image's tag or digest, where it does not follow from the revision.
    pub tag: Option<String>,
    /// What the database was migrated by, where that does not follow from the config and the records.
    pub from: Option<From>,
}

/// A commit whose app may have migrated the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As people know it: a version, or a short commit.
    pub label: String,
    /// The whole id.
    pub commit: String,
    /// Its migrations.
    pub migrations: Migrations,
}

/// What has been applied to the database, as far as git knows.
///
/// A database never goes back: what the selection's app or a recorded deployment's has applied stays applied, also after
/// a rollback of the app. Only a recorded restore starts anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The commits, the config's selection first, then the records from newest to oldest. Empty: there is no database yet.
    pub sources: Vec<Source>,
    /// All that any of them brings.
    pub migrations: Migrations,
    /// Whether the user named it.
    pub given: bool,
    /// Whether the newest record is of the config's selection.
    pub recorded: bool,
    /// Migrations that failed half-way, where the database was asked.
    pub failed: Vec<String>,
}

impl Base {
    fn new(sources: Vec<Source>, given: bool, newest: Option<&Record>) -> Self {
        let migrations = Migrations::union(sources.iter().map(|source| &source.migrations));
        let recorded =
            matches!((sources.first(), newest), (Some(first), Some(record)) if first.commit == record.commit);
        Self { sources, migrations, given, recorded, failed: Vec::new() }
    }

    /// What the recorded deployments have applied since the last restore; no sources where nothing was recorded.
    pub fn of_records(osmt: &Osmt, records: &[Record]) -> Result<Self, git::Error> {
        let sources = sources(osmt, since_restore(Vec::new(), records))?;
        Ok(Self::new(sources, false, records.first()))
    }

    /// What the database itself has applied.
    pub fn of_database(osmt: &Osmt, database: &Database, candidate: &Migrations) -> Result<Self, git::Error> {
        let mut known = vec![candidate.clone()];
        known.extend(osmt.known_migrations()?);
        let migrations = database.migrations(&known);
        let source = Source { label: database.label(), commit: String::new(), migrations };
        Ok(Self { failed: database.failed(), ..Self::new(vec![source], true, None) })
    }

    /// Which of the commits brought a migration: the first that has it.
    pub fn label_of(&self, file: &str) -> &str {
        let has = |source: &&Source| {
            let all = &source.migrations;
            all.versioned.iter().chain(&all.repeatable).any(|migration| migration.file == file)
        };
        let source = self.sources.iter().find(has).or(self.sources.first());
        source.map_or("an empty database", |source| source.label.as_str())
    }

    /// Whether the selection alone would hide an obstacle for the candidate.
    pub fn selection_hides(&self, candidate: &Migrations) -> bool {
        let Some((selection, records)) = self.sources.split_first() else { return false };
        let of = |applied: &Migrations| {
            let comparison = Comparison::new(applied, candidate);
            let mut found: Vec<String> =
                comparison.obstacles().iter().map(|(what, file)| format!("{what} {file}")).collect();
            found.sort();
            found
        };
        let alone = of(&selection.migrations);
        // Of a selection that was not recorded it is not known whether its app ever ran.
        let newest = records.first().filter(|_| !self.recorded);
        let newest = newest.map_or_else(Vec::new, |record| of(&record.migrations));
        of(&self.migrations) != alone || newest.iter().any(|obstacle| !alone.contains(obstacle))
    }
}

/// Everything that the guards need to know of a revision.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As people know it: a version, or a short commit.
    pub label: String,
    /// What the commit holds.
    pub snapshot: Snapshot,
    /// The release that it is.
    pub release: Option<Release>,
    /// The newest release in its history, itself included.
    pub line: Option<String>,
    /// Tags of other commits that have the release's version.
    pub rivals: Vec<String>,
    /// Newer releases that `--latest` passed over because no remote has them.
    pub passed_over: Vec<String>,
    /// The image's repository, from the config.
    pub docker_image: String,
    /// The image's tag or digest that follows.
    pub docker_tag: String,
    /// What is known of a tag that was given and does not follow from the revision.
    pub given: Option<Link>,
    /// The version of Elasticsearch that the config selects.
    pub elasticsearch: String,
    /// The working tree, where the commit checked out is wanted.
    pub changes: Option<Changes>,
    /// Whether a remote has the commit.
    pub pushed: Known<bool>,
    /// What to compare with.
    pub base: Known<Base>,
    /// The newest record of the environment.
    pub record: Option<Record>,
    /// What the image has to run on.
    pub platform: Platform,
    /// The image as its registry describes it; `None` inside: it has none.
    pub image: Known<Option<Image>>,
}

impl Candidate {
    /// Reads everything about a revision; writes nothing.
    pub fn observe(osmt: &Osmt, config: &Config, request: &Request) -> Result<Self, Error> {
        let repository = &osmt.repository;
        let mut passed_over = Vec::new();
        let (commit, named) = match &request.wanted {
            Wanted::Rev(rev) => {
                let commit = repository.resolve(rev)?;
                let named = osmt.releases.iter().find(|release| release.tag.name == *rev);
                (commit, named)
            }
            Wanted::Head => (repository.head()?.to_owned(), None),
            Wanted::Latest => {
                let (latest, passed) = osmt.latest()?;
                passed_over = passed.iter().map(|release| release.tag.name.clone()).collect();
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
            rivals: release.map_or_else(Vec::new, |release| {
                osmt.rivals(&release.version, &commit).map(|rival| rival.tag.name.clone()).collect()
            }),
            line: line(osmt, &commit)?,
            release: release.cloned(),
            docker_tag,
            given,
            changes,
            passed_over,
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
    /// Compares with what the database itself says, and with nothing else.
    pub fn with_database(&mut self, osmt: &Osmt, database: &Known<Database>) -> Result<(), git::Error> {
        self.base = match database {
            Known::Known(database) => {
                Known::Known(Base::of_database(osmt, database, &self.snapshot.migrations)?)
            }
            Known::Unknown(reason) => Known::Unknown(reason.clone()),
        };
        Ok(())
    }

    /// Compares with an empty database: AWS was asked, and there is none yet.
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
            // A copy without remotes, as from an archive: nothing says that the tag was made here.
            return Ok(Known::Known(true));
        }
        Known::Unknown("the repository has no remote".into())
    } else if released && !repository.has_remote_branches()? {
        // As in a clone of one tag.
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

/// What has been applied, as far as git knows.
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

/// The commits that were recorded since the last restore, behind those that are there: what was recorded before a restore is
/// no longer in the database.
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
