//! OSMT's migrations as Flyway reads them, computed from git without a database.
//!
//! This follows Flyway 8.5, which OSMT 3.0.0 uses: SQL files and classes below `db/migration`, named as [`name`] parses them, a
//! CRC-32 over the lines as checksum, `outOfOrder=false`. "Applied" means: by the app of a commit that the caller compares with.

mod compare;
mod history;
mod name;
mod read;
mod settings;

use serde::Serialize;

use super::sql::{Class, classify};
use name::Name;

pub use compare::{Comparison, Obstacle};
pub use history::{HISTORY, History, Row};
pub use name::Version;
pub use read::{count, read, read_one};
pub use settings::Setting;

/// The folder of OSMT's migrations.
pub const FOLDER: &str = "api/src/main/resources/db/migration";

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// `None` for repeatable migrations and callbacks.
    pub version: Option<Version>,
    /// As Flyway shows it, with spaces instead of underscores. For a callback the event.
    pub description: String,
    /// The file's name.
    pub file: String,
    /// As in Flyway's history table; `None` for a class.
    pub checksum: Option<i32>,
    /// What it does to data.
    pub class: Class,
    /// The SQL keywords that led to the class.
    pub because: Vec<String>,
    /// The SQL.
    #[serde(skip)]
    pub sql: String,
}

/// A file that Flyway ignores or that cannot be judged, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileIssue {
    /// The file's name.
    pub file: String,
    /// The reason, or what to do about it.
    pub why: String,
}

/// The migrations of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    /// In Flyway's order.
    pub versioned: Vec<Migration>,
    /// Migrations that Flyway runs again whenever they change (`R__…`), in the order of their descriptions.
    pub repeatable: Vec<Migration>,
    /// Files that Flyway runs at every start (`beforeMigrate.sql`).
    pub callbacks: Vec<Migration>,
    /// SQL files that Flyway ignores without a message because of their name.
    pub ignored: Vec<FileIssue>,
    /// Files that Flyway cannot read because they are not UTF-8.
    pub unreadable: Vec<FileIssue>,
    /// Files whose content or meaning the commit does not show.
    pub unsure: Vec<FileIssue>,
    /// Settings of Flyway that differ from those that the comparison assumes.
    pub settings: Vec<Setting>,
}

/// A file as it is in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A file.
    Bytes(&'a [u8]),
    /// A symbolic link or a submodule.
    Elsewhere,
    /// A Kotlin or Java class.
    Class,
}

/// The beginning of a Git LFS pointer.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

impl Migrations {
    /// The newest version.
    pub fn newest(&self) -> Option<&Version> {
        self.versioned.last().and_then(|migration| migration.version.as_ref())
    }

    /// Whether there is no file at all.
    pub fn is_empty(&self) -> bool {
        let odd = [&self.ignored, &self.unreadable, &self.unsure];
        let known = [&self.versioned, &self.repeatable, &self.callbacks];
        odd.iter().all(|list| list.is_empty()) && known.iter().all(|list| list.is_empty())
    }

    /// Pairs of files with the same version, or repeatable ones with the same description: Flyway refuses both.
    pub fn twins(&self) -> impl Iterator<Item = (&Migration, &Migration)> {
        let versions = self.versioned.windows(2).filter(|pair| pair[0].version == pair[1].version);
        let names = self.repeatable.windows(2).filter(|pair| pair[0].description == pair[1].description);
        versions.chain(names).map(|pair| (&pair[0], &pair[1]))
    }

    /// Whether the commit's settings allow Flyway to apply migrations out of order.
    pub fn out_of_order(&self) -> bool {
        self.settings.iter().any(|setting| {
            let key = setting.key.to_lowercase().replace(['-', '_'], "");
            key == "spring.flyway.outoforder" && setting.value.as_deref() == Some("true")
        })
    }

