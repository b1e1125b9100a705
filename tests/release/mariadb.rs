//! A real `MariaDB` server judges the classes of SQL: what is called additive loses no data, and an older app goes on working.
//!
//! The server runs on a socket of the test's own. Where it is not installed, the test says so and is skipped.

#![expect(clippy::print_stdout, reason = "a test that is skipped says so, and the judge its counts")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use osmt::release::sql::{Class, classify};

use crate::support::Folder;

/// Creates the files of an empty server.
pub(super) fn install(data: &Path) {
    // MariaDB 10.11 sometimes ends with signal 11 here on a busy machine (4 of 18 times with six at once).
    let installed = (0..5).any(|_| {
        let _ = std::fs::remove_dir_all(data);
        let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
        let status = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--user={user}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    });
    assert!(installed, "mariadb-install-db failed five times");
}

struct Server {
    folder: Folder,
    child: Child,
}

impl Server {
    fn start() -> Option<Self> {
        let server = program("mariadbd")?;
        program("mariadb-install-db")?;
        program("mariadb")?;
        let folder = Folder::empty();
        let data = folder.path().join("data");
        let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
        let datadir = format!("--datadir={}", data.display());
        install(&data);
        let socket = folder.path().join("socket");
        let child = Command::new(server)
            .args(["--no-defaults", "--skip-networking", &datadir])
            .arg(format!("--user={user}"))
            .arg(format!("--socket={}", socket.display()))
            .args(["--character-set-server=utf8mb3", "--collation-server=utf8mb3_general_ci"])
            .args(["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { folder, child };
        let end = Instant::now() + Duration::from_secs(60);
        while server.run("SELECT 1").is_err() {
            assert!(Instant::now() < end, "MariaDB did not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(server)
    }

    /// Runs SQL; what it prints, or its error.
    fn run(&self, sql: &str) -> Result<String, String> {
        let socket = format!("--socket={}", self.folder.path().join("socket").display());
        let mut child = Command::new("mariadb")
            .args(["--no-defaults", "--user=root", "--batch", "--skip-column-names", &socket])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), sql.as_bytes()).unwrap();
        drop(child.stdin.take());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(|one| Path::new(one).to_owned()));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A small database with something of every kind.
const SCHEMA: &str = "DROP DATABASE IF EXISTS d; CREATE DATABASE d; USE d; SET NAMES utf8mb4;
CREATE TABLE u (id int PRIMARY KEY, name varchar(20));
CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, a int, c varchar(20) DEFAULT 'x', `user` int, `role` int, `event` int,
  `server` int, `view` int, `temporary` int, uid int, KEY i (a), CONSTRAINT f FOREIGN KEY (uid) REFERENCES u (id));
CREATE TABLE p (id int, a int) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (100));
CREATE TABLE q (id int, a int);
CREATE TABLE audit (id int, what text);
INSERT INTO u VALUES (1, 'one'), (2, 'two');
INSERT INTO t (a, c, `user`, `role`, `event`, `server`, `view`, `temporary`, uid) VALUES (1, 'caf\u{e9}', 1, 1, 1, 1, 1, 1, 1), (1, 'b', 2, 2, 2, 2, 2, 2, 2);
INSERT INTO p VALUES (1, 1), (11, 2); INSERT INTO audit VALUES (1, 'x');
CREATE VIEW v AS SELECT id, a FROM t; CREATE FUNCTION fn() RETURNS int DETERMINISTIC RETURN 1;";

/// All rows, as the older app reads them, with what it needs beside.
const READ: &str = "USE d; SET NAMES utf8mb4; SELECT 'u', id, name FROM u ORDER BY id; SELECT 't', id, a, HEX(CONVERT(c USING utf8mb4)),
`user`, `role`, `event`, `server`, `view`, `temporary`, uid FROM t ORDER BY id; SELECT 'p', id, a FROM p ORDER BY id; SELECT 'q', id, a FROM q;
SELECT 'audit', id, what FROM audit; SELECT 'v', id, a FROM v ORDER BY id; SELECT fn();";

/// What the older app writes.
const WRITE: &str = "USE d; INSERT INTO u (id, name) VALUES (3, 'one'); INSERT INTO t (a, c, uid) VALUES (1, 'd', 3); INSERT INTO t (a) VALUES (-1);
UPDATE t SET a = 5 WHERE id = 1; INSERT INTO p VALUES (12, 2); DELETE FROM t WHERE id = 2;";

const CORPUS: &[&str] = &[
    "ALTER TABLE t ADD x int",
    "ALTER TABLE t ADD COLUMN x varchar(9) NOT NULL DEFAULT 'x'",
    "ALTER TABLE t ADD (x int, y text)",
    "ALTER TABLE t ADD INDEX n (c), DROP INDEX i",
    "ALTER TABLE t DROP FOREIGN KEY f",
    "ALTER TABLE t RENAME INDEX i TO j",
    "ALTER TABLE t ADD x int AS (a + 1)",
    "ALTER TABLE t ENGINE=InnoDB, COMMENT='DROP TABLE t'",
    "ALTER TABLE t DEFAULT CHARSET=utf8mb4",
    "ALTER SCHEMA d DEFAULT CHARACTER SET = utf8mb4",
    "ALTER TABLE t ALTER COLUMN c SET DEFAULT 'y'",
    "CREATE TABLE n (id int PRIMARY KEY, x int)",
    "CREATE TABLE IF NOT EXISTS t (id int)",
    "CREATE INDEX n ON t (c(4))",
    "CREATE VIEW w AS SELECT 1",
    "CREATE TEMPORARY TABLE t2 (id int); DROP TEMPORARY TABLE t2",
    "DELIMITER $$\nCREATE PROCEDURE pr () BEGIN DELETE FROM t; END $$\nDELIMITER ;\n",
    "SET @a = (SELECT COUNT(*) FROM t)",
    "ANALYZE TABLE t",
    "UPDATE t SET c = 'z'",
    "INSERT INTO audit VALUES (2, 'y')",
    "REPLACE INTO u VALUES (2, 'z')",
    "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
    "ALTER TABLE t ADD x int NOT NULL",
    "ALTER TABLE t ADD x varchar(9) NOT NULL",
    "ALTER TABLE u ADD UNIQUE (name)",
    "CREATE UNIQUE INDEX n ON u (name)",
    "ALTER TABLE t ADD CHECK (a > 0)",
    "ALTER TABLE t ADD CONSTRAINT c2 CHECK (a > 0)",
    "ALTER TABLE t ALTER COLUMN c DROP DEFAULT",
    "ALTER TABLE p ADD PRIMARY KEY (id)",
    "DROP VIEW v",
    "DROP FUNCTION fn",
    "CREATE OR REPLACE VIEW v AS SELECT 1 AS other",
    "DELIMITER $$\nCREATE PROCEDURE pr () BEGIN DELETE FROM audit; END $$\nDELIMITER ;\nCALL pr();",
    "PREPARE s FROM 'DELETE FROM audit'; EXECUTE s",
    "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = NULL",
    "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT 'a\\'; DELETE FROM audit; -- '",
    "SET SESSION sql_mode = 'ANSI_QUOTES'; SELECT \"t\".a, \"'\" FROM t, (SELECT 1 AS \"'\") x; DELETE FROM audit; -- '",
    "BEGIN NOT ATOMIC DELETE FROM audit; END",
    "ALTER TABLE t DROP `user`",
    "ALTER TABLE t DROP role",
    "ALTER TABLE t DROP event",
    "ALTER TABLE t DROP server",
    "ALTER TABLE t DROP view",
    "ALTER TABLE t DROP temporary",
    "ALTER TABLE t DROP IF EXISTS role",
    "ALTER TABLE t MODIFY c char(2)",
    "ALTER TABLE t CHANGE c d varchar(20)",
    "ALTER TABLE t RENAME COLUMN a TO b",
    "ALTER TABLE p TRUNCATE PARTITION p0",
    "ALTER TABLE p DROP PARTITION p0",
    "ALTER TABLE p EXCHANGE PARTITION p0 WITH TABLE q",
    "ALTER TABLE audit ENGINE=BLACKHOLE",
    "ALTER TABLE audit DISCARD TABLESPACE",
    "ALTER IGNORE TABLE q ADD UNIQUE (a)",
    "CREATE OR REPLACE TABLE audit (id int, what text)",
    "/*!40101 DELETE FROM audit */",
    "/*M! DELETE FROM audit */",
    "/*M!100100 DROP TABLE q */",
    "RENAME TABLE audit TO other",
    "TRUNCATE audit",
    "DROP TABLE q",
    "WITH x AS (SELECT 1) SELECT * FROM x; DELETE FROM audit",
    "DELETE FROM audit",
];

/// More of them, which run where `OSMT_ALL_STATEMENTS` is set: each takes about 100 ms.
const MORE: &[&str] = &[
    "ALTER TABLE audit DROP COLUMN what",
    "ALTER TABLE t DROP FOREIGN KEY f, DROP KEY i",
    "ALTER TABLE q ORDER BY a",
    "ALTER TABLE t AUTO_INCREMENT = 50",
    "ALTER TABLE q ROW_FORMAT=COMPRESSED",
    "ALTER TABLE q COMMENT 'DELETE FROM q'",
    "ALTER TABLE t ADD x int NULL, ADD y varchar(9) DEFAULT 'a'",
    "ALTER TABLE t ADD x int FIRST",
    "ALTER TABLE t ADD FULLTEXT INDEX ft (c)",
    "ALTER TABLE t ADD x int DEFAULT 5 AFTER a",
    "ALTER TABLE t ADD x timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP",
    "ALTER TABLE t ADD x int UNIQUE",
    "ALTER TABLE u ADD x text NOT NULL",
    "CREATE TABLE n AS SELECT * FROM t",
    "CREATE TABLE n LIKE t",
    "ALTER VIEW v AS SELECT id FROM t",
    "ALTER TABLE p REMOVE PARTITIONING",
    "ALTER TABLE p REORGANIZE PARTITION p0 INTO (PARTITION pa VALUES LESS THAN (5), PARTITION pb VALUES LESS THAN (10))",
    "ALTER TABLE p ADD PARTITION (PARTITION p2 VALUES LESS THAN (200))",
    "ALTER TABLE p REBUILD PARTITION p0",
    "OPTIMIZE TABLE t",
    "LOCK TABLES t READ; UNLOCK TABLES",
    "START TRANSACTION; DELETE FROM audit; COMMIT",
    "START TRANSACTION; DELETE FROM audit; ROLLBACK",
    "INSERT INTO audit SELECT * FROM audit",
    "INSERT IGNORE INTO u VALUES (1, 'x')",
    "INSERT INTO u VALUES (1, 'x') ON DUPLICATE KEY UPDATE name = 'x'",
    "UPDATE t, u SET t.c = u.name WHERE t.uid = u.id",
    "DELETE t FROM t JOIN u ON u.id = t.uid",
    "DELETE QUICK FROM audit",
    "SET FOREIGN_KEY_CHECKS = 0; DELETE FROM u",
    "EXECUTE IMMEDIATE 'DELETE FROM audit'",
    "SELECT 'a;' -- DELETE FROM audit\n",
    "SELECT 1 # ; DELETE FROM audit\n",
    "SELECT \"it''s\"; DELETE FROM audit",
    "SELECT 'a\\\\'; DELETE FROM audit; -- '",
    "INSERT INTO audit VALUES (3, '; DELETE FROM audit; ')",
    "create /* c */ table /* d */ n (id int)",
    "drop\ttable\nq",
    "ALTER TABLE d.q DROP COLUMN a",
    "ALTER TABLE `d`.`q` DROP a",
    "ALTER TABLE IF EXISTS q DROP a",
    "ALTER TABLE q WAIT 5 DROP a",
    "ALTER ONLINE TABLE q DROP a",
    "ALTER TABLE q RENAME TO r",
    "DROP TABLES IF EXISTS q, audit",
    "DROP TABLE IF EXISTS nothing",
    "ALTER TABLE t CONVERT TO CHARACTER SET latin1",
    "ALTER TABLE t MODIFY COLUMN IF EXISTS a tinyint",
    "ALTER TABLE q ENGINE=MEMORY",
    "CREATE SEQUENCE s",
    "ALTER TABLE q ADD SYSTEM VERSIONING",
    "CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO DELETE FROM audit",
    "ALTER TABLE t ALTER INDEX i IGNORED",
    "ALTER TABLE t RENAME KEY i TO `drop`",
    "ALTER TABLE q ADD a2 int, DROP a",
    "ALTER TABLE q DROP IF EXISTS nothing, ADD b int",
    "INSERT INTO t (a) VALUES (2) RETURNING id",
    "WITH x AS (SELECT 1 AS one) UPDATE t, x SET t.a = x.one",
    "IF 1 THEN DELETE FROM audit; END IF",
    "/*! DELETE */ /*!40000 FROM audit */",
    "DELETE /* x */ FROM audit",
    "-- DELETE FROM audit\nSELECT 1",
    "--DELETE\nDELETE FROM audit",
    "DO 1",
];

#[test]
fn what_is_called_additive_costs_nothing_on_a_real_server() {
    let Some(server) = Server::start() else {
        println!("skipped: MariaDB is not installed; on Debian and Ubuntu: apt install mariadb-server");
        return;
    };
    server.run(SCHEMA).unwrap();
    let before = server.run(READ).unwrap();
    let (mut harmless, mut careful, mut refused) = (0, 0, Vec::new());
    let mut wrong = Vec::new();
    let all = std::env::var_os("OSMT_ALL_STATEMENTS").is_some();
    let corpus: Vec<&str> = [CORPUS, if all { MORE } else { &[] }].concat();
    for sql in &corpus {
        let class = classify(sql).0;
        server.run(SCHEMA).unwrap();
        if let Err(error) = server.run(&format!("USE d;\n{sql};")) {
            // The server does not take it at all: nothing to judge.
            refused.push(format!("{sql}: {}", error.trim()));
            continue;
        }
        let same = server.run(READ).is_ok_and(|after| after == before);
        let works = server.run(WRITE).is_ok();
        match class {
            Class::Additive if !same || !works => {
                wrong.push(format!("{sql}: additive, same {same}, works {works}"));
            }
            Class::Rewriting | Class::Breaking
                if class == Class::Breaking && !same && server.run(READ).is_ok() =>
            {
                wrong.push(format!("{sql}: breaking, but rows are not the same"));
            }
            Class::Rewriting if !works => wrong.push(format!("{sql}: rewriting, but the older app fails")),
            Class::Additive | Class::Rewriting | Class::Breaking | Class::Unclear | Class::Destructive => {}
        }
        if same && works { harmless += 1 } else { careful += 1 }
    }
    println!("{} statements: {harmless} harmless, {careful} not, {} not taken", corpus.len(), refused.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused.len() <= if all { 14 } else { 6 }, "too few were judged:\n{}", refused.join("\n"));
    assert!(harmless >= 15 && careful >= 25, "{harmless} {careful}");
}
