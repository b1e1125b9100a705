//! Flyway's history table, `flyway_schema_history`, as a maintenance task printed it into its log.

use super::name::{Name, Version, parse};
use super::{FileIssue, Migration, Migrations};
use crate::release::sql::Class;

/// The prefix of each line of the table in the log.
pub const HISTORY: &str = "osmt-history ";
/// The prefix of the line after the last row, which contains the number of rows.
const END: &str = "end ";
/// MySQL cuts a value in a warning after this many characters.
const WIDTH: usize = 128;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The order in which Flyway ran them.
    pub rank: u64,
    /// Whether it succeeded.
    pub success: bool,
    /// The checksum of the file when it was applied.
    pub checksum: Option<i32>,
    /// `SQL`, `JDBC`, `BASELINE`, `DELETE`, …
    pub kind: String,
    /// `None` for a repeatable migration.
    pub version: Option<String>,
    /// The file's name.
    pub script: String,
}

impl Row {
    /// Reads `7 1 -603356191 SQL 2020.09.15 V2020.09.15__initial_schema.sql`.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ' ');
        let mut next = || parts.next();
        let known = |text: &str| (text != "-").then(|| text.to_owned());
        let (rank, success, checksum) = (next()?, next()?, next()?);
        let (kind, version, script) = (next()?, next()?, next()?);
        let checksum = match checksum {
            "-" => None,
            number => Some(number.parse().ok()?),
        };
        Some(Self {
            rank: rank.parse().ok()?,
            success: success == "1",
            checksum,
            kind: kind.to_owned(),
            version: known(version),
            script: script.to_owned(),
        })
    }
}

/// The table, read line by line; each connection of Flyway prints it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The rows of the table that is being read.
    rows: Vec<Row>,
    /// The newest table that was read to its end.
    complete: Option<Vec<Row>>,
}

impl History {
    /// Reads a line of the log; returns whether it completes the table.
    pub fn line(&mut self, line: &str) -> bool {
        let Some((_, text)) = line.split_once(HISTORY) else { return false };
        // MySQL quotes the text in its warning: Truncated incorrect INTEGER value: '…' (SQL State: …)
        let quoted = text.rfind("' (SQL State").or_else(|| text.rfind('\''));
        let text = quoted.map_or(text, |end| &text[..end]);
        if let Some(count) = text.strip_prefix(END) {
            let mut rows = std::mem::take(&mut self.rows);
            rows.sort_by_key(|row| row.rank);
            if count.trim().parse() == Ok(rows.len()) {
                self.complete = Some(rows);
                return true;
            }
        } else if HISTORY.len() + text.len() < WIDTH
            && let Some(row) = Row::read(text)
        {
            // A second connection may start to print the table before the first one has finished.
            if self.rows.iter().any(|known| known.rank == row.rank) {
                self.rows.clear();
            }
            self.rows.push(row);
        }
        false
    }

    /// The rows of the newest table that was printed to its end.
    pub fn rows(&self) -> Option<&[Row]> {
        self.complete.as_deref()
    }
}

impl Migrations {
    /// The applied migrations according to Flyway's table. The content of a file is known if one of `known` has it with that checksum.
    pub fn applied(rows: &[Row], known: &[Self]) -> Self {
        let mut all = Self::default();
        let successes = rows.iter().filter(|row| row.success);
        for row in successes {
            match row.kind.as_str() {
                // Flyway's row for a schema that it created.
                "SCHEMA" => {}
                // `repair` and `undo` keep the row of the removed migration and add one of their own.
                "DELETE" | "UNDO_SQL" | "UNDO_JDBC" | "UNDO_SCRIPT" => {
                    let version = row.version.as_deref().and_then(Version::parse);
                    all.versioned.retain(|one| one.version != version);
                    all.repeatable.retain(|one| version.is_some() || one.file != row.script);
                }
                "SQL" | "JDBC" | "SPRING_JDBC" | "SCRIPT" => all.apply(row, known),
                kind => all.unsure.push(FileIssue {
                    file: row.script.clone(),
                    why: format!("Flyway's history has it as {kind}, which is not compared"),
                }),
            }
        }
        all.versioned.sort_by(|a, b| (&a.version, &a.file).cmp(&(&b.version, &b.file)));
        all.repeatable.sort_by(|a, b| (&a.description, &a.file).cmp(&(&b.description, &b.file)));
        all
    }

