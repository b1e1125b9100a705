//! `plan`, `apply`, `status`: made whole, adopted, left alone.

use serde_json::{Value, json};

use crate::place::Place;
use crate::proxy::Proxy;
use crate::support::{Emulator, run, snapshot};

/// Every setting of a bucket and a table, asked without our code.
fn settings(emulator: &Emulator, bucket: &str, table: &str) -> Value {
    emulator.ask(&format!(
        r"
import json
s3, db, b, t = client('s3'), client('dynamodb'), '{bucket}', '{table}'
rule = s3.get_bucket_encryption(Bucket=b)['ServerSideEncryptionConfiguration']['Rules'][0]
table = db.describe_table(TableName=t)['Table']
answer = {{
  'block': s3.get_public_access_block(Bucket=b)['PublicAccessBlockConfiguration'],
  'owner': s3.get_bucket_ownership_controls(Bucket=b)['OwnershipControls']['Rules'][0]['ObjectOwnership'],
  'encryption': rule['ApplyServerSideEncryptionByDefault'],
  'bucket_key': rule['BucketKeyEnabled'],
  'policy': json.loads(s3.get_bucket_policy(Bucket=b)['Policy']),
  'versioning': s3.get_bucket_versioning(Bucket=b)['Status'],
  'lifecycle': s3.get_bucket_lifecycle_configuration(Bucket=b)['Rules'],
  'bucket_tags': {{x['Key']: x['Value'] for x in s3.get_bucket_tagging(Bucket=b)['TagSet']}},
  'key': table['KeySchema'], 'attributes': table['AttributeDefinitions'],
  'billing': table['BillingModeSummary']['BillingMode'],
  'sse': table['SSEDescription']['Status'],
  'protected': table['DeletionProtectionEnabled'],
  'recovery': db.describe_continuous_backups(TableName=t)['ContinuousBackupsDescription']['PointInTimeRecoveryDescription']['PointInTimeRecoveryStatus'],
  'table_tags': {{x['Key']: x['Value'] for x in db.list_tags_of_resource(ResourceArn=table['TableArn'])['Tags']}},
}}"
    ))
}

