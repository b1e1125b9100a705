//! The class of one statement. A statement that is not listed is unclear.

use super::alter;
use super::class::{Class, Judgement, judged};
use super::lexer::{Statement, Token};
use super::words::Words;

/// Functions without side effects. A `SELECT` that calls another function may run a routine that writes.
const FUNCTIONS: &[&str] = &[
    "ABS",
    "AVG",
    "BIT_COUNT",
    "CAST",
    "CEIL",
    "CHAR",
    "CHAR_LENGTH",
    "COALESCE",
    "CONCAT",
    "CONCAT_WS",
    "CONVERT",
    "COUNT",
    "CURDATE",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "DATABASE",
    "DATE",
    "DATE_ADD",
    "DATE_FORMAT",
    "DATE_SUB",
    "EXISTS",
    "FIND_IN_SET",
    "FLOOR",
    "GREATEST",
    "GROUP_CONCAT",
    "HEX",
    "IF",
    "IFNULL",
    "IN",
    "JSON_ARRAY",
    "JSON_EXTRACT",
    "JSON_OBJECT",
    "JSON_UNQUOTE",
    "LAST_INSERT_ID",
    "LEAST",
    "LEFT",
    "LENGTH",
    "LOCATE",
    "LOWER",
    "LPAD",
    "LTRIM",
    "MAX",
    "MD5",
    "MIN",
    "MOD",
    "NOW",
    "NULLIF",
    "REGEXP_REPLACE",
    "REPLACE",
    "REVERSE",
    "RIGHT",
    "ROUND",
    "ROW_COUNT",
    "ROW_NUMBER",
    "RPAD",
    "RTRIM",
    "SHA1",
    "SHA2",
    "SUBSTR",
    "SUBSTRING",
    "SUBSTRING_INDEX",
    "SUM",
    "TRIM",
    "TRUNCATE",
    "UNHEX",
    "UPPER",
    "USER",
    "UUID",
    "VALUES",
    "VERSION",
];

/// Words that may be followed by a parenthesis but are not calls.
const NOT_CALLS: &[&str] = &[
    "ALL", "AND", "ANY", "AS", "BY", "CASE", "DISTINCT", "ELSE", "FROM", "HAVING", "IS", "JOIN", "LIKE",
    "NOT", "ON", "OR", "OVER", "REGEXP", "SELECT", "SOME", "THEN", "UNION", "USING", "WHEN", "WHERE", "XOR",
];

