//! The record of a deployment: an annotated git tag `osmt/<env>/<time>` whose message says what was deployed.

use serde::Serialize;

use crate::git;
use crate::plan::{Action, Line, Plan, Verb};

/// One deployment, as in the message of a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// `osmt/<env>/<UTC yyyy-mm-ddThhmmssZ>`
    pub name: String,
    /// The full id of the commit that was deployed.
    pub commit: String,
    /// Its version in `pom.xml`, if known.
    pub version: Option<String>,
    /// The image with its tag or digest.
    pub image: String,
    /// The digest of the tasks, `sha256:…`; `None` if it was not known.
    pub digest: Option<String>,
    /// The AWS account id.
    pub account: String,
    /// The AWS Region.
    pub region: String,
    /// Whether the database was restored from a snapshot that this commit's app had migrated: earlier records do not count.
    pub restored: bool,
    /// The database snapshot that was taken before its migrations, if there is one.
    pub snapshot: Option<String>,
}

const UNKNOWN: &str = "unknown";
const RESTORED: &str = "restored";

impl Record {
    /// The name of a record: `time` is UTC, `yyyy-mm-ddThhmmssZ`.
    pub fn name(env: &str, time: &str) -> String {
        format!("osmt/{env}/{time}")
    }

    /// Reads a tag of the checkout of OSMT, where a record tags the commit that it names; `None` if it is not a record.
    pub fn read(tag: &git::Tag) -> Option<Self> {
        Self::read_elsewhere(tag).filter(|record| record.commit == tag.commit)
    }

    /// Reads a tag of a repository that does not have OSMT's commits; `None` if it is not a record.
    pub fn read_elsewhere(tag: &git::Tag) -> Option<Self> {
        let field = |name: &str| {
            tag.message
                .lines()
                .take_while(|line| !line.starts_with("-----BEGIN"))
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .map(|value| value.trim().to_owned())
        };
        let known = |name: &str| field(name).filter(|value| value != UNKNOWN);
        let record = Self {
            name: tag.name.clone(),
            commit: field("commit")?,
            version: known("version"),
            image: field("image")?,
            digest: known("digest"),
            account: field("account")?,
            region: field("region")?,
            restored: field("database").as_deref() == Some(RESTORED),
            snapshot: field("snapshot"),
        };
        tag.annotated.then_some(record)
    }

    /// The tag's message.
    pub fn message(&self) -> String {
        let or_unknown = |value: &Option<String>| value.clone().unwrap_or(UNKNOWN.to_owned());
        let restored = if self.restored { format!("database: {RESTORED}\n") } else { String::new() };
        let snapshot = self.snapshot.as_ref().map_or_else(String::new, |name| format!("snapshot: {name}\n"));
        format!(
            "Deploy OSMT {}\n\ncommit: {}\nversion: {}\nimage: {}\ndigest: {}\naccount: {}\nregion: {}\n{restored}{snapshot}",
            self.version.as_deref().unwrap_or(git::short(&self.commit)),
            self.commit,
            or_unknown(&self.version),
            self.image,
            or_unknown(&self.digest),
            self.account,
            self.region,
        )
    }

    /// The image's tag or digest, if the image is of that repository.
    pub fn tag(&self, repository: &str) -> Option<&str> {
        self.image.strip_prefix(repository)?.strip_prefix([':', '@'])
    }

    /// Whether an earlier record has the same information, or more.
    fn is_covered_by(&self, earlier: &Self) -> bool {
        self.commit == earlier.commit
            && self.image == earlier.image
            && self.account == earlier.account
            && self.region == earlier.region
            && (!self.restored || earlier.restored)
            && (self.digest.is_none() || self.digest == earlier.digest)
            && (self.snapshot.is_none() || self.snapshot == earlier.snapshot)
    }
}

/// The record that a rollback selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollbackTarget<'a> {
    /// The deployment before the selected one.
    Record(&'a Record),
    /// The config already selects an earlier deployment than this newest record.
    AlreadyBack(&'a Record),
    /// No other deployment was recorded.
    Nothing,
}

/// The record before the selected image, in records from newest to oldest.
pub fn rollback_target<'a>(records: &'a [Record], selected: &str) -> RollbackTarget<'a> {
    let other = |record: &&Record| record.image != selected;
    match records.split_first() {
        // The selected image was never recorded: the newest record is the last deployment.
        Some((newest, _)) if records.iter().all(|record| record.image != selected) => {
            RollbackTarget::Record(newest)
        }
        Some((newest, _)) if newest.image != selected => RollbackTarget::AlreadyBack(newest),
        Some((_, before)) => {
            before.iter().find(other).map_or(RollbackTarget::Nothing, RollbackTarget::Record)
        }
        None => RollbackTarget::Nothing,
    }
}