fn is_whole(settings: &Value, place: &Place<'_>) {
    let arn = format!("arn:aws:s3:::{}", place.bucket());
    let tags = json!({"Application": "osmt", "Environment": place.env, "ManagedBy": "osmt-bootstrap"});
    assert_eq!(
        settings["block"],
        json!({"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true})
    );
    assert_eq!(settings["owner"], "BucketOwnerEnforced");
    assert_eq!(settings["encryption"]["SSEAlgorithm"], "aws:kms");
    assert_eq!(settings["bucket_key"], true);
    let statements = settings["policy"]["Statement"].as_array().unwrap();
    assert!(
        statements.contains(&json!({
            "Sid": "OsmtTlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        })),
        "{statements:#?}"
    );
    assert_eq!(settings["versioning"], "Enabled");
    let rules = settings["lifecycle"].as_array().unwrap();
    let ours = rules.iter().find(|rule| rule["ID"] == "osmt-state").unwrap();
    assert_eq!(ours["Status"], "Enabled");
    assert_eq!(ours["NoncurrentVersionExpiration"]["NoncurrentDays"], 90);
    assert_eq!(ours["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"], 7);
    for (key, value) in tags.as_object().unwrap() {
        assert_eq!(settings["bucket_tags"][key], *value);
        assert_eq!(settings["table_tags"][key], *value);
    }
    assert_eq!(settings["key"], json!([{"AttributeName": "LockID", "KeyType": "HASH"}]));
    assert_eq!(settings["attributes"], json!([{"AttributeName": "LockID", "AttributeType": "S"}]));
    assert_eq!(settings["billing"], "PAY_PER_REQUEST");
    assert_eq!(settings["sse"], "ENABLED");
    assert_eq!(settings["protected"], true);
    assert_eq!(settings["recovery"], "ENABLED");
}

#[test]
fn an_empty_account_is_made_ready_and_then_left_alone() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");

    let own = place.folder.own();
    place.run(&["plan"]).exits(1).matches("bootstrap/plan-new", &own);
    let calls = emulator.calls();
    assert!(
        calls.iter().all(|call| !call.contains("Put") && !call.contains("Create")),
        "a plan only reads: {calls:?}"
    );
    place.run(&["apply", "--yes", "--dry-run"]).exits(1).matches("bootstrap/apply-dry-run", &own);
    place.run(&["apply"]).exits(4).matches("bootstrap/apply-without-yes", &own);
    place.run(&["status"]).exits(1).matches("bootstrap/status-new", &own);

    let applied = place.run(&["apply", "--yes", "--format", "json"]).exits(0);
    assert_eq!(applied.json()["status"], "applied");
    is_whole(&settings(&emulator, &place.bucket(), "osmt-test"), &place);

    let before = emulator.calls().len();
    let again = place.run(&["apply", "--yes"]).exits(0);
    assert_eq!(again.stdout, "nothing to do\n");
    assert!(emulator.calls()[before..].iter().all(|call| !call.contains("Put") && !call.contains("Update")),);
    let plan = place.run(&["plan", "--format", "json"]).exits(0).json();
    assert_eq!(plan["actions"], json!([]));
    assert_eq!(plan["unchanged"].as_array().unwrap().len(), 12);
    place.run(&["plan"]).exits(0).matches("bootstrap/plan-nothing", &own);
    place.run(&["status"]).exits(0).matches("bootstrap/status-nothing", &own);
}

#[test]
fn a_bucket_made_by_hand_is_adopted_with_what_it_lacks() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "hand");
    // What the console makes: private, owner enforced, SSE-S3; and what was added since.
    emulator.ask(&format!(
        r"
import json
s3, b = client('s3'), '{}'
s3.create_bucket(Bucket=b, ObjectOwnership='BucketOwnerEnforced', CreateBucketConfiguration={{'LocationConstraint': 'us-west-2'}})
s3.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration=dict.fromkeys(['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'], True))
s3.put_bucket_encryption(Bucket=b, ServerSideEncryptionConfiguration={{'Rules': [{{'ApplyServerSideEncryptionByDefault': {{'SSEAlgorithm': 'AES256'}}, 'BucketKeyEnabled': True}}]}})
audit = {{'Sid': 'Audit', 'Effect': 'Allow', 'Principal': {{'AWS': 'arn:aws:iam::123456789012:root'}}, 'Action': 's3:GetBucketTagging', 'Resource': 'arn:aws:s3:::' + b}}
s3.put_bucket_policy(Bucket=b, Policy=json.dumps({{'Version': '2012-10-17', 'Statement': [audit]}}))
s3.put_bucket_tagging(Bucket=b, Tagging={{'TagSet': [{{'Key': 'Owner', 'Value': 'it'}}]}})
s3.put_bucket_lifecycle_configuration(Bucket=b, LifecycleConfiguration={{'Rules': [{{'ID': 'theirs', 'Status': 'Enabled', 'Filter': {{'Prefix': 'logs/'}}, 'Expiration': {{'Days': 5}}}}]}})
",
        place.bucket()
    ));
    let plan = place.run(&["plan", "--format", "json"]).exits(1).json();
    let pending: Vec<&str> = plan["actions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["thing"].as_str().unwrap().starts_with("S3"))
        .map(|line| line["setting"].as_str().unwrap())
        .collect();
    assert_eq!(pending, ["default encryption", "policy", "versioning", "lifecycle", "tags"]);
    place.run(&["apply", "--yes"]).exits(0);
    let settings = settings(&emulator, &place.bucket(), "osmt-hand");
    is_whole(&settings, &place);
    assert_eq!(settings["bucket_tags"]["Owner"], "it");
    assert_eq!(settings["policy"]["Statement"][0]["Sid"], "Audit");
    assert!(
        settings["lifecycle"]
            .as_array()
            .unwrap()
            .iter()
            .any(|rule| rule["ID"] == "theirs" && rule["Expiration"]["Days"] == 5)
    );
}

#[test]
fn a_saved_plan_is_refused_once_the_account_has_changed() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "saved");
    let file = place.folder.path().join("plan.json");
    let file = file.to_str().unwrap();
    place.run(&["plan", "--out", file]).exits(1);
    place.run(&["apply", file, "--yes"]).exits(0);
    let mut all = place.run(&["apply", file, "--yes"]).exits(4).transcript("the plan was applied already");

    place.run(&["plan", "--out", file]).exits(0);
    emulator.ask(&format!(
        "client('s3').put_bucket_versioning(Bucket='{}', VersioningConfiguration={{'Status': 'Suspended'}})",
        place.bucket()
    ));
    all += &place.run(&["apply", file, "--yes"]).exits(4).transcript("the account changed");
    all += &place.run(&["status"]).exits(1).transcript("status");
    let config = place.run(&["apply", "config.auto.tfvars.json", "--yes"]).exits(2);
    all += &config.transcript("a config instead of a plan");
    snapshot("bootstrap/plan-out-of-date", &all, &place.folder.own());
    place.run(&["apply", "--yes"]).exits(0);
    place.run(&["status"]).exits(0);
}

