//! Selects the commit of OSMT to deploy, records it, and tells what runs.
//!
//! [`Osmt`] is a checkout as this slice sees it; [`Candidate`] is everything that the guards want to know of a
//! revision before it is selected; [`plan`] is the one edit of the config. Nothing here builds or pushes an image.

pub mod checkout;
pub mod guards;
pub mod migrate;
pub mod migrations;
pub mod notes;
pub mod pom;
pub mod record;
pub mod running;
pub mod sql;
pub mod status;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::account::Known;
use crate::config::Config;
use crate::document::Document;
use crate::git::Changes;
use crate::plan::{Action, Line, Plan, Verb};
use crate::registry::{Image, Platform};
use migrations::Migrations;
use record::Record;

pub use checkout::{Error, Osmt, Release, Snapshot, image, is_digest, is_docker_tag, short};

/// The setting that a selection writes.
pub const POINTER: &str = "/config/ecs/task/app/docker_tag";

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

/// How a revision is to be selected.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which.
    pub wanted: Wanted,
    /// The image's tag or digest, where it does not follow from the revision.
    pub tag: Option<String>,
    /// What runs now, where that does not follow from the config.
    pub from: Option<String>,
}

/// What the database was migrated by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// As people know it: a version, or a short commit.
    pub label: String,
    /// The whole id.
    pub commit: String,
    /// Its migrations.
    pub migrations: Migrations,
}

/// Everything that the guards want to know of a revision.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As people know it: a version, or a short commit.
    pub label: String,
    /// What the commit holds.
    pub snapshot: Snapshot,
    /// The release that it is.
    pub release: Option<Release>,
    /// The image's repository, from the config.
    pub docker_image: String,
    /// The image's tag or digest that follows.
    pub docker_tag: String,
    /// Whether the tag was given and does not follow from the revision.
    pub tag_given: bool,
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
        let (commit, named) = match &request.wanted {
            Wanted::Rev(rev) => {
                let commit = repository.resolve(rev)?;
                let named = osmt.releases.iter().find(|release| release.tag.name == *rev);
                (commit, named)
            }
            Wanted::Head => (repository.head()?.to_owned(), None),
            Wanted::Latest => {
                let latest = osmt.latest()?;
                (latest.tag.commit.clone(), Some(latest))
            }
        };
        let release =
            named.filter(|release| release.tag.commit == commit).or_else(|| osmt.release_of(&commit));
        let task = &config.ecs.task.app;
        let follows = release.map_or(&commit, |release| &release.version);
        let changes = match request.wanted {
            Wanted::Head => Some(repository.changes()?),
            Wanted::Rev(_) | Wanted::Latest => None,
        };
        let pushed = if release.is_some() || repository.is_pushed(&commit)? {
            Known::Known(true)
        } else if repository.remotes()?.is_empty() {
            Known::Unknown("the repository has no remote".into())
        } else {
            Known::Known(false)
        };
        let base = match &request.from {
            Some(from) => Known::Known(repository.resolve(from)?),
            None => osmt.selected(config)?,
        };
        let base = match base {
            Known::Known(base) => Known::Known(Base {
                label: osmt.label(&base),
                migrations: Migrations::read(repository, &base)?,
                commit: base,
            }),
            Known::Unknown(reason) => Known::Unknown(reason),
        };
        Ok(Self {
            label: release.map_or_else(|| short(&commit).to_owned(), |one| one.version.clone()),
            docker_image: task.docker_image.clone(),
            docker_tag: request.tag.clone().unwrap_or_else(|| follows.clone()),
            tag_given: request.tag.is_some(),
            release: release.cloned(),
            changes,
            pushed,
            base,
            record: osmt.records(config)?.into_iter().next(),
            platform: Platform::of_task(&config.ecs.task.app.cpu_architecture),
            image: Known::Unknown("the registry was not asked".into()),
            snapshot: osmt.snapshot(&commit)?,
        })
    }
}

/// The one edit of a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The config.
    pub file: PathBuf,
    /// The image's tag now.
    pub from: String,
    /// The image's tag to be.
    pub to: String,
    /// The whole file to be.
    pub text: String,
}

impl Action for Edit {
    fn line(&self) -> Line {
        Line::new(Verb::Update, format!("config {}", self.file.display())).setting(
            "ecs.task.app.docker_tag",
            Some(self.from.clone()),
            Some(self.to.clone()),
        )
    }
}

/// What selecting an image's tag changes in the config; nothing where it is selected already.
pub fn plan(file: &Path, document: &Document, config: &Config, docker_tag: &str) -> Plan<Edit> {
    let from = &config.ecs.task.app.docker_tag;
    let edited = document.with(POINTER, &Value::String(docker_tag.to_owned()));
    edited
        .filter(|_| from != docker_tag)
        .map(|text| Edit { file: file.to_owned(), from: from.clone(), to: docker_tag.to_owned(), text })
        .into_iter()
        .collect()
}