    /// Reads files, given by path and content, as Flyway does.
    pub fn from_files<'a>(files: impl IntoIterator<Item = (&'a str, Content<'a>)>) -> Self {
        let mut all = Self::default();
        for (path, content) in files {
            all.add(path.rsplit('/').next().unwrap_or(path), &content);
        }
        all.versioned.sort_by(|a, b| (&a.version, &a.file).cmp(&(&b.version, &b.file)));
        all.repeatable.sort_by(|a, b| (&a.description, &a.file).cmp(&(&b.description, &b.file)));
        all
    }

    fn add(&mut self, file: &str, content: &Content<'_>) {
        let issue = |why: &str| FileIssue { file: file.to_owned(), why: why.to_owned() };
        let stem = match content {
            Content::Class => file.strip_suffix(".kt").or_else(|| file.strip_suffix(".java")),
            Content::Bytes(_) | Content::Elsewhere => file.strip_suffix(".sql"),
        };
        let Some(stem) = stem else {
            let mut parts = file.rsplit('.').map(str::to_lowercase);
            let (last, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if last == "sql" {
                self.ignored.push(issue("the suffix must be `.sql`, in lower case"));
            } else if last == "conf" && before == "sql" {
                self.unsure.push(issue("a script configuration changes how Flyway runs the file beside it"));
            }
            return;
        };
        let (version, description, callback) = match name::parse(stem) {
            Name::Versioned(version, description) => (Some(version), description, false),
            Name::Repeatable(description) => (None, description, false),
            Name::Callback(event, _) if name::runs_on_migrate(event) => (None, event.to_owned(), true),
            Name::Callback(..) => return,
            Name::Ignored(_) if *content == Content::Class => return,
            Name::Ignored(why) => return self.ignored.push(issue(why)),
            Name::Unsure(why) => return self.unsure.push(issue(why)),
        };
        let of = |checksum, class, because, sql| Migration {
            version: version.clone(),
            description: description.clone(),
            file: file.to_owned(),
            checksum,
            class,
            because,
            sql,
        };
        let unclear = |why: &str| of(None, Class::Unclear, vec![why.to_owned()], String::new());
        let migration = match content {
            Content::Class => unclear("a class"),
            Content::Elsewhere => {
                self.unsure
                    .push(issue("it is a symbolic link or a submodule: its content is not in the commit"));
                unclear("a link")
            }
            Content::Bytes(bytes) if bytes.starts_with(LFS) => {
                self.unsure.push(issue("it is a Git LFS pointer: its content is not in the commit"));
                unclear("a Git LFS pointer")
            }
            Content::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(sql) => {
                    let (class, because) = classify(sql.strip_prefix('\u{feff}').unwrap_or(sql));
                    of(Some(checksum(bytes)), class, because, sql.to_owned())
                }
                Err(error) => {
                    let byte = error.valid_up_to();
                    self.unreadable
                        .push(issue(&format!("it is not UTF-8 (byte {byte}): Flyway cannot read it")));
                    of(Some(checksum(bytes)), Class::Unclear, vec!["not UTF-8".to_owned()], String::new())
                }
            },
        };
        match (callback, &migration.version) {
            (true, _) => self.callbacks.push(migration),
            (false, Some(_)) => self.versioned.push(migration),
            (false, None) => self.repeatable.push(migration),
        }
    }

    /// The applied migrations of a database that the apps of several commits have migrated.
    ///
    /// Migrations are not undone, so whatever one of the apps has applied stays applied. If a file differs between commits, the
    /// later content counts, because Flyway has accepted it since.
    pub fn union<'a>(later_first: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for one in later_first {
            for migration in &one.versioned {
                if !all.versioned.iter().any(|known| known.version == migration.version) {
                    all.versioned.push(migration.clone());
                }
            }
            for migration in &one.repeatable {
                if !all.repeatable.iter().any(|known| known.description == migration.description) {
                    all.repeatable.push(migration.clone());
                }
            }
            if all.callbacks.is_empty() {
                all.callbacks.clone_from(&one.callbacks);
            }
            all.unsure.extend(one.unsure.iter().cloned());
        }
        all.versioned.sort_by(|a, b| (&a.version, &a.file).cmp(&(&b.version, &b.file)));
        all.repeatable.sort_by(|a, b| (&a.description, &a.file).cmp(&(&b.description, &b.file)));
        all.unsure.sort_by(|a, b| a.file.cmp(&b.file));
        all.unsure.dedup();
        all
    }
}

