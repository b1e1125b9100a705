//! A checkout of OSMT: its releases, the content of a commit, and the commit that an image was built from.

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

/// The file with OSMT's version.
pub(super) const POM: &str = "pom.xml";

/// The checkout cannot be used.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The repository belongs to another project.
    #[error("{} is not a checkout of OSMT: commit {commit} has no {missing}", shown(.folder))]
    NotOsmt {
        /// The folder, as given.
        folder: PathBuf,
        /// The commit that was examined.
        commit: String,
        /// The file or folder that every OSMT commit has.
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
            Self::NoRelease(_) => Some("run `git fetch --tags` in that repository".into()),
            Self::Git(error) => error.help(),
        }
    }
}

/// A tag that is a version: `3.0.0`, `v3.0.0`, `3.1.0-rc.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The git tag.
    pub tag: git::Tag,
    /// The tag without a leading `v`, which is also the image's tag.
    pub version: String,
    order: semver::Version,
}

impl Release {
    fn new(tag: git::Tag) -> Option<Self> {
        let version = tag.name.strip_prefix('v').unwrap_or(&tag.name).to_owned();
        let (numbers, preview) = version.split_once('-').unwrap_or((&version, ""));
        // Unlike semver, accept `1.0` and leading zeros: people write these tags by hand.
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

    /// Whether it is a pre-release: `3.1.0-rc.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.order.pre.is_empty()
    }
}

/// The commit that an image was built from, as far as its tag or digest shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The commit of the release tag, or the commit with this id.
    Named(String),
    /// The commit in a record.
    Recorded(String),
    /// Release tags of several commits have this version.
    Ambiguous(Vec<String>),
    /// Nothing in the repository shows it.
    Unknown,
}

/// Whether a registry accepts it as a tag.
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

/// An image reference: `repository:tag` or `repository@digest`.
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
    /// The repository with the records, if it is not the checkout itself.
    pub records_repository: Option<Repository>,
    /// The tags that are versions, newest first.
    pub releases: Vec<Release>,
}

/// The content of a commit that matters to a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The full commit id.
    pub commit: String,
    /// Whether it has a `pom.xml`.
    pub has_pom: bool,
    /// The version in it.
    pub version: Option<pom::Version>,
    /// The migrations.
    pub migrations: Migrations,
    /// The Elasticsearch version that it is developed with, and whether its image contains the job code lists.
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
    /// Opens a checkout; a repository of another project is an error.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let repository = Repository::open(folder)?;
        let tags = repository.tags("")?;
        let mut releases: Vec<Release> = tags.into_iter().filter_map(Release::new).collect();
        releases.sort_by(|one, other| other.order.cmp(&one.order).then(one.tag.name.cmp(&other.tag.name)));
        // HEAD may be a commit with an old layout, a branch of documents, or missing; then any release tag will do.
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
                return Ok(Self { repository, records_repository: None, releases });
            }
        }
        let missing = if repository.file(first, POM)?.is_none() { POM } else { migrations::FOLDER };
        Err(Error::NotOsmt { folder: folder.to_owned(), commit: git::short(first).to_owned(), missing })
    }

    /// Reads a commit.
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

    /// The migrations of all releases and recorded deployments: any of them may have migrated a database.
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

    /// Reads the values that `list` shows of a commit.
    pub fn summary(&self, commit: &str) -> Result<Summary, git::Error> {
        let pom = self.repository.file(commit, POM)?;
        Ok(Summary {
            version: pom.and_then(|pom| pom::version(&String::from_utf8_lossy(&pom))),
            migrations: migrations::count(&self.repository, commit)?,
        })
    }

    /// The newest release that is not a pre-release and that a remote has, as far as remotes were fetched; and the newer ones that
    /// were skipped because no remote has them.
    pub fn latest(&self) -> Result<(&Release, Vec<&Release>), Error> {
        let is_final = |release: &&Release| !release.is_prerelease();
        let any = || self.releases.first();
        let newest = self.releases.iter().find(is_final).or_else(any);
        let newest = newest.ok_or_else(|| Error::NoRelease(self.repository.folder().to_owned()))?;
        if !self.repository.has_remote_branches()? {
            return Ok((newest, Vec::new()));
        }
        let mut skipped = Vec::new();
        for release in self.releases.iter().filter(is_final) {
            if self.repository.is_pushed(&release.tag.commit)? {
                return Ok((release, skipped));
            }
            skipped.push(release);
        }
        Ok((newest, Vec::new()))
    }

    /// The newest release of a commit, if it has a release tag.
    pub fn release_of(&self, commit: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.tag.commit == commit)
    }

    /// The releases of other commits that have this version.
    pub fn duplicates<'a>(&'a self, version: &'a str, commit: &'a str) -> impl Iterator<Item = &'a Release> {
        self.releases.iter().filter(move |other| other.version == version && other.tag.commit != commit)
    }

    /// The name of a commit in messages: its version, or its short id.
    pub fn label(&self, commit: &str) -> String {
        self.release_of(commit)
            .map_or_else(|| git::short(commit).to_owned(), |release| release.version.clone())
    }

    /// The records of the config's environment in its account and region, newest first.
    pub fn records(&self, config: &Config) -> Result<Vec<Record>, git::Error> {
        let mut records = self.records_of(&format!("{}/", config.env))?;
        records.retain(|record| record.account == config.account_id && record.region == config.region);
        Ok(records)
    }

    /// The records of an environment (`test/`), or of all environments (an empty text), in any account, newest first.
    pub fn records_of(&self, env: &str) -> Result<Vec<Record>, git::Error> {
        let prefix = format!("osmt/{env}");
        let mut records: Vec<Record> =
            self.repository.tags(&prefix)?.iter().filter_map(Record::read).collect();
        if let Some(repository) = &self.records_repository {
            records.extend(repository.tags(&prefix)?.iter().filter_map(Record::read_elsewhere));
        }
        let time = |record: &Record| record.name.rsplit('/').next().unwrap_or_default().to_owned();
        records.sort_by_key(|record| std::cmp::Reverse(time(record)));
        Ok(records)
    }

    /// The repository in which a record of a commit is created, and the commit that gets the tag.
    pub fn record_target<'a>(&'a self, commit: &'a str) -> Result<(&'a Repository, &'a str), git::Error> {
        match &self.records_repository {
            Some(repository) => Ok((repository, repository.head()?)),
            None => Ok((&self.repository, commit)),
        }
    }

    /// The commit of an image, by its tag or digest.
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

    /// The commit of the image that the config selects, or why it is not known.
    pub fn selected(&self, config: &Config) -> Result<Known<String>, git::Error> {
        let tag = config.ecs.task.app.docker_tag.as_str();
        Ok(match self.link(tag, &self.records(config)?) {
            Link::Named(commit) | Link::Recorded(commit) => Known::Known(commit),
            Link::Ambiguous(tags) => Known::Unknown(format!(
                "the tags {} are different commits of one version",
                tags.join(" and ")
            )),
            Link::Unknown => Known::Unknown(format!(
                "the repository has no release tag, commit or record for image tag {tag}"
            )),
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
