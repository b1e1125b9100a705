//! `osmt-doctor plan` as a person uses it; what each rule reports is in `tests/cases/plan`.

#![expect(clippy::disallowed_methods, reason = "tests read and write files")]

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::support::{Folder, Ran, osmt, root, run, run_with, snapshot, write};

/// The plan of a case: of `wrong` or `right`, by its name where it is not the first.
fn case(code: &str, list: &str, name: &str) -> String {
    let folders = std::fs::read_dir(root().join("tests/cases/plan")).unwrap();
    let mut folders = folders.map(|entry| entry.unwrap().path());
    let folder = folders.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(code)).unwrap();
    let cases = std::fs::read_to_string(folder.join(list).with_extension("json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    let case = cases.iter().find(|case| name.is_empty() || case["name"] == name).unwrap();
    format!("{:#}\n", case["document"])
}

/// A folder with the plan of a case in it.
pub(crate) fn folder_with(code: &str, list: &str, name: &str) -> (Folder, PathBuf) {
    let folder = Folder::empty();
    let file = folder.path().join("plan.json");
    write(&file, &case(code, list, name));
    (folder, file)
}

/// Runs `plan` in a folder.
fn plan(folder: &Folder, arguments: &str) -> Ran {
    run(folder.on(osmt("osmt-doctor"), "plan").args(arguments.split_whitespace()).current_dir(folder.path()))
}

#[test]
fn a_replaced_database_is_an_error_in_every_format() {
    let (folder, _) = folder_with("PLAN001", "wrong", "");
    plan(&folder, "plan.json").exits(1).matches("doctor/plan", &folder.own());

    let report = plan(&folder, "plan.json --format json").exits(1).json();
    let pointer = "/resource_changes/0/change/after/db_name";
    assert_eq!(report["findings"][0]["pointer"], pointer);
    assert_eq!(report["findings"][0]["start"], Value::Null);

    let log = plan(&folder, "plan.json --format sarif").exits(1).json();
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "PLAN001");

    let github = plan(&folder, "plan.json --format github").exits(1).stdout;
    assert!(github.starts_with("::error file=plan.json,title=PLAN001 "), "{github}");
}

#[test]
fn what_fails_the_run_can_be_chosen() {
    let (folder, _) = folder_with("PLAN004", "wrong", "");
    plan(&folder, "plan.json").exits(0);
    plan(&folder, "plan.json --fail-on warning").exits(1);
    let (folder, _) = folder_with("PLAN004", "right", "");
    plan(&folder, "plan.json --fail-on note").exits(0);
}

