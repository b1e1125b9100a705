//! The JSON object that a secret in Secrets Manager contains: reads keys, and sets some without changing any other byte.
//!
//! Keys that the toolkit does not manage may have any value, including numbers of any length and nested objects.

use secrecy::{ExposeSecret as _, SecretString};

use crate::document::{Document, Kind, join};

/// A text that is known to be a JSON object.
#[derive(Clone, Debug)]
pub struct Object(SecretString);

/// What is at a key.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Nothing.
    Absent,
    /// A string.
    Text(SecretString),
    /// A number, an object, a list, `null`, true or false.
    NotText,
}

/// Whether a text is a JSON string that contains a JSON object, because it was encoded twice.
pub fn is_encoded_twice(text: &SecretString) -> bool {
    match Document::parse(text.expose_secret()).map(|document| document.root().kind.clone()) {
        Ok(Kind::String(inner)) => Object::parse(inner.into()).is_some(),
        _ => false,
    }
}

impl Object {
    /// `None` if the text is not a JSON object. The reason is not returned: it could contain a part of the value.
    pub fn parse(text: SecretString) -> Option<Self> {
        let document = Document::parse(text.expose_secret()).ok()?;
        matches!(document.root().kind, Kind::Object(_)).then_some(Self(text))
    }

    /// An object of these keys and values.
    pub fn of(values: &[(&str, &SecretString)]) -> Self {
        Self(SecretString::from("{}")).with(values)
    }

    /// The text.
    pub fn text(&self) -> &SecretString {
        &self.0
    }

    /// The string at a key; `None` if the key is absent or not a string.
    pub fn get(&self, key: &str) -> Option<SecretString> {
        match self.entry(key) {
            Entry::Text(value) => Some(value),
            Entry::Absent | Entry::NotText => None,
        }
    }

    /// What is at a key.
    pub fn entry(&self, key: &str) -> Entry {
        let document = self.document();
        match document.as_ref().and_then(|document| document.get(&join("", key))).map(|node| &node.kind) {
            Some(Kind::String(value)) => Entry::Text(SecretString::from(value.as_str())),
            Some(_) => Entry::NotText,
            None => Entry::Absent,
        }
    }

    /// The keys.
    pub fn keys(&self) -> Vec<String> {
        match self.document().map(|document| document.root().kind.clone()) {
            Some(Kind::Object(members)) => members.into_iter().map(|member| member.key).collect(),
            _ => Vec::new(),
        }
    }

    /// The object with some keys set; no other byte changes, and new keys come last.
    #[must_use]
    pub fn with(&self, values: &[(&str, &SecretString)]) -> Self {
        values.iter().fold(self.clone(), |object, (key, value)| object.set(key, value).unwrap_or(object))
    }

    fn set(&self, key: &str, value: &SecretString) -> Option<Self> {
        let document = self.document()?;
        let value = serde_json::Value::from(value.expose_secret());
        if let Some(text) = document.with(&join("", key), &value) {
            return Some(Self(text.into()));
        }
        let Kind::Object(members) = &document.root().kind else {
            return None;
        };
        let member = format!("{}:{value}", serde_json::Value::from(key));
        let text = if let Some(last) = members.last() {
            let end = last.node.span.end;
            document.spliced(end..end, &format!(",{member}"))
        } else {
            let start = document.root().span.start + 1;
            document.spliced(start..start, &member)
        };
        Some(Self(text.into()))
    }

    fn document(&self) -> Option<Document> {
        Document::parse(self.0.expose_secret()).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(text: &str) -> Object {
        Object::parse(text.into()).unwrap()
    }

    #[test]
    fn keys_of_others_keep_every_byte() {
        let text = r#"{ "n" : 12345678901234567890.10 ,"deep":{"a":[null,1e400]}, "password":"old" }"#;
        let changed = object(text).with(&[("password", &"new".into()), ("username", &"u\"".into())]);
        assert_eq!(
            changed.text().expose_secret(),
            r#"{ "n" : 12345678901234567890.10 ,"deep":{"a":[null,1e400]}, "password":"new","username":"u\"" }"#
        );
    }

    #[test]
    fn only_objects_are_objects() {
        for text in ["", "secret", "[]", "\"text\"", "5", "null", "{\"a\":}"] {
            assert!(Object::parse(text.into()).is_none(), "{text}");
        }
        assert_eq!(object(r#"{"a":5,"b":"x"}"#).keys(), ["a", "b"]);
        assert!(object(r#"{"a":5}"#).get("a").is_none());
    }

    proptest! {
        #[test]
        fn a_value_that_was_set_is_read_back(key in "[a-z~/\"é]{1,8}", value in "\\PC*") {
            let object = Object::of(&[(&key, &value.as_str().into())]);
            let read = object.get(&key).unwrap();
            prop_assert_eq!(read.expose_secret(), value.as_str());
        }
    }
}
