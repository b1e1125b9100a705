//! Compares the config with its schema: unknown and missing keys, duplicate keys, wrong types.
//!
//! Reads `schemas/config.schema.json` only, so that editors, Terraform and osmt-doctor agree. The schema's patterns,
//! ranges and lists of values are checked by `rules`, which can say why; a test compares the two.

use std::collections::HashMap;

use serde_json::Value;

use super::keys::{SCHEMA, similar, wanted};
use super::rules::shape::{DUPLICATE_KEY, MISSING_KEY, UNKNOWN_KEY, UNKNOWN_VARIABLE, WRONG_TYPE};
use crate::arn::is_account_id;
use crate::document::{Document, Kind, Member, Node, Place, Token, integer, join};
use crate::finding::{Finding, Fix, Rule, Severity};

/// How many items and unknown keys are examined. `check` shows at most 500 findings.
const ENOUGH: usize = 600;

/// Checks the shape of a document.
pub fn check(document: &Document) -> Vec<Finding> {
    let mut walk = Walk { document, findings: Vec::new() };
    walk.duplicates(document.root(), "");
    walk.node(document.root(), &SCHEMA, "");
    walk.findings
}

/// The pointer of every key in the schema, in its order.
fn paths() -> Vec<String> {
    fn collect(schema: &Value, pointer: &str, paths: &mut Vec<String>) {
        for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
            let here = join(pointer, key);
            paths.push(here.clone());
            collect(schema, &here, paths);
        }
    }
    let mut paths = Vec::new();
    collect(&SCHEMA, "", &mut paths);
    paths
}

