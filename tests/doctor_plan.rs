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
use std::path::{Path, PathBuf};

use osmt::config::Config;
use osmt::doctor;
use osmt::doctor::rules::plan::THEMES;
use osmt::document::Document;
use osmt::finding::Findings;
use serde_json::Value;

use support::{Folder, run};

fn cases() -> PathBuf {
    support::root().join("tests/cases/doctor-plan")
}

fn judge(case: &str) -> Findings {
    let text = std::fs::read_to_string(cases().join(case)).unwrap();
    let config = Document::parse(support::config("test")).unwrap();
    let config = Config::from_document(&config).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let findings = doctor::review(document.clone(), Some(config), &[]).unwrap();
    for finding in &findings.findings {
        // What a pointer names must be there, or be an attribute that is left out.
        let pointer = &finding.at.as_ref().unwrap().pointer;
        let parent = pointer.rsplit_once('/').unwrap().0;
        assert!(document.pointer(parent).is_some(), "{case}: {pointer}");
    }
    findings
}

/// What a case says: codes of findings, and of what could not be judged.
fn codes(case: &str) -> BTreeSet<String> {
    let findings = judge(case);
    let found = findings.findings.iter().map(|finding| finding.code.to_string());
    found.chain(findings.unknown.iter().map(|unknown| unknown.code.clone())).collect()
}

#[test]
fn every_rule_has_cases_in_which_it_reports_and_cases_in_which_it_is_silent() {
    let rules = THEMES.iter().copied().flatten().map(|check| check.rule.code);
    let rules: BTreeSet<String> = rules.map(str::to_owned).collect();
    let folders = std::fs::read_dir(cases()).unwrap();
    let folders = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let folders: BTreeSet<String> = folders.collect();
    assert_eq!(rules, folders);
    let mut wrong = Vec::new();
    for code in rules {
        let (mut bad, mut good) = (0, 0);
        for entry in std::fs::read_dir(cases().join(&code)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let said = codes(&format!("{code}/{name}"));
            if name.starts_with("bad") {
                bad += 1;
                if !said.contains(&code) {
                    wrong.push(format!("{code}/{name} is silent: {said:?}"));
                }
            } else {
                good += 1;
                if said.contains(&code) {
                    wrong.push(format!("{code}/{name} reports: {:?}", judge(&format!("{code}/{name}"))));
                }
            }
        }
        assert!(bad > 0 && good > 0, "{code} lacks a case");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn plan(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let folder = Folder::empty();
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
    let folder = Folder::empty();
    let mut command = folder.on(support::osmt("osmt-doctor"), &format!("plan {case}"));
    run(&mut command).exits(1).matches("doctor/plan", &folder.own());

    let json = plan(&[case, "--format", "json"]).code(1);
    let report: Value = serde_json::from_slice(&json.get_output().stdout).unwrap();
    let pointer = "/resource_changes/0/change/after/db_name";
    assert_eq!(report["findings"][0]["pointer"], pointer);
    assert_eq!(report["findings"][0]["start"], Value::Null);

    let sarif = plan(&[case, "--format", "sarif"]).code(1);
    let log: Value = serde_json::from_slice(&sarif.get_output().stdout).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "PLAN001");

    let github = plan(&[case, "--format", "github"]).code(1);
    let printed = text(&github.get_output().stdout);
    assert!(printed.starts_with("::error file=tests/cases/doctor-plan/PLAN001/bad.json,title=PLAN001 "));
}

#[test]
fn what_fails_the_run_can_be_chosen() {
    let warning = "tests/cases/doctor-plan/PLAN004/bad.json";
    plan(&[warning]).code(0);
    plan(&[warning, "--fail-on", "warning"]).code(1);
    plan(&["tests/cases/doctor-plan/PLAN004/good.json", "--fail-on", "note"]).code(0);
}

/// What each plan holds as a secret, whatever the shape: it is in no stream of any format.
#[test]
fn a_secret_in_the_plan_is_named_and_never_printed() {
    let folder = cases().join("PLAN013");
    let mut plans: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_str().unwrap().starts_with("bad"))
        .map(|entry| (entry.path().display().to_string(), std::fs::read_to_string(entry.path()).unwrap()))
        .collect();
    // Replaced because of a secret: the reason names the attribute and not its values.
    for mark in ["true", r#"{"auth_token":true}"#, "false"] {
        let change = format!(
            r#"{{"actions":["delete","create"],"before":{{"auth_token":"Hunter2-x9"}},"after":{{"auth_token":"hunter2hunter2"}},"before_sensitive":{mark},"after_sensitive":{mark},"replace_paths":[["auth_token"]]}}"#
        );
        let address = "module.osmt.aws_elasticache_replication_group.main";
        let plan = format!(
            r#"{{"format_version":"1.2","resource_changes":[{{"address":"{address}","type":"aws_elasticache_replication_group","change":{change}}}]}}"#
        );
        plans.push((mark.to_owned(), plan));
    }
    let canaries = ["hunter2", "Hunter2-x9", "8412973650", "12e456789", "infinity", "00000000"];
    for (name, text) in plans {
        for format in ["human", "json", "sarif", "github"] {
            let folder = Folder::empty();
            let mut command = support::osmt("osmt-doctor");
            command.args(["plan", "-", "--format", format, "-vv", "--dir"]).arg(folder.path());
            let run = command.write_stdin(text.as_str()).assert();
            let output = run.get_output();
            let shown = self::text(&output.stdout) + &self::text(&output.stderr);
            for canary in canaries.iter().filter(|canary| text.contains(**canary)) {
                assert!(!shown.contains(canary), "{name} as {format}: {shown}");
            }
        }
    }
}

