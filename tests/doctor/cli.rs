//! The binary itself: exits, formats, many files, fix, and what is never printed.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

use std::fs;

use serde_json::Value;

use super::support::{Folder, osmt, run, run_with};
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
    let check = |args: &[&str]| run(osmt("osmt-doctor").arg("check").args(args));
    let exit = |args: &[&str]| check(args).exit;
    let (warned, wrong) = (warned.to_str().unwrap(), wrong.to_str().unwrap());
    assert_eq!(exit(&[&good()]), 0);
    assert_eq!(exit(&[warned]), 0);
    assert_eq!(exit(&["--fail-on", "warning", warned]), 1);
    assert_eq!(exit(&["--offline", "--config", wrong]), 1);
    run(osmt("osmt-doctor").args(["check", wrong, warned])).exits(1).matches("doctor/check", &folder.own());
    assert_eq!(exit(&["--format", "sarif", wrong]), 1);
    let ran = check(&["--format", "json", wrong, "nowhere.json", &good()]).exits(2);
    assert_eq!(ran.says("nowhere.json does not exist").json()["findings"][0]["code"], "RDS001");
}

#[test]
fn many_files_come_in_the_order_given() {
    let files: Vec<String> = fs::read_dir(cases_folder().join("good"))
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let check = || run(osmt("osmt-doctor").args(["check", "--format", "json"]).args(&files));
    let report = check().json();
    let mut order: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["file"].as_str())
        .collect();
    order.dedup();
    let wanted: Vec<&str> = files.iter().map(String::as_str).filter(|file| order.contains(file)).collect();
    assert_eq!(order, wanted);
    assert_eq!(check().stdout, check().stdout);
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
            let ran = run(osmt("osmt-doctor").args(["check", "--format", format]).arg(&path));
            ran.exits(1).lacks(secret);
        }
        run(osmt("osmt-doctor").args(["fix", "--dry-run"]).arg(&path)).lacks(secret);
    }
}

#[test]
fn fix_shows_asks_and_writes_once() {
    let folder = Folder::empty();
    let path = folder.path().join("config.json");
    let right = base("prod").replace('\n', "\r\n");
    let wrong = right.replace("osmt_db", "osmt").replace("\"region\"", "\"Region\"");
    fs::write(&path, &wrong).unwrap();
    let fix = |args: &[&str]| run(osmt("osmt-doctor").arg("fix").args(args).arg(&path));
    fix(&["--dry-run"]).exits(1).matches("doctor/fix-dry-run", &folder.own());
    // There is no terminal.
    fix(&[]).exits(4);
    assert_eq!(fs::read_to_string(&path).unwrap(), wrong);
    fix(&["--yes"]).exits(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), right);
    fix(&["--yes"]).exits(0);
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
    let check = || run(&mut folder.on(osmt("osmt-doctor"), "check --format json"));
    let codes = || -> Vec<String> {
        let report = check().json();
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
    check().exits(2);
    until("2001-12-31");
    assert_eq!(codes(), ["ACME001", "IGN001"]);
    until("soon");
    check().exits(2);
    file("doctor.ignore.json", r#"{ "ignores": [] }"#);
    file("policies/acme.json", &policy.replace("\"const\"", "\"enum\""));
    check().exits(2);
}

#[test]
fn a_rule_can_be_explained_and_a_slip_is_forgiven() {
    let explain = |code: &str| run(osmt("osmt-doctor").args(["explain", code]));
    explain("net003").exits(0).shows("subnet-outside-vpc");
    explain("NET0O3").exits(2).says("NET003");
    explain("pol001").exits(0).matches("doctor/explain-policy", &[]);
    run(osmt("osmt-doctor").arg("rules")).exits(0);
    run(osmt("osmt-doctor").arg("schema")).json();
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
        let ran = run_with(&mut command, stdin);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        (ran.exit, report["findings"][0]["file"].as_str().unwrap_or_default().to_owned())
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
        let log = run_with(&mut command, "{").json();
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
    let mut command = osmt("osmt-doctor");
    run(command.current_dir(folder.path()).args(["check", "--format", "junit", "env"]))
        .shows("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\"")
        .shows("name=\"RDS004 unknown-instance-class /config/rds/instance_class\"");
    run(osmt("osmt-doctor").args(["rules", "--format", "junit"])).exits(2);
}

#[test]
fn settings_and_a_baseline_decide_what_is_reported() {
    let folder = two_environments();
    let check = |args: &[&str]| {
        let mut command = osmt("osmt-doctor");
        run(command.current_dir(folder.path()).args(["check", "--dir", "env/b"]).args(args))
    };
    let report = folder.path().join("report.json");
    fs::write(&report, check(&["--format", "json"]).stdout).unwrap();
    check(&["--baseline", "report.json"]).exits(0);
    check(&["--baseline", "env/b/config.auto.tfvars.json"]).exits(2);
    let settings = folder.path().join("env/b/doctor.toml");
    fs::write(&settings, "[rules]\nRDS004 = \"off\"\n").unwrap();
    check(&[]).exits(0);
    fs::write(&settings, "[rules]\nRDS004 = \"warning\"\n").unwrap();
    check(&["--fail-on", "warning"]).exits(1);
    fs::write(&settings, "[rules]\nRDS404 = \"off\"\n").unwrap();
    check(&[]).exits(2).says("`RDS404` is not a rule or a policy at line 2");
}

#[test]
fn the_directory_is_read_as_terraform_reads_it() {
    let folder = two_environments();
    let place = folder.path().join("env/a");
    fs::write(place.join("main.tf"), "provider \"aws\" {\n  region = \"us-west-2\"\n}\n").unwrap();
    fs::write(place.join("z.auto.tfvars"), "config = {}\n").unwrap();
    let mut command = osmt("osmt-doctor");
    command.current_dir(folder.path()).env("TF_WORKSPACE", "other");
    let report = run(command.args(["check", "--dir", "env/a", "--format", "json"])).exits(1).json();
    let found = report["findings"].as_array().unwrap();
    let found: Vec<_> =
        found.iter().map(|one| (one["code"].as_str().unwrap(), one["file"].as_str().unwrap())).collect();
    assert!(found.contains(&("WKS003", "env/a/config.auto.tfvars.json")), "{found:?}");
    assert!(found.contains(&("WKS004", "env/a/main.tf")), "{found:?}");
    assert!(found.contains(&("WKS001", "env/a/z.auto.tfvars")), "{found:?}");
}

#[test]
fn what_steers_a_terminal_is_shown_instead() {
    let folder = Folder::empty();
    let name = "a\u{1b}[31m\u{9b}\nerror: forged.json";
    fs::write(folder.path().join(name), "{\"config\": {\"\u{9b}\u{7f}x\": 1}}").unwrap();
    for format in ["human", "github", "junit"] {
        let mut command = osmt("osmt-doctor");
        let ran = run(command.current_dir(folder.path()).args(["check", "--format", format, name]));
        ran.lacks("\u{1b}").lacks("\u{9b}").lacks("\u{7f}").lacks("\nerror: forged");
    }
    run(osmt("osmt-doctor").arg("check").arg(format!("missing{name}")))
        .lacks("\u{1b}")
        .lacks("\nerror: forged");
}