/// Kinds of objects without rows. An older app may fail without them.
const NO_ROWS: [&str; 9] =
    ["VIEW", "FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "USER", "ROLE", "SERVER", "SEQUENCE"];

pub(super) fn judge(statement: &Statement, script: &[Statement]) -> Vec<Judgement> {
    let mut words = Words(&statement.tokens);
    let Some(Token::Word(first)) = words.next() else {
        return vec![judged(Class::Unclear, "unknown statement")];
    };
    let unclear = || judged(Class::Unclear, first.clone());
    let additive = || judged(Class::Additive, "");
    let one = match first.as_str() {
        "USE" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "SHOW" | "LOCK" | "UNLOCK" | "GRANT"
        | "DEALLOCATE" => additive(),
        "BEGIN" if matches!(words.peek(), "" | "WORK") && words.0.len() < 2 => additive(),
        "START" if words.peek() == "TRANSACTION" => additive(),
        "ANALYZE" | "OPTIMIZE" | "CHECK" if matches!(words.peek(), "TABLE" | "TABLES") => additive(),
        "EXPLAIN" | "DESCRIBE" | "DESC" if words.peek() != "ANALYZE" => additive(),
        "SELECT" => selects(words),
        "SET" => sets(words),
        "CREATE" => creates(words, statement.delimited),
        "ALTER" => return alter::judge(words),
        "DROP" => drops(words, script),
        "TRUNCATE" => judged(Class::Destructive, "TRUNCATE"),
        "DELETE" => judged(Class::Destructive, if words.has("FROM") { "DELETE FROM" } else { "DELETE" }),
        "RENAME" if words.take(&["USER"]) => judged(Class::Breaking, "RENAME USER"),
        "RENAME" => judged(Class::Destructive, "RENAME TABLE"),
        "REVOKE" => judged(Class::Breaking, "REVOKE"),
        "UPDATE" | "INSERT" | "REPLACE" => judged(Class::Rewriting, first.as_str()),
        "LOAD" if matches!(words.peek(), "DATA" | "XML") => judged(Class::Rewriting, "LOAD"),
        "WITH" => common_table(words),
        _ => unclear(),
    };
    vec![one]
}

fn selects(words: Words<'_>) -> Judgement {
    if words.has("OUTFILE") || words.has("DUMPFILE") {
        return judged(Class::Unclear, "INTO OUTFILE");
    }
    calls(words).unwrap_or_else(|| judged(Class::Additive, ""))
}

/// A call of a function that is not known to compute only.
fn calls(words: Words<'_>) -> Option<Judgement> {
    let pairs = words.0.windows(2).enumerate();
    let called =
        pairs.filter(|(_, pair)| pair[1] == Token::Sign('(')).find_map(|(at, pair)| match &pair[0] {
            Token::Word(word) if FUNCTIONS.contains(&word.as_str()) || NOT_CALLS.contains(&word.as_str()) => {
                None
            }
            // The column list of a table or alias: `INTO t (a)`, `x AS y (a)`.
            Token::Word(_) if at > 0 && (words.0[at - 1].is("INTO") || words.0[at - 1].is("AS")) => None,
            Token::Word(word) => Some(word.clone()),
            Token::Name(name) => Some(name.clone()),
            Token::Text(_) | Token::Number(_) | Token::Sign(_) => None,
        });
    called.map(|name| judged(Class::Unclear, format!("{}()", name.to_uppercase())))
}

fn sets(words: Words<'_>) -> Judgement {
    let name = |token: &Token| match token {
        Token::Word(name) | Token::Name(name) => name.to_uppercase(),
        Token::Text(_) | Token::Number(_) | Token::Sign(_) => String::new(),
    };
    if matches!(
        words.peek(),
        "GLOBAL" | "PERSIST" | "PERSIST_ONLY" | "PASSWORD" | "ROLE" | "DEFAULT" | "RESOURCE" | "STATEMENT"
    ) {
        return judged(Class::Unclear, format!("SET {}", words.peek()));
    }
    let first = words.0.first().map(name).unwrap_or_default();
    if first.starts_with("@@GLOBAL") || first.starts_with("@@PERSIST") {
        return judged(Class::Unclear, "SET GLOBAL");
    }
    if words.0.iter().any(|token| name(token).trim_start_matches('@').ends_with("SQL_MODE")) {
        // The SQL mode decides where a string ends: ANSI and the modes named after other databases include ANSI_QUOTES.
        let plain = words.0.iter().all(|token| match token {
            Token::Text(mode) => {
                mode.split(',').all(|mode| PLAIN_MODES.contains(&mode.trim().to_uppercase().as_str()))
            }
            Token::Word(_) | Token::Sign('=' | ':' | ',' | '.') => true,
            Token::Name(name) => name.to_uppercase().ends_with("SQL_MODE") || name.starts_with('@'),
            Token::Number(_) | Token::Sign(_) => false,
        });
        let from_variable =
            words.0.iter().skip(1).any(
                |token| matches!(token, Token::Name(name) if !name.to_uppercase().ends_with("SQL_MODE")),
            );
        if !plain || from_variable && first.trim_start_matches('@').ends_with("SQL_MODE") {
            return judged(Class::Unclear, "SET sql_mode");
        }
    }
    calls(words).unwrap_or_else(|| judged(Class::Additive, ""))
}

const PLAIN_MODES: &[&str] = &[
    "",
    "ALLOW_INVALID_DATES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "NO_AUTO_VALUE_ON_ZERO",
    "NO_ENGINE_SUBSTITUTION",
    "NO_ZERO_DATE",
    "NO_ZERO_IN_DATE",
    "ONLY_FULL_GROUP_BY",
    "STRICT_ALL_TABLES",
    "STRICT_TRANS_TABLES",
    "TRADITIONAL",
];

fn creates(mut words: Words<'_>, delimited: bool) -> Judgement {
    let replaces = words.take(&["OR", "REPLACE"]);
    if words.take(&["TEMPORARY", "TABLE"]) {
        // A temporary table is dropped at the end of the session.
        return judged(Class::Additive, "");
    }
    let kind = loop {
        match words.peek() {
            // `ALGORITHM = x`, `DEFINER = 'a'@'b'`, `SQL SECURITY x`, `AGGREGATE`
            "ALGORITHM" | "DEFINER" | "SQL" | "AGGREGATE" => {
                let kinds = ["VIEW", "FUNCTION", "PROCEDURE", "TRIGGER", "EVENT"];
                let at = words.0.iter().position(|token| kinds.iter().any(|kind| token.is(kind)));
                let Some(at) = at else { return judged(Class::Unclear, "CREATE") };
                words.0 = &words.0[at..];
            }
            kind => break kind,
        }
    };
    words.next();
    let adds = |kind: &str| {
        if replaces {
            judged(Class::Breaking, format!("CREATE OR REPLACE {kind}"))
        } else {
            judged(Class::Additive, "")
        }
    };
    match kind {
        "TABLE" if replaces => judged(Class::Destructive, "CREATE OR REPLACE TABLE"),
        "TABLE" | "INDEX" | "DATABASE" | "SCHEMA" | "USER" | "ROLE" => judged(Class::Additive, ""),
        "FULLTEXT" | "SPATIAL" if words.peek() == "INDEX" => judged(Class::Additive, ""),
        "UNIQUE" => judged(Class::Breaking, "CREATE UNIQUE INDEX"),
        "VIEW" | "SEQUENCE" => adds(kind),
        // Without another delimiter than `;` the end of the body is not certain.
        "PROCEDURE" | "FUNCTION" if delimited || !words.has("BEGIN") => adds(kind),
        // For example a trigger or an event, which run other statements later.
        _ => judged(Class::Unclear, format!("CREATE {kind}").trim_end().to_owned()),
    }
}

fn drops(mut words: Words<'_>, script: &[Statement]) -> Judgement {
    let before = words;
    if words.take(&["TEMPORARY"]) || words.take(&["PREPARE"]) {
        return judged(Class::Additive, "");
    }
    let Some(kind) = before.0.first().map(|_| before.peek()).filter(|kind| !kind.is_empty()) else {
        return judged(Class::Unclear, "DROP");
    };
    words.next();
    match kind {
        "INDEX" => judged(Class::Additive, ""),
        "TABLE" | "TABLES" | "DATABASE" | "SCHEMA" | "TABLESPACE" => {
            judged(Class::Destructive, format!("DROP {kind}"))
        }
        kind if NO_ROWS.contains(&kind) => {
            words.take(&["IF", "EXISTS"]);
            if kind == "PROCEDURE" && words.name().is_some_and(|name| is_created(script, &name)) {
                return judged(Class::Additive, "");
            }
            judged(Class::Breaking, format!("DROP {kind}"))
        }
        kind => judged(Class::Unclear, format!("DROP {kind}")),
    }
}

/// Whether the script itself creates the procedure.
fn is_created(script: &[Statement], name: &str) -> bool {
    script.iter().any(|statement| {
        let mut words = Words(&statement.tokens);
        if !words.take(&["CREATE"]) {
            return false;
        }
        let at = words.0.iter().position(|token| token.is("PROCEDURE"));
        at.is_some_and(|at| {
            words.0 = &words.0[at + 1..];
            words.take(&["IF", "NOT", "EXISTS"]);
            words.name().as_deref() == Some(name)
        })
    })
}

/// `WITH … SELECT|UPDATE|DELETE|INSERT`: the verb is the first one outside parentheses.
fn common_table(words: Words<'_>) -> Judgement {
    let mut depth = 0_u32;
    for (at, token) in words.0.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            Token::Word(word) if depth == 0 => match word.as_str() {
                "SELECT" => return selects(Words(&words.0[at..])),
                "UPDATE" | "INSERT" | "REPLACE" => return judged(Class::Rewriting, word.as_str()),
                "DELETE" => return judged(Class::Destructive, "DELETE"),
                _ => {}
            },
            Token::Word(_) | Token::Name(_) | Token::Text(_) | Token::Number(_) | Token::Sign(_) => {}
        }
    }
    judged(Class::Unclear, "WITH")
}