/// Flyway's checksum: CRC-32 over the UTF-8 bytes of each line, line ends left out, a leading BOM dropped, signed.
pub fn checksum(content: &[u8]) -> i32 {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut crc = crc32fast::Hasher::new();
    content.split(|byte| matches!(byte, b'\r' | b'\n')).for_each(|line| crc.update(line));
    crc.finalize().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(files: &[(&str, &str)]) -> Migrations {
        Migrations::from_files(files.iter().map(|(path, sql)| (*path, Content::Bytes(sql.as_bytes()))))
    }

    fn versions(of: &[&Migration]) -> Vec<String> {
        of.iter().filter_map(|one| Some(one.version.as_ref()?.text.clone())).collect()
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
    fn files_are_read_as_flyway_reads_them() {
        let all = set(&[
            ("db/V10__ten.sql", ""),
            ("db/V9__nine_or_so.sql", ""),
            ("db/sub/V9.0.1__more.sql", ""),
            ("db/V12.sql", ""),
            ("db/R__views.sql", ""),
            ("db/beforeMigrate.sql", "DELETE FROM t;"),
            ("db/afterClean.sql", ""),
            ("db/v2__lower.sql", ""),
            ("db/V3__big.SQL", ""),
            ("db/V4__x.sql.conf", ""),
            ("db/Vx__x.sql", ""),
            ("db/README.md", ""),
        ]);
        let order: Vec<_> = all.versioned.iter().map(|one| one.file.as_str()).collect();
        assert_eq!(order, ["V9__nine_or_so.sql", "V9.0.1__more.sql", "V10__ten.sql", "V12.sql"]);
        assert_eq!(all.versioned[0].description, "nine or so");
        assert_eq!(all.repeatable[0].description, "views");
        assert_eq!((all.callbacks.len(), all.callbacks[0].class), (1, Class::Destructive));
        let names = |issues: &[FileIssue]| issues.iter().map(|one| one.file.clone()).collect::<Vec<_>>();
        assert_eq!(names(&all.ignored), ["v2__lower.sql", "V3__big.SQL", "Vx__x.sql"]);
        assert_eq!(names(&all.unsure), ["V4__x.sql.conf"]);
    }

    #[test]
    fn content_that_cannot_be_read_is_unclear() {
        let all = Migrations::from_files([
            ("V1__latin.sql", Content::Bytes(b"SELECT '\xe9';".as_slice())),
            ("V2__utf16.sql", Content::Bytes(b"\xff\xfeD\0R\0O\0P\0".as_slice())),
            (
                "V3__lfs.sql",
                Content::Bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n".as_slice()),
            ),
            ("V4__link.sql", Content::Elsewhere),
            ("V5__Fill.kt", Content::Class),
            ("Views.kt", Content::Class),
        ]);
        assert!(all.versioned.iter().all(|one| one.class == Class::Unclear));
        assert_eq!(all.versioned.len(), 5);
        assert_eq!(all.unreadable[0].why, "it is not UTF-8 (byte 8): Flyway cannot read it");
        assert_eq!((all.unreadable.len(), all.unsure.len(), all.ignored.len()), (2, 2, 0));
    }

    #[test]
    fn repeatable_migrations_run_again_and_may_not_disappear() {
        let before = set(&[("R__a.sql", "a"), ("R__b.sql", "b"), ("R__c.sql", "c")]);
        let after = set(&[
            ("R__a.sql", "a"),
            ("R__b.sql", "DROP TABLE t;"),
            ("R__d.sql", "d"),
            ("sub/R__d.sql", "e"),
        ]);
        let found = Comparison::new(&before, &after);
        let files = |of: &[&Migration]| of.iter().map(|one| one.file.clone()).collect::<Vec<_>>();
        assert_eq!(files(&found.repeated), ["R__b.sql", "R__d.sql", "R__d.sql"]);
        assert_eq!(files(&found.missing), ["R__c.sql"]);
        assert_eq!(after.twins().count(), 1);
        assert_eq!(found.pending()[0].class, Class::Destructive);
    }

    #[test]
    fn a_database_has_the_migrations_of_every_app_that_ran() {
        let (early, late) =
            (set(&[("V1__a.sql", "a"), ("V3__c.sql", "c")]), set(&[("V1__a.sql", "A"), ("V2__b.sql", "b")]));
        let all = Migrations::union([&late, &early]);
        let order: Vec<_> = all.versioned.iter().map(|one| one.file.as_str()).collect();
        assert_eq!(order, ["V1__a.sql", "V2__b.sql", "V3__c.sql"]);
        assert_eq!(all.versioned[0].checksum, Some(checksum(b"A")));
        assert_eq!(Migrations::union([]), Migrations::default());
    }

    #[test]
    fn twins_share_a_version() {
        let all = set(&[("V1.0__a.sql", ""), ("V1__b.sql", ""), ("V2__c.sql", "")]);
        let twins: Vec<_> = all.twins().map(|(a, b)| (a.file.as_str(), b.file.as_str())).collect();
        assert_eq!(twins, [("V1.0__a.sql", "V1__b.sql")]);
    }

    #[test]
    fn migrations_are_ordered_as_flyway_orders_them() {
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
    fn a_changed_and_a_renamed_file_are_reported() {
        let before = set(&[("V1__a.sql", "a"), ("V2__b.sql", "b")]);
        let after = set(&[("V1__a.sql", "A"), ("V2__c.sql", "b")]);
        let found = Comparison::new(&before, &after);
        assert_eq!(found.changed.len(), 1);
        assert_eq!(found.renamed[0].1.file, "V2__c.sql");
        assert!(found.pending().is_empty() && found.undone().is_empty());
    }

    #[test]
    fn with_one_side_empty_all_migrations_are_added_or_ahead() {
        let some = set(&[("V1__a.sql", "DROP TABLE t;")]);
        let none = Migrations::default();
        assert_eq!(versions(&Comparison::new(&none, &some).added), ["1"]);
        assert_eq!(versions(&Comparison::new(&some, &none).ahead), ["1"]);
        assert_eq!(some.versioned[0].class, Class::Destructive);
    }
}
