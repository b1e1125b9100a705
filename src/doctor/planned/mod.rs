//! A Terraform plan: the changes, and the config, account and region that it was made for.
//!
//! Reads the JSON of `terraform show -json` (HashiCorp, "JSON Output Format", major version 1).

mod change;
pub mod input;
mod mark;

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error as ThisError;

pub use self::change::{Action, Change};
pub use self::mark::Mark;
use crate::config::Config;
use crate::explain::{Exit, Explain};

/// A plan, and the config beside it.
#[derive(Debug)]
pub struct Planned {
    /// What happens to each resource, including no-ops and changes that are deferred to a later apply.
    pub changes: Vec<Change>,
    /// What was changed outside of Terraform since the last apply.
    pub drift: Vec<Change>,
    /// The config beside the plan; `None` if it does not exist or cannot be read.
    pub config: Option<Config>,
    /// The config that the plan was made from; `None` if the plan has no variable `config`.
    pub made_from: Option<Config>,
    /// The plan's JSON.
    pub document: Value,
    /// The pointer of each resource block in the plan's configuration, by address without indexes.
    blocks: HashMap<String, String>,
}

/// The document is JSON, but not a plan that can be judged.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The JSON is something else.
    #[error("this is JSON, but not a Terraform plan")]
    NotAPlan,
    /// A part of the plan has an unknown shape.
    #[error("this is a Terraform plan in an unknown format")]
    Form(#[source] serde_json::Error),
    /// The JSON is a state.
    #[error("this is a Terraform state, not a Terraform plan")]
    State,
    /// `OpenTofu` encrypted the plan or state.
    #[error("this plan is encrypted by OpenTofu")]
    Encrypted,
    /// The format version is not supported.
    #[error("the plan has format version {0}; version 1 is supported")]
    Version(String),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Encrypted => {
                "run `tofu show -json FILE > plan.json` in the Terraform directory, with its encryption configured, and give plan.json"
                    .into()
            }
            Self::State => {
                "`terraform show -json` without a file prints the state; give it the plan: `terraform show -json FILE`"
                    .into()
            }
            Self::NotAPlan | Self::Form(_) | Self::Version(_) => input::HELP.into(),
        })
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    resource_changes: Vec<change::Raw>,
    #[serde(default)]
    resource_drift: Vec<change::Raw>,
    #[serde(default)]
    deferred_changes: Vec<RawDeferred>,
}

#[derive(Deserialize)]
struct RawDeferred {
    resource_change: change::Raw,
}

impl Planned {
    /// Reads a plan's JSON.
    pub fn new(document: Value, config: Option<Config>) -> Result<Self, Error> {
        let Some(members) = document.as_object() else {
            return Err(Error::NotAPlan);
        };
        if members.contains_key("encrypted_data") || members.contains_key("encryption_version") {
            return Err(Error::Encrypted);
        }
        let is_plan =
            ["planned_values", "resource_changes", "errored"].iter().any(|key| members.contains_key(*key));
        if !is_plan {
            return Err(if members.contains_key("values") { Error::State } else { Error::NotAPlan });
        }
        match members.get("format_version") {
            Some(Value::String(version)) if version.split('.').next() == Some("1") => {}
            Some(Value::String(version)) => return Err(Error::Version(version.clone())),
            _ => return Err(Error::NotAPlan),
        }
        let raw = Raw::deserialize(&document).map_err(Error::Form)?;

        let at = |list: &'static str, inner: &'static str| {
            move |(index, raw)| Change::new(format!("/{list}/{index}{inner}"), raw)
        };
        let changes = raw.resource_changes.into_iter().enumerate().map(at("resource_changes", "/change"));
        let deferred = raw.deferred_changes.into_iter().map(|deferred| deferred.resource_change);
        let deferred = deferred.enumerate().map(at("deferred_changes", "/resource_change/change"));
        let drift = raw.resource_drift.into_iter().enumerate().map(at("resource_drift", "/change"));
        let mut blocks = HashMap::new();
        index(&document["configuration"]["root_module"], "/configuration/root_module", "", &mut blocks);
        Ok(Self {
            changes: changes.chain(deferred).collect(),
            drift: drift.collect(),
            config,
            made_from: document
                .pointer("/variables/config/value")
                .and_then(|value| Config::deserialize(value).ok()),
            blocks,
            document,
        })
    }