struct Walk<'a> {
    document: &'a Document,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    fn report(&mut self, rule: &Rule, place: Place, message: String, help: String) -> &mut Finding {
        let mut finding = Finding::new(rule, Some(place), message);
        finding.help(help);
        self.findings.push(finding);
        self.findings.last_mut().expect("pushed on the line above")
    }

    fn duplicates(&mut self, node: &Node, pointer: &str) {
        match &node.kind {
            Kind::Object(members) => {
                let mut seen: HashMap<&str, usize> = HashMap::new();
                for member in members {
                    let here = join(pointer, &member.key);
                    let nth = *seen.entry(&member.key).and_modify(|n| *n += 1).or_default();
                    if nth > 0 {
                        let place = Place::at(here.clone(), Token::Occurrence(nth));
                        let first = Place::at(here.clone(), Token::Occurrence(0));
                        let message = format!("the key `{}` occurs twice", member.key);
                        let help = "keep one of the two: programs differ in which one they use";
                        self.report(&DUPLICATE_KEY, place, message, help.into()).related(first, "the first");
                    }
                    self.duplicates(&member.node, &here);
                }
            }
            Kind::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.duplicates(item, &format!("{pointer}/{index}"));
                }
            }
            _ => {}
        }
    }

    fn node(&mut self, node: &Node, schema: &Value, pointer: &str) {
        match (&node.kind, wanted(schema)) {
            (Kind::Object(members), "object") => self.object(members, schema, pointer),
            (Kind::Array(items), "array") => {
                for (index, item) in items.iter().enumerate().take(ENOUGH) {
                    self.node(item, &schema["items"], &format!("{pointer}/{index}"));
                }
            }
            (Kind::String(_), "string") | (Kind::Bool(_), "boolean") => {}
            (Kind::Number(text), "integer") => self.number(text, pointer),
            (kind, wanted) => self.wrong_type(kind, wanted, schema, pointer),
        }
    }

    fn number(&mut self, text: &str, pointer: &str) {
        let place = Place::value(pointer);
        match integer(text) {
            None => {
                let help = "write a whole number".to_owned();
                self.report(
                    &WRONG_TYPE,
                    place,
                    format!("{text} is not a whole number, or it is too large"),
                    help,
                );
            }
            Some(number) if number.to_string() != text => {
                let message = format!("{text} is read as {number}, but not by every program");
                self.report(&WRONG_TYPE, place, message, format!("write {number}"))
                    .severity(Severity::Note)
                    .fix(Fix::Value(number.into()));
            }
            Some(_) => {}
        }
    }

    fn wrong_type(&mut self, kind: &Kind, wanted: &str, schema: &Value, pointer: &str) {
        let found = match kind {
            Kind::Null => "null",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "a list",
            Kind::Object(_) => "an object",
        };
        let wants = match wanted {
            "integer" => "a whole number",
            "boolean" => "true or false",
            "array" => "a list",
            "object" => "an object",
            _ => "a string",
        };
        let example = || format!("for example {}", schema["examples"][0]);
        let help = match kind {
            Kind::String(text) if wanted == "integer" => {
                integer(text.trim()).map_or_else(example, |number| format!("write {number}, without quotes"))
            }
            Kind::String(text) if wanted == "boolean" => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => "write true, without quotes".to_owned(),
                "false" | "no" | "off" | "0" => "write false, without quotes".to_owned(),
                _ => "write true or false, without quotes".to_owned(),
            },
            Kind::String(_) if wanted == "array" => "put it in brackets: [ … ]".to_owned(),
            Kind::Number(text) if pointer == "/config/account_id" && !is_account_id(text) => {
                "put the 12 digits in quotes, with the leading zeros".to_owned()
            }
            Kind::Number(text) if wanted == "string" => format!("put it in quotes: \"{text}\""),
            Kind::Null if !schema["default"].is_null() => {
                format!("leave the key out to get {}, or write a value", schema["default"])
            }
            _ if wanted == "object" && schema["properties"].is_object() => {
                let keys: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
                let keys: Vec<_> = keys.iter().map(|(key, _)| key.as_str()).collect();
                format!("write an object with {}", keys.join(", "))
            }
            _ => example(),
        };
        let what = match pointer.rsplit_once('/') {
            None => "the file".to_owned(),
            Some((parent, index)) if index.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("an item of `{}`", parent.rsplit('/').next().unwrap_or_default())
            }
            Some((_, key)) => format!("`{key}`"),
        };
        let message = format!("{what} must be {wants}, not {found}");
        let finding = self.report(&WRONG_TYPE, Place::value(pointer), message, help);
        finding.fix = match kind {
            Kind::Number(text) if pointer == "/config/account_id" && is_account_id(text) => {
                Some(Fix::Value(text.as_str().into()))
            }
            kind => unquoted(kind, wanted).map(Fix::Value),
        };
    }

    fn object(&mut self, members: &[Member], schema: &Value, pointer: &str) {
        let known = schema["properties"].as_object();
        let is_known = |key: &str| known.is_some_and(|known| known.contains_key(key));
        let missing: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|key| !members.iter().any(|member| member.key == *key))
            .collect();
        if pointer.is_empty() && self.unwrapped(members) {
            return;
        }
        if let [only] = members
            && pointer == "/config"
            && only.key == "config"
        {
            let place = Place::at("/config/config", Token::Key);
            let message = "the settings are wrapped in `config` twice".to_owned();
            let help = "remove one of the two wrappers".to_owned();
            self.report(&UNKNOWN_KEY, place, message, help);
            return;
        }
        let mut meant = Vec::new();
        let mut reported: Vec<&str> = Vec::new();
        for member in members {
            let any = Some(&schema["additionalProperties"]).filter(|any| any.is_object());
            if let Some(schema) = known.and_then(|known| known.get(&member.key)).or(any) {
                self.node(&member.node, schema, &join(pointer, &member.key));
            } else if reported.len() < ENOUGH && !reported.contains(&member.key.as_str()) {
                reported.push(&member.key);
                let absent = |key: &&str| !members.iter().any(|member| member.key == **key);
                let names = known.into_iter().flatten().map(|(key, _)| key.as_str());
                let near = similar(&member.key, names.clone().filter(|key| absent(key)))
                    .or_else(|| similar(&member.key, names))
                    .or_else(|| {
                        let wrapper = pointer.is_empty() && absent(&"config");
                        (wrapper && settings(&member.node) > 2).then_some("config")
                    });
                let near = near.map(str::to_owned);
                self.unknown(&member.key, pointer, near.as_deref());
                meant.extend(near);
            }
        }
        for key in missing.into_iter().filter(|key| !meant.iter().any(|near| near == key)) {
            debug_assert!(is_known(key), "required keys have a schema");
            let example = example(&schema["properties"][key]);
            let owner = pointer.rsplit('/').next().filter(|owner| !owner.is_empty());
            let message = owner.map_or_else(
                || format!("the key `{key}` is missing"),
                |owner| format!("the key `{key}` is missing in `{owner}`"),
            );
            let place = Place::at(join(pointer, key), Token::Missing);
            self.report(&MISSING_KEY, place, message, format!("add \"{key}\": {example}"));
        }
    }

    fn unknown(&mut self, key: &str, pointer: &str, near: Option<&str>) {
        let here = join(pointer, key);
        let rule = if pointer.is_empty() { &UNKNOWN_VARIABLE } else { &UNKNOWN_KEY };
        if near.is_none() && may_be_a_value(key) {
            let span = self.document.span(&Place::at(here, Token::Key));
            // The pointer must not contain the key: every output format prints the pointer.
            let place = Place::at(pointer, Token::Bytes(span.start, span.end));
            let message = format!(
                "unknown key of {} characters, which is not shown because it may be a secret value",
                key.chars().count()
            );
            let help = "check that key and value are not swapped, and remove it".to_owned();
            self.report(rule, place, message, help).masked();
            return;
        }
        let suffix = format!("/{}", here.rsplit('/').next().unwrap_or_default());
        let right_place = || {
            let all = paths();
            let mut places: Vec<_> = all.iter().filter(|path| path.ends_with(&suffix)).cloned().collect();
            // Prefer a place where the key is still missing.
            places.sort_by_key(|path| self.document.get(path).is_some());
            places.into_iter().next()
        };
        let (message, help) = match near {
            Some(near) => (format!("unknown key `{key}`"), format!("did you mean `{near}`?")),
            None => match right_place() {
                Some(path) => {
                    let level = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                    let level = level.trim_start_matches('/').replace('/', ".");
                    let help = if level.is_empty() {
                        "it belongs at the top level of the file".to_owned()
                    } else {
                        format!("it belongs in `{level}`")
                    };
                    (format!("`{key}` is not a key here"), help)
                }
                None if pointer.is_empty() => (
                    format!("Terraform declares no variable `{key}` and ignores the value"),
                    "remove it; the file contains only the key `config`".to_owned(),
                ),
                None => {
                    let message = format!("unknown key `{key}`: Terraform ignores it silently");
                    let help = match meaning(key, &self.free_keys(pointer)) {
                        Some(known) => format!("did you mean `{known}`? otherwise remove it"),
                        None => "remove it, or move its value to the key that is meant".to_owned(),
                    };
                    (message, help)
                }
            },
        };
        // An unknown key is never removed: its value may be needed under another name.
        let free = |near: &&str| self.document.get(&join(pointer, near)).is_none();
        let fix = near.filter(free).filter(|near| is_typo(key, near)).map(|near| Fix::Key(near.to_owned()));
        self.report(rule, Place::at(here, Token::Key), message, help).fix = fix;
    }

    /// The keys of an object that are not set.
    fn free_keys(&self, pointer: &str) -> Vec<String> {
        let free = |path: &String| self.document.get(path).is_none();
        let own = paths().into_iter().filter(free);
        own.filter_map(|path| {
            let (parent, key) = path.rsplit_once('/')?;
            (parent == pointer).then(|| key.to_owned())
        })
        .collect()
    }

    /// Reports a missing wrapper `config` as one finding, not one for each key; returns whether it is missing.
    fn unwrapped(&mut self, members: &[Member]) -> bool {
        let bare = known(members) > 2 && !members.iter().any(|member| member.key == "config");
        if bare {
            let place = Place::at("/config", Token::Missing);
            let message = "the variable `config` is missing around the settings".to_owned();
            self.report(&MISSING_KEY, place, message, "wrap them: { \"config\": { … } }".into());
        }
        bare
    }
}

