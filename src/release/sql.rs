//! What a migration does to data, told from its SQL without a database.
//!
//! A scan of words, not a parser: it errs on the side of calling a statement destructive. Strings, comments and quoted
//! names are never taken for keywords.

use serde::Serialize;

/// What going back over a migration would cost. The order is from harmless to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It adds tables, columns or indexes; an older version does not mind them.
    Additive,
    /// It writes rows; what they held before is gone, though nothing is missing.
    Rewriting,
    /// It runs SQL that it builds at run time, which cannot be read.
    Unclear,
    /// It drops, deletes, narrows or renames what an older version needs.
    Destructive,
}

impl Class {
    /// The word for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Additive => "additive",
            Self::Rewriting => "rewriting",
            Self::Unclear => "unclear",
            Self::Destructive => "destructive",
        }
    }
}

/// What may be dropped without losing data: routines, views, indexes, constraints, a default.
const NO_DATA: [&str; 17] = [
    "PROCEDURE",
    "FUNCTION",
    "TRIGGER",
    "EVENT",
    "VIEW",
    "INDEX",
    "KEY",
    "FOREIGN",
    "PRIMARY",
    "CONSTRAINT",
    "CHECK",
    "DEFAULT",
    "USER",
    "ROLE",
    "PREPARE",
    "UNIQUE",
    "SERVER",
];

/// Classes a whole migration; also gives the words that led to it, each once.
pub fn classify(sql: &str) -> (Class, Vec<String>) {
    let tokens = tokens(sql);
    let word = |index: Option<usize>| match index.and_then(|index| tokens.get(index)) {
        Some(Token::Word(word)) => word.as_str(),
        _ => "",
    };
    let mut class = Class::Additive;
    let mut because: Vec<String> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let Token::Word(this) = token else { continue };
        let before = word(index.checked_sub(1));
        let mut next = index + 1;
        if word(Some(next)) == "TEMPORARY" {
            // A temporary table holds nothing that outlives the session.
            continue;
        }
        if word(Some(next)) == "IGNORE" || word(Some(next)) == "ONLINE" {
            next += 1;
        }
        let after = word(Some(next));
        let (worse, what) = match this.as_str() {
            "DROP" if NO_DATA.contains(&after) => continue,
            "TRUNCATE" | "INSERT" if tokens.get(next) == Some(&Token::Sign('(')) => continue,
            "DELETE" | "UPDATE" | "INSERT"
                if ["ON", "AFTER", "BEFORE", "OR", "KEY", "FOR"].contains(&before) =>
            {
                continue;
            }
            "RENAME" if ["INDEX", "KEY", "USER"].contains(&after) => continue,
            "CHANGE" if ["MASTER", "REPLICATION"].contains(&after) => continue,
            "REPLACE" if before == "OR" || tokens.get(next) == Some(&Token::Sign('(')) => continue,
            "DROP" | "DELETE" | "TRUNCATE" | "MODIFY" | "CHANGE" | "RENAME" => {
                let object = match after {
                    "TABLE" | "COLUMN" | "DATABASE" | "SCHEMA" | "PARTITION" => after,
                    "FROM" => "FROM",
                    _ => "",
                };
                (Class::Destructive, format!("{this} {object}"))
            }
            "PREPARE" | "EXECUTE" => (Class::Unclear, this.clone()),
            "UPDATE" | "INSERT" | "REPLACE" | "LOAD" => (Class::Rewriting, this.clone()),
            "CONVERT" if after == "TO" => (Class::Rewriting, "CONVERT TO".to_owned()),
            _ => continue,
        };
        if worse > class {
            class = worse;
            because.clear();
        }
        let what = what.trim_end().to_owned();
        if worse == class && !because.contains(&what) {
            because.push(what);
        }
    }
    (class, because)
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// An unquoted word, in capitals.
    Word(String),
    /// A quoted name, a string, a number, a qualified name's second half.
    Other,
    /// Any other character.
    Sign(char),
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = comment(rest) {
            rest = &rest[length..];
        } else if let Some(length) = executable(rest) {
            rest = &rest[length..];
        } else if matches!(first, '\'' | '"' | '`') {
            rest = &rest[quoted(rest, first)..];
            tokens.push(Token::Other);
        } else if first.is_alphanumeric() || matches!(first, '_' | '@') {
            let is_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '@' | '$');
            let end = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
            let qualified = tokens.last() == Some(&Token::Sign('.'));
            tokens.push(match &rest[..end] {
                word if qualified || !first.is_alphabetic() || word.contains(['_', '$', '@']) => Token::Other,
                word => Token::Word(word.to_uppercase()),
            });
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

