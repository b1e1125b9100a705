//! The config's shape is in five places: schema, module, invocation, Rust type and template. They agree.

use std::collections::BTreeMap;
use std::fs;

use osmt::config::Config;
use osmt::doctor;
use osmt::doctor::keys;
use osmt::document::Document;
use serde_json::{Value, json};

use super::{base, cases_folder};

/// Whether a field may be left out, and what is used then.
#[derive(Clone, Debug, PartialEq)]
enum Default {
    Required,
    /// Left out means null.
    Nothing,
    Is(Value),
}

/// Path → (type, default).
type Shape = BTreeMap<String, (String, Default)>;

fn of_schema(schema: &Value, path: &str, required: bool, shape: &mut Shape) {
    let kind = match schema["type"].as_str().unwrap() {
        "integer" => "number",
        "boolean" => "bool",
        "array" => "list(string)",
        "object" if schema["additionalProperties"].is_object() => "map(string)",
        kind => kind,
    };
    if kind == "list(string)" {
        assert_eq!(schema["items"]["type"], "string", "{path}");
    }
    let default = match schema.get("default") {
        Some(default) => Default::Is(default.clone()),
        None if required => Default::Required,
        None => Default::Nothing,
    };
    assert!(!required || default == Default::Required, "{path} is required and has a default");
    assert!(schema["description"].is_string(), "{path} is not described");
    if kind == "object" {
        assert_eq!(schema["additionalProperties"], false, "{path}");
        let names: Vec<&str> =
            schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for (key, schema) in schema["properties"].as_object().unwrap() {
            of_schema(schema, &format!("{path}.{key}"), names.contains(&key.as_str()), shape);
        }
    } else {
        assert!(schema["examples"][0] != Value::Null, "{path} has no example");
        shape.insert(path.to_owned(), (kind.to_owned(), default));
    }
}

/// Reads the type of `variable "config"` line by line: one attribute a line, as `terraform fmt` leaves it.
fn of_terraform(text: &str) -> Shape {
    let mut shape = Shape::new();
    let mut path = vec!["config".to_owned()];
    let body = text.split_once("type = object({\n").unwrap().1;
    for line in body.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if line == "})" || line == "}), {})" {
            path.pop();
            if path.is_empty() {
                break;
            }
        } else if let Some((key, kind)) = line.split_once('=') {
            let (key, kind) = (key.trim(), kind.trim());
            if kind == "object({" || kind == "optional(object({" {
                path.push(key.to_owned());
                continue;
            }
            let optional = kind.strip_prefix("optional(").and_then(|rest| rest.strip_suffix(')'));
            let (kind, default) = match optional.map(|inside| (inside, inside.split_once(", "))) {
                Some((_, Some((kind, default)))) => {
                    (kind, Default::Is(serde_json::from_str(default).unwrap()))
                }
                Some((kind, None)) => (kind, Default::Nothing),
                None => (kind, Default::Required),
            };
            shape.insert(format!("{}.{key}", path.join(".")), (kind.to_owned(), default));
        }
    }
    shape
}

fn schema_shape() -> Shape {
    let schema: Value = serde_json::from_str(keys::CONFIG).unwrap();
    let mut shape = Shape::new();
    of_schema(&schema["properties"]["config"], "config", true, &mut shape);
    shape
}

fn terraform(file: &str) -> String {
    fs::read_to_string(format!("{}/terraform/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn schema_module_and_invocation_agree() {
    for file in ["module/variables.tf", "invocation/variables.tf"] {
        assert_eq!(of_terraform(&terraform(file)), schema_shape(), "{file}");
    }
}

#[test]
fn schema_and_rust_agree() {
    let whole: Value = serde_json::from_str(&base("prod")).unwrap();
    let read = |value: &Value| Config::from_document(&Document::parse(value.to_string()).unwrap());
    let kept = serde_json::to_value(read(&whole).unwrap()).unwrap();
    let mut leaves = Vec::new();
    collect(&kept, "config", &mut leaves);
    leaves.sort();
    let shape = schema_shape();
    assert_eq!(leaves, shape.keys().cloned().collect::<Vec<_>>());
    for (path, (_, default)) in &shape {
        let pointer = format!("/{}", path.replace('.', "/"));
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let mut without = whole.clone();
        if let Some(object) = without.pointer_mut(parent) {
            object.as_object_mut().unwrap().shift_remove(key);
        }
        let found = read(&without).map(|config| json!({ "config": config }).pointer(&pointer).cloned());
        let found = match found {
            Ok(Some(Value::Null)) => Default::Nothing,
            Ok(value) => Default::Is(value.unwrap()),
            Err(_) => Default::Required,
        };
        assert_eq!(found, *default, "{path}: left is Rust, right is the schema");
    }
}

#[test]
fn the_template_has_all_that_is_required_and_the_shipped_defaults() {
    let template: Value = serde_json::from_str(&terraform("invocation/config.auto.tfvars.json.tpl")).unwrap();
    let shape = schema_shape();
    let mut leaves = Vec::new();
    collect(&template["config"], "config", &mut leaves);
    for path in &leaves {
        let value = template.pointer(&format!("/{}", path.replace('.', "/"))).unwrap();
        let (_, default) = shape.get(path).unwrap_or_else(|| panic!("{path} is in the template only"));
        if let Default::Is(default) = default {
            assert_eq!(value, default, "{path}");
        }
    }
    for (path, (_, default)) in &shape {
        assert!(*default != Default::Required || leaves.contains(path), "{path} is not in the template");
    }
}

fn collect(value: &Value, path: &str, leaves: &mut Vec<String>) {
    match value.as_object().filter(|object| !object.is_empty()) {
        Some(object) => {
            object.iter().for_each(|(key, value)| collect(value, &format!("{path}.{key}"), leaves));
        }
        None => leaves.push(path.to_owned()),
    }
}

#[test]
fn the_schema_takes_every_good_config_and_its_own_examples() {
    let schema: Value = serde_json::from_str(keys::CONFIG).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let good = fs::read_dir(cases_folder().join("good")).unwrap();
    for path in good.map(|entry| entry.unwrap().path()) {
        let value: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
    examples(&schema);
}

fn examples(schema: &Value) {
    for example in schema["examples"].as_array().into_iter().flatten().chain(schema.get("default")) {
        let validator = jsonschema::draft202012::new(schema).unwrap();
        assert!(validator.is_valid(example), "{example} in {schema}");
    }
    for inner in schema["properties"].as_object().into_iter().flatten() {
        examples(inner.1);
    }
    if schema["items"].is_object() {
        examples(&schema["items"]);
    }
}

#[test]
fn terraform_speaks_in_the_doctors_codes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/terraform/module/variables.tf");
    let text = fs::read_to_string(path).unwrap();
    let rules = doctor::all_rules();
    for message in text.split("error_message = \"").skip(1) {
        let code = message.split([' ', ',']).next().unwrap();
        if !code.ends_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        assert!(rules.iter().any(|rule| rule.code == code), "there is no rule {code}");
    }
}
