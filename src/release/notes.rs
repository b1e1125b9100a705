//! What changes between two commits: the history in one line each, and the migrations with their class.

use serde::Serialize;

use super::Osmt;
use super::migrations;
use super::migrations::{Comparison, Migration};
use crate::git;
use crate::git::Commit;

/// As many commits as anyone reads.
const MOST: usize = 500;

/// What changes between two commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notes {
    /// The earlier commit.
    pub from: String,
    /// The later commit.
    pub to: String,
    /// Commits that `to` has and `from` has not, newest first.
    pub commits: Vec<Commit>,
    /// Commits that `from` has and `to` has not: what going there leaves behind.
    pub left_behind: Vec<Commit>,
    /// Migrations that `to` brings, in Flyway's order; then repeatable ones that are new or changed, then callbacks.
    pub migrations: Vec<Migration>,
    /// Migrations that `from` has applied and that `to` does not have.
    pub undone: Vec<Migration>,
}

impl Notes {
    /// Reads what changes between two commits.
    pub fn observe(osmt: &Osmt, from: &str, to: &str) -> Result<Self, git::Error> {
        let repository = &osmt.repository;
        let (before, after) =
            (migrations::read_one(repository, from)?, migrations::read_one(repository, to)?);
        let comparison = Comparison::new(&before, &after);
        let own = |all: Vec<&Migration>| all.into_iter().cloned().collect();
        Ok(Self {
            from: from.to_owned(),
            to: to.to_owned(),
            commits: repository.log(Some(from), to, MOST)?,
            left_behind: repository.log(Some(to), from, MOST)?,
            migrations: own([comparison.pending(), comparison.callbacks.clone()].concat()),
            undone: own(comparison.undone()),
        })
    }

    /// Whether the history was longer than what is kept.
    pub fn is_cut(&self) -> bool {
        self.commits.len() == MOST || self.left_behind.len() == MOST
    }
}
