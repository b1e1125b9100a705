//! A checkout of OSMT: its releases, what of a commit matters, and which commit an image was made from.

use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

use super::companions::Companions;
use super::migrations::Migrations;
use super::record::Record;
use super::{migrations, pom};
use crate::account::Known;
use crate::config::Config;
use crate::explain::{Exit, Explain, shown};
use crate::git;
use crate::git::Repository;

/// Where Maven finds the version.
pub(super) const POM: &str = "pom.xml";

/// A selection that cannot be made.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The repository is another project's.
    #[error("{} is not a checkout of OSMT: commit {commit} has no {missing}", shown(.folder))]
    NotOsmt {
        /// As it was given.
        folder: PathBuf,
        /// The commit looked at.
        commit: String,
        /// What OSMT has and it has not.
        missing: &'static str,
    },
    /// No tag is a version.
    #[error("{} has no release tag", shown(.0))]
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
    order: semver::Version,
}

impl Release {
    fn new(tag: git::Tag) -> Option<Self> {
        let version = tag.name.strip_prefix('v').unwrap_or(&tag.name).to_owned();
        let (numbers, preview) = version.split_once('-').unwrap_or((&version, ""));
        // `1.0` is a version here, and zeros may lead: tags are written by people.
        let parts = numbers.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>()?;
        let (major, minor, patch) = match *parts.as_slice() {
            [major, minor] => (major, minor, 0),
            [major, minor, patch] => (major, minor, patch),
            _ => return None,
        };
        let pre = semver::Prerelease::new(preview).ok().filter(|_| !version.ends_with('-'))?;
        let order = semver::Version { pre, ..semver::Version::new(major, minor, patch) };
        is_docker_tag(&version).then_some(Self { tag, version, order })
    }

    /// Whether it is a trial before the version proper: `3.1.0-rc.1`.
    pub fn is_preview(&self) -> bool {
        !self.order.pre.is_empty()
    }
}

/// The commit that an image's tag or digest is known to be made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A release tag or the commit's id says it.
    Named(String),
    /// A record says it.
    Recorded(String),
    /// Release tags of several commits have this version.
    Ambiguous(Vec<String>),
    /// Nothing in the repository says it.
    Unknown,
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
    /// Where records are kept, where that is not the checkout itself.
    pub ledger: Option<Repository>,
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
    /// What the release is developed with, and what its image holds.
    pub companions: Companions,
}

/// One line of a list of commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The version in `pom.xml`.
    pub version: Option<pom::Version>,
    /// How many versioned migrations it has.
    pub migrations: usize,
}

