//! The binary itself: exits, formats, many files, fix, and what is never printed.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

use std::fs;

use serde_json::Value;

use super::support::{Folder, osmt, run};
use super::{base, cases_folder};

fn good() -> String {
    cases_folder().join("bases/test.json").display().to_string()
}

#[test]
fn the_exit_says_what_was_found() {
    let folder = Folder::empty();
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
    run(osmt("osmt-doctor").args(["check", wrong, warned])).exits(1).matches("doctor/check", &folder.own());
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
    let folder = Folder::empty();
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
    let folder = Folder::empty();
    let path = folder.path().join("config.json");
    let right = base("prod").replace('\n', "\r\n");
    let wrong = right.replace("osmt_db", "osmt").replace("\"region\"", "\"Region\"");
    fs::write(&path, &wrong).unwrap();
    let fix = |args: &[&str]| osmt("osmt-doctor").arg("fix").args(args).arg(&path).output().unwrap();
    let shown = fix(&["--dry-run"]);
    assert_eq!(shown.status.code(), Some(1));
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("+      \"db_name\": \"osmt_db\""), "{text}");
    assert_eq!(fix(&[]).status.code(), Some(4), "there is no terminal");
    assert_eq!(fs::read_to_string(&path).unwrap(), wrong);
    assert_eq!(fix(&["--yes"]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&path).unwrap(), right);
    assert_eq!(fix(&["--yes"]).status.code(), Some(0));
}