    /// The config beside the plan; if there is none, the one that the plan was made from.
    pub fn expected(&self) -> Option<&Config> {
        self.config.as_ref().or(self.made_from.as_ref())
    }

    /// Whether the plan was made from another config than the one beside it.
    pub fn is_of_another_config(&self) -> bool {
        matches!((&self.made_from, &self.config), (Some(made_from), Some(config)) if made_from != config)
    }

    /// The destroyed VPC of a plan that destroys the complete environment; `None` for any other plan.
    pub fn teardown(&self) -> Option<&Change> {
        let mut managed = self.changes.iter().filter(|change| !change.is_data).peekable();
        managed.peek()?;
        let is_teardown = managed.all(|change| change.action == Action::Delete);
        self.of("aws_vpc").next().filter(|_| is_teardown)
    }

    /// The changes of one type of resource.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Change> {
        self.changes.iter().filter(move |change| change.kind == kind && !change.is_data)
    }

    /// The changes that create or change something.
    pub fn written(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.writes())
    }

    /// The resources that an attribute of a resource block refers to, by full address; empty if the reference is indirect.
    pub fn references(&self, change: &Change, attribute: &str) -> Vec<String> {
        let module = change.module();
        let references = self.block(change).and_then(|block| {
            block.pointer(&format!("/expressions/{attribute}/references")).and_then(Value::as_array)
        });
        references
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|reference| reference.starts_with("aws_"))
            .map(|reference| {
                let path: Vec<_> = reference.split(['.', '[']).take(2).collect();
                format!("{module}{}", path.join("."))
            })
            .collect()
    }

    /// Whether the configuration sets an attribute to a value that is known only after the apply. Attributes that the
    /// configuration does not set are computed by AWS and do not count.
    pub fn is_set_but_unknown(&self, change: &Change, name: &str) -> bool {
        let is_set = self.block(change).is_none_or(|block| {
            let expressions = &block["expressions"];
            !expressions[name].is_null()
        });
        change.is_unknown(name) && is_set
    }

    /// The resource block in the configuration, if the plan contains it.
    fn block(&self, change: &Change) -> Option<&Value> {
        let pointer = self.blocks.get(&change.block())?;
        self.document.pointer(pointer)
    }

    /// A variable of the root module, by reference: `var.config.region`.
    pub fn variable(&self, reference: &str) -> Option<&Value> {
        let mut steps = reference.strip_prefix("var.")?.split('.');
        let value = &self.document["variables"][steps.next()?]["value"];
        let found = steps.fold(value, |value, step| &value[step]);
        (!found.is_null()).then_some(found)
    }

    /// Every resource and data source of the prior state: type, address, attributes.
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

    /// The pointer with the resource's address instead of its index, so that it stays the same when resources are added.
    pub fn stable(&self, pointer: &str) -> Option<String> {
        let (list, rest) = ["resource_changes", "resource_drift", "deferred_changes"]
            .iter()
            .find_map(|list| Some((list, pointer.strip_prefix(&format!("/{list}/"))?)))?;
        let (index, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let entry = &self.document[*list][index.parse::<usize>().ok()?];
        let address = entry["address"].as_str().or(entry["resource_change"]["address"].as_str())?;
        Some(format!("/{list}/{address}/{rest}"))
    }
}

/// Records the pointer of each resource block of a module and its child modules.
fn index(module: &Value, pointer: &str, prefix: &str, blocks: &mut HashMap<String, String>) {
    for (index, resource) in module["resources"].as_array().into_iter().flatten().enumerate() {
        if let Some(address) = resource["address"].as_str() {
            blocks.insert(format!("{prefix}{address}"), format!("{pointer}/resources/{index}"));
        }
    }
    for (name, call) in module["module_calls"].as_object().into_iter().flatten() {
        let pointer = format!("{pointer}/module_calls/{name}/module");
        self::index(&call["module"], &pointer, &format!("{prefix}module.{name}."), blocks);
    }
}
