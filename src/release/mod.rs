//! Selects the commit of OSMT to deploy, records it, and tells what runs.
//!
//! [`Osmt`] is a checkout as this slice sees it; [`Candidate`] is everything that the guards want to know of a
//! revision before it is selected; [`plan`] is the one edit of the config. Nothing here builds or pushes an image.

pub mod guards;
pub mod migrations;
pub mod notes;
pub mod pom;
pub mod record;
pub mod running;
pub mod sql;
pub mod status;

use std::cmp::Reverse;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use thiserror::Error as ThisError;

use crate::account::Known;
use crate::config::Config;
use crate::document::Document;
use crate::explain::Exit;
use crate::explain::Explain;
use crate::git;
use crate::git::Changes;
use crate::git::Repository;
use crate::plan::Action;
use crate::plan::Line;
use crate::plan::Plan;
use crate::plan::Verb;
use migrations::Migrations;
use record::Record;

/// The setting that a selection writes.
pub const POINTER: &str = "/config/ecs/task/app/docker_tag";
/// The image that OSMT's maintainers publish, one tag a released version.
const PUBLIC_IMAGE: &str = "wguopensource/osmt-app";
const POM: &str = "pom.xml";

/// A selection that cannot be made.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The repository is another project's.
    #[error("{} is no checkout of OSMT: commit {commit} has no {missing}", .folder.display())]
    NotOsmt {
        /// As it was given.
        folder: PathBuf,
        /// The commit looked at.
        commit: String,
        /// What OSMT has and it has not.
        missing: &'static str,
    },
    /// No tag is a version.
    #[error("{} has no release tag", .0.display())]
    NoRelease(PathBuf),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] git::Error),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NotOsmt { .. } | Self::NoRelease(_) => Exit::Usage,
            Self::Git(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NotOsmt { .. } => Some(
                "give `--repo DIR`, a checkout of OSMT (git clone https://github.com/wgu-opensource/osmt)"
                    .into(),
            ),
            Self::NoRelease(_) => Some("`git fetch --tags` in that repository brings them".into()),
            Self::Git(error) => error.help(),
        }
    }
}

/// A tag that is a version: `3.0.0`, `v3.0.0`, `3.1.0-rc.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The git tag.
    pub tag: git::Tag,
    /// Without a leading `v`: the image's tag.
    pub version: String,
    numbers: Vec<u64>,
    suffix: String,
}

impl Release {
    fn new(tag: git::Tag) -> Option<Self> {
        let version = tag.name.strip_prefix('v').unwrap_or(&tag.name).to_owned();
        let (numbers, suffix) = version.split_once('-').unwrap_or((&version, ""));
        let parts = numbers.split('.').map(|part| part.parse().ok());
        let numbers = parts.collect::<Option<Vec<u64>>>()?;
        let suffix = suffix.to_owned();
        (numbers.len() > 1 && is_docker_tag(&version)).then_some(Self {
            tag,
            version,
            numbers,
            suffix,
        })
    }

    /// Whether it is a trial before the version proper: `3.1.0-rc.1`.
    pub fn is_preview(&self) -> bool {
        !self.suffix.is_empty()
    }
}

/// Whether a registry would take it as a tag.
pub fn is_docker_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

/// Whether it is a digest: `sha256:` and 64 hexadecimal digits.
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && is_hex(hex))
}

/// An image reference: a digest is joined by `@`, a tag by `:`.
pub fn image(repository: &str, tag: &str) -> String {
    let sign = if tag.starts_with("sha256:") { '@' } else { ':' };
    format!("{repository}{sign}{tag}")
}

fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A checkout of OSMT.
#[derive(Clone, Debug)]
pub struct Osmt {
    /// The repository.
    pub repository: Repository,
    /// The tags that are versions, newest first.
    pub releases: Vec<Release>,
}

/// What of a commit matters to a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The whole id.
    pub commit: String,
    /// Whether there is a `pom.xml`.
    pub has_pom: bool,
    /// The version in it.
    pub version: Option<pom::Version>,
    /// The migrations.
    pub migrations: Migrations,
}