#[test]
fn policies_and_ignores_are_read_beside_the_config() {
    let folder = Folder::empty();
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

/// A checkout with two environments, the second of which has an error.
fn two_environments() -> Folder {
    let folder = Folder::empty();
    for (env, class) in [("a", "db.t4g.small"), ("b", "db.t4g.smal")] {
        let text = base("test").replace("db.t4g.small", class);
        fs::create_dir_all(folder.path().join(format!("env/{env}/.terraform"))).unwrap();
        fs::write(folder.path().join(format!("env/{env}/config.auto.tfvars.json")), text).unwrap();
    }
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

#[test]
fn stdin_folders_and_patterns_are_checked() {
    let folder = two_environments();
    let check = |args: &[&str], stdin: &str| {
        let mut command = osmt("osmt-doctor");
        command.current_dir(folder.path()).args(["check", "--format", "json"]).args(args);
        let output = command.write_stdin(stdin).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), report["findings"][0]["file"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(check(&["-"], &base("test")), (0, String::new()));
    assert_eq!(check(&["-"], "{"), (1, "-".to_owned()));
    let second = "env/b/config.auto.tfvars.json".to_owned();
    assert_eq!(check(&["env"], ""), (1, second.clone()));
    assert_eq!(check(&["env/*/*.json"], ""), (1, second));
    assert_eq!(check(&["env/a"], ""), (0, String::new()));
    assert_eq!(check(&["env/a/.terraform"], "").0, 2);
    assert_eq!(check(&["nowhere/*.json"], "").0, 2);
}

#[test]
fn sarif_places_are_files_of_the_checkout() {
    let folder = two_environments();
    let result = |args: &[&str], from: &str| {
        let mut command = osmt("osmt-doctor");
        command.current_dir(folder.path().join(from)).args(["check", "--format", "sarif"]).args(args);
        let output = command.write_stdin("{").output().unwrap();
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        let run = &log["runs"][0];
        let place = &run["results"][0]["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].is_u64(), "{place}");
        assert!(run["results"][0]["partialFingerprints"]["primaryLocationLineHash"].is_string());
        assert!(run["tool"]["driver"]["rules"][0]["helpUri"].is_string());
        assert!(run["tool"]["driver"]["rules"][0]["properties"]["tags"].is_array());
        let id = run["automationDetails"]["id"].as_str().unwrap().to_owned();
        (place["artifactLocation"]["uri"].as_str().unwrap().to_owned(), id)
    };
    let wanted = ("env/b/config.auto.tfvars.json".to_owned(), "osmt-doctor/check/test/".to_owned());
    assert_eq!(result(&["--dir", "env/b"], ""), wanted);
    assert_eq!(result(&["--dir", "."], "env/b"), wanted);
    let absolute = folder.path().join("env/b");
    assert_eq!(result(&["--dir", absolute.to_str().unwrap()], "env/a"), wanted);
    // What is not in the checkout is shown at the config.
    assert_eq!(result(&["-", "--dir", "env/b"], "").0, wanted.0);
}

#[test]
fn junit_counts_failures() {
    let folder = two_environments();
    let output = osmt("osmt-doctor")
        .current_dir(folder.path())
        .args(["check", "--format", "junit", "env"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{text}");
    assert!(text.contains("name=\"RDS004 unknown-instance-class /config/rds/instance_class\""), "{text}");
    let refused = osmt("osmt-doctor").args(["rules", "--format", "junit"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn settings_and_a_baseline_decide_what_is_reported() {
    let folder = two_environments();
    let check = |args: &[&str]| {
        let mut command = osmt("osmt-doctor");
        command.current_dir(folder.path()).args(["check", "--dir", "env/b"]).args(args).output().unwrap()
    };
    let report = folder.path().join("report.json");
    fs::write(&report, check(&["--format", "json"]).stdout).unwrap();
    assert_eq!(check(&["--baseline", "report.json"]).status.code(), Some(0));
    assert_eq!(check(&["--baseline", "env/b/config.auto.tfvars.json"]).status.code(), Some(2));
    let settings = folder.path().join("env/b/doctor.toml");
    fs::write(&settings, "[rules]\nRDS004 = \"off\"\n").unwrap();
    assert_eq!(check(&[]).status.code(), Some(0));
    fs::write(&settings, "[rules]\nRDS004 = \"warning\"\n").unwrap();
    assert_eq!(check(&["--fail-on", "warning"]).status.code(), Some(1));
    fs::write(&settings, "[rules]\nRDS404 = \"off\"\n").unwrap();
    let output = check(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`RDS404` is not a rule at line 2"));
}

#[test]
fn the_directory_is_read_as_terraform_reads_it() {
    let folder = two_environments();
    let place = folder.path().join("env/a");
    fs::write(place.join("main.tf"), "provider \"aws\" {\n  region = \"us-west-2\"\n}\n").unwrap();
    fs::write(place.join("z.auto.tfvars"), "config = {}\n").unwrap();
    let output = osmt("osmt-doctor")
        .current_dir(folder.path())
        .env("TF_WORKSPACE", "other")
        .args(["check", "--dir", "env/a", "--format", "json"])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = report["findings"].as_array().unwrap();
    let found: Vec<_> =
        found.iter().map(|one| (one["code"].as_str().unwrap(), one["file"].as_str().unwrap())).collect();
    assert!(found.contains(&("WKS003", "env/a/config.auto.tfvars.json")), "{found:?}");
    assert!(found.contains(&("WKS004", "env/a/main.tf")), "{found:?}");
    assert!(found.contains(&("WKS001", "env/a/z.auto.tfvars")), "{found:?}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_steers_a_terminal_is_shown_instead() {
    let folder = Folder::empty();
    let name = "a\u{1b}[31m\u{9b}\nerror: forged.json";
    fs::write(folder.path().join(name), "{\"config\": {\"\u{9b}\u{7f}x\": 1}}").unwrap();
    for format in ["human", "github", "junit"] {
        let mut command = osmt("osmt-doctor");
        let output =
            command.current_dir(folder.path()).args(["check", "--format", format, name]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            !text.contains(['\u{1b}', '\u{9b}', '\u{7f}']) && !text.contains("\nerror: forged"),
            "{format}: {text}"
        );
    }
    let output = osmt("osmt-doctor").arg("check").arg(format!("missing{name}")).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains('\u{1b}') && !text.contains("\nerror: forged"), "{text}");
}

#[test]
fn a_policy_can_be_explained() {
    let output = osmt("osmt-doctor").args(["explain", "pol001"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("POL001 policy (note)\n\nproduction keeps its logs"), "{text}");
}
