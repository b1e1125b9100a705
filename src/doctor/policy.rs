//! Policies: an organisation's own requirements, as JSON Schemas with a code and a message.
//!
//! `command` reads the files; this module checks JSON values.

use std::borrow::Cow;
use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde::Deserialize;
use serde_json::{Value, json};

use super::user_file::{Error, UserFile};
use crate::deployment::environment;
use crate::document::{Place, Token, join};
use crate::finding::{Finding, Severity};

/// The schema of a policy file, as it is published.
pub const SCHEMA: &str = include_str!("../../schemas/policy.schema.json");

/// The files of the policies that come with the toolkit; a test compares the list with the folder.
pub const SHIPPED: &[(&str, &str)] =
    &[("schemas/policies/production.json", include_str!("../../schemas/policies/production.json"))];

/// The document that a policy checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// The object under `/config`.
    #[default]
    Config,
    /// The account's facts.
    Account,
    /// A Terraform plan, as `terraform show -json` prints it.
    Plan,
}

/// A requirement of an organisation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The organisation's code for it: `ACME001`.
    pub code: String,
    /// The severity of its findings.
    #[serde(default = "error")]
    pub severity: Severity,
    /// The document it checks.
    #[serde(default)]
    pub on: On,
    /// The message of its findings.
    pub message: String,
    /// The help of its findings.
    pub help: Option<String>,
    /// The schema that a document must match for the policy to apply; without it the policy always applies.
    when: Option<Value>,
    /// The schema that a document must match then.
    require: Value,
    /// Whether `when` is the condition for production that the shipped policies use: it is then decided without compiling it.
    #[serde(skip)]
    production_only: bool,
    #[serde(skip, default = "published_draft")]
    draft: Draft,
    #[serde(skip)]
    compiled: OnceLock<(Option<Validator>, OnceLock<Option<Validator>>)>,
}

impl Policy {
    /// Its schemas, each with a sentence that introduces it.
    pub fn schemas(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let when =
            self.when.iter().map(|when| ("It applies to a document that matches this JSON Schema", when));
        when.chain([("The document must then match this JSON Schema", &self.require)])
    }
}

fn error() -> Severity {
    Severity::Error
}

/// The draft that `schemas/policy.schema.json` gives for a policy's schemas.
fn published_draft() -> Draft {
    Draft::Draft202012
}

/// The draft that the shipped policies are compiled as. They use only keywords that mean the same in both drafts, and the
/// library first compiles the meta-schema of the draft: 10 million instructions here, 49 million for 2020-12 (a debug
/// build under `valgrind --tool=callgrind`).
const SHIPPED_DRAFT: Draft = Draft::Draft6;

/// Reads a policy file; an error in one policy is an error of the file.
pub fn read(text: &str) -> Result<Vec<Policy>, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        policies: Vec<Policy>,
        #[serde(rename = "$schema")]
        _schema: Option<String>,
    }
    let user_file = UserFile::parse(text, "schemas/policy.schema.json describes a policy file")?;
    let file: File = user_file.read()?;
    for (index, policy) in file.policies.iter().enumerate() {
        let fault = |key: &str, message| user_file.fault(format!("/policies/{index}/{key}"), message);
        if !is_code(&policy.code) {
            let message = format!(
                "{:?} is not a code: write an upper-case letter, then upper-case letters, digits, `-` and `_`, 2 to 32 in all",
                policy.code
            );
            return Err(fault("code", message));
        }
        if policy.message.trim().is_empty() {
            return Err(fault("message", "`message` is empty".to_owned()));
        }
        let taken = super::all_rules().iter().any(|rule| rule.code == policy.code);
        if taken || file.policies[..index].iter().any(|other| other.code == policy.code) {
            return Err(fault(
                "code",
                format!("the code {} is already used by another rule or policy", policy.code),
            ));
        }
        for (key, schema) in [("when", policy.when.as_ref()), ("require", Some(&policy.require))] {
            if let Some(Err(wrong)) = schema.map(|schema| compile(schema, published_draft())) {
                let inside = format!("{key}{}", wrong.instance_path().as_str());
                return Err(fault(&inside, format!("`{key}` is not a JSON Schema: {}", wrong.masked())));
            }
            if let Some((inside, message)) = schema.and_then(|schema| unknown_keyword(schema, key)) {
                return Err(fault(&inside, message));
            }
        }
    }
    Ok(file.policies)
}