/// The length of the comment that starts here; the ones that MySQL runs (`/*!`) are none.
fn comment(rest: &str) -> Option<usize> {
    let to_line_end = || rest.find('\n').map_or(rest.len(), |end| end + 1);
    if rest.starts_with('#') {
        Some(to_line_end())
    } else if let Some(after) = rest.strip_prefix("--") {
        after.chars().next().is_none_or(|char| char.is_whitespace() || char.is_control()).then(to_line_end)
    } else if rest.starts_with("/*") && !rest.starts_with("/*!") {
        Some(rest[2..].find("*/").map_or(rest.len(), |end| end + 4))
    } else {
        None
    }
}

/// The length of a mark around SQL that only MySQL runs: `/*!40101` or its end.
fn executable(rest: &str) -> Option<usize> {
    if let Some(after) = rest.strip_prefix("/*!") {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        return Some(3 + digits);
    }
    rest.starts_with("*/").then_some(2)
}

/// The length of a quoted thing; a backslash escapes in strings, a doubled quote everywhere.
fn quoted(rest: &str, quote: char) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((index, char)) = chars.next() {
        if char == '\\' && quote != '`' {
            chars.next();
        } else if char == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return index + 1;
            }
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(sql: &str) -> Class {
        classify(sql).0
    }

    #[test]
    fn what_adds_is_additive() {
        for sql in [
            "",
            "USE osmt_db;\nALTER TABLE `a` ADD COLUMN `drop` text;",
            "CREATE TABLE t (id int, FOREIGN KEY (x) REFERENCES y (id) ON DELETE CASCADE ON UPDATE RESTRICT);",
            "CREATE TABLE t (at timestamp DEFAULT now() ON UPDATE now());",
            "DELIMITER $$\nDROP PROCEDURE IF EXISTS p $$\nCREATE PROCEDURE p () BEGIN SELECT 1; END $$\nDELIMITER ;",
            "ALTER TABLE t DROP FOREIGN KEY f, DROP INDEX i, RENAME INDEX a TO b;",
            "ALTER TABLE t ALTER COLUMN c DROP DEFAULT;",
            "-- DROP TABLE t\n# DELETE FROM t\n/* TRUNCATE t */ SELECT 'DROP TABLE t', \"it''s \\\" DELETE\";",
            "ALTER TABLE t ADD COLUMN status enum('deleted','drop') DEFAULT 'drop';",
            "CREATE OR REPLACE VIEW v AS SELECT REPLACE(a, 'x', 'y'), TRUNCATE(1.5, 1), s.delete FROM s;",
        ] {
            assert_eq!(classify(sql), (Class::Additive, vec![]), "{sql}");
        }
    }

    #[test]
    fn what_takes_away_is_destructive() {
        for (sql, because) in [
            ("drop table if exists `t`;", "DROP TABLE"),
            ("ALTER TABLE `t`\nDROP FOREIGN KEY `f`,\n  DROP COLUMN `c`;", "DROP COLUMN"),
            ("ALTER TABLE t DROP c;", "DROP"),
            ("DELETE FROM db.AuditLog;", "DELETE FROM"),
            ("DELETE IGNORE FROM t;", "DELETE FROM"),
            ("TRUNCATE t;", "TRUNCATE"),
            ("ALTER TABLE t MODIFY c varchar(1);", "MODIFY"),
            ("ALTER TABLE t CHANGE c d int;", "CHANGE"),
            ("RENAME TABLE a TO b;", "RENAME TABLE"),
            ("/*!40101 DROP TABLE t */;", "DROP TABLE"),
            ("UPDATE t SET a = 1; DROP DATABASE d;", "DROP DATABASE"),
            ("SELECT 'a\\'b'; DROP SCHEMA s", "DROP SCHEMA"),
        ] {
            assert_eq!(classify(sql), (Class::Destructive, vec![because.to_owned()]), "{sql}");
        }
    }

    #[test]
    fn what_writes_rows_is_rewriting_and_built_sql_is_unclear() {
        assert_eq!(class("UPDATE t SET status = 'x' WHERE a IS NULL;"), Class::Rewriting);
        assert_eq!(class("INSERT INTO t SELECT 1 ON DUPLICATE KEY UPDATE a = 1;"), Class::Rewriting);
        assert_eq!(class("ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4;"), Class::Rewriting);
        assert_eq!(
            class("SET @s = CONCAT('CREATE ', 'INDEX'); PREPARE p FROM @s; EXECUTE p;"),
            Class::Unclear
        );
        assert_eq!(class("DROP TEMPORARY TABLE t;"), Class::Additive);
    }

    #[test]
    fn unfinished_text_ends_quietly() {
        for sql in ["'", "`a", "/*", "/*!", "\"\\", "--", "é'é", "DROP"] {
            classify(sql);
        }
    }
}
