//! Flyway's view of OSMT's migrations, computed from git without a database.
//!
//! Flyway 8.5 (OSMT 3.0.0's): versioned files `V<version>__<description>.sql` below `db/migration`, their checksum a
//! CRC-32 over the lines, `outOfOrder=false`. What is said here of "applied" assumes that the database was brought
//! to exactly the commit that it is compared with.

use std::cmp::Ordering;

use serde::Serialize;

use super::sql;
use super::sql::Class;
use crate::git;
use crate::git::Repository;

/// Where OSMT keeps its migrations.
pub const FOLDER: &str = "api/src/main/resources/db/migration";

/// A version as Flyway orders it: numbers between dots or underscores, zeros at the end without meaning.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Version {
    /// `2023.02.20`
    pub text: String,
    #[serde(skip)]
    parts: Vec<u64>,
}

impl Version {
    /// Reads a version; `None` where Flyway would not.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text
            .split(['.', '_'])
            .map(|part| part.parse().ok().filter(|_| !part.starts_with('+')))
            .collect::<Option<Vec<u64>>>()?;
        while parts.last() == Some(&0) {
            parts.pop();
        }
        Some(Self { text: text.replace('_', "."), parts })
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

/// One versioned migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// Its place in the order.
    pub version: Version,
    /// As Flyway shows it: underscores are spaces.
    pub description: String,
    /// The file's name.
    pub file: String,
    /// As Flyway's history table holds it.
    pub checksum: i32,
    /// What going back over it would cost.
    pub class: Class,
    /// The words of SQL that led to the class.
    pub because: Vec<String>,
}

/// The migrations of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    /// In Flyway's order.
    pub versioned: Vec<Migration>,
    /// Files that Flyway runs again whenever they change (`R__…`).
    pub repeatable: Vec<String>,
    /// SQL files whose name Flyway does not know: it passes over them without a word.
    pub ignored: Vec<String>,
}

impl Migrations {
    /// The newest version.
    pub fn newest(&self) -> Option<&Version> {
        self.versioned.last().map(|migration| &migration.version)
    }

    /// Whether there is no file at all.
    pub fn is_empty(&self) -> bool {
        self.versioned.is_empty() && self.repeatable.is_empty() && self.ignored.is_empty()
    }

    /// Pairs of files that claim the same version, at which Flyway stops.
    pub fn twins(&self) -> impl Iterator<Item = (&Migration, &Migration)> {
        self.versioned
            .windows(2)
            .filter(|pair| pair[0].version == pair[1].version)
            .map(|pair| (&pair[0], &pair[1]))
    }

    /// Sorts files, given by path and content, into what Flyway makes of them.
    pub fn from_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut all = Self::default();
        for (path, content) in files {
            let file = path.rsplit('/').next().unwrap_or(path);
            let Some(stem) = file.strip_suffix(".sql") else {
                continue;
            };
            if stem.starts_with("R__") {
                all.repeatable.push(file.to_owned());
            } else if let Some((version, description)) = name(stem) {
                let (class, because) = sql::classify(&String::from_utf8_lossy(content));
                all.versioned.push(Migration {
                    version,
                    description,
                    file: file.to_owned(),
                    checksum: checksum(content),
                    class,
                    because,
                });
            } else {
                all.ignored.push(file.to_owned());
            }
        }
        all.versioned.sort_by(|a, b| (&a.version, &a.file).cmp(&(&b.version, &b.file)));
        all
    }

    /// Reads the migrations of a commit.
    pub fn read(repository: &Repository, commit: &str) -> Result<Self, git::Error> {
        let files = repository.files(commit, FOLDER)?;
        let ids: Vec<String> = files.iter().map(|file| file.id.clone()).collect();
        let contents = repository.contents(&ids)?;
        Ok(Self::from_files(
            files
                .iter()
                .zip(&contents)
                .map(|(file, content)| (file.path.as_str(), content.as_deref().unwrap_or_default())),
        ))
    }
}

/// Splits `V2023.02.20__richskill-multiple-authors`.
fn name(stem: &str) -> Option<(Version, String)> {
    let (version, description) = stem.strip_prefix('V')?.split_once("__")?;
    Some((Version::parse(version)?, description.replace('_', " ")))
}

/// Flyway's checksum: CRC-32 over the UTF-8 bytes of each line, line ends left out, a leading BOM dropped, signed.
pub fn checksum(content: &[u8]) -> i32 {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut crc = crc32fast::Hasher::new();
    content.split(|byte| matches!(byte, b'\r' | b'\n')).for_each(|line| crc.update(line));
    crc.finalize().cast_signed()
}

/// What Flyway would find when a commit's app starts on a database that another commit's app migrated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// Same version, other content: before and after.
    pub changed: Vec<(&'a Migration, &'a Migration)>,
    /// Same version, other description: before and after.
    pub renamed: Vec<(&'a Migration, &'a Migration)>,
    /// Applied, and gone from below the candidate's newest: Flyway refuses.
    pub missing: Vec<&'a Migration>,
    /// Applied, and newer than all the candidate has: Flyway lets it be, the database is ahead.
    pub ahead: Vec<&'a Migration>,
    /// To be applied, and older than what is applied: Flyway refuses.
    pub out_of_order: Vec<&'a Migration>,
    /// To be applied, in order.
    pub added: Vec<&'a Migration>,
}

