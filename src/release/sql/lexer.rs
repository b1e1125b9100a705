//! Splits a MySQL script into statements and tokens.
//!
//! Strings, comments and quoted names are never treated as keywords. Anything that makes the split uncertain is recorded as a
//! doubt, and a script with a doubt is never harmless.

/// One token of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An unquoted word, in capitals: a keyword or a name.
    Word(String),
    /// A quoted name, a variable, the second half of a qualified name.
    Name(String),
    /// A string literal, without its quotes.
    Text(String),
    /// A number.
    Number(String),
    /// Any other character.
    Sign(char),
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(this) if this == word)
    }
}

/// A script, split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) statements: Vec<Statement>,
    /// Why the split may be wrong.
    pub(super) doubts: Vec<&'static str>,
}

/// One statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) tokens: Vec<Token>,
    /// Whether it ended with a delimiter other than `;`, so that it may contain a `;`.
    pub(super) delimited: bool,
}

pub(super) fn split(sql: &str) -> Script {
    Splitter {
        rest: sql,
        delimiter: ";".to_owned(),
        tokens: Vec::new(),
        script: Script::default(),
        open_executable_comments: 0,
    }
    .run()
}

struct Splitter<'a> {
    rest: &'a str,
    delimiter: String,
    tokens: Vec<Token>,
    script: Script,
    /// The number of open comments whose content the server runs: `/*!40101 … */`.
    open_executable_comments: usize,
}

impl Splitter<'_> {
    fn run(mut self) -> Script {
        if self.rest.contains("${") {
            // Flyway replaces placeholders everywhere, in strings and comments too.
            self.doubt("placeholder");
        }
        while let Some(first) = self.rest.chars().next() {
            if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else if self.rest.starts_with(self.delimiter.as_str()) {
                self.skip(self.delimiter.len());
                self.end();
            } else if !self.comment() {
                self.token(first);
            }
        }
        if self.open_executable_comments > 0 {
            self.doubt("unclosed comment");
        }
        self.end();
        self.script
    }

    fn skip(&mut self, length: usize) {
        self.rest = &self.rest[length..];
    }

    fn doubt(&mut self, why: &'static str) {
        if !self.script.doubts.contains(&why) {
            self.script.doubts.push(why);
        }
    }

    fn end(&mut self) {
        let tokens = std::mem::take(&mut self.tokens);
        if !tokens.is_empty() {
            self.script.statements.push(Statement { tokens, delimited: self.delimiter != ";" });
        }
    }

    /// Consumes a comment. Of a comment whose content the server runs, it consumes only the marks.
    fn comment(&mut self) -> bool {
        let line = self.rest.starts_with('#')
            || self.rest.strip_prefix("--").is_some_and(|after| {
                after.chars().next().is_none_or(|char| char.is_whitespace() || char.is_control())
            });
        if line {
            self.skip(self.rest.find('\n').map_or(self.rest.len(), |end| end + 1));
            return true;
        }
        for mark in ["/*!", "/*M!"] {
            // MySQL runs the first form, MariaDB both.
            if let Some(after) = self.rest.strip_prefix(mark) {
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                self.skip(mark.len() + digits);
                self.open_executable_comments += 1;
                return true;
            }
        }
        if self.rest.starts_with("/*") {
            if let Some(end) = self.rest[2..].find("*/") {
                self.skip(end + 4);
            } else {
                self.doubt("unclosed comment");
                self.skip(self.rest.len());
            }
            return true;
        }
        if self.rest.starts_with("*/") && self.open_executable_comments > 0 {
            self.open_executable_comments -= 1;
            self.skip(2);
            return true;
        }
        false
    }

    fn token(&mut self, first: char) {
        let is_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '@' | '$');
        if matches!(first, '\'' | '"' | '`') {
            let (length, text) = self.quoted(first);
            self.skip(length);
            self.tokens.push(if first == '`' { Token::Name(text) } else { Token::Text(text) });
        } else if is_word(first) {
            let end = self.rest.find(|char| !is_word(char)).unwrap_or(self.rest.len());
            // A delimiter of letters or `$$` may follow a word directly.
            let end = self.rest[..end].find(self.delimiter.as_str()).filter(|at| *at > 0).unwrap_or(end);
            let word = &self.rest[..end];
            if self.tokens.is_empty() && word.eq_ignore_ascii_case("DELIMITER") {
                self.skip(end);
                self.new_delimiter();
                return;
            }
            let qualified = self.tokens.last() == Some(&Token::Sign('.'));
            self.tokens.push(match word {
                _ if first.is_numeric() && !qualified => Token::Number(word.to_lowercase()),
                _ if qualified || first == '@' => Token::Name(word.to_owned()),
                _ => Token::Word(word.to_uppercase()),
            });
            self.skip(end);
        } else {
            self.tokens.push(Token::Sign(first));
            self.skip(first.len_utf8());
        }
    }

    fn new_delimiter(&mut self) {
        let rest = self.rest.trim_start();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (delimiter, rest) = rest.split_at(end);
        if delimiter.is_empty() || delimiter.contains(['\'', '"', '`']) {
            self.doubt("delimiter");
        } else {
            delimiter.clone_into(&mut self.delimiter);
        }
        self.rest = rest;
    }

    /// The length and content of a quoted text. A backslash escapes in strings, a doubled quote everywhere.
    fn quoted(&mut self, quote: char) -> (usize, String) {
        let rest = self.rest;
        let mut text = String::new();
        let mut chars = rest.char_indices().skip(1).peekable();
        while let Some((index, char)) = chars.next() {
            if char == '\\' && quote != '`' {
                text.push(char);
                text.extend(chars.next().map(|(_, char)| char));
            } else if char == quote {
                if chars.next_if(|(_, next)| *next == quote).is_none() {
                    return (index + 1, text);
                }
                text.push(char);
            } else {
                text.push(char);
            }
        }
        self.doubt("unclosed quote");
        (rest.len(), text)
    }
}
