//! Compares the applied migrations with those of a commit, as Flyway would when the commit's app starts.

use std::fmt;

use super::{Migration, Migrations};

/// What Flyway would refuse, or what the database has in addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The content of an applied migration differs.
    Changed,
    /// The description of an applied migration differs.
    Renamed,
    /// An applied migration is missing.
    Missing,
    /// The database has a newer migration than the commit. Flyway ignores it.
    Ahead,
    /// A new migration is older than an applied one.
    OutOfOrder,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "changed",
            Self::Renamed => "renamed",
            Self::Missing => "missing",
            Self::Ahead => "ahead",
            Self::OutOfOrder => "out of order",
        })
    }
}

/// The result of a comparison, file by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// Same version, other content: before and after.
    pub changed: Vec<(&'a Migration, &'a Migration)>,
    /// Same version, other description: before and after.
    pub renamed: Vec<(&'a Migration, &'a Migration)>,
    /// Applied, but missing in the candidate although it has newer ones, or repeatable and missing: Flyway refuses.
    pub missing: Vec<&'a Migration>,
    /// Applied, and newer than all of the candidate: Flyway ignores it, the database is ahead.
    pub ahead: Vec<&'a Migration>,
    /// To be applied, but older than an applied one: Flyway refuses.
    pub out_of_order: Vec<&'a Migration>,
    /// To be applied, in order.
    pub added: Vec<&'a Migration>,
    /// Repeatable migrations that are new or changed: they run after the versioned ones.
    pub repeated: Vec<&'a Migration>,
    /// Callbacks that are new or changed: they run at every start.
    pub callbacks: Vec<&'a Migration>,
}

impl<'a> Comparison<'a> {
    /// Compares the applied migrations with the candidate's.
    pub fn new(applied: &'a Migrations, candidate: &'a Migrations) -> Self {
        let mut found = Self::default();
        found.versioned(applied, candidate);
        found.repeatable(applied, candidate);
        let same =
            |one: &Migration, other: &Migration| one.file == other.file && one.checksum == other.checksum;
        let known = |one: &&Migration| !applied.callbacks.iter().any(|other| same(one, other));
        found.callbacks = candidate.callbacks.iter().filter(known).collect();
        found
    }

    fn versioned(&mut self, applied: &'a Migrations, candidate: &'a Migrations) {
        let find = |all: &'a Migrations, one: &Migration| {
            all.versioned.iter().find(|migration| migration.version == one.version)
        };
        for before in &applied.versioned {
            match find(candidate, before) {
                Some(after) => {
                    if before.checksum != after.checksum {
                        self.changed.push((before, after));
                    }
                    if before.description != after.description {
                        self.renamed.push((before, after));
                    }
                }
                None if candidate.newest() > before.version.as_ref() => self.missing.push(before),
                None => self.ahead.push(before),
            }
        }
        for after in &candidate.versioned {
            if find(applied, after).is_none() {
                if applied.newest() > after.version.as_ref() {
                    self.out_of_order.push(after);
                } else {
                    self.added.push(after);
                }
            }
        }
    }

    fn repeatable(&mut self, applied: &'a Migrations, candidate: &'a Migrations) {
        let find = |all: &'a Migrations, one: &Migration| {
            all.repeatable.iter().find(|migration| migration.description == one.description)
        };
        self.missing.extend(applied.repeatable.iter().filter(|before| find(candidate, before).is_none()));
        let runs =
            |after: &&Migration| find(applied, after).is_none_or(|before| before.checksum != after.checksum);
        self.repeated = candidate.repeatable.iter().filter(runs).collect();
    }

    /// The migrations that the candidate would apply, in Flyway's order.
    pub fn pending(&self) -> Vec<&'a Migration> {
        let mut pending = [self.out_of_order.as_slice(), self.added.as_slice()].concat();
        pending.sort_by(|a, b| a.version.cmp(&b.version));
        pending.extend(&self.repeated);
        pending
    }

    /// The applied migrations that the candidate does not have, in Flyway's order.
    pub fn undone(&self) -> Vec<&'a Migration> {
        let mut undone = [self.missing.as_slice(), self.ahead.as_slice()].concat();
        undone.sort_by(|a, b| a.version.cmp(&b.version));
        undone
    }

    /// Each obstacle with its file.
    pub fn obstacles(&self) -> Vec<(Obstacle, &'a str)> {
        let of = |what: Obstacle, list: &[&'a Migration]| -> Vec<(Obstacle, &'a str)> {
            list.iter().map(|one| (what, one.file.as_str())).collect()
        };
        let pairs = |list: &[(&'a Migration, &'a Migration)]| {
            list.iter().map(|(_, after)| *after).collect::<Vec<_>>()
        };
        [
            of(Obstacle::Changed, &pairs(&self.changed)),
            of(Obstacle::Renamed, &pairs(&self.renamed)),
            of(Obstacle::Missing, &self.missing),
            of(Obstacle::Ahead, &self.ahead),
            of(Obstacle::OutOfOrder, &self.out_of_order),
        ]
        .concat()
    }
}