#[test]
fn a_plan_in_any_encoding_or_wrapper_is_judged() {
    let folder = Folder::empty();
    let file = folder.path().join("plan.json");
    let good = std::fs::read_to_string(cases().join("PLAN001/bad.json")).unwrap();
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(good.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let wrapped = format!("[command]/bin/terraform show -json p\n{good}\n::debug::done\n");
    for content in [wide, format!("\u{feff}{good}").into_bytes(), wrapped.clone().into_bytes()] {
        std::fs::write(&file, &content).unwrap();
        let run = plan(&[file.to_str().unwrap()]).code(1);
        assert!(text(&run.get_output().stdout).contains("PLAN001"));
    }
    let run = plan(&[file.to_str().unwrap()]);
    assert!(text(&run.get_output().stderr).contains("terraform_wrapper: false"));
}

#[test]
fn other_things_given_as_a_plan_are_named_with_the_remedy() {
    let folder = Folder::empty();
    let file = folder.path().join("plan");
    for (content, why) in [
        (r#"{"meta":{},"encrypted_data":"eA==","encryption_version":"v0"}"#, "tofu show -json"),
        (
            "{\"@level\":\"info\",\"@message\":\"x\"}\n{\"@level\":\"info\",\"@message\":\"y\"}\n",
            "terraform plan -json",
        ),
    ] {
        std::fs::write(&file, content).unwrap();
        let run = plan(&[file.to_str().unwrap()]).code(2);
        assert!(text(&run.get_output().stderr).contains(why), "{content}");
    }
    let errored = r#"{"format_version":"1.2","errored":true,"resource_changes":[]}"#;
    std::fs::write(&file, errored).unwrap();
    assert!(text(&plan(&[file.to_str().unwrap()]).code(1).get_output().stdout).contains("PLAN020"));
    // Sparse: it has a size and no content, and must not be read.
    std::fs::File::create(&file).unwrap().set_len(2 << 30).unwrap();
    let run = plan(&[file.to_str().unwrap()]).code(2);
    assert!(text(&run.get_output().stderr).contains("was not read"));
    #[cfg(unix)]
    plan(&["/dev/zero"]).code(2);
}

#[test]
fn what_could_not_be_judged_fails_only_a_strict_run() {
    for case in [
        "PLAN026/bad.json",
        "PLAN026/bad-twice.json",
        "PLAN024/bad-unknown.json",
        "PLAN014/bad-later-policy.json",
    ] {
        let case = format!("tests/cases/doctor-plan/{case}");
        plan(&[&case]).code(0);
        plan(&[&case, "--strict"]).code(1);
    }
}

#[test]
fn findings_of_a_plan_can_be_ignored_by_pointer_or_by_address() {
    let folder = Folder::empty();
    let case = cases().join("PLAN004/bad.json");
    let run = |pointer: &str| {
        let day = jiff::Zoned::now().date().saturating_add(jiff::Span::new().months(6));
        let ignore = format!(
            r#"{{"ignores":[{{"code":"PLAN004","pointer":"{pointer}","reason":"a tear-down","owner":"ops","until":"{day}"}},{{"code":"RDS008","pointer":"/config/rds/multi_az","reason":"a pilot","owner":"ops","until":"{day}"}}]}}"#
        );
        support::write(&folder.path().join("doctor.ignore.json"), &ignore);
        let mut command = support::osmt("osmt-doctor");
        command
            .arg("plan")
            .arg(&case)
            .args(["--fail-on", "warning", "--format", "json", "--dir"])
            .arg(folder.path());
        let run = command.assert();
        let output = run.get_output();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), report["summary"]["ignored"].as_u64().unwrap())
    };
    let name = "enable_deletion_protection";
    assert_eq!(run(&format!("/resource_changes/0/change/after/{name}")), (0, 1));
    assert_eq!(run(&format!("/resource_changes/module.osmt.aws_lb.main/change/after/{name}")), (0, 1));
    // The rule was run and found nothing there; the rule on the config was not run at all.
    assert_eq!(run("/resource_changes/7/change/after/x"), (1, 0));
}