/// What each plan holds as a secret, whatever the shape: it is in no stream of any format.
#[test]
fn a_secret_in_the_plan_is_named_and_never_printed() {
    let folder = std::fs::read_dir(root().join("tests/cases/plan")).unwrap();
    let mut folders = folder.map(|entry| entry.unwrap().path());
    let secrets = folders.find(|path| path.to_str().unwrap().contains("PLAN013-")).unwrap();
    let cases = std::fs::read_to_string(secrets.join("wrong.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    let mut plans: Vec<String> = cases.iter().map(|case| case["document"].to_string()).collect();
    // Replaced because of a secret: the reason names the attribute and not its values.
    for mark in ["true", r#"{"auth_token":true}"#, "false"] {
        let change = format!(
            r#"{{"actions":["delete","create"],"before":{{"auth_token":"Hunter2-x9"}},"after":{{"auth_token":"hunter2hunter2"}},"before_sensitive":{mark},"after_sensitive":{mark},"replace_paths":[["auth_token"]]}}"#
        );
        let address = "module.osmt.aws_elasticache_replication_group.main";
        plans.push(format!(
            r#"{{"format_version":"1.2","resource_changes":[{{"address":"{address}","type":"aws_elasticache_replication_group","change":{change}}}]}}"#
        ));
    }
    let canaries = ["hunter2", "Hunter2-x9", "8412973650", "12e456789", "infinity", "00000000"];
    let folder = Folder::empty();
    for text in plans {
        for format in ["human", "json", "sarif", "github"] {
            let mut command = folder.on(osmt("osmt-doctor"), "plan - -vv --format");
            let Ran { stdout, stderr, .. } = run_with(command.arg(format), &text);
            let shown = stdout + &stderr;
            for canary in canaries.iter().filter(|canary| text.contains(**canary)) {
                assert!(!shown.contains(canary), "{text} as {format}: {shown}");
            }
        }
    }
}

#[test]
fn a_plan_in_any_encoding_or_wrapper_is_judged() {
    let (folder, file) = folder_with("PLAN001", "wrong", "");
    let text = std::fs::read_to_string(&file).unwrap();
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let wrapped = format!("[command]/bin/terraform show -json p\n{text}\n::debug::done\n");
    for content in [wide, format!("\u{feff}{text}").into_bytes(), wrapped.into_bytes()] {
        std::fs::write(&file, &content).unwrap();
        plan(&folder, "plan.json").exits(1).shows("PLAN001");
    }
    plan(&folder, "plan.json").says("terraform_wrapper: false");
}

#[test]
fn what_is_not_a_plan_is_refused_by_name() {
    let folder = Folder::empty();
    let file = folder.path().join("plan");
    let mut all = String::new();
    for content in [
        "",
        "not JSON",
        "[]",
        r#"{"format_version":"1.0","values":{}}"#,
        r#"{"format_version":"2.0","planned_values":{}}"#,
        r#"{"meta":{},"encrypted_data":"eA==","encryption_version":"v0"}"#,
        "{\"@level\":\"info\",\"@message\":\"x\"}\n{\"@level\":\"info\",\"@message\":\"y\"}\n",
    ] {
        std::fs::write(&file, content).unwrap();
        all += &plan(&folder, "plan").exits(2).transcript(content);
    }
    // Sparse: it has a size and no content, and must not be read.
    std::fs::File::create(&file).unwrap().set_len(2 << 30).unwrap();
    all += &plan(&folder, "plan").exits(2).transcript("2 GiB");
    all += &plan(&folder, "no/such/file").exits(2).transcript("no such file");
    std::fs::write(&file, b"PK\x03\x04 and so on").unwrap();
    let mut command = folder.on(osmt("osmt-doctor"), "plan plan");
    command.env_remove("OSMT_TERRAFORM").env("PATH", folder.path()).current_dir(folder.path());
    let ran = run(&mut command);
    all += &ran.exits(3).transcript("a saved plan without terraform");
    snapshot("doctor/not-a-plan", &all, &folder.own());
    #[cfg(unix)]
    plan(&folder, "/dev/zero").exits(2);
    let errored = r#"{"format_version":"1.2","errored":true,"resource_changes":[]}"#;
    std::fs::write(&file, errored).unwrap();
    plan(&folder, "plan").exits(1).shows("PLAN020");
}

#[test]
fn what_could_not_be_judged_fails_only_a_strict_run() {
    for (code, name) in
        [("PLAN026", ""), ("PLAN026", "twice"), ("PLAN024", "unknown"), ("PLAN014", "later policy")]
    {
        let (folder, _) = folder_with(code, "wrong", name);
        plan(&folder, "plan.json").exits(0);
        plan(&folder, "plan.json --strict").exits(1);
    }
}

#[test]
fn findings_of_a_plan_can_be_ignored_by_pointer_or_by_address() {
    let (folder, _) = folder_with("PLAN004", "wrong", "");
    let run = |pointer: &str| {
        let day = jiff::Zoned::now().date().saturating_add(jiff::Span::new().months(6));
        let ignore = format!(
            r#"{{"ignores":[{{"code":"PLAN004","pointer":"{pointer}","reason":"a tear-down","owner":"ops","until":"{day}"}},{{"code":"RDS008","pointer":"/config/rds/multi_az","reason":"a pilot","owner":"ops","until":"{day}"}}]}}"#
        );
        write(&folder.path().join("doctor.ignore.json"), &ignore);
        let ran = plan(&folder, "plan.json --fail-on warning --format json");
        (ran.exit, ran.json()["summary"]["ignored"].as_u64().unwrap())
    };
    let name = "enable_deletion_protection";
    assert_eq!(run(&format!("/resource_changes/0/change/after/{name}")), (0, 1));
    assert_eq!(run(&format!("/resource_changes/module.osmt.aws_lb.main/change/after/{name}")), (0, 1));
    // The rule was run and found nothing there; the rule on the config was not run at all.
    assert_eq!(run("/resource_changes/7/change/after/x"), (1, 0));
}

/// Puts a program there which prints the JSON of a plan as a wrapper would.
#[cfg(unix)]
fn stand_in(program: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = program.parent().unwrap();
    write(&folder.join("plan.json"), &case("PLAN001", "wrong", ""));
    let script =
        format!("#!/bin/sh\necho '[command] show'\nexec /bin/cat '{}/plan.json'\n", folder.display());
    std::fs::write(program, script).unwrap();
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// `osmt-doctor plan` on a saved plan, as a file or on stdin, in a folder that is all of the PATH.
#[cfg(unix)]
fn plan_saved(folder: &Folder, from: &str, named: &str) -> Ran {
    const SAVED: &str = "PK\x03\x04 and so on";
    write(&folder.path().join("saved"), SAVED);
    let mut command = folder.on(osmt("osmt-doctor"), "plan");
    command.arg(from).env("PATH", folder.path()).env("OSMT_TERRAFORM", named).current_dir(folder.path());
    run_with(&mut command, SAVED)
}

#[cfg(unix)]
#[test]
fn a_saved_plan_is_shown_by_opentofu_where_terraform_is_missing() {
    let folder = Folder::empty();
    stand_in(&folder.path().join("tofu"));
    plan_saved(&folder, "saved", "").exits(1).shows("PLAN001").says("terraform_wrapper: false");
    plan_saved(&folder, "-", "").exits(1).shows("PLAN001").says("the output of `tofu show`");
}

#[cfg(unix)]
#[test]
fn the_program_that_the_variable_names_shows_a_saved_plan() {
    let folder = Folder::empty();
    let named = folder.path().join("my tools/it is tofu");
    stand_in(&named);
    for named in [named.to_str().unwrap(), "my tools/it is tofu"] {
        plan_saved(&folder, "saved", named).exits(1).shows("PLAN001");
    }
    // One that is missing is not replaced by another that is found.
    stand_in(&folder.path().join("terraform"));
    write(&folder.path().join("notes"), "not a program");
    let mut all = String::new();
    for named in ["/no such/tofu", "tofu", "./notes"] {
        all += &plan_saved(&folder, "saved", named).exits(3).transcript(named);
    }
    snapshot("doctor/terraform-missing", &all, &folder.own());
}

#[test]
fn hints_name_the_program_that_is_used_and_documents_do_not() {
    let doctor = |arguments: &[&str]| run(osmt("osmt-doctor").env("OSMT_TERRAFORM", "tofu").args(arguments));
    doctor(&["plan", "no/such/file"]).says("help: `tofu plan -out=FILE` saves a plan");
    doctor(&["plan", "no/such/file", "--format", "json"]).shows("`terraform plan -out=FILE` saves a plan");
    doctor(&["explain", "WKS007"]).shows("`tofu init -reconfigure`").lacks("`terraform init");
}

#[test]
fn a_plan_is_read_from_stdin() {
    let mut command = Folder::empty().on(osmt("osmt-doctor"), "plan -");
    run_with(&mut command, case("PLAN001", "right", "")).exits(0);
}
