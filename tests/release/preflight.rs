//! The preflight's SQL and the repair's, on a real server of MySQL's dialect.

use std::path::Path;
use std::process::{Command as Program, Stdio};
use std::time::{Duration, Instant};

use osmt::release::migrate::log::Reading;
use osmt::release::migrate::statements::{self, Realigned};
use osmt::release::migrations::{Content, History, Migrations, Row};

use crate::mariadb;
use crate::server::Server;
use crate::support::{Folder, Ran, run};

/// `MariaDB` in a folder of its own, on a socket. `None` where it is not installed, which CI does not accept.
struct Database {
    _server: Server,
    folder: Folder,
}

impl Database {
    fn start() -> Option<Self> {
        let folder = Folder::empty();
        let data = folder.path().join("data");
        if mariadb::program("mariadb-install-db").is_none() {
            assert!(std::env::var_os("CI").is_none(), "MariaDB is missing: apt install mariadb-server");
            return None;
        }
        mariadb::install(&data);
        let mut server = Program::new("mariadbd");
        server.args(["--no-defaults", "--user=root", "--skip-networking"]);
        server.arg(format!("--datadir={}", data.display()));
        server.arg(format!("--socket={}", folder.path().join("s").display()));
        server.stdout(Stdio::null()).stderr(Stdio::null());
        let database = Self { _server: Server(server.spawn().unwrap()), folder };
        let began = Instant::now();
        while database.run("", "SELECT 1").exit != 0 {
            assert!(began.elapsed() < Duration::from_secs(60), "MariaDB does not start");
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(database)
    }

    fn run(&self, schema: &str, sql: &str) -> Ran {
        let socket: &Path = &self.folder.path().join("s");
        let mut client = Program::new("mariadb");
        client
            .args(["--no-defaults", "-uroot", "-N", "-e", sql])
            .arg(format!("--socket={}", socket.display()));
        if !schema.is_empty() {
            client.arg(schema);
        }
        run(&mut client)
    }

    /// Runs statements as one connection would; what the log's reader makes of the failure.
    fn preflight(&self, statements: &[String]) -> Option<String> {
        let output = self.run("osmt_db", &statements.join("\n"));
        let mut reading = Reading::default();
        output.stderr.lines().for_each(|line| reading.line(line));
        assert_eq!(output.exit == 0, reading.preflight.is_none(), "{output:?}");
        reading.preflight
    }

    fn value(&self, sql: &str) -> String {
        self.run("osmt_db", sql).exits(0).stdout.trim().to_owned()
    }
}

#[test]
fn rows_that_a_migration_fails_on_are_named_and_good_ones_are_not() {
    let Some(database) = Database::start() else { return };
    database.run("", "CREATE DATABASE osmt_db");
    let files = ["V2023.02.20__a.sql", "V2023.03.07__b.sql", "V2023.07.05__c.sql"];
    let files = files.map(|file| (file, Content::Bytes(b"")));
    let statements = statements::preflight(&Migrations::from_files(files), "osmt_db");
    assert_eq!(database.preflight(&statements), None, "an empty database");
    database.value(
        "CREATE TABLE Keyword (id BIGINT PRIMARY KEY, value VARCHAR(768), uri VARCHAR(768), framework VARCHAR(768)); \
         CREATE TABLE RichSkillDescriptor (id BIGINT PRIMARY KEY, cat_id BIGINT, author_id BIGINT); \
         CREATE TABLE RichSkillKeywords (richskill_id BIGINT, keyword_id BIGINT, PRIMARY KEY (richskill_id, keyword_id)); \
         INSERT INTO Keyword VALUES (1, REPEAT('ä', 767), NULL, ''); \
         INSERT INTO RichSkillDescriptor VALUES (1, 1, 2), (2, NULL, NULL); INSERT INTO RichSkillKeywords VALUES (2, 1)",
    );
    assert_eq!(database.preflight(&statements), None, "good rows");
    for (bad, undo, found) in [
        (
            "INSERT INTO Keyword (id, value) VALUES (7, REPEAT('ä', 768))",
            "DELETE FROM Keyword WHERE id = 7",
            "V2023.07.05, Keyword.value 7",
        ),
        (
            "INSERT INTO Keyword (id, uri) VALUES (8, REPEAT('x', 768))",
            "DELETE FROM Keyword WHERE id = 8",
            "V2023.07.05, Keyword.uri 8",
        ),
        (
            "INSERT INTO RichSkillDescriptor VALUES (9, 5, 5)",
            "DELETE FROM RichSkillDescriptor WHERE id = 9",
            "V2023.03.07, skill 9",
        ),
        (
            "INSERT INTO RichSkillKeywords VALUES (1, 1)",
            "DELETE FROM RichSkillKeywords WHERE richskill_id = 1",
            "V2023.03.07, skill 1",
        ),
        (
            "INSERT INTO RichSkillKeywords VALUES (1, 2)",
            "DELETE FROM RichSkillKeywords WHERE richskill_id = 1",
            "V2023.02.20, skill 1",
        ),
    ] {
        database.value(bad);
        assert_eq!(database.preflight(&statements).as_deref(), Some(found));
        database.value(undo);
    }
    assert_eq!(database.preflight(&statements), None);
    database.value("ALTER TABLE Keyword MODIFY value VARCHAR(767); ALTER TABLE RichSkillDescriptor DROP cat_id, DROP author_id");
    assert_eq!(database.preflight(&statements), None, "a database that is migrated already");

    let repair = statements::repair("osmt_db").join("\n");
    // Without a history.
    database.run("osmt_db", &repair).exits(0);
    database.value("CREATE TABLE flyway_schema_history (version INT, success BOOL); INSERT INTO flyway_schema_history VALUES (1, 1), (2, 0)");
    for _ in 0..2 {
        database.run("osmt_db", &repair).exits(0);
        assert_eq!(database.value("SELECT GROUP_CONCAT(version) FROM flyway_schema_history"), "1");
    }
}

#[test]
fn flyways_history_is_printed_and_gets_the_checksums_of_files_that_differ_harmlessly() {
    let Some(database) = Database::start() else { return };
    database.run("", "CREATE DATABASE osmt_db");
    let printed = || {
        let mut statements = statements::history("osmt_db");
        // The warnings are those of the statement before.
        statements.insert(3, "SHOW WARNINGS;".to_owned());
        let shown = database.run("osmt_db", &statements.join("\n")).exits(0).stdout;
        let mut history = History::default();
        shown.lines().for_each(|line| {
            history.line(line);
        });
        history.rows().map(<[Row]>::to_vec)
    };
    assert_eq!(printed(), Some(Vec::new()), "a database that Flyway never saw");
    database.value(
        "CREATE TABLE flyway_schema_history (installed_rank INT PRIMARY KEY, version VARCHAR(50), description VARCHAR(200), \
         type VARCHAR(20), script VARCHAR(1000), checksum INT, success BOOL)",
    );
    assert_eq!(printed(), Some(Vec::new()), "a history without rows");
    database.value(
        "INSERT INTO flyway_schema_history VALUES (1, '2020.09.15', 'a b', 'SQL', 'V2020.09.15__a_b.sql', -603356191, 1), \
         (2, '2020.09.17', 'c', 'SQL', 'V2020.09.17__it\\'s.sql', 5, 0), (3, NULL, 'd', 'SQL', 'R__d d.sql', NULL, 1)",
    );
    let rows = printed().unwrap();
    assert_eq!((rows[0].checksum, rows[0].version.as_deref()), (Some(-603_356_191), Some("2020.09.15")));
    assert_eq!((rows[1].success, rows[1].script.as_str()), (false, "V2020.09.17__it's.sql"));
    assert_eq!((rows[2].checksum, rows[2].script.as_str()), (None, "R__d d.sql"));
    let realigned = |version: &str, before| Realigned { version: version.to_owned(), before, after: 77 };
    let realign =
        statements::realign("osmt_db", &[realigned("2020.09.15", -603_356_191), realigned("2020.09.17", 6)]);
    for _ in 0..2 {
        database.run("osmt_db", &realign.join("\n")).exits(0);
        let checksums = database.value(
            "SELECT GROUP_CONCAT(COALESCE(checksum, 0) ORDER BY installed_rank) FROM flyway_schema_history",
        );
        assert_eq!(checksums, "77,5,0", "only where the history has what was compared");
    }
}
