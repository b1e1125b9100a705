//! A Terraform plan as the rules read it: what changes, and for which config, account and region it was made.
//!
//! Reads the JSON of `terraform show -json`; its form is HashiCorp's "JSON Output Format", major version 1.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error as ThisError;

use crate::config::Config;
use crate::document::join;
use crate::explain::{Exit, Explain};

/// A plan, and the config that it should be for.
#[derive(Debug)]
pub struct Planned {
    /// What happens to each resource, no-ops included.
    pub changes: Vec<Change>,
    /// The config beside the plan; `None` where there is none that can be read.
    pub config: Option<Config>,
    /// The config that the plan was made from; `None` where the plan has no such variable.
    pub made_from: Option<Config>,
    /// The whole document.
    pub document: Value,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing, or it is only read.
    Nothing,
    /// It does not exist and will.
    Create,
    /// It changes in place.
    Update,
    /// It goes and comes back empty.
    Replace,
    /// It goes.
    Delete,
    /// It stays, and Terraform no longer knows of it.
    Forget,
}

/// A resource and what happens to it.
#[derive(Debug)]
pub struct Change {
    /// `module.osmt.aws_db_instance.main`
    pub address: String,
    /// `aws_db_instance`
    pub kind: String,
    /// What happens.
    pub action: Action,
    /// Pointer of the change in the plan: `/resource_changes/3/change`.
    pub pointer: String,
    /// The attributes now; null where it does not exist.
    pub before: Value,
    /// The attributes afterwards; null where it does not exist, and what is not known yet is missing.
    pub after: Value,
    /// The attributes that force a replacement, each as a path with dots.
    pub forced_by: Vec<String>,
    unknown: Value,
    sensitive: [Value; 2],
}

/// The document is JSON, but no plan.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Something else.
    #[error("this is JSON, but not a Terraform plan")]
    NotAPlan(#[source] serde_json::Error),
    /// A form that is not known.
    #[error("the plan has format version {0}; version 1 is understood")]
    Version(String),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some(
            "`terraform plan -out=FILE` saves a plan; give FILE, or what `terraform show -json FILE` prints"
                .into(),
        )
    }
}

#[derive(Deserialize)]
struct Raw {
    format_version: String,
    #[serde(default)]
    resource_changes: Vec<RawChange>,
    // Only a plan has it; a state has `values`.
    planned_values: Value,
}

#[derive(Deserialize)]
struct RawChange {
    address: String,
    #[serde(rename = "type")]
    kind: String,
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

impl Planned {
    /// Reads a plan's JSON.
    pub fn new(document: Value, config: Option<Config>) -> Result<Self, Error> {
        let raw = Raw::deserialize(&document).map_err(Error::NotAPlan)?;
        if raw.format_version.split('.').next() != Some("1") {
            return Err(Error::Version(raw.format_version));
        }
        drop(raw.planned_values);
        let changes = raw.resource_changes.into_iter().enumerate();
        Ok(Self {
            changes: changes.map(|(index, raw)| change(index, raw)).collect(),
            config,
            made_from: document
                .pointer("/variables/config/value")
                .and_then(|value| Config::deserialize(value).ok()),
            document,
        })
    }

    /// The config that the plan should be for, or at least was made from.
    pub fn expected(&self) -> Option<&Config> {
        self.config.as_ref().or(self.made_from.as_ref())
    }

    /// The changes of one type of resource.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Change> {
        self.changes.iter().filter(move |change| change.kind == kind)
    }

    /// The resources that an attribute of a resource block refers to, each with its full address; empty where the
    /// reference is indirect.
    pub fn references(&self, block: &str, attribute: &str) -> Vec<String> {
        let (module, resource) = match block.rsplit_once("module.") {
            Some((outer, inner)) => {
                let (name, resource) = inner.split_once('.').unwrap_or((inner, ""));
                (format!("{outer}module.{name}."), resource)
            }
            None => (String::new(), block),
        };
        let mut scope = &self.document["configuration"]["root_module"];
        for name in module.split('.').filter(|step| !["", "module"].contains(step)) {
            scope = &scope["module_calls"][name]["module"];
        }
        let resources = scope["resources"].as_array().into_iter().flatten();
        let references = resources
            .filter(|one| one["address"] == resource)
            .filter_map(|one| one["expressions"][attribute]["references"].as_array())
            .flatten();
        references
            .filter_map(|reference| reference.as_str())
            .filter(|reference| reference.starts_with("aws_"))
            .map(|reference| {
                let path: Vec<_> = reference.split(['.', '[']).take(2).collect();
                format!("{module}{}", path.join("."))
            })
            .collect()
    }

