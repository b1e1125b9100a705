//! What others did to bucket and table is neither written over nor passed by in silence.

use serde_json::json;

use crate::place::Place;
use crate::support::{Emulator, snapshot};

#[test]
fn what_another_user_adds_while_the_question_is_open_is_kept() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["apply", "--yes"]).exits(0);
    let bucket = place.bucket();
    // Something to change, so that there is a question.
    let script = format!(
        r"
import os, pty, subprocess, time
s3 = client('s3')
s3.put_bucket_tagging(Bucket='{bucket}', Tagging={{'TagSet': [{{'Key': 'x', 'Value': 'y'}}]}})
os.environ.update(AWS_CONFIG_FILE='/dev/null', AWS_SHARED_CREDENTIALS_FILE='/dev/null')
ours, theirs = pty.openpty()
run = subprocess.Popen([{program:?}, 'apply', '--dir', {dir:?}], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
said = b''
while b'[y/N]' not in said:
    said += run.stderr.read1()
s3.put_bucket_tagging(Bucket='{bucket}', Tagging={{'TagSet': [{{'Key': 'CostCenter', 'Value': '42'}}]}})
os.write(ours, b'y\n')
_, more = run.communicate(timeout=120)
answer = [run.returncode, (said + more).decode(), s3.get_bucket_tagging(Bucket='{bucket}')['TagSet']]",
        program = env!("CARGO_BIN_EXE_osmt-bootstrap"),
        dir = place.folder.path().display().to_string(),
    );
    let answer = emulator.ask(&script);
    assert_eq!(answer[0], 4, "{answer}");
    let said = answer[1].as_str().unwrap();
    assert!(said.contains("the account changed while the question was open; nothing was written"), "{said}");
    assert_eq!(answer[2], json!([{"Key": "CostCenter", "Value": "42"}]), "{answer}");
}

#[test]
fn a_lifecycle_that_deletes_the_state_is_seen() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["apply", "--yes"]).exits(0);
    emulator.ask(&format!(
        r"
rules = [
  {{'ID': 'osmt-state', 'Status': 'Enabled', 'Filter': {{'Prefix': 'logs/'}}, 'NoncurrentVersionExpiration': {{'NoncurrentDays': 90}},
    'AbortIncompleteMultipartUpload': {{'DaysAfterInitiation': 7}}, 'Expiration': {{'Days': 1}}}},
  {{'ID': 'clean', 'Status': 'Enabled', 'Filter': {{'Prefix': ''}}, 'Expiration': {{'Days': 1}}}},
  {{'ID': 'logs', 'Status': 'Enabled', 'Filter': {{'Prefix': 'logs/'}}, 'Expiration': {{'Days': 1}}}},
]
client('s3').put_bucket_lifecycle_configuration(Bucket='{}', LifecycleConfiguration={{'Rules': rules}})",
        place.bucket()
    ));
    place.run(&["status"]).exits(1).matches("bootstrap/status-lifecycle", &place.folder.own());
    place.run(&["apply", "--yes"]).exits(0);
    place.run(&["status"]).exits(0).lacks("everything is as");
    let json = place.run(&["status", "--format", "json"]).exits(0).json();
    assert_eq!(json["attention"][0]["setting"], "lifecycle rule clean");
    assert_eq!(json["actions"], json!([]));
}

#[test]
fn a_bucket_that_is_public_is_refused_before_it_is_half_closed() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    emulator.ask(&format!(
        r"
s3, b = client('s3'), '{}'
s3.create_bucket(Bucket=b, CreateBucketConfiguration={{'LocationConstraint': 'us-west-2'}})
statement = {{'Sid': 'Web', 'Effect': 'Allow', 'Principal': '*', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::' + b + '/*'}}
s3.put_bucket_policy(Bucket=b, Policy=json.dumps({{'Version': '2012-10-17', 'Statement': [statement]}}))",
        place.bucket()
    ));
    let mut all = String::new();
    for verb in [&["plan"][..], &["apply", "--yes"]] {
        all += &place.run(verb).exits(4).transcript(verb[0]);
    }
    snapshot("bootstrap/public-bucket", &all, &place.folder.own());
    let calls = emulator.calls();
    assert!(!calls.contains(&"s3:PutPublicAccessBlock".to_owned()));
}

#[test]
fn every_lock_that_is_held_is_shown() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["apply", "--yes"]).exits(0);
    let note = |who: &str| {
        format!(
            r#"{{"ID":"1","Operation":"OperationTypeApply","Who":"{who}","Created":"2020-01-02T03:04:05Z"}}"#
        )
    };
    emulator.ask(&format!(
        "b = '{}'
client('s3').put_object(Bucket=b, Key='osmt/test/terraform.tfstate.tflock', Body='''{}'''.encode())
client('dynamodb').put_item(TableName='osmt-test', Item={{'LockID': {{'S': b + '/osmt/test/terraform.tfstate'}}, 'Info': {{'S': '''{}'''}}}})",
        place.bucket(),
        note("ann@desk"),
        note("bob@ci")
    ));
    let mut all = place.run(&["status"]).exits(0).transcript("a lock file, and a lock in the table");
    let json = place.run(&["status", "--format", "json"]).exits(0).json();
    assert_eq!(json["locks"].as_array().unwrap().len(), 2);
    // A note that broke off half-way: there is no id to unlock it with.
    let bucket = place.bucket();
    let put = |body: &str| {
        format!(
            "client('s3').put_object(Bucket='{bucket}', Key='osmt/test/terraform.tfstate.tflock', Body='''{body}'''.encode())"
        )
    };
    emulator.ask(&put(r#"{"ID":"#));
    all += &place.run(&["status"]).exits(0).transcript("half a note");
    emulator.ask(&put(&note("ann@desk")));
    all += &place.run(&["destroy", "--yes", "--confirm", "test"]).exits(4).transcript("destroy");
    snapshot("bootstrap/locks", &all, &place.folder.own());
}