/// The policies that come with the toolkit. Tests check them, so they are compiled only when they apply.
pub fn shipped() -> Vec<Policy> {
    #[derive(Deserialize)]
    struct File {
        policies: Vec<Policy>,
    }
    let production = json!({
        "properties": { "env": {
            "pattern": environment::PRODUCTION,
            "not": { "pattern": environment::NOT_PRODUCTION },
        } },
        "required": ["env"],
    });
    SHIPPED
        .iter()
        .filter_map(|(_, text)| serde_json::from_str::<File>(text).ok())
        .flat_map(|file| file.policies)
        .map(|policy| Policy {
            production_only: policy.when.as_ref() == Some(&production),
            draft: SHIPPED_DRAFT,
            ..policy
        })
        .collect()
}

/// Checks a document: `value` is at the pointer `base` of the file that the findings point into.
pub fn judge(policies: &[Policy], on: On, value: &Value, base: &str) -> Vec<Finding> {
    policies.iter().filter(|policy| policy.on == on).flat_map(|policy| policy.judge(value, base)).collect()
}

impl Policy {
    fn judge(&self, value: &Value, base: &str) -> Vec<Finding> {
        if self.production_only && value["env"].as_str().is_none_or(|env| !environment::is_production(env)) {
            return Vec::new();
        }
        let (when, require) = self.compiled.get_or_init(|| {
            // `production_only` is decided above.
            let when = self.when.as_ref().filter(|_| !self.production_only);
            let when = when.and_then(|when| compile(when, self.draft).ok());
            (when, OnceLock::new())
        });
        if when.as_ref().is_some_and(|when| !when.is_valid(value)) {
            return Vec::new();
        }
        let Some(require) = require.get_or_init(|| compile(&self.require, self.draft).ok()) else {
            return Vec::new();
        };
        let mut findings: Vec<Finding> = Vec::new();
        for place in require.iter_errors(value).flat_map(|error| places(&error, base)) {
            if findings.iter().all(|finding| finding.at.as_ref() != Some(&place)) {
                findings.push(self.finding(place));
            }
        }
        findings
    }

    fn finding(&self, place: Place) -> Finding {
        Finding {
            code: Cow::Owned(self.code.clone()),
            name: Cow::Borrowed("policy"),
            severity: self.severity,
            message: self.message.clone(),
            help: Some(self.help.clone().unwrap_or_else(|| "ask the author of the policy".into())),
            at: Some(place),
            related: Vec::new(),
            masked: false,
            fix: None,
            stable: None,
        }
    }
}

/// Whether a text has the form of a code: `ACME001`.
fn is_code(code: &str) -> bool {
    (2..=32).contains(&code.len())
        && code.starts_with(|c: char| c.is_ascii_uppercase())
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

/// Keywords of JSON Schema 2020-12 whose value is a schema, an object of schemas, a list of them, or neither.
const ONE_SCHEMA: [&str; 11] = [
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const NAMED_SCHEMAS: [&str; 5] =
    ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];
const LISTED_SCHEMAS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const OTHER_KEYWORDS: [&str; 37] = [
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$ref",
    "$schema",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
];

/// The first keyword that JSON Schema does not have: validators ignore it, so a misspelt one would require nothing.
fn unknown_keyword(schema: &Value, at: &str) -> Option<(String, String)> {
    schema.as_object()?.iter().find_map(|(key, value)| {
        let here = join(at, key);
        let name = key.as_str();
        if ONE_SCHEMA.contains(&name) {
            unknown_keyword(value, &here)
        } else if NAMED_SCHEMAS.contains(&name) {
            value.as_object()?.iter().find_map(|(name, schema)| unknown_keyword(schema, &join(&here, name)))
        } else if LISTED_SCHEMAS.contains(&name) {
            let schemas = value.as_array()?.iter().enumerate();
            schemas
                .into_iter()
                .find_map(|(index, schema)| unknown_keyword(schema, &format!("{here}/{index}")))
        } else if OTHER_KEYWORDS.contains(&name) {
            None
        } else {
            let known = ONE_SCHEMA.iter().chain(&NAMED_SCHEMAS).chain(&LISTED_SCHEMAS).chain(&OTHER_KEYWORDS);
            let hint = super::keys::similar(key, known.copied());
            let hint = hint.map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
            Some((here, format!("`{key}` is not a keyword of JSON Schema{hint}")))
        }
    })
}

fn compile(schema: &Value, draft: Draft) -> Result<Validator, ValidationError<'static>> {
    jsonschema::options().with_draft(draft).build(schema)
}

