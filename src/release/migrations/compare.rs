//! What Flyway would find when a commit's app starts on a database that other commits' apps migrated.

use super::{Migration, Migrations};

/// The two sides compared, file by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// Same version, other content: before and after.
    pub changed: Vec<(&'a Migration, &'a Migration)>,
    /// Same version, other description: before and after.
    pub renamed: Vec<(&'a Migration, &'a Migration)>,
    /// Applied, and gone from below the candidate's newest, or repeatable and gone: Flyway refuses.
    pub missing: Vec<&'a Migration>,
    /// Applied, and newer than all the candidate has: Flyway ignores it, the database is ahead.
    pub ahead: Vec<&'a Migration>,
    /// To be applied, and older than what is applied: Flyway refuses.
    pub out_of_order: Vec<&'a Migration>,
    /// To be applied, in order.
    pub added: Vec<&'a Migration>,
    /// Repeatable migrations that are new or changed: they run after the versioned ones.
    pub repeated: Vec<&'a Migration>,
    /// Callbacks that are new or changed: they run at every start.
    pub callbacks: Vec<&'a Migration>,
}

impl<'a> Comparison<'a> {
    /// Compares what is applied with what the candidate brings.
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

    /// What the candidate would apply, in Flyway's order.
    pub fn pending(&self) -> Vec<&'a Migration> {
        let mut pending = [self.out_of_order.as_slice(), self.added.as_slice()].concat();
        pending.sort_by(|a, b| a.version.cmp(&b.version));
        pending.extend(&self.repeated);
        pending
    }

    /// What was applied and the candidate does not know, in Flyway's order.
    pub fn undone(&self) -> Vec<&'a Migration> {
        let mut undone = [self.missing.as_slice(), self.ahead.as_slice()].concat();
        undone.sort_by(|a, b| a.version.cmp(&b.version));
        undone
    }

    /// The files that Flyway would refuse or that are ahead, by what is wrong with each.
    pub fn obstacles(&self) -> Vec<(&'static str, &'a str)> {
        let of = |what: &'static str, list: &[&'a Migration]| -> Vec<(&'static str, &'a str)> {
            list.iter().map(|one| (what, one.file.as_str())).collect()
        };
        let pairs = |list: &[(&'a Migration, &'a Migration)]| {
            list.iter().map(|(_, after)| *after).collect::<Vec<_>>()
        };
        [
            of("changed", &pairs(&self.changed)),
            of("renamed", &pairs(&self.renamed)),
            of("missing", &self.missing),
            of("ahead", &self.ahead),
            of("out of order", &self.out_of_order),
        ]
        .concat()
    }
}
