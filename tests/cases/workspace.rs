//! The directory around a config, and the environment in which Terraform runs there.

use std::collections::BTreeMap;
use std::path::Path;

use osmt::doctor::rules::workspace::ALL;
use osmt::doctor::workspace::{self, File as Beside, Workspace};
use osmt::document::Document;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Kind;
use crate::judged::{File, Judged, Part};
use crate::support::root;

pub(crate) const KIND: Kind = Kind { name: "workspace", codes, base, judge };

const CONFIG: &str = "config.auto.tfvars.json";

/// What is judged: the base is a folder of `tests/cases/bases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// By their names in the folder; `null` is a file that is not UTF-8.
    files: BTreeMap<String, Option<String>>,
    environment: BTreeMap<String, String>,
}

fn codes() -> Vec<String> {
    ALL.iter().map(|rule| format!("{}-{}", rule.code, rule.name)).collect()
}

fn base(name: &str) -> Value {
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let files = std::fs::read_dir(root().join("tests/cases/bases").join(name)).unwrap();
    let files: BTreeMap<String, String> = files
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), text(&entry.path())))
        .collect();
    json!({ "files": files, "environment": {} })
}

fn judge(text: &str) -> Judged {
    let mut input: Input = serde_json::from_str(text).unwrap();
    let config = input.files.remove(CONFIG).unwrap().unwrap();
    let file = |(name, text)| Beside { name, text };
    let workspace = Workspace {
        config: CONFIG.to_owned(),
        initialised: input.files.remove_entry(".terraform/terraform.tfstate").map(file),
        selected: input.files.remove(".terraform/environment").map(Option::unwrap),
        files: input.files.into_iter().map(file).collect(),
        environment: input.environment.into_iter().collect(),
    };
    let config = Document::parse(config).unwrap();
    let judged = workspace::judge(&workspace, Some(&config));
    let part = |judged: workspace::Judged| Part {
        name: judged.name,
        findings: judged.findings,
        file: File::Text(judged.text),
    };
    Judged(judged.into_iter().map(part).collect())
}

#[test]
fn every_rule_passes_on_a_directory_as_the_toolkit_leaves_it() {
    let judged = judge(&base("workspace").to_string());
    assert!(!judged.reports_anything());
    assert_eq!(judged.0.iter().map(|part| part.findings.passed).sum::<usize>(), ALL.len());
}

#[test]
fn values_of_the_environment_are_not_reported() {
    let mut input = base("workspace");
    for name in ["TF_VAR_config", "TF_CLI_ARGS_plan", "TF_CLI_ARGS"] {
        input["environment"][name] = "-var password=hunter2hunter2".into();
    }
    let judged = judge(&input.to_string());
    let findings: Vec<_> = judged.0.iter().map(|part| &part.findings).collect();
    assert_eq!(findings.iter().map(|found| found.findings.len()).sum::<usize>(), 3);
    assert!(!format!("{findings:?}").contains("hunter2"), "{findings:?}");
}