impl Osmt {
    /// Opens a checkout; another project's repository is refused.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let repository = Repository::open(folder)?;
        let tags = repository.tags("")?;
        let mut releases: Vec<Release> = tags.into_iter().filter_map(Release::new).collect();
        releases.sort_by(|one, other| other.order.cmp(&one.order).then(one.tag.name.cmp(&other.tag.name)));
        // HEAD may be on an old layout, on a branch of documents, or on none: any release shows as well what it is.
        let tagged = releases.iter().map(|release| release.tag.commit.clone());
        let commits: Vec<String> = repository.head.iter().cloned().chain(tagged).collect();
        let Some(first) = commits.first() else {
            repository.head()?;
            return Err(Error::NoRelease(folder.to_owned()));
        };
        for commit in &commits {
            if repository.file(commit, POM)?.is_some()
                && repository.entries(commit, migrations::FOLDER)?.is_some()
            {
                return Ok(Self { repository, ledger: None, releases });
            }
        }
        let missing = if repository.file(first, POM)?.is_none() { POM } else { migrations::FOLDER };
        Err(Error::NotOsmt { folder: folder.to_owned(), commit: git::short(first).to_owned(), missing })
    }

    /// Reads what of a commit matters.
    pub fn snapshot(&self, commit: &str) -> Result<Snapshot, git::Error> {
        let pom = self.repository.file(commit, POM)?;
        Ok(Snapshot {
            commit: commit.to_owned(),
            has_pom: pom.is_some(),
            version: pom.and_then(|pom| pom::version(&String::from_utf8_lossy(&pom))),
            migrations: migrations::read_one(&self.repository, commit)?,
            companions: Companions::read(&self.repository, commit)?,
        })
    }

    /// The migrations of all releases and recorded deployments: whose app may have migrated a database.
    pub fn known_migrations(&self) -> Result<Vec<Migrations>, git::Error> {
        let mut commits: Vec<String> =
            self.releases.iter().map(|release| release.tag.commit.clone()).collect();
        commits.extend(self.records_of("")?.into_iter().map(|record| record.commit));
        commits.sort_unstable();
        commits.dedup();
        // A record may be of a commit that this clone does not have.
        commits.retain(|commit| self.repository.resolve(commit).is_ok());
        migrations::read(&self.repository, &commits)
    }

    /// Reads what a list shows of a commit.
    pub fn summary(&self, commit: &str) -> Result<Summary, git::Error> {
        let pom = self.repository.file(commit, POM)?;
        Ok(Summary {
            version: pom.and_then(|pom| pom::version(&String::from_utf8_lossy(&pom))),
            migrations: migrations::count(&self.repository, commit)?,
        })
    }

    /// The newest release that is not a preview and that a remote has, as far as remotes were fetched; and the newer ones that
    /// were passed over because no remote has them.
    pub fn latest(&self) -> Result<(&Release, Vec<&Release>), Error> {
        let proper = |release: &&Release| !release.is_preview();
        let any = || self.releases.first();
        let newest = self.releases.iter().find(proper).or_else(any);
        let newest = newest.ok_or_else(|| Error::NoRelease(self.repository.folder().to_owned()))?;
        if !self.repository.has_remote_branches()? {
            return Ok((newest, Vec::new()));
        }
        let mut passed = Vec::new();
        for release in self.releases.iter().filter(proper) {
            if self.repository.is_pushed(&release.tag.commit)? {
                return Ok((release, passed));
            }
            passed.push(release);
        }
        Ok((newest, Vec::new()))
    }

    /// The release of a commit, if it is one; of several the newest.
    pub fn release_of(&self, commit: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.tag.commit == commit)
    }

    /// The releases whose image would have this tag and that are other commits.
    pub fn rivals<'a>(&'a self, version: &'a str, commit: &'a str) -> impl Iterator<Item = &'a Release> {
        self.releases.iter().filter(move |other| other.version == version && other.tag.commit != commit)
    }

    /// A commit as people know it: its version, or its first digits.
    pub fn label(&self, commit: &str) -> String {
        self.release_of(commit)
            .map_or_else(|| git::short(commit).to_owned(), |release| release.version.clone())
    }

    /// What was recorded for the config's environment in its account and region, newest first.
    pub fn records(&self, config: &Config) -> Result<Vec<Record>, git::Error> {
        let mut records = self.records_of(&format!("{}/", config.env))?;
        records.retain(|record| record.account == config.account_id && record.region == config.region);
        Ok(records)
    }

    /// What was recorded for an environment (`test/`) in any account, or for all (an empty text), newest first.
    pub fn records_of(&self, env: &str) -> Result<Vec<Record>, git::Error> {
        let prefix = format!("osmt/{env}");
        let mut records: Vec<Record> =
            self.repository.tags(&prefix)?.iter().filter_map(Record::read).collect();
        if let Some(ledger) = &self.ledger {
            records.extend(ledger.tags(&prefix)?.iter().filter_map(Record::read_elsewhere));
        }
        let time = |record: &Record| record.name.rsplit('/').next().unwrap_or_default().to_owned();
        records.sort_by_key(|record| std::cmp::Reverse(time(record)));
        Ok(records)
    }

    /// The repository that a new record is written to, and the commit of it that the tag is on.
    pub fn keeper<'a>(&'a self, commit: &'a str) -> Result<(&'a Repository, &'a str), git::Error> {
        match &self.ledger {
            Some(ledger) => Ok((ledger, ledger.head()?)),
            None => Ok((&self.repository, commit)),
        }
    }

    /// What this repository knows of an image's tag or digest.
    pub fn link(&self, tag: &str, records: &[Record]) -> Link {
        let mut commits: Vec<&Release> =
            self.releases.iter().filter(|release| release.version == tag).collect();
        let names = || commits.iter().map(|release| release.tag.name.clone()).collect();
        if commits.windows(2).any(|pair| pair[0].tag.commit != pair[1].tag.commit) {
            return Link::Ambiguous(names());
        }
        if let Some(release) = commits.pop() {
            return Link::Named(release.tag.commit.clone());
        }
        if is_hex(tag)
            && (7..=64).contains(&tag.len())
            && let Ok(commit) = self.repository.resolve(tag)
        {
            return Link::Named(commit);
        }
        let recorded = records.iter().find(|record| {
            record.digest.as_deref() == Some(tag)
                || record.image.ends_with(&format!(":{tag}"))
                || record.image.ends_with(&format!("@{tag}"))
        });
        recorded.map_or(Link::Unknown, |record| Link::Recorded(record.commit.clone()))
    }

    /// The commit that the config's selection was made from, or why that is not known.
    pub fn selected(&self, config: &Config) -> Result<Known<String>, git::Error> {
        let tag = config.ecs.task.app.docker_tag.as_str();
        Ok(match self.link(tag, &self.records(config)?) {
            Link::Named(commit) | Link::Recorded(commit) => Known::Known(commit),
            Link::Ambiguous(tags) => Known::Unknown(format!(
                "the tags {} are different commits of one version",
                tags.join(" and ")
            )),
            Link::Unknown => {
                Known::Unknown(format!("no release, commit or record in this repository is {tag}"))
            }
        })
    }
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
        let order = |name: &str| Release::new(tag(name)).unwrap().order;
        assert!(order("3.1.0-rc.10") > order("3.1.0-rc.9") && order("3.1.0") > order("v3.1.0-rc.10"));
        assert!(order("2.10.0") > order("2.9.9") && order("1.0") == order("1.0.0"));
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