    fn apply(&mut self, row: &Row, known: &[Self]) {
        let name = row.script.rsplit('/').next().unwrap_or(&row.script);
        let stem = match name.strip_suffix(".sql") {
            Some(stem) => stem,
            // A Java or Kotlin class, with its package.
            None => name.rsplit('.').next().unwrap_or(name),
        };
        let (version, description) = match parse(stem) {
            Name::Versioned(version, description) => (Some(version), description),
            Name::Repeatable(description) => (None, description),
            Name::Callback(..) | Name::Ignored(_) | Name::Unsure(_) => {
                (row.version.as_deref().and_then(Version::parse), stem.to_owned())
            }
        };
        let same = |one: &&Migration| {
            one.version == version && one.description == description && one.checksum == row.checksum
        };
        let of = |one: &Self| {
            let list = if version.is_some() { &one.versioned } else { &one.repeatable };
            list.iter().find(same).cloned()
        };
        let migration = known.iter().find_map(of).unwrap_or_else(|| Migration {
            version: version.clone(),
            description: description.clone(),
            file: name.to_owned(),
            checksum: row.checksum,
            class: Class::Unclear,
            because: vec!["not in this repository with that checksum".to_owned()],
            sql: String::new(),
        });
        if version.is_some() {
            self.versioned.retain(|one| one.version != version);
            self.versioned.push(migration);
        } else {
            // Each run of a repeatable migration adds a row: the last one counts.
            self.repeatable.retain(|one| one.description != description);
            self.repeatable.push(migration);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Comparison, Content, checksum};
    use super::*;

    /// A line as Flyway 8.5.13 logged it, seen with OSMT 3.0.0 on MySQL 9.7.4.
    fn logged(text: &str) -> String {
        format!(
            "2026-11-27T00:48:26.649Z  WARN 24 --- [           main] o.f.c.i.s.DefaultSqlScriptExecutor       : DB: Truncated \
             incorrect INTEGER value: '{HISTORY}{text}' (SQL State: 22007 - Error Code: 1292)"
        )
    }

    fn read(lines: &[&str]) -> History {
        let mut history = History::default();
        for line in lines {
            history.line(&logged(line));
        }
        history
    }

    #[test]
    fn only_a_complete_table_counts() {
        let rows = ["1 1 -603356191 SQL 2020.09.15 V2020.09.15__initial_schema.sql", "2 0 - JDBC - R__b c'd"];
        let complete = read(&[rows[0], rows[1], "end 2"]);
        let found = complete.rows().unwrap();
        assert_eq!((found[0].checksum, found[0].success), (Some(-603_356_191), true));
        assert_eq!(
            (found[1].script.as_str(), found[1].success, &found[1].version),
            ("R__b c'd", false, &None)
        );
        assert_eq!(read(&[rows[0], "end 2"]).rows(), None, "a row is missing");
        assert_eq!(read(&rows).rows(), None, "the end is missing");
        assert_eq!(read(&["end 0"]).rows(), Some(&[][..]), "a database that Flyway has not migrated");
        // A second connection prints it again; the first one was cut off.
        assert_eq!(read(&[rows[0], rows[0], rows[1], "end 2"]).rows().unwrap().len(), 2);
        let long = format!("3 1 5 SQL 3 V3__{}.sql", "x".repeat(110));
        assert_eq!(read(&[&long, "end 1"]).rows(), None, "a line that may have been cut");
    }

    #[test]
    fn applied_migrations_are_compared_by_the_checksums_in_the_table() {
        let files = [
            ("V1__a.sql", Content::Bytes(b"CREATE TABLE a (b INT);")),
            ("V2__b.sql", Content::Bytes(b"DROP TABLE a;")),
        ];
        let known = [Migrations::from_files(files)];
        let (a, b) = (checksum(b"CREATE TABLE a (b INT);"), checksum(b"DROP TABLE a;"));
        let lines =
            [format!("1 1 {a} SQL 1 V1__a.sql"), format!("2 1 {b} SQL 2 V2__b.sql"), "end 2".to_owned()];
        let history = read(&lines.each_ref().map(String::as_str));
        let applied = Migrations::applied(history.rows().unwrap(), &known);
        assert_eq!(Comparison::new(&applied, &known[0]), Comparison::default());
        assert_eq!(applied.versioned[1].class, Class::Destructive);

        let other = read(&[
            "1 1 7 SQL 1 V1__a.sql",
            "2 1 8 SQL 3 V3__gone.sql",
            "3 0 9 SQL 4 V4__failed.sql",
            "end 3",
        ]);
        let applied = Migrations::applied(other.rows().unwrap(), &known);
        let found = Comparison::new(&applied, &known[0]);
        assert_eq!((found.changed.len(), found.ahead.len(), found.out_of_order.len()), (1, 1, 1));
        assert_eq!(found.ahead[0].class, Class::Unclear, "it is in no commit that is known here");
    }

    #[test]
    fn a_delete_row_removes_its_migration() {
        let history = read(&[
            "0 1 - SCHEMA - << Flyway Schema Creation >>",
            "1 1 5 SQL 1 V1__a.sql",
            "2 1 5 DELETE 1 V1__a.sql",
            "3 1 - BASELINE 2 << Flyway Baseline >>",
            "end 4",
        ]);
        let applied = Migrations::applied(history.rows().unwrap(), &[]);
        assert_eq!((applied.versioned.len(), applied.unsure.len()), (0, 1));
    }
}