impl Osmt {
    /// Opens a checkout; another project's repository is refused.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let repository = Repository::open(folder)?;
        let tags = repository.tags("")?;
        let mut releases: Vec<Release> = tags.into_iter().filter_map(Release::new).collect();
        releases.sort_by_key(|release| {
            let newest = (
                release.numbers.clone(),
                !release.is_preview(),
                release.suffix.clone(),
            );
            Reverse(newest)
        });
        let osmt = Self {
            repository,
            releases,
        };
        // A bare repository's HEAD may name a branch that it does not have: any release tells as well.
        let commit = match (&osmt.repository.head, osmt.releases.first()) {
            (Some(head), _) => head.clone(),
            (None, Some(release)) => release.tag.commit.clone(),
            (None, None) => osmt.repository.head()?.to_owned(),
        };
        let snapshot = osmt.snapshot(&commit)?;
        let missing = if !snapshot.has_pom {
            POM
        } else if snapshot.migrations.is_empty() {
            migrations::FOLDER
        } else {
            return Ok(osmt);
        };
        Err(Error::NotOsmt {
            folder: folder.to_owned(),
            commit: short(&commit).to_owned(),
            missing,
        })
    }

    /// Reads what of a commit matters.
    pub fn snapshot(&self, commit: &str) -> Result<Snapshot, git::Error> {
        let pom = self.repository.contents(&[format!("{commit}:{POM}")])?;
        let pom = pom.into_iter().next().flatten();
        Ok(Snapshot {
            commit: commit.to_owned(),
            has_pom: pom.is_some(),
            version: pom.and_then(|pom| pom::version(&String::from_utf8_lossy(&pom))),
            migrations: Migrations::read(&self.repository, commit)?,
        })
    }

    /// The newest release that is no preview.
    pub fn latest(&self) -> Result<&Release, Error> {
        let proper = |release: &&Release| !release.is_preview();
        self.releases
            .iter()
            .find(proper)
            .or(self.releases.first())
            .ok_or_else(|| Error::NoRelease(self.repository.folder().to_owned()))
    }

    /// The release of a commit, if it is one; of several the newest.
    pub fn release_of(&self, commit: &str) -> Option<&Release> {
        self.releases
            .iter()
            .find(|release| release.tag.commit == commit)
    }

    /// What was recorded for an environment, newest first.
    pub fn records(&self, env: &str) -> Result<Vec<Record>, git::Error> {
        let tags = self.repository.tags(&format!("osmt/{env}/"))?;
        let mut records: Vec<Record> = tags.iter().filter_map(Record::read).collect();
        records.sort_by(|a, b| b.name.cmp(&a.name));
        Ok(records)
    }

    /// The commit that an image's tag or digest was made from, or why that cannot be told.
    pub fn trace(&self, env: &str, tag: &str) -> Result<Known<String>, git::Error> {
        if let Some(release) = self.releases.iter().find(|release| release.version == tag) {
            return Ok(Known::Known(release.tag.commit.clone()));
        }
        if is_hex(tag) && (7..=64).contains(&tag.len()) {
            if let Ok(commit) = self.repository.resolve(tag) {
                return Ok(Known::Known(commit));
            }
        }
        let records = self.records(env)?;
        let recorded = records.iter().find(|record| {
            record.digest.as_deref() == Some(tag)
                || record.image.ends_with(&format!(":{tag}"))
                || record.image.ends_with(&format!("@{tag}"))
        });
        Ok(recorded.map_or_else(
            || {
                Known::Unknown(format!(
                    "no release, commit or record in this repository is {tag}"
                ))
            },
            |record| Known::Known(record.commit.clone()),
        ))
    }
}

/// The first twelve digits of a commit's id: enough for people.
pub fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

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
}

impl Candidate {
    /// Reads everything about a revision; writes nothing.
    pub fn observe(osmt: &Osmt, config: &Config, request: &Request) -> Result<Self, Error> {
        let repository = &osmt.repository;
        let (commit, named) = match &request.wanted {
            Wanted::Rev(rev) => {
                let commit = repository.resolve(rev)?;
                let named = osmt
                    .releases
                    .iter()
                    .find(|release| release.tag.name == *rev);
                (commit, named)
            }
            Wanted::Head => (repository.head()?.to_owned(), None),
            Wanted::Latest => {
                let latest = osmt.latest()?;
                (latest.tag.commit.clone(), Some(latest))
            }
        };
        let release = named
            .filter(|release| release.tag.commit == commit)
            .or_else(|| osmt.release_of(&commit));
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
            None => osmt.trace(&config.env, &task.docker_tag)?,
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
            record: osmt.records(&config.env)?.into_iter().next(),
            snapshot: osmt.snapshot(&commit)?,
        })
    }
}

impl Osmt {
    /// A commit as people know it: its version, or its first digits.
    pub fn label(&self, commit: &str) -> String {
        self.release_of(commit).map_or_else(
            || short(commit).to_owned(),
            |release| release.version.clone(),
        )
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
        .map(|text| Edit {
            file: file.to_owned(),
            from: from.clone(),
            to: docker_tag.to_owned(),
            text,
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str) -> git::Tag {
        git::Tag {
            name: name.to_owned(),
            commit: String::new(),
            date: String::new(),
            message: String::new(),
            annotated: true,
        }
    }

    #[test]
    fn a_release_tag_is_a_version() {
        for good in ["3.0.0", "v2.5.1", "1.0", "3.1.0-rc.1"] {
            assert!(Release::new(tag(good)).is_some(), "{good}");
        }
        for bad in [
            "",
            "3",
            "v",
            "release-3.0.0",
            "3.0.x",
            "3.0.0-ü",
            "osmt/test/2026",
            "3.0.0+1",
        ] {
            assert!(Release::new(tag(bad)).is_none(), "{bad}");
        }
        assert_eq!(Release::new(tag("v2.5.1")).unwrap().version, "2.5.1");
    }

    #[test]
    fn image_references_join_tags_and_digests() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        assert!(is_digest(&digest) && !is_digest("sha256:0A") && !is_digest("3.0.0"));
        assert_eq!(image("a/b", "3.0.0"), "a/b:3.0.0");
        assert_eq!(image("a/b", &digest), format!("a/b@{digest}"));
        for bad in ["", ".1", "-1", "a b", "a/b", &"a".repeat(129)] {
            assert!(!is_docker_tag(bad), "{bad}");
        }
    }
}
