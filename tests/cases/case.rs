//! An input: a base and what is different in it, a whole document, or a text.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// An input. Its differences are by pointer; a `-` at the end of one appends to a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What is special, where the rest does not show it.
    name: Option<String>,
    #[serde(default)]
    base: String,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    rename: BTreeMap<String, String>,
    #[serde(default)]
    set: serde_json::Map<String, Value>,
    /// Pieces of a text and what is written in their places.
    #[serde(default)]
    replace: BTreeMap<String, BTreeMap<String, String>>,
    document: Option<Value>,
    text: Option<String>,
}

impl Case {
    /// The input as a file would have it.
    pub(crate) fn text(&self, base: fn(&str) -> Value) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let mut value = self.document.clone().unwrap_or_else(|| base(&self.base));
        for pointer in &self.remove {
            let (parent, key) = owner(&mut value, pointer);
            match parent {
                Value::Object(object) => drop(object.shift_remove(&key).unwrap()),
                Value::Array(items) => drop(items.remove(key.parse().unwrap())),
                _ => panic!("{pointer} has no parent"),
            }
        }
        for (pointer, to) in &self.rename {
            let (parent, key) = owner(&mut value, pointer);
            let old = parent.as_object_mut().unwrap().shift_remove(&key).unwrap();
            parent[to] = old;
        }
        for (pointer, new) in &self.set {
            let (parent, key) = owner(&mut value, pointer);
            match parent {
                Value::Array(items) if key == "-" => items.push(new.clone()),
                Value::Array(items) => items[key.parse::<usize>().unwrap()] = new.clone(),
                parent => parent[key] = new.clone(),
            }
        }
        for (pointer, pieces) in &self.replace {
            let text = value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is missing"));
            for (from, to) in pieces {
                let old = text.as_str().unwrap();
                assert_eq!(old.matches(from).count(), 1, "{from:?} in {old}");
                *text = old.replace(from, to).into();
            }
        }
        serde_json::to_string_pretty(&value).unwrap()
    }
}

fn owner<'a>(value: &'a mut Value, pointer: &str) -> (&'a mut Value, String) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} has no parent"));
    (parent, key.replace("~1", "/").replace("~0", "~"))
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.name.iter().cloned().collect();
        if parts.is_empty() {
            parts.extend(self.text.iter().map(|text| format!("text {}", short(&Value::from(text.as_str())))));
            parts.extend(self.remove.iter().map(|pointer| format!("remove {pointer}")));
            parts.extend(self.rename.iter().map(|(from, to)| format!("rename {from} to {to}")));
            parts.extend(self.set.iter().map(|(pointer, value)| format!("set {pointer} {}", short(value))));
            for (pointer, pieces) in &self.replace {
                let texts = pieces
                    .iter()
                    .map(|(from, to)| (short(&from.as_str().into()), short(&to.as_str().into())));
                parts.extend(texts.map(|(from, to)| format!("in {pointer} {to} for {from}")));
            }
        }
        f.write_str(&parts.join("; "))
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