#[test]
fn status_shows_who_holds_the_lock() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "lock");
    place.run(&["apply", "--yes"]).exits(0);
    let free = place.run(&["status", "--format", "json"]).exits(0).json();
    assert_eq!(free["lock"], Value::Null);
    assert_eq!(free["last_state_change"], Value::Null);
    emulator.ask(&format!(
        r#"
b, note = '{}', '{{"ID":"6a1","Operation":"OperationTypeApply","Who":"ann@desk","Created":"2020-01-02T03:04:05Z"}}'
client('s3').put_object(Bucket=b, Key='osmt/lock/terraform.tfstate', Body=b'{{}}')
client('dynamodb').put_item(TableName='osmt-lock', Item={{'LockID': {{'S': b + '/osmt/lock/terraform.tfstate'}}, 'Info': {{'S': note}}}})"#,
        place.bucket()
    ));
    let held = place.run(&["status", "--format", "json"]).exits(0).json();
    assert_eq!(held["lock"]["who"], "ann@desk");
    assert_eq!(held["lock"]["id"], "6a1");
    assert!(held["lock"]["age"].as_str().unwrap().contains("days"));
    assert!(held["last_state_change"].is_string());
}

#[test]
fn a_lock_file_needs_no_table_and_an_old_one_goes_with_the_rest() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "file");
    let tables = || emulator.ask("answer = client('dynamodb').list_tables()['TableNames']");
    place.run(&["apply", "--yes", "--lock", "s3"]).exits(0);
    assert_eq!(tables(), json!([]));
    place.run(&["status", "--lock", "s3"]).exits(0);
    place.run(&["apply", "--yes"]).exits(0);
    assert_eq!(tables(), json!(["osmt-file"]));
    place.run(&["destroy", "--yes", "--confirm", "file", "--lock", "s3"]).exits(0);
    assert_eq!(tables(), json!([]));
}

#[test]
fn two_at_once_end_in_the_same_state() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "both");
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| place.run(&["apply", "--yes"]))).collect();
        for run in runs {
            run.join().unwrap().exits(0);
        }
    });
    place.run(&["status"]).exits(0);
}

#[test]
fn a_key_of_ones_own_encrypts_the_state_and_stays() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    for wrong in ["alias/state", "arn:aws:kms:us-west-2:123456789012:alias/state", "1234abcd"] {
        place.run(&["apply", "--yes", "--kms-key", wrong]).exits(2);
    }
    let key = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    place.run(&["apply", "--yes", "--kms-key", key]).exits(0);
    let set = emulator.ask(&format!(
        "answer = client('s3').get_bucket_encryption(Bucket='{}')['ServerSideEncryptionConfiguration']['Rules'][0]",
        place.bucket()
    ));
    assert_eq!(set["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"], key, "{set}");
    assert_eq!(set["BucketKeyEnabled"], true, "{set}");
    // Without the flag the key stays.
    assert_eq!(place.run(&["apply", "--yes"]).exits(0).stdout, "nothing to do\n");
    let other = key.replace("1234abcd-", "5678abcd-");
    let keys = [(key, "KEY"), (&*other, "OTHER-KEY"), place.folder.own()[0]];
    place.run(&["plan", "--kms-key", &other]).exits(1).matches("bootstrap/kms-key", &keys);
}

#[test]
fn kinds_of_encryption_that_a_bucket_refuses_stay_refused() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["apply", "--yes"]).exits(0);
    let proxy = Proxy::before(&emulator.endpoint, None);
    proxy.answers_encryption(
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>",
    );
    let mut command = place.command(&["apply", "--yes"]);
    run(command.env("AWS_ENDPOINT_URL", &proxy.endpoint)).exits(0);
    let encrypted = proxy.encrypted();
    for kept in [
        "<SSEAlgorithm>aws:kms</SSEAlgorithm>",
        "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType>",
    ] {
        assert!(encrypted.contains(kept), "{kept}: {encrypted}");
    }
}
