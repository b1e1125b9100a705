//! The binary itself: exits, formats, many files, fix, and what is never printed.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

use std::fs;

use serde_json::Value;

use super::support::osmt;
use super::{base, cases_folder};

fn good() -> String {
    cases_folder().join("bases/test.json").display().to_string()
}

#[test]
fn the_exit_says_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let warned = path("warned.json", &base("prod").replace("\"multi_az\": true", "\"multi_az\": false"));
    let wrong = path("wrong.json", &base("prod").replace("osmt_db", "osmt"));
    let check = |args: &[&str]| osmt("osmt-doctor").arg("check").args(args).output().unwrap();
    let exit = |args: &[&str]| check(args).status.code().unwrap();
    let (warned, wrong) = (warned.to_str().unwrap(), wrong.to_str().unwrap());
    assert_eq!(exit(&[&good()]), 0);
    assert_eq!(exit(&[warned]), 0);
    assert_eq!(exit(&["--fail-on", "warning", warned]), 1);
    assert_eq!(exit(&["--offline", "--config", wrong]), 1);
    assert_eq!(exit(&["--format", "sarif", wrong]), 1);
    let output = check(&["--format", "json", wrong, "nowhere.json", &good()]);
    assert_eq!(output.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"][0]["code"], "RDS001");
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere.json does not exist"));
}

#[test]
fn many_files_come_in_the_order_given() {
    let files: Vec<String> = fs::read_dir(cases_folder().join("good"))
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let run = |files: &[String]| {
        let output = osmt("osmt-doctor").args(["check", "--format", "json"]).args(files).output().unwrap();
        output.stdout
    };
    let report: Value = serde_json::from_slice(&run(&files)).unwrap();
    let mut order: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["file"].as_str())
        .collect();
    order.dedup();
    let wanted: Vec<&str> = files.iter().map(String::as_str).filter(|file| order.contains(file)).collect();
    assert_eq!(order, wanted);
    assert_eq!(run(&files), run(&files));
}

#[test]
fn a_secret_is_never_printed() {
    let secret = "Zt4LwXv2Nd9qK7";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let with =
        base("prod").replace("\"multi_az\"", &format!("\"master_password\": \"{secret}\", \"multi_az\""));
    let broken = with.replace("\"region\"", "'region'");
    let cut = with.split_once(secret).unwrap().0.to_owned() + secret;
    for text in [with, broken, cut] {
        fs::write(&path, text).unwrap();
        for format in ["human", "json", "sarif", "github"] {
            let output = osmt("osmt-doctor").args(["check", "--format", format]).arg(&path).output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let all = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(!all.contains(secret), "{format}: {all}");
        }
        let output = osmt("osmt-doctor").args(["fix", "--dry-run"]).arg(&path).output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stdout).contains(secret));
    }
}

#[test]
fn fix_shows_asks_and_writes_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let right = base("prod").replace('\n', "\r\n");
    let wrong = right.replace("osmt_db", "osmt").replace("\"region\"", "\"Region\"");
    fs::write(&path, &wrong).unwrap();
    let fix = |args: &[&str]| osmt("osmt-doctor").arg("fix").args(args).arg(&path).output().unwrap();
    let shown = fix(&["--dry-run"]);
    assert_eq!(shown.status.code(), Some(1));
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("+      \"db_name\": \"osmt_db\""), "{text}");
    assert_eq!(fix(&[]).status.code(), Some(4), "nobody is there to answer");
    assert_eq!(fs::read_to_string(&path).unwrap(), wrong);
    assert_eq!(fix(&["--yes"]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&path).unwrap(), right);
    assert_eq!(fix(&["--yes"]).status.code(), Some(0));
}

#[test]
fn policies_and_ignores_lie_beside_the_config() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    file("config.auto.tfvars.json", &base("prod"));
    let policy = r#"{ "policies": [ { "code": "ACME001", "message": "only Frankfurt", "require": { "properties": { "region": { "const": "eu-central-1" } } } } ] }"#;
    file("policies/acme.json", policy);
    let check = || {
        osmt("osmt-doctor").args(["check", "--format", "json", "--dir"]).arg(folder.path()).output().unwrap()
    };
    let codes = || -> Vec<String> {
        let report: Value = serde_json::from_slice(&check().stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        findings
            .iter()
            .map(|finding| finding["code"].as_str().unwrap().to_owned())
            .filter(|code| code != "RDS010")
            .collect()
    };
    assert_eq!(codes(), ["ACME001"]);
    let until = |day: &str| {
        let ignore = format!(
            r#"{{ "ignores": [ {{ "code": "ACME001", "pointer": "/config/region", "reason": "moving", "owner": "ops", "until": "{day}" }} ] }}"#
        );
        file("doctor.ignore.json", &ignore);
    };
    let next_year = jiff::Zoned::now().date().saturating_add(jiff::Span::new().years(1));
    until(&next_year.to_string());
    assert_eq!(codes(), Vec::<String>::new());
    until("2999-12-31");
    assert_eq!(check().status.code(), Some(2));
    until("2001-12-31");
    assert_eq!(codes(), ["ACME001", "IGN001"]);
    until("soon");
    assert_eq!(check().status.code(), Some(2));
    file("doctor.ignore.json", r#"{ "ignores": [] }"#);
    file("policies/acme.json", &policy.replace("\"const\"", "\"enum\""));
    assert_eq!(check().status.code(), Some(2));
}

#[test]
fn a_rule_can_be_explained_and_a_slip_is_forgiven() {
    let explain = |code: &str| osmt("osmt-doctor").args(["explain", code]).output().unwrap();
    assert!(String::from_utf8_lossy(&explain("net003").stdout).contains("subnet-outside-vpc"));
    let slip = explain("NET0O3");
    assert_eq!(slip.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&slip.stderr).contains("NET003"));
    osmt("osmt-doctor").arg("rules").assert().success();
    let schema = osmt("osmt-doctor").arg("schema").output().unwrap();
    assert!(serde_json::from_slice::<Value>(&schema.stdout).is_ok());
}
