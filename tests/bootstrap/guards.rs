//! What must not be mixed up: regions, environments, profiles, files; and what is said to a machine when it is refused.

use serde_json::Value;

use crate::place::Place;
use crate::support;
use crate::support::{Emulator, Ran, run, snapshot};

fn wrote(calls: &[String]) -> bool {
    let words = ["Put", "Create", "Update", "Tag", "Request"];
    calls.iter().any(|call| {
        let name = call.split(':').nth(1).unwrap_or_default();
        words.iter().any(|word| name.starts_with(word))
    })
}

#[test]
fn another_region_than_the_configs_is_refused_before_anything_is_asked() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let mut all = String::new();
    for verb in [
        &["plan"][..],
        &["apply", "--yes"],
        &["status"],
        &["certificate", "--yes"],
        &["destroy", "--yes", "--confirm", "test"],
    ] {
        let arguments = [verb, &["--region", "eu-west-1"]].concat();
        all += &place.run(&arguments).exits(4).transcript(verb[0]);
    }
    snapshot("bootstrap/other-region", &all, &place.folder.own());
    assert_eq!(emulator.calls(), Vec::<String>::new());
    place.run(&["plan", "--region", "us-west-2"]).exits(1);
}

/// A `main.tf` for these names.
fn main_tf(place: &Place<'_>, env: &str, bucket: &str, table: &str) {
    support::write(
        &place.folder.path().join("main.tf"),
        &format!(
            "terraform {{\n  backend \"s3\" {{\n    bucket         = \"{bucket}\"\n    key            = \"osmt/{env}/terraform.tfstate\"\n    dynamodb_table = \"{table}\"\n  }}\n}}\n\nprovider \"aws\" {{\n  default_tags {{\n    tags = {{ Environment = \"{env}\" }}\n  }}\n}}\n"
        ),
    );
}

#[test]
fn the_state_of_another_environment_is_never_taken_over() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["apply", "--yes"]).exits(0);
    let bucket = place.bucket();
    let tags = || {
        emulator.ask(&format!(
            "answer = client('s3').get_bucket_tagging(Bucket='{bucket}')['TagSet'] + client('dynamodb').list_tags_of_resource(ResourceArn='arn:aws:dynamodb:us-west-2:123456789012:table/osmt-test')['Tags']"
        ))
    };
    let before = tags();

    // A user changed the config to `prod` and forgot main.tf.
    main_tf(&place, "test", &bucket, "osmt-test");
    place.folder.set("/config/env", "prod");
    let mut all = String::new();
    let mut refused = |what: &str, arguments: &[&str]| {
        all += &place.run(arguments).exits(4).transcript(&format!("{what}: {}", arguments.join(" ")));
    };
    refused("main.tf is for test", &["plan"]);
    refused("main.tf is for test", &["apply", "--yes"]);
    // Or the user changed main.tf, too, but not its names.
    main_tf(&place, "prod", &bucket, "osmt-test");
    refused("bucket and table are of test", &["apply", "--yes"]);
    refused("bucket and table are of test", &["destroy", "--yes", "--confirm", "prod"]);
    refused("the table is of test", &["apply", "--yes", "--bucket", "osmt-prod-free"]);
    snapshot("bootstrap/other-environment", &all, &place.folder.own());
    assert_eq!(tags(), before);
}

#[test]
fn a_backend_that_cannot_be_read_is_not_guessed() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let mut all = String::new();
    for (what, text) in [
        ("a variable", "terraform {\n  backend \"s3\" {\n    bucket = var.bucket\n  }\n}\n"),
        ("not HCL", "terraform {\n  backend \"s3\" {\n"),
    ] {
        support::write(&place.folder.path().join("main.tf"), text);
        all += &place.run(&["plan"]).exits(2).transcript(what);
    }
    support::write(
        &place.folder.path().join("main.tf"),
        "terraform {\n  backend \"s3\" { bucket = \"corp-tf-state\" } // ours\n}\n",
    );
    all += &place.run(&["plan"]).exits(1).transcript("a literal");
    snapshot("bootstrap/backend", &all, &place.folder.own());
}

