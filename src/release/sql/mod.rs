//! What a migration does to data and to an older version of the app, read from its SQL without a database.
//!
//! The lists contain known statements, not dangerous ones: a statement that is not listed is unclear. A parser was tried first:
//! sqlparser 0.59 rejects two of OSMT's eleven migrations and treats `/*M! DROP TABLE t */` as a comment.

mod alter;
mod class;
mod difference;
mod lexer;
mod statement;
mod words;

pub use class::Class;
use class::judged;
pub use difference::{Difference, difference};

/// The class of a migration, and the keywords that led to it.
pub fn classify(sql: &str) -> (Class, Vec<String>) {
    let script = lexer::split(sql);
    let doubts = script.doubts.iter().map(|why| judged(Class::Unclear, *why));
    let statements = script.statements.iter().flat_map(|one| statement::judge(one, &script.statements));
    let mut class = Class::Additive;
    let mut because: Vec<String> = Vec::new();
    for (worse, what) in doubts.chain(statements) {
        if worse > class {
            class = worse;
            because.clear();
        }
        if worse == class && class > Class::Additive && !because.contains(&what) {
            because.push(what);
        }
    }
    (class, because)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(sql: &str) -> Class {
        classify(sql).0
    }

    #[test]
    fn statements_that_add_are_additive() {
        for sql in [
            "",
            "USE osmt_db;\nALTER TABLE `a` ADD COLUMN `drop` text;",
            "CREATE TABLE t (id int, FOREIGN KEY (x) REFERENCES y (id) ON DELETE CASCADE ON UPDATE RESTRICT);",
            "CREATE TABLE IF NOT EXISTS t (at timestamp DEFAULT now() ON UPDATE now()) ENGINE = InnoDB;",
            "DELIMITER $$\nDROP PROCEDURE IF EXISTS p $$\nCREATE PROCEDURE p () BEGIN DELETE FROM t; END $$\nDELIMITER ;",
            "ALTER TABLE t DROP FOREIGN KEY f, DROP INDEX i, RENAME INDEX a TO b, DROP PRIMARY KEY;",
            "-- DROP TABLE t\n# DELETE FROM t\n/* TRUNCATE t */ SELECT 'DROP TABLE t', \"it''s \\\" DELETE\";",
            "ALTER TABLE t ADD COLUMN status enum('deleted','drop') NOT NULL DEFAULT 'drop';",
            "ALTER TABLE t ADD a int, ADD (b int, c text), ADD INDEX (a), ADD FULLTEXT KEY f (c), ADD d int AUTO_INCREMENT NOT NULL;",
            "CREATE VIEW v AS SELECT REPLACE(a, 'x', 'y'), TRUNCATE(1.5, 1), s.delete FROM s;",
            "ALTER SCHEMA osmt_db DEFAULT CHARACTER SET = utf8mb4; ALTER TABLE t DEFAULT CHARSET=utf8mb4, DEFAULT COLLATE = x;",
            "SET NAMES utf8mb3; SET @a = 1; SET SESSION sql_mode = 'STRICT_TRANS_TABLES'; SET foreign_key_checks = 0;",
            "CREATE INDEX i ON t (a(191)); CREATE TEMPORARY TABLE x (a int); DROP TEMPORARY TABLE x;",
            "GRANT SELECT ON osmt_db.* TO 'r'@'%'; LOCK TABLES t WRITE; UNLOCK TABLES; COMMIT;",
            "ALTER TABLE t ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT='DROP', ALGORITHM=INPLACE, LOCK=NONE;",
        ] {
            assert_eq!(classify(sql), (Class::Additive, vec![]), "{sql}");
        }
    }

    #[test]
    fn statements_that_remove_data_are_destructive() {
        for (sql, because) in [
            ("drop table if exists `t`;", "DROP TABLE"),
            ("ALTER TABLE `t`\nDROP FOREIGN KEY `f`,\n  DROP COLUMN `c`;", "DROP COLUMN"),
            ("ALTER TABLE t DROP c;", "DROP COLUMN"),
            ("ALTER TABLE t DROP user;", "DROP COLUMN"),
            ("ALTER TABLE t DROP role, ADD x int;", "DROP COLUMN"),
            ("ALTER TABLE a.t DROP event;", "DROP COLUMN"),
            ("ALTER TABLE `a`.`t` DROP server;", "DROP COLUMN"),
            ("ALTER TABLE t DROP IF EXISTS view;", "DROP COLUMN"),
            ("ALTER TABLE t DROP temporary;", "DROP COLUMN"),
            ("ALTER TABLE t ADD temporary int, DROP prepare;", "DROP COLUMN"),
            ("ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u;", "EXCHANGE"),
            ("ALTER TABLE t DISCARD TABLESPACE;", "DISCARD"),
            ("ALTER TABLE t TRUNCATE PARTITION p;", "TRUNCATE"),
            ("ALTER TABLE t ENGINE=MEMORY;", "ENGINE MEMORY"),
            ("ALTER TABLE t COMMENT 'x' ENGINE BLACKHOLE;", "ENGINE BLACKHOLE"),
            ("ALTER IGNORE TABLE t ADD UNIQUE (a);", "ALTER IGNORE"),
            ("ALTER TABLE t CONVERT TO CHARACTER SET latin1;", "CONVERT TO"),
            ("DELETE FROM db.AuditLog;", "DELETE FROM"),
            ("DELETE IGNORE FROM t;", "DELETE FROM"),
            ("WITH x AS (SELECT 1) DELETE FROM t;", "DELETE"),
            ("TRUNCATE t;", "TRUNCATE"),
            ("ALTER TABLE t MODIFY c varchar(1);", "MODIFY"),
            ("ALTER TABLE t CHANGE c d int;", "CHANGE"),
            ("ALTER TABLE t RENAME COLUMN a TO b;", "RENAME COLUMN"),
            ("RENAME TABLE a TO b;", "RENAME TABLE"),
            ("CREATE OR REPLACE TABLE t (a int);", "CREATE OR REPLACE TABLE"),
            ("/*!40101 DROP TABLE t */;", "DROP TABLE"),
            ("/*M! DROP TABLE t */;", "DROP TABLE"),
            ("/*M!100100 DROP TABLE t */;", "DROP TABLE"),
            ("UPDATE t SET a = 1; DROP DATABASE d;", "DROP DATABASE"),
            ("SELECT 'a\\'b'; DROP SCHEMA s", "DROP SCHEMA"),
        ] {
            assert_eq!(classify(sql), (Class::Destructive, vec![because.to_owned()]), "{sql}");
        }
    }

    #[test]
    fn statements_that_may_break_an_older_app_are_breaking() {
        for (sql, because) in [
            ("ALTER TABLE t ADD c int NOT NULL;", "ADD COLUMN NOT NULL"),
            (
                "ALTER TABLE t ADD COLUMN (a int, c varchar(9) NOT NULL COMMENT 'DEFAULT');",
                "ADD COLUMN NOT NULL",
            ),
            ("ALTER TABLE t ADD c int UNIQUE;", "ADD UNIQUE"),
            ("ALTER TABLE t ADD UNIQUE KEY u (a);", "ADD UNIQUE"),
            ("CREATE UNIQUE INDEX i ON t (a);", "CREATE UNIQUE INDEX"),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);", "ADD CHECK"),
            ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id);", "ADD FOREIGN KEY"),
            ("ALTER TABLE t ADD CONSTRAINT `f` FOREIGN KEY (a) REFERENCES u (id);", "ADD FOREIGN KEY"),
            ("ALTER TABLE t ADD PRIMARY KEY (a);", "ADD PRIMARY KEY"),
            ("ALTER TABLE t ALTER COLUMN c DROP DEFAULT;", "DROP DEFAULT"),
            ("DROP VIEW v;", "DROP VIEW"),
            ("DROP FUNCTION IF EXISTS f;", "DROP FUNCTION"),
            ("DROP PROCEDURE p;", "DROP PROCEDURE"),
            ("DROP USER 'a'@'%';", "DROP USER"),
            ("REVOKE SELECT ON a.* FROM b;", "REVOKE"),
            ("CREATE OR REPLACE VIEW v AS SELECT 1;", "CREATE OR REPLACE VIEW"),
            ("ALTER VIEW v AS SELECT 1;", "ALTER VIEW"),
        ] {
            assert_eq!(classify(sql), (Class::Breaking, vec![because.to_owned()]), "{sql}");
        }
    }

    #[test]
    fn unknown_statements_are_unclear() {
        for sql in [
            "CALL p();",
            "SET @s = CONCAT('CREATE ', 'INDEX'); PREPARE p FROM @s; EXECUTE p;",
            "INSTALL PLUGIN x SONAME 'y';",
            "FROBNICATE t;",
            "ALTER TABLE t FROBNICATE;",
            "ALTER TABLE t REORGANIZE PARTITION p INTO (PARTITION q VALUES LESS THAN (1));",
            "ALTER TABLE t ROW_FORMAT=DYNAMIC FROBNICATE=1;",
            "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t;",
            "CREATE PROCEDURE p() BEGIN DELETE FROM t; END;",
            "SELECT 'unclosed; DROP TABLE t;",
            "SELECT 1 /* unclosed; DROP TABLE t;",
            "/*!40101 SET NAMES utf8;",
            "INSERT INTO ${table} VALUES (1);",
            "SELECT '${flyway:user}';",
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT 'a\\'; DROP TABLE t; -- ';",
            "SET @@session.sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES'); SELECT 1;",
            "SET GLOBAL max_connections = 1;",
            "SELECT * FROM t INTO OUTFILE '/tmp/x';",
            "SELECT purge_all();",
            "DO purge_all();",
            "BEGIN NOT ATOMIC DELETE FROM t; END;",
            "DELIMITER ' SELECT 1;",
            "XA START 'a';",
            "LOAD INDEX INTO CACHE t;",
        ] {
            assert_eq!(class(sql), Class::Unclear, "{sql}");
        }
    }

    #[test]
    fn statements_that_write_rows_are_rewriting() {
        for sql in [
            "UPDATE t SET status = 'x' WHERE a IS NULL;",
            "INSERT INTO t SELECT 1 ON DUPLICATE KEY UPDATE a = 1;",
            "REPLACE INTO t VALUES (1);",
            "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
            "WITH x AS (SELECT 1) UPDATE t SET a = 1;",
            "LOAD DATA INFILE 'x' INTO TABLE t;",
        ] {
            assert_eq!(class(sql), Class::Rewriting, "{sql}");
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        for sql in [
            "'",
            "`a",
            "/*",
            "/*!",
            "\"\\",
            "--",
            "é'é",
            "DROP",
            "ALTER",
            "ALTER TABLE",
            "DELIMITER",
            "*/",
            "WITH",
            "SET",
        ] {
            classify(sql);
        }
    }
}
