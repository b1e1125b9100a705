//! `ALTER`: each part of the list is judged by itself.

use super::class::{Class, Judgement, judged};
use super::lexer::Token;
use super::words::Words;

pub(super) fn judge(mut words: Words<'_>) -> Vec<Judgement> {
    words.take(&["ONLINE"]);
    if words.take(&["IGNORE"]) {
        // MariaDB drops the rows that violate a new key.
        return vec![judged(Class::Destructive, "ALTER IGNORE")];
    }
    let kind = words.peek();
    words.next();
    match kind {
        "TABLE" => table(words),
        "DATABASE" | "SCHEMA" => {
            let known = |token: &Token| match token {
                Token::Word(word) => word != "READ" && word != "UPGRADE" && word != "ENCRYPTION",
                Token::Name(_) | Token::Text(_) | Token::Sign('=') => true,
                Token::Number(_) | Token::Sign(_) => false,
            };
            let charset = words.has("CHARACTER") || words.has("CHARSET") || words.has("COLLATE");
            if charset && words.0.iter().all(known) {
                vec![judged(Class::Additive, "")]
            } else {
                vec![judged(Class::Unclear, format!("ALTER {kind}"))]
            }
        }
        "VIEW" | "ALGORITHM" => vec![judged(Class::Breaking, "ALTER VIEW")],
        "USER" => vec![judged(Class::Breaking, "ALTER USER")],
        kind => vec![judged(Class::Unclear, format!("ALTER {kind}").trim_end().to_owned())],
    }
}

fn table(mut words: Words<'_>) -> Vec<Judgement> {
    words.take(&["IF", "EXISTS"]);
    if words.name().is_none() {
        return vec![judged(Class::Unclear, "ALTER TABLE")];
    }
    parts(words.0).into_iter().flat_map(|part| judge_part(Words(part))).collect()
}

/// Splits at commas outside parentheses.
fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_u32;
    tokens
        .split(|token| {
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth = depth.saturating_sub(1),
                Token::Sign(',') => return depth == 0,
                Token::Word(_) | Token::Name(_) | Token::Text(_) | Token::Number(_) | Token::Sign(_) => {}
            }
            false
        })
        .collect()
}

fn judge_part(mut words: Words<'_>) -> Vec<Judgement> {
    let before = words;
    let one = match words.peek() {
        "ADD" => {
            words.next();
            return adds(words);
        }
        "DROP" => {
            words.next();
            drops(words)
        }
        "ALTER" => {
            words.next();
            alters(words)
        }
        "MODIFY" | "CHANGE" | "EXCHANGE" | "DISCARD" | "TRUNCATE" => judged(Class::Destructive, words.peek()),
        "RENAME" => {
            words.next();
            match words.peek() {
                "INDEX" | "KEY" => judged(Class::Additive, ""),
                "COLUMN" => judged(Class::Destructive, "RENAME COLUMN"),
                _ => judged(Class::Destructive, "RENAME"),
            }
        }
        "CONVERT" => converts(words),
        "ENABLE" | "DISABLE" if before.0.len() == 2 && before.has("KEYS") => judged(Class::Additive, ""),
        "ORDER" => judged(Class::Additive, ""),
        "FORCE" if before.0.len() == 1 => judged(Class::Additive, ""),
        _ => return options(words),
    };
    vec![one]
}

fn adds(mut words: Words<'_>) -> Vec<Judgement> {
    let constraint = |words: Words<'_>| match words.peek() {
        "UNIQUE" => Some("ADD UNIQUE"),
        "PRIMARY" => Some("ADD PRIMARY KEY"),
        "FOREIGN" => Some("ADD FOREIGN KEY"),
        "CHECK" => Some("ADD CHECK"),
        _ => None,
    };
    if words.take(&["CONSTRAINT"]) {
        words.take(&["IF", "NOT", "EXISTS"]);
        if constraint(words).is_none() {
            words.next();
        }
        return vec![judged(Class::Breaking, constraint(words).unwrap_or("ADD CONSTRAINT"))];
    }
    if let Some(what) = constraint(words) {
        return vec![judged(Class::Breaking, what)];
    }
    match words.peek() {
        "INDEX" | "KEY" | "FULLTEXT" | "SPATIAL" | "PARTITION" => return vec![judged(Class::Additive, "")],
        "PERIOD" | "SYSTEM" if words.0.get(1).is_some_and(|next| next.is("FOR") || next.is("VERSIONING")) => {
            return vec![judged(Class::Unclear, format!("ADD {}", words.peek()))];
        }
        _ => {}
    }
    words.take(&["COLUMN"]);
    words.take(&["IF", "NOT", "EXISTS"]);
    if words.sign('(') {
        let inside = words.0.strip_suffix(&[Token::Sign(')')]).unwrap_or(words.0);
        return parts(inside).into_iter().flat_map(|part| column(Words(part))).collect();
    }
    column(words)
}