impl<'a> Comparison<'a> {
    /// Compares what is applied with what the candidate brings.
    pub fn new(applied: &'a Migrations, candidate: &'a Migrations) -> Self {
        let mut found = Self::default();
        let find = |all: &'a Migrations, version: &Version| {
            all.versioned.iter().find(|migration| migration.version == *version)
        };
        for before in &applied.versioned {
            match find(candidate, &before.version) {
                Some(after) => {
                    if before.checksum != after.checksum {
                        found.changed.push((before, after));
                    }
                    if before.description != after.description {
                        found.renamed.push((before, after));
                    }
                }
                None if candidate.newest() > Some(&before.version) => found.missing.push(before),
                None => found.ahead.push(before),
            }
        }
        for after in &candidate.versioned {
            if find(applied, &after.version).is_none() {
                if applied.newest() > Some(&after.version) {
                    found.out_of_order.push(after);
                } else {
                    found.added.push(after);
                }
            }
        }
        found
    }

    /// What the candidate would apply, in Flyway's order.
    pub fn pending(&self) -> Vec<&'a Migration> {
        let mut pending = [self.out_of_order.as_slice(), self.added.as_slice()].concat();
        pending.sort_by(|a, b| a.version.cmp(&b.version));
        pending
    }

    /// What was applied and the candidate does not know, in Flyway's order.
    pub fn undone(&self) -> Vec<&'a Migration> {
        let mut undone = [self.missing.as_slice(), self.ahead.as_slice()].concat();
        undone.sort_by(|a, b| a.version.cmp(&b.version));
        undone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(files: &[(&str, &str)]) -> Migrations {
        Migrations::from_files(files.iter().map(|(path, sql)| (*path, sql.as_bytes())))
    }

    fn versions(of: &[&Migration]) -> Vec<String> {
        of.iter().map(|one| one.version.text.clone()).collect()
    }

    #[test]
    fn the_checksum_leaves_out_line_ends_and_a_bom() {
        // CRC-32's check value, and its sign.
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926_u32.cast_signed());
        for same in ["123\n456\n789", "123\r\n456\r\n789\r\n", "\u{feff}123456789", "123\r456789\n\n"] {
            assert_eq!(checksum(same.as_bytes()), -873_187_034, "{same:?}");
        }
        assert_eq!(checksum(b""), 0);
        assert_ne!(checksum(b"1234567 89"), checksum(b"123456789"));
    }

    #[test]
    fn names_are_read_as_flyway_reads_them() {
        let all = set(&[
            ("db/V10__ten.sql", ""),
            ("db/V9__nine_or_so.sql", ""),
            ("db/sub/V9.0.1__more.sql", ""),
            ("db/R__views.sql", ""),
            ("db/V1_typo.sql", ""),
            ("db/v2__lower.sql", ""),
            ("db/Vx__x.sql", ""),
            ("db/README.md", ""),
        ]);
        let order: Vec<_> = all.versioned.iter().map(|one| one.version.text.as_str()).collect();
        assert_eq!(order, ["9", "9.0.1", "10"]);
        assert_eq!(all.versioned[0].description, "nine or so");
        assert_eq!(all.repeatable, ["R__views.sql"]);
        assert_eq!(all.ignored, ["V1_typo.sql", "v2__lower.sql", "Vx__x.sql"]);
        assert_eq!(Version::parse("1.0"), Version::parse("1_0_0"));
        assert_eq!(Version::parse("1..2"), None);
        assert_eq!(Version::parse("+1"), None);
    }

    #[test]
    fn twins_share_a_version() {
        let all = set(&[("V1.0__a.sql", ""), ("V1__b.sql", ""), ("V2__c.sql", "")]);
        let twins: Vec<_> = all.twins().map(|(a, b)| (a.file.as_str(), b.file.as_str())).collect();
        assert_eq!(twins, [("V1.0__a.sql", "V1__b.sql")]);
    }

    #[test]
    fn order_is_flyways() {
        let old = set(&[("V1__a.sql", "a"), ("V4__d.sql", "d")]);
        let new = set(&[("V1__a.sql", "a"), ("V2__b.sql", "b"), ("V4__d.sql", "d"), ("V5__e.sql", "e")]);
        let forward = Comparison::new(&old, &new);
        assert_eq!(versions(&forward.out_of_order), ["2"]);
        assert_eq!(versions(&forward.added), ["5"]);
        assert_eq!(versions(&forward.pending()), ["2", "5"]);
        let back = Comparison::new(&new, &old);
        assert_eq!(versions(&back.missing), ["2"]);
        assert_eq!(versions(&back.ahead), ["5"]);
        assert_eq!(versions(&back.undone()), ["2", "5"]);
        assert_eq!(Comparison::new(&new, &new), Comparison::default());
    }

    #[test]
    fn a_file_that_changed_or_was_renamed_is_seen() {
        let before = set(&[("V1__a.sql", "a"), ("V2__b.sql", "b")]);
        let after = set(&[("V1__a.sql", "A"), ("V2__c.sql", "b")]);
        let found = Comparison::new(&before, &after);
        assert_eq!(found.changed.len(), 1);
        assert_eq!(found.renamed[0].1.file, "V2__c.sql");
        assert!(found.pending().is_empty() && found.undone().is_empty());
    }

    #[test]
    fn an_empty_side_is_all_forward_or_all_ahead() {
        let some = set(&[("V1__a.sql", "DROP TABLE t;")]);
        let none = Migrations::default();
        assert_eq!(versions(&Comparison::new(&none, &some).added), ["1"]);
        assert_eq!(versions(&Comparison::new(&some, &none).ahead), ["1"]);
        assert_eq!(some.versioned[0].class, Class::Destructive);
    }
}