/// One step of `osmt-release tag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create the tag.
    Create(Record),
    /// Push a tag to a remote.
    Push {
        /// The tag.
        name: String,
        /// The remote.
        remote: String,
    },
}

impl Action for Step {
    fn line(&self) -> Line {
        match self {
            Self::Create(record) => Line::new(Verb::Create, format!("git tag {}", record.name)),
            Self::Push { name, remote } => Line::new(Verb::Create, format!("git tag {name} on {remote}")),
        }
    }
}

/// The record to push: the newest one if it has the same information, otherwise the new one.
pub fn current<'a>(record: &'a Record, newest: Option<&'a Record>) -> &'a Record {
    newest.filter(|newest| record.is_covered_by(newest)).unwrap_or(record)
}

/// The steps that create the record, and push it to a remote that does not have it.
pub fn plan(record: &Record, newest: Option<&Record>, lacking: Option<&str>) -> Plan<Step> {
    let current = current(record, newest);
    let create = (current == record && newest != Some(record)).then(|| Step::Create(record.clone()));
    let push = lacking.map(|remote| Step::Push { name: current.name.clone(), remote: remote.to_owned() });
    create.into_iter().chain(push).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(time: &str, digest: Option<&str>) -> Record {
        Record {
            name: Record::name("test", time),
            commit: "c".repeat(40),
            version: Some("3.0.0".into()),
            image: "a/b:3.0.0".into(),
            digest: digest.map(str::to_owned),
            account: "123456789012".into(),
            region: "us-west-2".into(),
            restored: false,
            snapshot: None,
        }
    }

    fn tag(record: &Record, message: String) -> git::Tag {
        git::Tag {
            name: record.name.clone(),
            commit: record.commit.clone(),
            date: String::new(),
            message,
            annotated: true,
        }
    }

    #[test]
    fn a_record_is_read_as_written_also_with_a_signature() {
        for digest in [None, Some("sha256:0")] {
            let snapshot = digest.map(|_| "osmt-test-before-3-0-0-1".to_owned());
            let record =
                Record { restored: digest.is_none(), snapshot, ..record("2026-01-02T030405Z", digest) };
            let signed = record.message() + "-----BEGIN PGP SIGNATURE-----\ncommit: x\n";
            assert_eq!(Record::read(&tag(&record, signed)), Some(record));
        }
    }

    #[test]
    fn a_rollback_selects_the_deployment_before() {
        let of = |image: &str| Record { image: image.to_owned(), ..record("2026-01-02T030405Z", None) };
        let records = [of("b"), of("b"), of("a"), of("0")];
        assert_eq!(rollback_target(&records, "b"), RollbackTarget::Record(&records[2]));
        assert_eq!(rollback_target(&records, "never recorded"), RollbackTarget::Record(&records[0]));
        assert_eq!(rollback_target(&records, "a"), RollbackTarget::AlreadyBack(&records[0]));
        assert_eq!(rollback_target(&records[3..], "0"), RollbackTarget::Nothing);
        assert_eq!(rollback_target(&[], "0"), RollbackTarget::Nothing);
    }

    #[test]
    fn a_tag_of_another_user_is_not_a_record() {
        let record = record("2026-01-02T030405Z", None);
        assert_eq!(Record::read(&tag(&record, "release day!".into())), None);
        let mut moved = tag(&record, record.message());
        moved.commit = "d".repeat(40);
        assert_eq!(Record::read(&moved), None);
    }

    #[test]
    fn the_same_record_is_not_created_again_and_a_new_digest_is() {
        let earlier = record("2026-01-02T030405Z", Some("sha256:0"));
        let now = record("2026-02-02T030405Z", None);
        assert!(plan(&now, Some(&earlier), None).is_empty());
        assert_eq!(plan(&earlier, Some(&now), None).actions.len(), 1);
        assert_eq!(plan(&now, None, Some("origin")).actions.len(), 2);
        let restored = Record { restored: true, ..now.clone() };
        assert_eq!(plan(&restored, Some(&earlier), None).actions.len(), 1);
        let push = plan(&now, Some(&earlier), Some("origin"));
        assert_eq!(push.lines()[0].thing, format!("git tag {} on origin", earlier.name));
        assert_eq!(push.actions.len(), 1);
    }
}