/// Judges the definition of a new column: can an app that does not know the column still insert rows?
fn column(words: Words<'_>) -> Vec<Judgement> {
    let Some((_, definition)) = words.0.split_first().filter(|(_, definition)| !definition.is_empty()) else {
        return vec![judged(Class::Unclear, "ADD COLUMN")];
    };
    // The words of the definition outside of parentheses.
    let mut depth = 0_u32;
    let outside: Vec<&Token> = definition
        .iter()
        .filter(|token| match token {
            Token::Sign('(') => {
                depth += 1;
                false
            }
            Token::Sign(')') => {
                depth = depth.saturating_sub(1);
                false
            }
            Token::Word(_) | Token::Name(_) | Token::Text(_) | Token::Number(_) | Token::Sign(_) => {
                depth == 0
            }
        })
        .collect();
    let has = |word: &str| outside.iter().any(|token| token.is(word));
    let not_null = outside.windows(2).any(|pair| pair[0].is("NOT") && pair[1].is("NULL"));
    let filled = ["DEFAULT", "AUTO_INCREMENT", "AS", "GENERATED", "SERIAL"].iter().any(|word| has(word));
    let found = [
        (not_null && !filled, "ADD COLUMN NOT NULL"),
        (has("UNIQUE"), "ADD UNIQUE"),
        (has("PRIMARY") || (has("KEY") && !has("UNIQUE")), "ADD PRIMARY KEY"),
        (has("CHECK"), "ADD CHECK"),
        (has("REFERENCES"), "ADD FOREIGN KEY"),
    ];
    let mut found: Vec<Judgement> =
        found.iter().filter(|(is, _)| *is).map(|(_, what)| judged(Class::Breaking, *what)).collect();
    // `ADD c int ENGINE=MEMORY`, `ADD c int PARTITION BY …`: table options may follow without a comma.
    if has("ENGINE") || has("PARTITION") || has("REMOVE") {
        found.push(judged(Class::Unclear, "ADD COLUMN"));
    }
    found
}

fn drops(mut words: Words<'_>) -> Judgement {
    match words.take_one(&["INDEX", "KEY", "PRIMARY", "FOREIGN", "CONSTRAINT", "CHECK"]) {
        Some(_) => judged(Class::Additive, ""),
        None if words.peek() == "PARTITION" => judged(Class::Destructive, "DROP PARTITION"),
        None if words.peek() == "SYSTEM" && words.0.len() > 1 => {
            judged(Class::Destructive, "DROP SYSTEM VERSIONING")
        }
        None => judged(Class::Destructive, "DROP COLUMN"),
    }
}

fn alters(mut words: Words<'_>) -> Judgement {
    match words.peek() {
        "INDEX" => return judged(Class::Additive, ""),
        "CHECK" | "CONSTRAINT" if words.has("NOT") => return judged(Class::Additive, ""),
        "CHECK" | "CONSTRAINT" => return judged(Class::Breaking, "ENFORCED"),
        _ => {}
    }
    words.take(&["COLUMN"]);
    words.next();
    if words.take(&["SET"]) {
        judged(Class::Additive, "")
    } else if words.take(&["DROP", "DEFAULT"]) {
        judged(Class::Breaking, "DROP DEFAULT")
    } else {
        judged(Class::Unclear, "ALTER COLUMN")
    }
}

/// `utf8mb4` has every character; a conversion to another character set may lose some.
fn converts(words: Words<'_>) -> Judgement {
    let charset = words.0.iter().position(|token| token.is("SET") || token.is("CHARSET"));
    match charset.and_then(|at| words.0.get(at + 1)) {
        Some(Token::Word(name)) if name == "UTF8MB4" => judged(Class::Rewriting, "CONVERT TO"),
        Some(Token::Text(name) | Token::Name(name)) if name.eq_ignore_ascii_case("utf8mb4") => {
            judged(Class::Rewriting, "CONVERT TO")
        }
        _ => judged(Class::Destructive, "CONVERT TO"),
    }
}

/// Table options that do not change rows.
const OPTIONS: &[&str] = &[
    "ALGORITHM",
    "AUTOEXTEND_SIZE",
    "AUTO_INCREMENT",
    "AVG_ROW_LENGTH",
    "CHARSET",
    "CHECKSUM",
    "COLLATE",
    "COMMENT",
    "COMPRESSION",
    "DELAY_KEY_WRITE",
    "ENCRYPTION",
    "KEY_BLOCK_SIZE",
    "LOCK",
    "MAX_ROWS",
    "MIN_ROWS",
    "PACK_KEYS",
    "ROW_FORMAT",
    "STATS_AUTO_RECALC",
    "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
];

/// Table options, `name [=] value` one after the other.
fn options(mut words: Words<'_>) -> Vec<Judgement> {
    let mut found = Vec::new();
    if words.0.is_empty() {
        return vec![judged(Class::Unclear, "ALTER TABLE")];
    }
    while !words.0.is_empty() {
        words.take(&["DEFAULT"]);
        if words.take(&["WITH", "VALIDATION"]) || words.take(&["WITHOUT", "VALIDATION"]) {
            continue;
        }
        let option = words.peek();
        let known = words.take(&["CHARACTER", "SET"]) || words.take_one(OPTIONS).is_some();
        let engine = !known && words.take(&["ENGINE"]);
        if !known && !engine {
            found.push(judged(Class::Unclear, format!("ALTER TABLE {option}").trim_end().to_owned()));
            break;
        }
        words.sign('=');
        let value = words.next();
        if engine {
            let name = match value {
                Some(Token::Word(name) | Token::Name(name) | Token::Text(name)) => name.to_uppercase(),
                Some(Token::Number(_) | Token::Sign(_)) | None => String::new(),
            };
            match name.as_str() {
                "INNODB" => {}
                "MEMORY" | "HEAP" | "BLACKHOLE" | "ARCHIVE" | "CSV" => {
                    found.push(judged(Class::Destructive, format!("ENGINE {name}")));
                }
                _ => found.push(judged(Class::Unclear, format!("ENGINE {name}").trim_end().to_owned())),
            }
        }
    }
    found
}
