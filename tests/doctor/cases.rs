//! Each folder below `tests/cases/doctor` is a code, with configs that it speaks about and configs that it does not.

use std::collections::BTreeMap;
use std::fs;

use osmt::doctor;
use osmt::doctor::{Checked, policy};
use osmt::finding::Severity;
use serde::Deserialize;
use serde_json::Value;

use super::{base, cases_folder, judged};

/// A config as a base and what is different in it; or a text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    base: String,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    rename: BTreeMap<String, String>,
    text: Option<String>,
    at: Option<String>,
    severity: Option<Severity>,
}

impl Case {
    fn text(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let mut value: Value = serde_json::from_str(&base(&self.base)).unwrap();
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
        serde_json::to_string_pretty(&value).unwrap()
    }
}

fn owner<'a>(value: &'a mut Value, pointer: &str) -> (&'a mut Value, String) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    (value.pointer_mut(parent).unwrap(), key)
}

/// Every folder: its code, its name, its two lists.
fn folders() -> Vec<(String, String, Vec<Case>, Vec<Case>)> {
    let list = |path: &std::path::Path, name: &str| -> Vec<Case> {
        let text = fs::read_to_string(path.join(name)).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut folders: Vec<_> = fs::read_dir(cases_folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("wrong.json").exists())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let (code, name) = name.split_once('-').unwrap();
            let (wrong, right) = (list(&path, "wrong.json"), list(&path, "right.json"));
            (code.to_owned(), name.to_owned(), wrong, right)
        })
        .collect();
    folders.sort_by(|a, b| a.0.cmp(&b.0));
    folders
}

fn has(checked: &Checked, code: &str, at: Option<&str>, severity: Option<Severity>) -> bool {
    checked.findings.findings.iter().any(|finding| {
        finding.code == code
            && at.is_none_or(|at| finding.at.as_ref().is_some_and(|place| place.pointer == at))
            && severity.is_none_or(|severity| finding.severity == severity)
    })
}

#[test]
fn each_code_speaks_about_its_cases_and_about_nothing_else() {
    let mut wrong_ones = Vec::new();
    for (code, _, wrong, right) in folders() {
        assert!(!wrong.is_empty() && !right.is_empty(), "{code} has no cases");
        for case in &wrong {
            let checked = judged(&case.text());
            let at = case.at.as_deref().unwrap();
            let stray = checked.findings.findings.iter().find(|finding| {
                let pointer = finding.at.as_ref().map_or("", |place| &place.pointer);
                let about = pointer.starts_with(at)
                    || at.starts_with(pointer)
                    || case.remove.iter().any(|removed| removed == pointer)
                    || pointer.starts_with("/secrets")
                    || case.rename.contains_key(pointer);
                finding.severity == Severity::Error && !about
            });
            if stray.is_some() || !has(&checked, &code, Some(at), case.severity) {
                wrong_ones.push(format!("{code} wrong {case:?}: {:?}", checked.findings.findings));
            }
        }
        for case in &right {
            let checked = judged(&case.text());
            if has(&checked, &code, None, None) {
                wrong_ones.push(format!("{code} right {case:?}"));
            }
        }
    }
    assert!(wrong_ones.is_empty(), "{}", wrong_ones.join("\n"));
}

#[test]
fn each_code_has_a_folder_of_its_name() {
    let folders: Vec<String> =
        folders().into_iter().map(|(code, name, ..)| format!("{code}-{name}")).collect();
    let rules = doctor::of_config();
    let rules = rules.iter().map(|rule| format!("{}-{}", rule.code, rule.name));
    let policies = policy::shipped();
    let policies = policies.iter().map(|policy| format!("{}-policy", policy.code));
    let mut wanted: Vec<String> = rules.chain(policies).collect();
    wanted.sort();
    assert_eq!(folders, wanted);
}

#[test]
fn codes_and_names_are_unique_and_explained() {
    let rules = doctor::all();
    for (index, rule) in rules.iter().enumerate() {
        assert!(
            rules[..index].iter().all(|other| other.code != rule.code && other.name != rule.name),
            "{} {} is there twice",
            rule.code,
            rule.name
        );
        assert!(rule.prose().len() > 80 && !rule.summary.ends_with('.'), "{}", rule.code);
    }
}

#[test]
fn good_configs_are_met_with_silence() {
    let mut good: Vec<_> =
        fs::read_dir(cases_folder().join("good")).unwrap().map(|entry| entry.unwrap().path()).collect();
    good.push(cases_folder().join("bases/test.json"));
    good.push(cases_folder().join("bases/prod.json"));
    for path in good {
        let checked = judged(&fs::read_to_string(&path).unwrap());
        let loud = |severity| severity > Severity::Note;
        assert!(!checked.findings.worst().is_some_and(loud), "{}: {:?}", path.display(), checked.findings);
    }
}

#[test]
fn the_template_yields_its_placeholders_and_nothing_else() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/terraform/invocation/");
    let template = fs::read_to_string(format!("{root}config.auto.tfvars.json.tpl")).unwrap();
    let checked = judged(&template);
    let open = template.matches('<').count();
    assert!(open > 5);
    let findings = &checked.findings.findings;
    assert!(findings.iter().all(|finding| finding.code == "CFG007"), "{findings:?}");
    assert_eq!(findings.len(), open);
}

#[test]
fn documentation_values_are_placeholders_too() {
    let checked = judged(&base("template"));
    let mut found: Vec<_> = checked
        .findings
        .findings
        .iter()
        .map(|finding| (finding.code.as_ref(), finding.at.as_ref().unwrap().pointer.as_str()))
        .collect();
    found.sort_unstable();
    let wanted = [
        "/config/account_id",
        "/config/alb/certificate_arn",
        "/config/app/oauth/client_id",
        "/config/app/oauth/issuer",
        "/config/domain/hosted_zone_id",
        "/config/domain/name",
    ];
    assert_eq!(found, wanted.map(|at| ("CFG007", at)));
}
