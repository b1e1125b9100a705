//! Whether two texts of one migration do the same.
//!
//! Flyway's checksum changes with every blank. For a database that was migrated with one text it matters whether the other one
//! has the same statements. They are compared without layout, comments and the case of unquoted words.

use serde::Serialize;

use super::lexer::{Statement, Token, split};

/// How two texts of one migration differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "statements")]
pub enum Difference {
    /// The same statements; layout, comments or the case of words differ.
    Layout,
    /// The same except for the length of index prefixes, which does not matter to a database that already has the indexes.
    Prefixes(Vec<String>),
    /// Other statements: the first ones that differ, each shortened.
    Statements(Vec<String>),
}

impl Difference {
    /// Whether a database that was migrated with one text also fits the other.
    pub const fn is_harmless(&self) -> bool {
        matches!(self, Self::Layout | Self::Prefixes(_))
    }
}

/// Compares two texts of one migration.
pub fn difference(before: &str, after: &str) -> Difference {
    const SHOWN: usize = 3;
    let (before, after) = (split(before), split(after));
    let certain = before.doubts.is_empty() && after.doubts.is_empty();
    if certain && before.statements.iter().map(normal).eq(after.statements.iter().map(normal)) {
        return Difference::Layout;
    }
    let pairs = || {
        before.statements.iter().zip(&after.statements).filter(|(one, other)| normal(one) != normal(other))
    };
    if certain
        && before.statements.len() == after.statements.len()
        && pairs().all(|(one, other)| without_prefixes(one) == without_prefixes(other))
    {
        return Difference::Prefixes(pairs().map(|(_, other)| shown(other)).collect());
    }
    let mut differing: Vec<String> = pairs().map(|(_, other)| shown(other)).take(SHOWN).collect();
    if differing.is_empty() {
        let shared = before.statements.len().min(after.statements.len());
        let more = before.statements[shared..].iter().chain(&after.statements[shared..]);
        differing = more.map(shown).take(SHOWN).collect();
    }
    Difference::Statements(differing)
}

fn normal(statement: &Statement) -> &[Token] {
    &statement.tokens
}

/// A statement without the lengths of index prefixes: ``(`uri`(191))``.
fn without_prefixes(statement: &Statement) -> Vec<Token> {
    let tokens = &statement.tokens;
    let mut kept: Vec<Token> = Vec::new();
    let mut at = 0;
    // The depth of parentheses inside a list of key parts: after `KEY name (`, `INDEX name (`, `ON t (`.
    let mut keys = 0_u32;
    while let Some(token) = tokens.get(at) {
        let opens = matches!(token, Token::Sign('('));
        if keys > 0
            && opens
            && matches!(kept.last(), Some(Token::Word(_) | Token::Name(_)))
            && let (Some(Token::Number(_)), Some(Token::Sign(')'))) = (tokens.get(at + 1), tokens.get(at + 2))
        {
            at += 3;
            continue;
        }
        match token {
            Token::Sign('(') if keys > 0 || is_key_list(&kept) => keys += 1,
            Token::Sign(')') => keys = keys.saturating_sub(1),
            Token::Word(_) | Token::Name(_) | Token::Text(_) | Token::Number(_) | Token::Sign(_) => {}
        }
        kept.push(token.clone());
        at += 1;
    }
    kept
}

/// Whether the parenthesis that follows opens the parts of an index.
fn is_key_list(before: &[Token]) -> bool {
    let named = matches!(before.last(), Some(Token::Word(_) | Token::Name(_)));
    let ends = |words: &[&str]| {
        let of = |at: usize| before.len().checked_sub(at).and_then(|at| before.get(at));
        words.iter().any(|word| {
            of(1).is_some_and(|token| token.is(word)) || named && of(2).is_some_and(|token| token.is(word))
        })
    };
    let creates_index = before.iter().take(3).any(|token| token.is("INDEX"));
    ends(&["KEY", "INDEX"]) || creates_index && ends(&["ON"])
}

fn shown(statement: &Statement) -> String {
    const LONGEST: usize = 60;
    let mut text = String::new();
    for token in &statement.tokens {
        let (part, tight) = match token {
            Token::Word(word) | Token::Number(word) => (word.clone(), false),
            Token::Name(name) => (format!("`{name}`"), false),
            Token::Text(_) => ("'…'".to_owned(), false),
            Token::Sign(sign) => (sign.to_string(), true),
        };
        if !text.is_empty() && !tight && !text.ends_with(['(', '.']) {
            text.push(' ');
        }
        text += &part;
        if text.chars().count() > LONGEST {
            text = text.chars().take(LONGEST).collect::<String>() + "…";
            break;
        }
    }
    text.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_comments_and_case_do_not_count() {
        let before = "USE osmt_db;\nCREATE TABLE `A` (a varchar(9)); -- old\nDELIMITER $$\nCREATE PROCEDURE p() BEGIN IF(1) THEN SELECT 1; END IF; END $$\nDELIMITER ;\n";
        let after = "use\nosmt_db;\n/* new */ create table `A`\n(\n a varchar\n(\n9\n)\n);\nDELIMITER\n$$\ncreate procedure p()\nbegin if\n(1) then select 1; end if; end $$\nDELIMITER ;";
        assert_eq!(difference(before, after), Difference::Layout);
        assert!(!difference(before, &after.replace('9', "8")).is_harmless());
        assert!(!difference("SELECT 'a';", "SELECT 'A';").is_harmless(), "a string's case counts");
        assert!(!difference("DROP TABLE `a`;", "DROP TABLE `A`;").is_harmless());
        assert!(!difference("SELECT 1;", "SELECT 1; DROP TABLE t;").is_harmless());
        assert!(!difference("SELECT 'a", "SELECT 'a ").is_harmless(), "a doubt is never harmless");
    }

    #[test]
    fn index_prefixes_are_harmless_and_column_lengths_are_not() {
        let table = |key: &str| format!("CREATE TABLE t (uri varchar(768), KEY `k` (`uri`{key}, b));");
        assert!(
            matches!(difference(&table(""), &table("(191)")), Difference::Prefixes(found) if found.len() == 1)
        );
        assert!(difference("CREATE INDEX i ON t (a);", "CREATE INDEX i ON t (a(191));").is_harmless());
        assert!(
            difference(
                "ALTER TABLE t ADD UNIQUE KEY `k` (`a`);",
                "ALTER TABLE t ADD UNIQUE KEY `k` (`a`(9));"
            )
            .is_harmless()
        );
        assert!(
            !difference("CREATE TABLE t (uri varchar(768));", "CREATE TABLE t (uri varchar(191));")
                .is_harmless()
        );
        assert!(!difference("INSERT INTO t (a) VALUES (1);", "INSERT INTO t (a) VALUES (2);").is_harmless());
    }
}