    /// Every resource and data source that the plan knows from before: type, address, attributes.
    pub fn prior(&self) -> Vec<(&str, &str, &Value)> {
        let mut found = Vec::new();
        let mut modules: Vec<&Value> =
            self.document.pointer("/prior_state/values/root_module").into_iter().collect();
        while let Some(module) = modules.pop() {
            modules.extend(module["child_modules"].as_array().into_iter().flatten());
            let resources = module["resources"].as_array().into_iter().flatten();
            found.extend(resources.filter_map(|resource| {
                let kind = resource["type"].as_str()?;
                Some((kind, resource["address"].as_str()?, &resource["values"]))
            }));
        }
        found
    }
}

impl Change {
    /// Whether it will exist and is made or changed by this plan.
    pub fn writes(&self) -> bool {
        matches!(self.action, Action::Create | Action::Update | Action::Replace)
    }

    /// Whether what it is now goes.
    pub fn destroys(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Replace)
    }

    /// An attribute now; null where there is none.
    pub fn before(&self, name: &str) -> &Value {
        &self.before[name]
    }

    /// An attribute afterwards; null where there is none, or where it is not known yet.
    pub fn after(&self, name: &str) -> &Value {
        &self.after[name]
    }

    /// Whether an attribute is known only after apply.
    pub fn is_unknown(&self, name: &str) -> bool {
        self.unknown[name] == Value::Bool(true)
    }

    /// The address without an index at its end.
    pub fn block(&self) -> &str {
        self.address.split('[').next().unwrap_or(&self.address)
    }

    /// Pointer of an attribute as it will be, into the plan.
    pub fn at(&self, name: &str) -> String {
        let side = if self.after.is_null() { "before" } else { "after" };
        join(&format!("{}/{side}", self.pointer), name)
    }

    /// Whether a switch that was on goes off.
    pub fn turns_off(&self, name: &str) -> bool {
        self.before(name) == &Value::Bool(true) && self.after(name) == &Value::Bool(false)
    }

    /// Whether a switch that was off goes on.
    pub fn turns_on(&self, name: &str) -> bool {
        self.before(name) == &Value::Bool(false) && self.after(name) == &Value::Bool(true)
    }

    /// An attribute's old and new value in words, as far as neither is a secret: `db_name ("osmt_db" → "other")`.
    pub fn told(&self, name: &str) -> String {
        let secret = self.sensitive.iter().any(|side| match &side[name] {
            Value::Null => false,
            Value::Bool(secret) => *secret,
            _ => true,
        });
        let (before, after) = (self.before(name), self.after(name));
        let short = |value: &Value| !value.is_object() && value.to_string().len() <= 60;
        if secret || !short(before) || !short(after) || name.contains('.') {
            return name.to_owned();
        }
        if after.is_null() {
            return format!("{name} ({before} → not known yet)");
        }
        format!("{name} ({before} → {after})")
    }
}

fn change(index: usize, raw: RawChange) -> Change {
    let actions: Vec<_> = raw.change.actions.iter().map(String::as_str).collect();
    let step = |value: &Value| match value {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    let path = |path: &Vec<Value>| path.iter().map(step).collect::<Vec<_>>().join(".");
    Change {
        address: raw.address,
        kind: raw.kind,
        action: match actions.as_slice() {
            ["create"] => Action::Create,
            ["update"] => Action::Update,
            ["delete"] => Action::Delete,
            ["forget"] => Action::Forget,
            many if many.contains(&"delete") && many.contains(&"create") => Action::Replace,
            _ => Action::Nothing,
        },
        pointer: format!("/resource_changes/{index}/change"),
        before: raw.change.before,
        after: raw.change.after,
        forced_by: raw.change.replace_paths.iter().map(path).collect(),
        unknown: raw.change.after_unknown,
        sensitive: [raw.change.before_sensitive, raw.change.after_sensitive],
    }
}