/// The places that a validation error is about: the value, the missing key, or each unexpected key.
fn places(error: &ValidationError<'_>, base: &str) -> Vec<Place> {
    let at = format!("{base}{}", error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            vec![Place::at(join(&at, key), Token::Missing)]
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|key| Place::at(join(&at, key), Token::Key)).collect()
        }
        _ => vec![Place::value(at)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EUROPE: &str = r#"{ "policies": [
  { "code": "ACME001", "severity": "warning", "on": "config",
    "message": "production runs in Europe only",
    "when": { "properties": { "env": { "const": "prod" } }, "required": ["env"] },
    "require": { "properties": { "region": { "enum": ["eu-central-1"] } }, "required": ["region"] } }
] }"#;

    #[test]
    fn a_finding_points_at_the_value() {
        let policies = read(EUROPE).unwrap();
        let judged = |value| judge(&policies, On::Config, &value, "/config");
        let found = judged(json!({ "env": "prod", "region": "us-west-2" }));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].at, Some(Place::value("/config/region")));
        assert_eq!(found[0].severity, Severity::Warning);
        let found = judged(json!({ "env": "prod" }));
        assert_eq!(found[0].at, Some(Place::at("/config/region", Token::Missing)));
        assert_eq!(judged(json!({ "env": "test", "region": "us-west-2" })), []);
        assert_eq!(judged(json!({ "env": "prod", "region": "eu-central-1" })), []);
    }

    #[test]
    fn a_broken_file_names_its_line() {
        let wrong = EUROPE.replace("\"enum\": [", "\"enum\": 5, \"x\": [");
        assert_eq!(read(&wrong).unwrap_err().at.line, 5);
        assert_eq!(read(&EUROPE.replace("warning", "bad")).unwrap_err().at.line, 2);
        assert_eq!(read(&EUROPE.replace("ACME001", "NET001")).unwrap_err().at.line, 2);
        assert_eq!(read("{\n\"policies\": [,]}").unwrap_err().at.line, 2);
        let wrong = read(&EUROPE.replace("\"require\": { \"properties\"", "\"require\": { \"propertys\""))
            .unwrap_err();
        assert_eq!(wrong.at.line, 5);
        assert!(wrong.message.contains("did you mean `properties`"), "{wrong}");
        for code in ["", "net003", "x\\ny", "A", "A B", "ACME\u{e9}1"] {
            assert_eq!(read(&EUROPE.replace("ACME001", code)).unwrap_err().at.line, 2, "{code}");
        }
        assert!(read("{}").is_err());
    }

    #[test]
    fn every_shipped_policy_is_listed_and_can_be_read() {
        for (_, text) in SHIPPED {
            assert!(!read(text).unwrap().is_empty());
        }
        assert!(!shipped().is_empty());
        for policy in shipped() {
            assert!(policy.production_only, "{}", policy.code);
            let mut open: Vec<&Value> = policy.schemas().map(|(_, schema)| schema).collect();
            while let Some(schema) = open.pop() {
                for (key, value) in schema.as_object().unwrap() {
                    match key.as_str() {
                        "const" | "enum" | "type" | "minimum" | "maximum" | "pattern" | "required" => {}
                        "not" => open.push(value),
                        "anyOf" | "allOf" => open.extend(value.as_array().unwrap()),
                        "properties" => open.extend(value.as_object().unwrap().values()),
                        _ => panic!("{}: does `{key}` mean the same in draft 6?", policy.code),
                    }
                }
            }
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/policies");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), SHIPPED.len());
    }
}
