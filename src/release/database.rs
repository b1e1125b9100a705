//! The migrations that were applied to the database: Flyway's history table, which every maintenance task prints into its log.

use jiff::Timestamp;

use super::migrate::log;
use super::migrations::{Migrations, Row};
use super::running;
use crate::account::Known;
use crate::aws::Session;
use crate::deployment;

/// The command that prints the table.
const INFO: &str = "`osmt-release migrate --step info` prints it";

/// Flyway's history table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// When the table was printed.
    pub at: Timestamp,
    /// Its rows.
    pub rows: Vec<Row>,
}

impl Database {
    /// Reads the table from the logs of the maintenance tasks. A table that was printed before this database was created, or before
    /// its last migration, does not count.
    pub async fn read(session: &Session, env: &str) -> Known<Self> {
        let created = match running::database(session, env).await {
            Ok(Some(created)) => created,
            Ok(None) => {
                return Known::Unknown(format!("database {} does not exist", deployment::prefix(env)));
            }
            Err(error) => return Known::Unknown(error.reason()),
        };
        // A database that is being created has no time yet.
        let Ok(created) = created.parse::<Timestamp>() else {
            return Known::Unknown(format!(
                "the database {} is still being created",
                deployment::prefix(env)
            ));
        };
        match log::history(session, &log::group(env), created.as_millisecond()).await {
            Ok(Some(printed)) => match Timestamp::from_millisecond(printed.at) {
                Ok(at) if printed.is_outdated => Known::Unknown(format!(
                    "a migration began after Flyway's history was printed ({}); {INFO}",
                    shown(at)
                )),
                Ok(at) => Known::Known(Self { at, rows: printed.rows }),
                Err(error) => Known::Unknown(error.to_string()),
            },
            Ok(None) => {
                let reason =
                    format!("no log of a maintenance task on this database has Flyway's history; {INFO}");
                Known::Unknown(reason)
            }
            Err(error) => Known::Unknown(error.reason()),
        }
    }

    /// The applied migrations. The content of a file is known if one of `known` has it with the same checksum.
    pub fn migrations(&self, known: &[Migrations]) -> Migrations {
        Migrations::applied(&self.rows, known)
    }

    /// The migrations that failed half-way.
    pub fn failed(&self) -> Vec<String> {
        self.rows.iter().filter(|row| !row.success).map(|row| row.script.clone()).collect()
    }

    /// The label of the source: `Flyway's history of 2026-01-02 03:04 UTC`.
    pub fn label(&self) -> String {
        format!("Flyway's history of {}", shown(self.at))
    }
}

fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
