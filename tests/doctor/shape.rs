//! The config's shape is stated three times: schema, Terraform, Rust. They are one.

use std::collections::BTreeMap;
use std::fs;

use osmt::config::Config;
use osmt::doctor;
use osmt::doctor::schema;
use osmt::document::Document;
use serde_json::{Value, json};

use super::{base, cases_folder};

/// Path → (type, default); no default means required.
type Shape = BTreeMap<String, (String, Option<Value>)>;

fn of_schema(schema: &Value, path: &str, required: bool, shape: &mut Shape) {
    let kind = match schema["type"].as_str().unwrap() {
        "integer" => "number",
        "boolean" => "bool",
        "array" => "list(string)",
        kind => kind,
    };
    if kind == "array" || kind == "list(string)" {
        assert_eq!(schema["items"]["type"], "string", "{path}");
    }
    let default = schema.get("default").cloned();
    assert_eq!(required, default.is_none(), "{path}: optional means that there is a default");
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
    for line in body.lines().map(str::trim) {
        if line == "})" {
            path.pop();
            if path.is_empty() {
                break;
            }
        } else if let Some((key, kind)) = line.split_once('=') {
            let (key, kind) = (key.trim(), kind.trim());
            if kind == "object({" {
                path.push(key.to_owned());
                continue;
            }
            let optional = kind.strip_prefix("optional(").and_then(|rest| rest.strip_suffix(')'));
            let (kind, default) = match optional.and_then(|inside| inside.split_once(", ")) {
                Some((kind, default)) => (kind, Some(serde_json::from_str(default).unwrap())),
                None => (kind, None),
            };
            shape.insert(format!("{}.{key}", path.join(".")), (kind.to_owned(), default));
        }
    }
    shape
}

fn schema_shape() -> Shape {
    let schema: Value = serde_json::from_str(schema::CONFIG).unwrap();
    let mut shape = Shape::new();
    of_schema(&schema["properties"]["config"], "config", true, &mut shape);
    shape
}

#[test]
fn schema_and_terraform_agree() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/terraform/module/variables.tf");
    assert_eq!(schema_shape(), of_terraform(&fs::read_to_string(path).unwrap()));
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
        let object = without.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        object.shift_remove(key);
        match (read(&without), default) {
            (Ok(config), Some(default)) => {
                let config = json!({ "config": config });
                assert_eq!(config.pointer(&pointer), Some(default), "{path}");
            }
            (Err(_), None) => {}
            (result, default) => panic!("{path}: {default:?} by the schema, {result:?} in Rust"),
        }
    }
}

fn collect(value: &Value, path: &str, leaves: &mut Vec<String>) {
    match value.as_object() {
        Some(object) => {
            object.iter().for_each(|(key, value)| collect(value, &format!("{path}.{key}"), leaves));
        }
        None => leaves.push(path.to_owned()),
    }
}

#[test]
fn the_schema_takes_every_good_config_and_its_own_examples() {
    let schema: Value = serde_json::from_str(schema::CONFIG).unwrap();
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
    let rules = doctor::all();
    for message in text.split("error_message = \"").skip(1) {
        let code = message.split([' ', ',']).next().unwrap();
        if !code.ends_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        assert!(rules.iter().any(|rule| rule.code == code), "there is no rule {code}");
    }
}
