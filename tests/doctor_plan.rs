//! `osmt-doctor plan`: every rule speaks of its own fault and is silent without it; the verb as a person uses it.
//!
//! A case is a folder below `tests/cases/doctor-plan`, named after its rule: `bad.json` and `good.json` are plans.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read and write files; a panic is how they fail"
)]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;

use osmt::config::Config;
use osmt::doctor::planned::Planned;
use osmt::doctor::rules::plan::THEMES;
use osmt::document::Document;
use osmt::finding::Findings;
use serde_json::Value;

fn cases() -> PathBuf {
    support::root().join("tests/cases/doctor-plan")
}

fn judge(case: &str) -> Findings {
    let text = std::fs::read_to_string(cases().join(case)).unwrap();
    let config = Document::parse(support::config("test")).unwrap();
    let config = Config::from_document(&config).unwrap();
    let plan = Planned::new(serde_json::from_str(&text).unwrap(), Some(config)).unwrap();
    let mut findings = Findings::default();
    for theme in THEMES {
        findings.run(theme, &plan);
    }
    for finding in &findings.findings {
        // What a pointer names must be there, or be an attribute that is left out.
        let pointer = &finding.at.as_ref().unwrap().pointer;
        let parent = pointer.rsplit_once('/').unwrap().0;
        assert!(plan.document.pointer(parent).is_some(), "{case}: {pointer}");
    }
    findings
}

#[test]
fn every_rule_has_a_case_in_which_it_speaks_and_one_in_which_it_is_silent() {
    let rules = THEMES.iter().copied().flatten().map(|check| check.rule.code);
    let rules: BTreeSet<String> = rules.map(str::to_owned).collect();
    let folders = std::fs::read_dir(cases()).unwrap();
    let folders = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let folders: BTreeSet<String> = folders.collect();
    assert_eq!(rules, folders);
    for code in rules {
        let bad = judge(&format!("{code}/bad.json"));
        let said: BTreeSet<_> = bad.findings.iter().map(|f| f.code.as_ref()).collect();
        assert!(said.contains(code.as_str()), "{code} is silent: {said:?}");
        let good = judge(&format!("{code}/good.json"));
        let said: BTreeSet<_> = good.findings.iter().map(|f| f.code.as_ref()).collect();
        assert!(!said.contains(code.as_str()), "{code} speaks of nothing");
    }
}

fn plan(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let folder = tempfile::tempdir().unwrap();
    let mut command = support::osmt("osmt-doctor");
    command.arg("plan").args(arguments).arg("--dir").arg(folder.path());
    command.assert()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_replaced_database_is_shouted_about_in_every_format() {
    let case = "tests/cases/doctor-plan/PLAN001/bad.json";
    let human = plan(&[case]).code(1);
    let told = text(&human.get_output().stdout).replace("\n                ", " ");
    assert!(told.contains("error[PLAN001]: module.osmt.aws_db_instance.main is replaced"), "{told}");
    assert!(told.contains("db_name (\"osmt_db\" → \"other\")"), "{told}");

    let json = plan(&[case, "--format", "json"]).code(1);
    let report: Value = serde_json::from_slice(&json.get_output().stdout).unwrap();
    let pointer = "/resource_changes/0/change/after/db_name";
    assert_eq!(report["findings"][0]["pointer"], pointer);
    assert_eq!(report["findings"][0]["start"], Value::Null);

    let sarif = plan(&[case, "--format", "sarif"]).code(1);
    let log: Value = serde_json::from_slice(&sarif.get_output().stdout).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "PLAN001");

    let github = plan(&[case, "--format", "github"]).code(1);
    let told = text(&github.get_output().stdout);
    assert!(told.starts_with("::error file=tests/cases/doctor-plan/PLAN001/bad.json,title=PLAN001 "));
}

#[test]
fn what_fails_the_run_can_be_chosen() {
    let warning = "tests/cases/doctor-plan/PLAN004/bad.json";
    plan(&[warning]).code(0);
    plan(&[warning, "--fail-on", "warning"]).code(1);
    plan(&["tests/cases/doctor-plan/PLAN004/good.json", "--fail-on", "note"]).code(0);
}

#[test]
fn a_secret_in_the_plan_is_named_and_not_told() {
    for format in ["human", "json", "sarif", "github"] {
        let case = "tests/cases/doctor-plan/PLAN013/bad.json";
        let run = plan(&[case, "--format", format, "-vv"]).code(1);
        let output = run.get_output();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(told.contains("DB_URI") && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn what_is_no_plan_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan");
    let name = file.to_str().unwrap();
    for (content, why) in [
        ("", "neither a saved plan nor JSON"),
        ("not JSON", "neither a saved plan nor JSON"),
        ("[]", "not a Terraform plan"),
        (r#"{"format_version":"1.0","values":{}}"#, "not a Terraform plan"),
        (r#"{"format_version":"2.0","planned_values":{}}"#, "version 2.0"),
    ] {
        std::fs::write(&file, content).unwrap();
        let run = plan(&[name]).code(2);
        let told = text(&run.get_output().stderr);
        assert!(told.contains(why) && told.contains("help:"), "{told}");
        assert!(run.get_output().stdout.is_empty());
    }
    let run = plan(&["no/such/file"]).code(2);
    assert!(text(&run.get_output().stderr).contains("does not exist"));
}

#[test]
fn a_saved_plan_without_terraform_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved");
    std::fs::write(&file, b"PK\x03\x04 and so on").unwrap();
    let mut command = support::osmt("osmt-doctor");
    command.env("PATH", folder.path()).arg("plan").arg(&file);
    let run = command.arg("--dir").arg(folder.path()).assert().code(3);
    let told = text(&run.get_output().stderr);
    assert!(told.contains("could not find `terraform`"), "{told}");
    assert!(told.contains("terraform show -json"), "{told}");
}

#[test]
fn a_plan_is_read_from_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(cases().join("PLAN001/good.json")).unwrap();
    let mut command = support::osmt("osmt-doctor");
    command.args(["plan", "-"]).arg("--dir").arg(folder.path());
    command.write_stdin(good).assert().code(0);
}
