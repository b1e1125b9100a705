//! A checkout of OSMT: its releases, what of a commit matters, and which commit an image was made from.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

use super::migrations::Migrations;
use super::record::Record;
use super::{migrations, pom};
use crate::account::Known;
use crate::config::Config;
use crate::explain::{Exit, Explain};
use crate::git;
use crate::git::Repository;

/// Where Maven finds the version.
pub(super) const POM: &str = "pom.xml";

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
            Self::NotOsmt { .. } | Self::Git(git::Error::NotARepository(..)) => Some(
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
        (numbers.len() > 1 && is_docker_tag(&version)).then_some(Self { tag, version, numbers, suffix })
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
        && text.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

/// Whether it is a digest: `sha256:` and 64 hexadecimal digits.
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && is_hex(hex))
}

/// An image reference: a digest is joined by `@`, a tag by `:`.
pub fn image(repository: &str, tag: &str) -> String {
    let sign = if tag.starts_with("sha256:") { '@' } else { ':' };
    format!("{repository}{sign}{tag}")
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
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
            let newest = (release.numbers.clone(), !release.is_preview(), release.suffix.clone());
            Reverse(newest)
        });
        let osmt = Self { repository, releases };
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
        Err(Error::NotOsmt { folder: folder.to_owned(), commit: short(&commit).to_owned(), missing })
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
        self.releases.iter().find(|release| release.tag.commit == commit)
    }

    /// A commit as people know it: its version, or its first digits.
    pub fn label(&self, commit: &str) -> String {
        self.release_of(commit).map_or_else(|| short(commit).to_owned(), |release| release.version.clone())
    }

    /// What was recorded for the config's environment in its account and region, newest first.
    pub fn records(&self, config: &Config) -> Result<Vec<Record>, git::Error> {
        let tags = self.repository.tags(&format!("osmt/{}/", config.env))?;
        let mut records: Vec<Record> = tags
            .iter()
            .filter_map(Record::read)
            .filter(|record| record.account == config.account_id && record.region == config.region)
            .collect();
        records.sort_by(|a, b| b.name.cmp(&a.name));
        Ok(records)
    }

    /// The commit that the config's selection was made from, or why that cannot be told.
    pub fn selected(&self, config: &Config) -> Result<Known<String>, git::Error> {
        let tag = config.ecs.task.app.docker_tag.as_str();
        if let Some(release) = self.releases.iter().find(|release| release.version == tag) {
            return Ok(Known::Known(release.tag.commit.clone()));
        }
        if is_hex(tag)
            && (7..=64).contains(&tag.len())
            && let Ok(commit) = self.repository.resolve(tag)
        {
            return Ok(Known::Known(commit));
        }
        let records = self.records(config)?;
        let recorded = records.iter().find(|record| {
            record.digest.as_deref() == Some(tag)
                || record.image.ends_with(&format!(":{tag}"))
                || record.image.ends_with(&format!("@{tag}"))
        });
        Ok(recorded.map_or_else(
            || Known::Unknown(format!("no release, commit or record in this repository is {tag}")),
            |record| Known::Known(record.commit.clone()),
        ))
    }
}

/// The first twelve digits of a commit's id: enough for people.
pub fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
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
        for bad in ["", "3", "v", "release-3.0.0", "3.0.x", "3.0.0-ü", "osmt/test/2026", "3.0.0+1"] {
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