#[test]
fn names_that_aws_refuses_are_bad_usage() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    for wrong in [
        ["--bucket", ""],
        ["--bucket", "UPPER"],
        ["--bucket", "a b/c"],
        ["--bucket", "192.168.0.1"],
        ["--bucket", "a..b"],
        ["--lock-table", "a\"b"],
        ["--lock-table", "ab"],
        ["--endpoint-url", ""],
        ["--endpoint-url", "moon"],
    ] {
        let [flag, value] = wrong;
        place.run(&["plan", flag, value]).exits(2);
    }
    place.run(&["plan", "--lock", "s3", "--lock-table", "osmt-x"]).exits(2);
    let mut wrong = place.command(&["plan"]);
    wrong.env("AWS_ENDPOINT_URL", "moon");
    run(&mut wrong).exits(2).says("AWS_ENDPOINT_URL");
    assert_eq!(emulator.calls(), Vec::<String>::new());
    // A variable that is set to nothing is not set: the flag counts.
    let mut empty = place.command(&["plan", "--endpoint-url", &emulator.endpoint]);
    empty.env("AWS_ENDPOINT_URL", "");
    run(&mut empty).exits(1);
}

#[test]
fn a_profile_that_is_named_is_meant() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let folder = place.folder.path();
    let marker = folder.join("asked");
    let process = folder.join("process");
    support::write(
        &process,
        &format!(
            "touch {}\necho '{{\"Version\":1,\"AccessKeyId\":\"ann\",\"SecretAccessKey\":\"x\"}}'\n",
            marker.display()
        ),
    );
    let aws_config = folder.join("aws-config");
    support::write(&aws_config, &format!("[profile ann]\ncredential_process = sh {}\n", process.display()));
    let plan = |more: &[&str]| -> Ran {
        let mut arguments = vec!["plan"];
        arguments.extend(more);
        let mut command = place.command(&arguments);
        command.env("AWS_CONFIG_FILE", &aws_config);
        run(&mut command)
    };
    // The emulator's keys are in the environment.
    plan(&[]).exits(1);
    assert!(!marker.exists());
    plan(&["--profile", "ann"]).exits(1);
    assert!(marker.exists());
    plan(&["--profile", "nobody"]).exits(3).matches("bootstrap/no-such-profile", &place.folder.own());
}

#[test]
fn a_refusal_is_one_document_too() {
    let emulator = Emulator::start_as("210987654321");
    let place = Place::new(&emulator, "test");
    let expected = |arguments: &[&str], exit: i32| -> Value {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--format", "json"]);
        place.run(&arguments).exits(exit).json()
    };
    let wrong = expected(&["apply", "--yes"], 4);
    snapshot("bootstrap/refusal-json", &format!("{wrong:#}\n"), &place.folder.own());

    let mut nowhere = place.command(&["status", "--format", "json"]);
    nowhere.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let failed = run(&mut nowhere).exits(3).json();
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["version"], 1);

    support::write(&place.folder.config(), "");
    assert_eq!(expected(&["plan"], 2)["status"], "usage");
}

#[test]
fn a_failure_half_way_reports_what_was_done_as_json() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    // The bucket's first setting is denied.
    let proxy = crate::proxy::Proxy::before(&emulator.endpoint, None);
    let mut command = place.command(&["apply", "--yes"]);
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint);
    run(&mut command).exits(0);
    let calls = proxy.calls();
    let at =
        calls.iter().position(|call| call.starts_with("PUT") && call.contains("publicAccessBlock")).unwrap();
    let place = Place::new(&emulator, "again");
    let fault = Some((at, crate::proxy::Fault::Denied));
    let proxy = crate::proxy::Proxy::before(&emulator.endpoint, fault);
    let mut command = place.command(&["apply", "--yes", "--format", "json"]);
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint);
    let failed = run(&mut command).exits(3).json();
    // Bucket and table are made at once: how far the one gets differs from run to run.
    let done = failed["done"].to_string();
    assert!(done.contains("S3 bucket osmt-again-"), "{failed}");
    assert!(!failed["unfinished"].as_array().unwrap().is_empty());
}

#[test]
fn a_plan_is_saved_over_a_plan_and_over_nothing_else() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let config = place.folder.config_text();
    let path = place.folder.config();
    let own = place.folder.own();
    let mut all = place.run(&["plan", "--out", path.to_str().unwrap()]).exits(4).transcript("over a config");
    assert_eq!(place.folder.config_text(), config);
    assert!(!wrote(&emulator.calls()));
    let file = place.folder.path().join("plan.json");
    for _ in 0..2 {
        let file = file.to_str().unwrap();
        place.run(&["plan", "--out", file]).exits(1);
    }
    place.run(&["plan", "--out", "/dev/null"]).exits(1);
    all += &place.run(&["apply", "missing.json", "--yes"]).exits(2).transcript("apply of a missing plan");
    let text = std::fs::read_to_string(&file).unwrap();
    support::write(&file, &text.replace("\"version\": 1", "\"version\": 99"));
    let newer = place.run(&["apply", file.to_str().unwrap(), "--yes"]).exits(2);
    all += &newer.transcript("apply of a plan with another format version");
    snapshot("bootstrap/saved-plan", &all, &own);
}
