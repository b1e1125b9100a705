//! Strict JSON (RFC 8259) with the span of every key and value, and edits that change no other byte.
//!
//! `serde_json` decides whether the syntax is valid; the parser in `parse` finds the spans and the position of an error.

mod node;
mod parse;
mod place;
mod position;
mod typed;

use std::borrow::Cow;
use std::ops::Range;

use thiserror::Error as ThisError;

pub use self::node::{Kind, Member, Node, integer};
pub use self::place::{Place, Token, join};
use self::place::{steps, unescape};
pub use self::position::{Position, position_in};
use self::position::{line_starts, position};
pub use self::typed::Misfit;
use crate::explain::{Exit, Explain};

/// The text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{message} at line {}, column {}", .at.line, .at.column)]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// The remedy.
    pub help: Cow<'static, str>,
    /// Whether the text becomes valid by removing the span: a comment, a trailing comma.
    pub surplus: bool,
    /// Where.
    pub at: Position,
    /// Where, in bytes; empty at the end of the file.
    pub span: Range<usize>,
}

impl Explain for SyntaxError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some("`osmt-doctor check` shows the place".into())
    }
}

/// A parsed document.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    lines: Vec<usize>,
    root: Node,
}

impl Document {
    /// Parses a text.
    pub fn parse(text: impl Into<String>) -> Result<Self, SyntaxError> {
        let text = text.into();
        let lines = line_starts(&text);
        match parse::parse(&text) {
            // If the two parsers disagree, the stricter one is right.
            Ok(root) => match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
                Ok(_) => Ok(Self { text, lines, root }),
                Err(error) => Err(syntax_error(&text, &lines, &error)),
            },
            Err(fault) => Err(SyntaxError {
                message: fault.message,
                help: fault.help.into(),
                surplus: fault.surplus,
                at: position(&text, &lines, fault.span.start),
                span: fault.span,
            }),
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The outermost value.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The value at an RFC 6901 pointer; of duplicate keys the last, as in most JSON readers.
    pub fn get(&self, pointer: &str) -> Option<&Node> {
        steps(pointer).try_fold(&self.root, |node, step| node.child(&step))
    }

    /// The span of a place; if it does not exist, the span of the nearest enclosing element.
    pub fn span(&self, place: &Place) -> Range<usize> {
        match place.token {
            Token::Bytes(start, end) => start..end,
            Token::Value => self
                .get(&place.pointer)
                .map_or_else(|| self.nearest(&place.pointer), |node| node.span.clone()),
            Token::Key => self
                .keys(&place.pointer)
                .last()
                .map_or_else(|| self.nearest(&place.pointer), |member| member.key_span.clone()),
            Token::Occurrence(nth) => self
                .keys(&place.pointer)
                .get(nth)
                .map_or_else(|| self.nearest(&place.pointer), |member| member.key_span.clone()),
            Token::Missing => self.nearest(&place.pointer),
        }
    }

    /// The position of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        position(&self.text, &self.lines, offset)
    }

    /// The document as a `serde_json` value; of duplicate keys the last.
    pub fn value(&self) -> serde_json::Value {
        self.root.value()
    }

    /// The text with the value at a pointer replaced; no other byte changes. `None` if there is no value.
    pub fn with(&self, pointer: &str, value: &serde_json::Value) -> Option<String> {
        let node = self.get(pointer)?;
        Some(self.spliced(node.span.clone(), &value.to_string()))
    }

    /// The text with one more member at the end of the object at a pointer, laid out as the last one; `None` where there is no
    /// object with a member.
    pub fn with_member(&self, object: &str, key: &str, value: &serde_json::Value) -> Option<String> {
        let Kind::Object(members) = &self.get(object)?.kind else { return None };
        let last = members.last()?;
        let before = &self.text[..last.key_span.start];
        let blank = &before[before.trim_end().len()..];
        let between = self.text.get(last.key_span.end..last.node.span.start)?;
        let key = serde_json::Value::String(key.to_owned());
        let end = last.node.span.end;
        Some(self.spliced(end..end, &format!(",{blank}{key}{between}{value}")))
    }

    /// The text with a range replaced.
    pub fn spliced(&self, span: Range<usize>, replacement: &str) -> String {
        let mut text = self.text.clone();
        text.replace_range(span, replacement);
        text
    }

    /// Every member at the pointer: more than one if the key is duplicate.
    pub fn keys(&self, pointer: &str) -> Vec<&Member> {
        let Some((parent, key)) = pointer.rsplit_once('/') else {
            return Vec::new();
        };
        let key = unescape(key);
        match self.get(parent).map(|node| &node.kind) {
            Some(Kind::Object(members)) => members.iter().filter(|m| m.key == key).collect(),
            _ => Vec::new(),
        }
    }

    /// The key of the nearest enclosing object that exists; the opening brace at the root.
    fn nearest(&self, pointer: &str) -> Range<usize> {
        let mut pointer = pointer;
        while let Some((parent, _)) = pointer.rsplit_once('/') {
            if let Some(member) = self.keys(parent).last() {
                return member.key_span.clone();
            }
            if let Some(node) = self.get(parent).filter(|_| !parent.is_empty()) {
                return node.span.clone();
            }
            pointer = parent;
        }
        let start = self.root.span.start;
        start..(start + 1).min(self.text.len())
    }
}

fn syntax_error(text: &str, lines: &[usize], error: &serde_json::Error) -> SyntaxError {
    // serde_json counts columns in bytes from 1 and names the byte it could not take; 0 is the line's start.
    let start = lines.get(error.line().saturating_sub(1)).copied().unwrap_or(0);
    let mut offset = (start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let message = error.to_string();
    let message = message.split_once(" at line ").map_or(message.as_str(), |(what, _)| what);
    let end = text[offset..].chars().next().map_or(offset, |char| offset + char.len_utf8());
    SyntaxError {
        message: message.to_owned(),
        help: "write the value as RFC 8259 requires".into(),
        surplus: false,
        at: position(text, lines, offset),
        span: offset..end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_tokens_and_columns_count_utf16() {
        let text = "{\"a\": \"😀\", \"b\": [1, {\"c\": null}]}";
        let document = Document::parse(text).unwrap();
        let at = |pointer: &str, token| &text[document.span(&Place::at(pointer, token))];
        assert_eq!(at("/a", Token::Value), "\"😀\"");
        assert_eq!(at("/b/1/c", Token::Key), "\"c\"");
        assert_eq!(at("/b/1/d", Token::Missing), "{\"c\": null}");
        assert_eq!(at("/d", Token::Missing), "{");
        let b = document.span(&Place::at("/b", Token::Key)).start;
        assert_eq!(document.position(b), Position { line: 1, column: 13 });
    }

    #[test]
    fn an_edit_keeps_every_other_byte() {
        let document = Document::parse("{\r\n\t\"a\" :  1 ,\"b\":2}\r\n").unwrap();
        assert_eq!(
            document.with("/a", &serde_json::json!("x")).unwrap(),
            "{\r\n\t\"a\" :  \"x\" ,\"b\":2}\r\n"
        );
        assert_eq!(document.with("/c", &serde_json::json!(1)), None);
    }

    #[test]
    fn a_fault_has_its_place() {
        let error = Document::parse("{\n  \"a\": nope\n}").unwrap_err();
        assert_eq!((error.at.line, error.at.column), (2, 8));
    }
}
