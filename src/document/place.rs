//! A place in a document: a JSON pointer (RFC 6901) and a token.

/// The token at a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// The value, with its quotes.
    Value,
    /// The key, with its quotes, if the key itself is wrong (unknown, misspelt, secret).
    Key,
    /// The nth occurrence (from 0) of a duplicate key.
    Occurrence(usize),
    /// The key is missing: the enclosing object's key, or the opening brace at the root.
    Missing,
    /// A range of bytes that is not a token.
    Bytes(usize, usize),
}

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// RFC 6901; for a missing key the path it would have.
    pub pointer: String,
    /// The token.
    pub token: Token,
}

impl Place {
    /// The value at a pointer.
    pub fn value(pointer: impl Into<String>) -> Self {
        Self::at(pointer, Token::Value)
    }

    /// A token at a pointer.
    pub fn at(pointer: impl Into<String>, token: Token) -> Self {
        Self { pointer: pointer.into(), token }
    }
}

/// A pointer with one more step, escaped according to RFC 6901.
pub fn join(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}

pub(super) fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

pub(super) fn steps(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(unescape)
}