/// Whether a key looks like a value, for example a password or a token that was written in place of the name.
fn may_be_a_value(key: &str) -> bool {
    let has = |kind: fn(char) -> bool| key.chars().any(kind);
    let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '$' | '/'));
    let mixed = has(|c| c.is_ascii_digit()) && (has(|c| c.is_ascii_uppercase()) || key.contains('-'));
    crate::sensitive::looks_secret(key).is_some() || mixed || has(odd)
}

/// How many of an object's keys are settings of the config.
fn settings(node: &Node) -> usize {
    match &node.kind {
        Kind::Object(members) => known(members),
        _ => 0,
    }
}

fn known(members: &[Member]) -> usize {
    let inner = &SCHEMA["properties"]["config"]["properties"];
    members.iter().filter(|member| inner.get(&member.key).is_some()).count()
}

/// The number or Boolean in a quoted value.
fn unquoted(kind: &Kind, wanted: &str) -> Option<Value> {
    match (kind, wanted) {
        (Kind::String(text), "integer") => integer(text.trim()).map(Value::from),
        (Kind::String(text), "boolean") => text.trim().to_lowercase().parse().ok().map(Value::Bool),
        _ => None,
    }
}

/// Whether a key is a typo of another one: a letter or two, another case, and not its opposite (`disable_…` for `enable_…`).
fn is_typo(key: &str, near: &str) -> bool {
    const OPPOSITES: [&str; 5] = ["dis", "no", "un", "skip", "without"];
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', ' '], "");
    let (key, near) = (plain(key), plain(near));
    let negated = |name: &str| OPPOSITES.iter().any(|prefix| name.starts_with(prefix));
    negated(&key) == negated(&near) && strsim::damerau_levenshtein(&key, &near) <= 2
}

/// The known key with the same meaning: a synonym, or one that shares words.
fn meaning<'a>(key: &str, known: &'a [String]) -> Option<&'a str> {
    const SYNONYMS: [(&str, &str); 10] = [
        ("whitelist", "ingress_cidrs"),
        ("allowlist", "ingress_cidrs"),
        ("allowed_cidrs", "ingress_cidrs"),
        ("cidr_blocks", "ingress_cidrs"),
        ("storage_gb", "allocated_storage"),
        ("storage_size", "allocated_storage"),
        ("replicas", "desired_count"),
        ("image", "docker_image"),
        ("tag", "docker_tag"),
        ("password_revision", "secrets_revision"),
    ];
    let lower = key.to_lowercase().replace('-', "_");
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == lower).map(|(_, known)| *known);
    let words: Vec<&str> = lower.split('_').filter(|word| word.len() > 2).collect();
    let shared = |name: &str| name.split('_').filter(|word| words.contains(word)).count();
    let by_words = || known.iter().filter(|name| shared(name) > 0).max_by_key(|name| shared(name));
    known.iter().find(|name| Some(name.as_str()) == synonym).or_else(by_words).map(String::as_str)
}

fn example(schema: &Value) -> String {
    match wanted(schema) {
        "object" => "{ … }".to_owned(),
        _ => schema["examples"][0].to_string(),
    }
}
