//! What bootstrap refuses, and how fast and clearly it fails.

use crate::place::Place;
use crate::support::{Emulator, Folder, osmt, run};

const WRITES: [&[&str]; 3] =
    [&["apply", "--yes"], &["certificate", "--yes"], &["destroy", "--yes", "--confirm", "test"]];

#[test]
fn another_account_is_refused_before_anything_is_written() {
    let emulator = Emulator::start_as("210987654321");
    let place = Place::new(&emulator, "test");
    for verb in WRITES {
        let run = place.run(verb).exits(4);
        assert!(run.stderr.contains("210987654321"), "{run:?}");
    }
    // Reads go out together with the question for the account; what they answer is not used.
    let is_read = |call: &String| {
        let operation = call.split_once(':').unwrap().1;
        ["Get", "Head", "List", "Describe"].iter().any(|verb| operation.starts_with(verb))
    };
    assert!(emulator.calls().iter().all(is_read), "{:?}", emulator.calls());
}

#[test]
fn without_credentials_or_network_it_fails_with_one_message() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    for verb in WRITES {
        let mut without = place.command(verb);
        without.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        let mut nowhere = place.command(verb);
        nowhere.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        for (mut command, expected) in [(without, "credentials"), (nowhere, "could not reach AWS")] {
            let run = run(&mut command).exits(3);
            assert!(run.stderr.contains(expected), "{run:?}");
            assert_eq!(run.stderr.matches("error:").count(), 1, "{run:?}");
            assert!(run.stderr.contains("help:"), "{run:?}");
            assert_eq!(run.stdout, "");
        }
    }
}

#[test]
fn a_config_that_cannot_be_read_is_bad_usage_and_names_its_place() {
    let folder = Folder::empty();
    let config = folder.path().join("config.auto.tfvars.json");
    for (text, expected) in [("{\n  \"config\": tru\n}", "line 2"), ("{}", "missing field"), ("", "line 1")] {
        crate::support::write(&config, text);
        let mut command = osmt("osmt-bootstrap");
        command.arg("plan").arg("--dir").arg(folder.path());
        let run = run(&mut command).exits(2);
        assert!(run.stderr.contains(expected), "{run:?}");
    }
    std::fs::remove_file(&config).unwrap();
    let mut command = osmt("osmt-bootstrap");
    command.arg("plan").arg("--dir").arg(folder.path());
    assert!(run(&mut command).exits(2).stderr.contains("init"));
}

#[test]
fn a_bucket_elsewhere_or_a_table_for_something_else_is_left_alone() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    emulator.ask(&format!(
        r"
client('s3', region_name='eu-central-1').create_bucket(Bucket='{}', CreateBucketConfiguration={{'LocationConstraint': 'eu-central-1'}})
client('dynamodb').create_table(TableName='theirs', KeySchema=[{{'AttributeName': 'id', 'KeyType': 'HASH'}}],
  AttributeDefinitions=[{{'AttributeName': 'id', 'AttributeType': 'S'}}], BillingMode='PAY_PER_REQUEST')",
        place.bucket()
    ));
    let before = emulator.calls().len();
    let run = place.run(&["apply", "--yes"]).exits(4);
    assert!(run.stderr.contains("eu-central-1"), "{run:?}");
    let run = place.run(&["apply", "--yes", "--bucket", "osmt-other", "--lock-table", "theirs"]).exits(4);
    assert!(run.stderr.contains("id (S)"), "{run:?}");
    assert!(emulator.calls()[before..].iter().all(|call| !call.contains("Put") && !call.contains("Create")),);
}
