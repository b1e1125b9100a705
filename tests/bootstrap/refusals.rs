//! What bootstrap refuses, and how fast and clearly it fails.

use crate::place::Place;
use crate::support::{Emulator, Folder, osmt, run, snapshot};

const WRITES: [&[&str]; 3] =
    [&["apply", "--yes"], &["certificate", "--yes"], &["destroy", "--yes", "--confirm", "test"]];

#[test]
fn another_account_is_refused_before_anything_is_written() {
    let emulator = Emulator::start_as("210987654321");
    let place = Place::new(&emulator, "test");
    let mut all = String::new();
    for verb in WRITES {
        all += &place.run(verb).exits(4).transcript(verb[0]);
    }
    snapshot("bootstrap/other-account", &all, &place.folder.own());
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
    let mut all = String::new();
    for verb in WRITES {
        let mut without = place.command(verb);
        without.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        let mut nowhere = place.command(verb);
        nowhere.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        for (mut command, what) in [(without, "no credentials"), (nowhere, "no network")] {
            all += &run(&mut command).exits(3).transcript(&format!("{}: {what}", verb[0]));
        }
    }
    snapshot("bootstrap/no-account", &all, &place.folder.own());
}

#[test]
fn a_config_that_cannot_be_read_is_bad_usage_and_names_its_place() {
    let folder = Folder::empty();
    let plan = || run(&mut folder.on(osmt("osmt-bootstrap"), "plan"));
    let mut all = plan().exits(2).transcript("no config");
    for text in ["{\n  \"config\": tru\n}", "{}", ""] {
        crate::support::write(&folder.config(), text);
        all += &plan().exits(2).transcript(text);
    }
    snapshot("bootstrap/config", &all, &folder.own());
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
    let mut all = place.run(&["apply", "--yes"]).exits(4).transcript("the bucket is in another Region");
    let theirs = ["apply", "--yes", "--bucket", "osmt-other", "--lock-table", "theirs"];
    all += &place.run(&theirs).exits(4).transcript("the table has another key");
    snapshot("bootstrap/bucket-or-table-of-others", &all, &place.folder.own());
    assert!(emulator.calls()[before..].iter().all(|call| !call.contains("Put") && !call.contains("Create")));
}
