//! JSON values with their spans in the text.

use std::ops::Range;

/// A value and its span.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The span of the value, including quotes and brackets.
    pub span: Range<usize>,
    /// The value.
    pub kind: Kind,
}

/// A JSON value whose parts have spans.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Node>),
    /// An object; a duplicate key occurs here as often as in the text.
    Object(Vec<Member>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The key, unescaped.
    pub key: String,
    /// The span of the key, including quotes.
    pub key_span: Range<usize>,
    /// The value.
    pub node: Node,
}

impl Node {
    /// The member or item with this name or index.
    pub fn child(&self, step: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Object(members) => {
                members.iter().rev().find(|member| member.key == step).map(|member| &member.node)
            }
            Kind::Array(items) => {
                let canonical = step == "0" || !step.starts_with('0');
                step.parse::<usize>().ok().filter(|_| canonical).and_then(|index| items.get(index))
            }
            _ => None,
        }
    }

    /// The node as a `serde_json` value.
    pub fn value(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(text) => {
                integer(text).map_or_else(|| serde_json::from_str(text).unwrap_or(Value::Null), Value::from)
            }
            Kind::String(text) => Value::String(text.clone()),
            Kind::Array(items) => items.iter().map(Self::value).collect(),
            Kind::Object(members) => Value::Object(
                members.iter().map(|member| (member.key.clone(), member.node.value())).collect(),
            ),
        }
    }
}

/// The integer value of a JSON number: of `2048`, but also of `2048.0` and `2e3`; `None` beyond 2^53.
pub fn integer(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0)
        .then(|| format!("{number:.0}").parse().ok())
        .flatten()
}
