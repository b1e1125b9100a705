//! Where Terraform stores the state, and how it locks it. Pure.

use serde::{Deserialize, Serialize};

use super::Deployment;

/// The S3 backend of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateBackend {
    /// The state bucket.
    pub bucket: String,
    /// The state's key in the bucket.
    pub key: String,
    /// How the state is locked.
    pub lock: Lock,
}

/// How Terraform locks the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// No lock: two runs at the same time can damage the state.
    #[default]
    Off,
    /// With an item in this DynamoDB table (`dynamodb_table`).
    Table(String),
    /// With an object next to the state (`use_lockfile`).
    File,
    /// With both, for the migration from one to the other.
    TableAndFile(String),
}

impl Lock {
    /// The lock that the two arguments of the backend block configure.
    pub fn new(table: Option<String>, file: bool) -> Self {
        match (table, file) {
            (None, false) => Self::Off,
            (None, true) => Self::File,
            (Some(table), false) => Self::Table(table),
            (Some(table), true) => Self::TableAndFile(table),
        }
    }

    /// The lock table, if one is used.
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::Table(table) | Self::TableAndFile(table) => Some(table),
            Self::Off | Self::File => None,
        }
    }

    /// Whether a lock file is used.
    pub fn has_file(&self) -> bool {
        matches!(self, Self::File | Self::TableAndFile(_))
    }
}

impl StateBackend {
    /// The backend with the default names.
    pub fn standard(deployment: &Deployment) -> Self {
        Self {
            bucket: deployment.state_bucket(),
            key: deployment.state_key(),
            lock: Lock::Table(deployment.prefix()),
        }
    }

    /// The key under which Terraform's S3 backend keeps its lock in the table.
    pub fn lock_id(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }

    /// The backend that a deployment gets from now on: what the user asks for, else what was chosen before. A standard name of
    /// an earlier deployment was not chosen; the new one's takes its place.
    #[must_use]
    pub fn renamed(self, earlier: &[Deployment], now: &Deployment, asked: Asked) -> Self {
        let (standard, new): (Vec<_>, _) =
            (earlier.iter().map(Self::standard).collect(), Self::standard(now));
        let keep = |chosen: String, of: fn(&Self) -> &String| {
            if standard.iter().any(|old| *of(old) == chosen) { of(&new).clone() } else { chosen }
        };
        let table = |chosen: Option<&str>| {
            let chosen = chosen.filter(|chosen| standard.iter().all(|old| old.lock.table() != Some(chosen)));
            chosen.map_or_else(|| now.prefix(), str::to_owned)
        };
        let lock = match asked.lock {
            Some(AskedLock::File) => Lock::File,
            Some(AskedLock::Table(Some(named))) => Lock::Table(named),
            // Both at once is how one moves from one to the other; it stays until a flag chooses.
            None if self.lock.has_file() => {
                Lock::new(self.lock.table().map(|chosen| table(Some(chosen))), true)
            }
            Some(AskedLock::Table(None)) | None => Lock::Table(table(self.lock.table())),
        };
        Self {
            bucket: asked.bucket.unwrap_or_else(|| keep(self.bucket, |backend| &backend.bucket)),
            key: keep(self.key, |backend| &backend.key),
            lock,
        }
    }

    /// Whether the state stays where it is and its lock goes elsewhere.
    pub fn moves_lock_to(&self, new: &Self) -> bool {
        self.holds_the_state_of(new) && self.lock != new.lock
    }

    /// Whether it is the same state, however it is locked.
    pub fn holds_the_state_of(&self, other: &Self) -> bool {
        self.bucket == other.bucket && self.key == other.key
    }
}

/// Names that the user asks for; `None` leaves them as they are.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `--bucket`
    pub bucket: Option<String>,
    /// `--lock` and `--lock-table`
    pub lock: Option<AskedLock>,
}

/// How the user asks for the state to be locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedLock {
    /// With a lock file.
    File,
    /// With a table, of this name or of the one that is used already, else of the standard one.
    Table(Option<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(env: &str) -> Deployment {
        Deployment { account_id: "123456789012".into(), region: "us-west-2".into(), env: env.into() }
    }

    fn asked(lock: Option<AskedLock>) -> Asked {
        Asked { lock, ..Asked::default() }
    }

    #[test]
    fn standard_names_follow_the_deployment_and_chosen_ones_stay() {
        let (old, new) = (deployment("test"), deployment("prod"));
        let standard = StateBackend::standard(&old);
        assert_eq!(
            standard.clone().renamed(std::slice::from_ref(&old), &new, Asked::default()),
            StateBackend::standard(&new)
        );
        let chosen = StateBackend { bucket: "ours".into(), lock: Lock::Table("locks".into()), ..standard };
        let renamed = chosen.clone().renamed(std::slice::from_ref(&old), &new, Asked::default());
        assert_eq!((renamed.bucket.as_str(), renamed.lock.table()), ("ours", Some("locks")));
        assert_eq!(renamed.key, new.state_key());
        let named = Asked { bucket: Some("given".into()), lock: None };
        assert_eq!(chosen.renamed(&[old], &new, named).bucket, "given");
    }

    #[test]
    fn the_lock_is_the_one_that_is_asked_for() {
        let now = deployment("test");
        let with = |lock: Lock, asked: Asked| {
            let backend = StateBackend { lock, ..StateBackend::standard(&now) };
            backend.renamed(std::slice::from_ref(&now), &now, asked).lock
        };
        let (table, other) = (Lock::Table("osmt-test".into()), Lock::TableAndFile("osmt-test".into()));
        assert_eq!(with(table.clone(), asked(Some(AskedLock::File))), Lock::File);
        assert_eq!(with(Lock::File, asked(Some(AskedLock::Table(None)))), table);
        assert_eq!(with(other.clone(), asked(Some(AskedLock::Table(None)))), table);
        let named = asked(Some(AskedLock::Table(Some("locks".into()))));
        assert_eq!(with(Lock::File, named), Lock::Table("locks".into()));
        for present in [table.clone(), Lock::File, other] {
            assert_eq!(with(present.clone(), asked(None)), present);
        }
        // A backend without a lock gets one.
        assert_eq!(with(Lock::Off, asked(None)), table);
    }
}
