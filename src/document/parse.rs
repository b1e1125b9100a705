//! The parser: strict RFC 8259, with the span of every key and value; an error has the position of the first invalid byte.
//!
//! It stops at the first error.

use std::ops::Range;

use super::node::{Kind, Member, Node};

/// The maximum nesting depth, the same as in `serde_json`.
const MAX_DEPTH: usize = 127;

/// What is wrong with a comment, and the remedy.
const NO_COMMENTS: (&str, &str) =
    ("JSON has no comments", "remove the comment; schemas/config.schema.json describes the keys");

/// Where and why a text is not JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: &'static str,
    /// Whether the text becomes valid by removing the span.
    pub(super) surplus: bool,
}

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let mut reader = Reader { text, at: 0, depth: 0, comma: None };
    if text.starts_with('\u{feff}') {
        let message = "the file starts with a byte order mark";
        return Err(reader.surplus(0..3, message, "save it as UTF-8 without BOM"));
    }
    let root = reader.value("a value")?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader
            .unexpected("the end of the file", "a file holds one JSON document; remove what follows it"));
    }
    Ok(root)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// The comma that was just read, until another part follows.
    comma: Option<usize>,
}

impl Reader<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, wanted: &str) -> Result<Node, Fault> {
        self.space();
        let start = self.at;
        let kind = match self.byte() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            _ => self.word(wanted)?,
        };
        self.comma = None;
        Ok(Node { span: start..self.at, kind })
    }

    fn word(&mut self, wanted: &str) -> Result<Kind, Fault> {
        for (word, kind) in [("true", Kind::Bool(true)), ("false", Kind::Bool(false)), ("null", Kind::Null)] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(kind);
            }
        }
        Err(self.unexpected(wanted, "write a string, number, true, false, null, [ or {"))
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Kind, Fault>) -> Result<Kind, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(
                self.at..self.at + 1,
                format!("more than {MAX_DEPTH} levels of nesting"),
                "a config has six levels; remove the needless brackets",
            ));
        }
        self.at += 1;
        self.comma = None;
        self.space();
        let kind = read(self)?;
        self.at += 1;
        self.depth -= 1;
        Ok(kind)
    }

    fn object(&mut self) -> Result<Kind, Fault> {
        let mut members = Vec::new();
        while self.byte() != Some(b'}') || self.comma.is_some() {
            if self.byte() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes", "write \"key\": value"));
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = start..self.at;
            self.space();
            if self.byte() != Some(b':') {
                return Err(self.unexpected("a colon", "write \"key\": value"));
            }
            self.at += 1;
            self.comma = None;
            let node = self.value("a value")?;
            members.push(Member { key, key_span, node });
            self.next(b'}')?;
        }
        Ok(Kind::Object(members))
    }

    fn array(&mut self) -> Result<Kind, Fault> {
        let mut items = Vec::new();
        while self.byte() != Some(b']') || self.comma.is_some() {
            items.push(self.value("a value")?);
            self.next(b']')?;
        }
        Ok(Kind::Array(items))
    }

    /// Between two parts: a comma, or the closing bracket, which is left to the caller.
    fn next(&mut self, close: u8) -> Result<(), Fault> {
        self.space();
        match self.byte() {
            Some(b',') => {
                self.comma = Some(self.at);
                self.at += 1;
                self.space();
                Ok(())
            }
            Some(byte) if byte == close => Ok(()),
            _ => Err(self.unexpected(
                &format!("a comma or `{}`", char::from(close)),
                "separate the parts with commas, and close each bracket",
            )),
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte() {
                None => return Err(self.unexpected("a closing quote", "close the string with \"")),
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..0x20) => {
                    let broken = matches!(self.byte(), Some(b'\n' | b'\r'));
                    let (message, help) = if broken {
                        ("the string is not closed on its line", "close it with \"")
                    } else {
                        ("a control character in a string", "remove it, or write it as an escape such as \\t")
                    };
                    return Err(self.fault(self.at..self.at + 1, message, help));
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let raw = &self.text[start..self.at];
        if raw.contains('\\') {
            serde_json::from_str(raw).map_err(|_| {
                self.fault(start..self.at, "the string has a bad escape", "write \\\\ for a backslash")
            })
        } else {
            Ok(raw[1..raw.len() - 1].to_owned())
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let unit = |at: usize| {
            bytes
                .get(at..at + 6)
                .filter(|escape| escape.starts_with(b"\\u"))
                .filter(|escape| escape[2..].iter().all(u8::is_ascii_hexdigit))
                .and_then(|_| u16::from_str_radix(&self.text[at + 2..at + 6], 16).ok())
        };
        let length = match bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => match unit(start) {
                Some(0xd800..=0xdbff) if matches!(unit(start + 6), Some(0xdc00..=0xdfff)) => 12,
                Some(0xd800..=0xdfff) => {
                    return Err(self.fault(
                        start..start + 6,
                        "half a surrogate pair is not a character",
                        "write the character itself",
                    ));
                }
                Some(_) => 6,
                None => 0,
            },
            _ => 0,
        };
        if length == 0 {
            let end = start + 1 + self.text[start + 1..].chars().next().map_or(0, char::len_utf8);
            return Err(self.fault(
                start..end,
                "JSON does not know this escape",
                "write \\\\ for a backslash; the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX",
            ));
        }
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Result<String, Fault> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
            if matches!(self.byte(), Some(b'0'..=b'9')) {
                // An account id with a leading zero is a string; without the zero it is another account.
                let digits = self.text[start..].bytes().take_while(u8::is_ascii_digit).count();
                let help = if digits >= 11 {
                    "put the digits in quotes, with the leading zero"
                } else {
                    "write the number without leading zeros, or put it in quotes"
                };
                return Err(self.unexpected("no digit after a leading zero", help));
            }
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.text[start..self.at].to_owned())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if start == self.at {
            return Err(self.unexpected("a digit", "write the number in full"));
        }
        Ok(())
    }

    fn fault(&self, span: Range<usize>, message: impl Into<String>, help: &'static str) -> Fault {
        Fault {
            span: span.start..span.end.min(self.text.len()),
            message: message.into(),
            help,
            surplus: false,
        }
    }

    /// An error that is fixed by removing a range.
    fn surplus(&self, span: Range<usize>, message: impl Into<String>, help: &'static str) -> Fault {
        Fault { surplus: true, ..self.fault(span, message, help) }
    }

    /// The error for an unexpected character, with specific messages for the most common reasons.
    fn unexpected(&self, wanted: &str, help: &'static str) -> Fault {
        let rest = &self.text[self.at..];
        let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let here = |length: usize| self.at..self.at + length;
        let Some(first) = rest.chars().next() else {
            let blank = self.text.trim().is_empty();
            let (message, help) = if blank {
                ("the file is empty", "`osmt-bootstrap init` renders a config")
            } else {
                ("the file ends in the middle", "close what is open: \" ] }")
            };
            let message = if blank { message.to_owned() } else { format!("{message}: {wanted} is missing") };
            return self.fault(here(0), message, help);
        };
        match (self.comma, first) {
            (Some(comma), '}' | ']') => self.surplus(
                comma..comma + 1,
                format!("a comma before `{first}`: JSON has no trailing commas"),
                "remove the comma",
            ),
            (_, '#' | '/') if first == '#' || rest.starts_with("//") => {
                self.surplus(here(line), NO_COMMENTS.0, NO_COMMENTS.1)
            }
            (_, '/') if rest.starts_with("/*") => {
                let end = rest.find("*/").map_or(line, |end| end + 2);
                self.surplus(here(end), NO_COMMENTS.0, NO_COMMENTS.1)
            }
            (_, '\'') => self.fault(
                here(rest[1..line.max(1)].find('\'').map_or(1, |end| end + 2)),
                "JSON strings are in double quotes",
                "write \" instead of '",
            ),
            _ => {
                let word = rest
                    .find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '+'))
                    .unwrap_or(rest.len());
                let length = if word == 0 { first.len_utf8() } else { word };
                // A word may be a piece of a secret whose quote is lost; only a key or a known word is repeated.
                let word = &rest[..word];
                let known = ["NaN", "Infinity", "True", "False", "None", "undefined", "nil"];
                let is_printed = known.contains(&word) || rest[word.len()..].trim_start().starts_with(':');
                let what = match first {
                    _ if is_printed && !word.is_empty() => format!("`{word}`"),
                    '"' => "a string".to_owned(),
                    '0'..='9' | '-' | '+' | '.' => "a number".to_owned(),
                    first if first.is_alphanumeric() => "a bare word".to_owned(),
                    first => format!("`{first}`"),
                };
                self.fault(here(length.min(line.max(1))), format!("expected {wanted}, found {what}"), help)
            }
        }
    }
}
