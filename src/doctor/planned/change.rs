//! What a plan does to one resource.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::document::join;
use crate::sensitive;

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// A data source is read during apply.
    Read,
    /// It is created.
    Create,
    /// It is changed in place.
    Update,
    /// It is destroyed and created again, empty.
    Replace,
    /// A new, empty one is created; the present one stays in AWS and Terraform no longer manages it.
    ReplaceAndForget,
    /// It is destroyed.
    Delete,
    /// It stays in AWS and Terraform no longer manages it.
    Forget,
    /// An action that this version does not know.
    Unknown,
}

impl Action {
    fn new(words: &[String]) -> Self {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["no-op"] => Self::Nothing,
            ["read"] => Self::Read,
            ["create"] => Self::Create,
            ["update"] => Self::Update,
            ["delete", "create"] | ["create", "delete"] => Self::Replace,
            ["create", "forget"] | ["forget", "create"] => Self::ReplaceAndForget,
            ["delete"] => Self::Delete,
            ["forget"] => Self::Forget,
            _ => Self::Unknown,
        }
    }
}

/// A resource and what happens to it.
#[derive(Debug)]
pub struct Change {
    /// `module.osmt.aws_db_instance.main`
    pub address: String,
    /// `aws_db_instance`
    pub kind: String,
    /// What happens to it.
    pub action: Action,
    /// The plan's `actions`: `["delete", "create"]`.
    pub words: Vec<String>,
    /// The key of a deposed object: an earlier replacement created its successor but did not delete it.
    pub deposed: Option<String>,
    /// Whether it is a data source.
    pub is_data: bool,
    /// The pointer of the change in the plan: `/resource_changes/3/change`.
    pub pointer: String,
    /// The attributes now; null if it does not exist.
    pub before: Value,
    /// The attributes after the apply; null if it is deleted. Attributes that are not known yet are missing.
    pub after: Value,
    /// The attributes that force a replacement, each as a path with dots.
    pub forced_by: Vec<String>,
    unknown: Value,
    sensitive: [Value; 2],
}

#[derive(Deserialize)]
pub(super) struct Raw {
    address: String,
    #[serde(default)]
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    deposed: Option<String>,
    change: RawDelta,
}

#[derive(Deserialize)]
struct RawDelta {
    actions: Vec<String>,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
    #[serde(default)]
    after_unknown: Value,
    #[serde(default)]
    before_sensitive: Value,
    #[serde(default)]
    after_sensitive: Value,
    #[serde(default)]
    replace_paths: Vec<Vec<Value>>,
}

impl Change {
    pub(super) fn new(pointer: String, raw: Raw) -> Self {
        let step = |value: &Value| match value {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        };
        let path = |path: &Vec<Value>| path.iter().map(step).collect::<Vec<_>>().join(".");
        Self {
            address: raw.address,
            is_data: raw.mode == "data",
            kind: raw.kind,
            action: Action::new(&raw.change.actions),
            words: raw.change.actions,
            deposed: raw.deposed,
            pointer,
            before: raw.change.before,
            after: raw.change.after,
            forced_by: raw.change.replace_paths.iter().map(path).collect(),
            unknown: raw.change.after_unknown,
            sensitive: [raw.change.before_sensitive, raw.change.after_sensitive],
        }
    }

    /// Whether this plan creates or changes it.
    pub fn writes(&self) -> bool {
        match self.action {
            Action::Create | Action::Update | Action::Replace | Action::ReplaceAndForget => true,
            Action::Nothing | Action::Read | Action::Delete | Action::Forget | Action::Unknown => false,
        }
    }

    /// Whether a new one is created.
    pub fn creates(&self) -> bool {
        self.writes() && self.action != Action::Update
    }