#[test]
fn what_is_not_a_plan_is_refused_by_name() {
    let folder = Folder::empty();
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
        let printed = text(&run.get_output().stderr);
        assert!(printed.contains(why) && printed.contains("help:"), "{printed}");
        assert!(run.get_output().stdout.is_empty());
    }
    let run = plan(&["no/such/file"]).code(2);
    assert!(text(&run.get_output().stderr).contains("does not exist"));
}

#[test]
fn a_saved_plan_without_terraform_says_what_to_do() {
    let folder = Folder::empty();
    let file = folder.path().join("saved");
    std::fs::write(&file, b"PK\x03\x04 and so on").unwrap();
    let mut command = support::osmt("osmt-doctor");
    command.env_remove("OSMT_TERRAFORM").env("PATH", folder.path()).arg("plan").arg(&file);
    let run = command.arg("--dir").arg(folder.path()).assert().code(3);
    let printed = text(&run.get_output().stderr);
    assert!(printed.contains("could not find `terraform`"), "{printed}");
    assert!(printed.contains("terraform show -json"), "{printed}");
}

/// Puts a program there which prints the JSON of a plan as a wrapper would.
#[cfg(unix)]
fn stand_in(program: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let case = cases().join("PLAN001/bad.json");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    std::fs::write(
        program,
        format!("#!/bin/sh\necho '[command] show'\nexec /bin/cat '{}'\n", case.display()),
    )
    .unwrap();
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// `osmt-doctor plan` on a saved plan in a folder that is all of the PATH.
#[cfg(unix)]
fn plan_saved(folder: &Folder, from_stdin: bool, named: Option<&str>) -> assert_cmd::assert::Assert {
    let saved = folder.path().join("saved");
    std::fs::write(&saved, b"PK\x03\x04 and so on").unwrap();
    let mut command = support::osmt("osmt-doctor");
    command.env_remove("OSMT_TERRAFORM").env("PATH", folder.path()).current_dir(folder.path());
    if let Some(named) = named {
        command.env("OSMT_TERRAFORM", named);
    }
    command.arg("plan").arg(if from_stdin { "-".into() } else { saved });
    command.arg("--dir").arg(folder.path()).write_stdin(&b"PK\x03\x04 and so on"[..]).assert()
}

#[cfg(unix)]
#[test]
fn a_saved_plan_is_shown_by_opentofu_where_terraform_is_missing() {
    let folder = Folder::empty();
    stand_in(&folder.path().join("tofu"));
    for from_stdin in [false, true] {
        let run = plan_saved(&folder, from_stdin, Some("")).code(1);
        assert!(text(&run.get_output().stdout).contains("PLAN001"));
        let printed = text(&run.get_output().stderr);
        assert!(printed.contains("terraform_wrapper: false"), "{printed}");
        if from_stdin {
            assert!(printed.contains("what `tofu show` printed"), "{printed}");
        }
    }
}

#[cfg(unix)]
#[test]
fn the_program_that_the_variable_names_shows_a_saved_plan() {
    let folder = Folder::empty();
    stand_in(&folder.path().join("my tools/it is tofu"));
    let absolute = folder.path().join("my tools/it is tofu");
    for named in [absolute.to_str().unwrap(), "my tools/it is tofu"] {
        let run = plan_saved(&folder, false, Some(named)).code(1);
        assert!(text(&run.get_output().stdout).contains("PLAN001"));
    }
    // One that is missing is not replaced by another that is found.
    stand_in(&folder.path().join("terraform"));
    for named in ["/no such/tofu", "tofu"] {
        let run = plan_saved(&folder, false, Some(named)).code(3);
        let printed = text(&run.get_output().stderr);
        let shown = if named.contains(' ') { format!("'{named}'") } else { named.to_owned() };
        assert!(
            printed.contains(&format!("could not find {shown}, which OSMT_TERRAFORM names")),
            "{printed}"
        );
        assert!(printed.contains(&format!("the JSON of `{shown} show -json FILE`")), "{printed}");
    }
    std::fs::write(folder.path().join("notes"), "not a program").unwrap();
    let run = plan_saved(&folder, false, Some("./notes")).code(3);
    let printed = text(&run.get_output().stderr);
    assert!(printed.contains("could not run ./notes, which OSMT_TERRAFORM names"), "{printed}");
}

#[test]
fn hints_name_the_program_that_is_used_and_documents_do_not() {
    let run = |arguments: &[&str]| {
        let mut command = support::osmt("osmt-doctor");
        let output = command.env("OSMT_TERRAFORM", "tofu").args(arguments).output().unwrap();
        (text(&output.stdout), text(&output.stderr))
    };
    let (_, printed) = run(&["plan", "no/such/file"]);
    assert!(printed.contains("help: `tofu plan -out=FILE` saves a plan"), "{printed}");
    let (document, _) = run(&["plan", "no/such/file", "--format", "json"]);
    assert!(document.contains("`terraform plan -out=FILE` saves a plan"), "{document}");
    let (page, _) = run(&["explain", "WKS007"]);
    assert!(page.contains("`tofu init -reconfigure`") && !page.contains("`terraform init"), "{page}");
}

#[test]
fn a_plan_is_read_from_stdin() {
    let folder = Folder::empty();
    let good = std::fs::read_to_string(cases().join("PLAN001/good.json")).unwrap();
    let mut command = support::osmt("osmt-doctor");
    command.args(["plan", "-"]).arg("--dir").arg(folder.path());
    command.write_stdin(good).assert().code(0);
}

#[test]
fn a_plan_that_takes_everything_down_is_one_interruption() {
    let file = "tests/cases/doctor-plan/PLAN007/bad-taken-down.json";
    let output = support::osmt("osmt-doctor").args(["plan", file, "--format", "json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "PLAN007");
    let messages: Vec<_> = found.map(|finding| finding["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["the whole environment is taken down: 2 resources are destroyed"]);
}
