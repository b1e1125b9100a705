//! The catalogue's three statements are one: the table, the schema, Terraform.

use osmt::document::Document;
use osmt::secrets::catalog::{Catalog, Secret, Wanted};
use proptest::prelude::*;
use serde_json::Value;

use crate::support;

fn schema() -> Value {
    let text = std::fs::read_to_string(support::root().join("schemas/secrets.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn part(secret: &Secret) -> Value {
    let schema = schema();
    let pointer = format!("/properties/{}/properties/{}", secret.remote, secret.key);
    schema.pointer(&pointer).unwrap_or_else(|| panic!("the schema has no {pointer}")).clone()
}

#[test]
fn every_secret_is_in_the_schema_and_in_terraform() {
    let mut terraform = String::new();
    for folder in ["terraform/module", "terraform/invocation"] {
        for file in std::fs::read_dir(support::root().join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                terraform.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    let mut known = 0;
    for secret in &Catalog::all().0 {
        part(secret);
        assert!(terraform.contains(&secret.key), "Terraform never reads {}", secret.name);
        assert!(
            terraform.contains(&format!("/{}\"", secret.remote)),
            "Terraform never reads {}",
            secret.remote
        );
        known += 1;
    }
    let objects = schema()["properties"].as_object().unwrap().clone();
    let stated: usize = objects
        .iter()
        .filter(|(name, _)| *name != "extra")
        .map(|(_, object)| object)
        .map(|object| object["properties"].as_object().unwrap().len())
        .sum();
    assert_eq!(stated, known, "the schema states a secret that the catalogue does not have");
}

#[test]
fn terraform_and_the_catalogue_ask_the_same_release_lines_for_a_session_secret() {
    let file = support::root().join("terraform/module/osmt_lines.json");
    let lines: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    for (line, differs) in lines.as_object().unwrap() {
        let config = format!(r#"{{"config": {{"app": {{"version": "{line}.0.1"}}}}}}"#);
        let wanted = Wanted::of(&Document::parse(config).unwrap());
        assert_eq!(differs["session_token_secret"], wanted.session_token, "{line}");
    }
}

proptest! {
    #[test]
    fn schema_and_table_judge_alike(text in prop_oneof!["[ -~]{0,45}", "[A-Za-z0-9_.~-]{0,45}", "\\PC{0,20}", Just("osmt_admin".to_owned())]) {
        for secret in &Catalog::all().0 {
            let valid = jsonschema::validator_for(&part(secret)).unwrap().is_valid(&Value::from(text.as_str()));
            prop_assert_eq!(valid, secret.check(&text.as_str().into()).is_ok(), "{} and {:?}", secret.name, &text);
        }
    }
}