    /// Whether the present object is destroyed.
    pub fn destroys(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Replace)
    }

    /// An attribute now; null if missing.
    pub fn before(&self, name: &str) -> &Value {
        &self.before[name]
    }

    /// An attribute after the apply; null if missing or not known yet.
    pub fn after(&self, name: &str) -> &Value {
        &self.after[name]
    }

    /// Whether an attribute, or a part of it, is known only after the apply.
    pub fn is_unknown(&self, name: &str) -> bool {
        fn any(value: &Value) -> bool {
            match value {
                Value::Bool(unknown) => *unknown,
                Value::Array(items) => items.iter().any(any),
                Value::Object(members) => members.values().any(any),
                Value::Null | Value::Number(_) | Value::String(_) => false,
            }
        }
        self.unknown == Value::Bool(true) || any(&self.unknown[name])
    }

    /// The address without its indexes.
    pub fn block(&self) -> String {
        let mut block = String::with_capacity(self.address.len());
        let (mut inside, mut quoted) = (0, false);
        for char in self.address.chars() {
            match char {
                '"' if inside > 0 => quoted = !quoted,
                '[' if !quoted => inside += 1,
                ']' if !quoted && inside > 0 => inside -= 1,
                other if inside == 0 => block.push(other),
                _ => {}
            }
        }
        block
    }

    /// The module's address with its dot, without indexes: `module.osmt.`; empty at the root.
    pub fn module(&self) -> String {
        let block = self.block();
        let resource = format!("{}.", self.kind);
        block.rfind(&resource).map_or_else(String::new, |at| {
            let module = block[..at].trim_end_matches("data.");
            module.to_owned()
        })
    }

    /// The pointer of an attribute in the plan: its new value, or its old one if the resource is deleted.
    pub fn at(&self, name: &str) -> String {
        let side = if self.after.is_null() { "before" } else { "after" };
        join(&format!("{}/{side}", self.pointer), name)
    }

    /// The pointer of the change's `actions`.
    pub fn at_actions(&self) -> String {
        format!("{}/actions", self.pointer)
    }

    /// Whether an attribute changes from true to false.
    pub fn turns_off(&self, name: &str) -> bool {
        self.before(name) == &Value::Bool(true) && self.after(name) == &Value::Bool(false)
    }

    /// Whether an attribute changes from false to true.
    pub fn turns_on(&self, name: &str) -> bool {
        self.before(name) == &Value::Bool(false) && self.after(name) == &Value::Bool(true)
    }

    /// An attribute with its old and new value: `db_name ("osmt_db" → "other")`. The name alone if a value may be a secret.
    pub fn difference(&self, name: &str) -> String {
        let top = name.split('.').next().unwrap_or(name);
        let marked = self.sensitive.iter().any(|side| match side {
            Value::Bool(all) => *all,
            side => match &side[top] {
                Value::Null => false,
                Value::Bool(secret) => *secret,
                _ => true,
            },
        });
        let (before, after) = (self.before(name), self.after(name));
        let looks = [before, after].into_iter().filter_map(Value::as_str).any(|text| {
            sensitive::has_login(text)
                || sensitive::looks_secret(text).is_some()
                || sensitive::assigned(text).is_some()
        });
        let short = |value: &Value| !value.is_object() && !value.is_array() && value.to_string().len() <= 60;
        let secret = marked || looks || sensitive::names_secret(name);
        if secret || !short(before) || !short(after) || name.contains('.') {
            return name.to_owned();
        }
        if after.is_null() && self.is_unknown(name) {
            return format!("{name} ({before} → known after apply)");
        }
        format!("{name} ({before} → {after})")
    }

    /// Each attribute that changes, as [`Self::difference`] shows it. For a replacement, attributes that AWS sets are left out.
    pub fn differences(&self) -> Vec<String> {
        let (Value::Object(before), Value::Object(after)) = (&self.before, &self.after) else {
            return Vec::new();
        };
        let unknown = self.unknown.as_object().into_iter().flatten().map(|(name, _)| name);
        let unknown = unknown.filter(|name| self.action == Action::Update && self.is_unknown(name));
        let written = after.keys().chain(before.keys()).filter(|name| before.get(*name) != after.get(*name));
        let written = written.filter(|name| after.contains_key(*name) || !self.is_unknown(name));
        let names: BTreeSet<&String> = written.chain(unknown).collect();
        names.into_iter().map(|name| self.difference(name)).collect()
    }

    /// `words` and the attributes that force the replacement: `, forced by db_name ("osmt_db" → "other")`; empty if there are none.
    pub fn reason(&self, words: &str) -> String {
        let by: Vec<_> = self.forced_by.iter().map(|name| self.difference(name)).collect();
        if by.is_empty() { String::new() } else { format!("{words}{}", by.join(", ")) }
    }
}
