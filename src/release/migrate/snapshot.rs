//! A snapshot of the database, before a migration that cannot be undone.

use serde::Serialize;

use crate::aws::{CallError, Session};
use crate::deployment;

/// A snapshot by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The database's identifier.
    pub instance: String,
    /// The snapshot's identifier: `osmt-test-before-3-0-0-20260102t030405z`.
    pub name: String,
}

impl Snapshot {
    /// The snapshot before a release; `time` is UTC, `yyyymmddThhmmssZ`.
    pub fn named(env: &str, before: &str, time: &str) -> Self {
        let prefix = deployment::prefix(env);
        let mut name = String::new();
        for character in format!("{prefix}-before-{before}-{time}").to_lowercase().chars() {
            let character = if character.is_ascii_alphanumeric() { character } else { '-' };
            if !(character == '-' && name.ends_with('-')) {
                name.push(character);
            }
        }
        Self { instance: prefix, name }
    }

    /// An image's tag in the form that the snapshot's name contains: for a digest its first digits.
    pub fn release(docker_tag: &str) -> String {
        docker_tag.trim_start_matches("sha256:").chars().take(16).collect()
    }

    /// The newest available snapshot that was taken before a release.
    pub async fn newest(session: &Session, env: &str, before: &str) -> Result<Option<String>, CallError> {
        let Self { instance, name } = Self::named(env, before, "");
        let answer =
            session.rds("rds:DescribeDBSnapshots", &[("DBInstanceIdentifier", instance.as_str())]).await?;
        let rows = answer.deep_rows("DBSnapshots", ["DBSnapshotIdentifier", "Status"])?;
        let names = rows.into_iter().filter(|[_, status]| status == "available").map(|[name, _]| name);
        // Each name ends with its time.
        Ok(names.filter(|found| found.starts_with(&name)).max())
    }

    /// Starts to create it. The database serves requests meanwhile.
    pub async fn start(&self, session: &Session, env: &str) -> Result<(), CallError> {
        let tags = deployment::tags::created_by("osmt-release", env);
        let tags = (1..).zip(&tags).flat_map(|(number, (key, value))| {
            [(format!("Tags.Tag.{number}.Key"), *key), (format!("Tags.Tag.{number}.Value"), value.as_str())]
        });
        let tags: Vec<(String, &str)> = tags.collect();
        let mut parameters = vec![
            ("DBInstanceIdentifier", self.instance.as_str()),
            ("DBSnapshotIdentifier", self.name.as_str()),
        ];
        parameters.extend(tags.iter().map(|(name, value)| (name.as_str(), *value)));
        session.rds("rds:CreateDBSnapshot", &parameters).await.map(drop)
    }

    /// Its status in RDS: `creating`, `available`, `failed`.
    pub async fn status(&self, session: &Session) -> Result<String, CallError> {
        let answer =
            session.rds("rds:DescribeDBSnapshots", &[("DBSnapshotIdentifier", self.name.as_str())]).await?;
        let rows = answer.deep_rows("DBSnapshots", ["Status"])?;
        Ok(rows.into_iter().next().map(|[status]| status).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rds_accepts_the_name() {
        let snapshot = Snapshot::named("test", "3.0.0", "20260102T030405Z");
        assert_eq!(snapshot.name, "osmt-test-before-3-0-0-20260102t030405z");
        assert_eq!(snapshot.instance, "osmt-test");
        assert_eq!(Snapshot::named("a", "-x--", "1").name, "osmt-a-before-x-1");
        assert_eq!(
            Snapshot::named("test", "3.0.0", "").name,
            "osmt-test-before-3-0-0-",
            "the prefix without a time"
        );
    }
}
