//! `destroy`: refused while anything is needed, whole otherwise, and repeatable.

use serde_json::{Value, json};

use crate::place::Place;
use crate::support::{Emulator, Ran, snapshot};

fn destroy(place: &Place<'_>) -> Ran {
    place.run(&["destroy", "--yes", "--confirm", &place.env])
}

fn put(emulator: &Emulator, place: &Place<'_>, key: &str, body: &str) {
    emulator.ask(&format!(
        "client('s3').put_object(Bucket='{}', Key='{key}', Body='''{body}'''.encode())",
        place.bucket()
    ));
}

fn left(emulator: &Emulator) -> Value {
    emulator.ask(
        "answer = [len(client('s3').list_buckets()['Buckets']), len(client('dynamodb').list_tables()['TableNames']), \
         len(client('acm').list_certificates()['CertificateSummaryList'])]",
    )
}

#[test]
fn everything_goes_and_a_second_time_nothing_is_left_to_do() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let zone = place.hosted_zone();
    place.run(&["apply", "--yes"]).exits(0);
    place.run(&["certificate", "--yes"]).exits(0);
    emulator.ask(&format!(
        r"
s3, b = client('s3'), '{}'
for number in range(505):
    s3.put_object(Bucket=b, Key='many/%d' % number, Body=b'x')
s3.delete_objects(Bucket=b, Delete={{'Quiet': True, 'Objects': [{{'Key': 'many/%d' % number}} for number in range(505)]}})
for body in (b'{{}}', b'no state'):
    s3.put_object(Bucket=b, Key='osmt/test/terraform.tfstate', Body=body)",
        place.bucket()
    ));
    let own = place.folder.own();
    let mut all = String::new();
    for arguments in [&["destroy"][..], &["destroy", "--yes"], &["destroy", "--yes", "--confirm", "prod"]] {
        all += &place.run(arguments).exits(4).transcript(&arguments.join(" "));
        assert_eq!(left(&emulator), json!([1, 1, 1]));
    }
    snapshot("bootstrap/destroy-unconfirmed", &all, &own);
    place.run(&["destroy", "--dry-run"]).exits(1).matches("bootstrap/destroy-dry-run", &own);
    destroy(&place).exits(0).matches("bootstrap/destroy", &own);
    assert_eq!(left(&emulator), json!([0, 0, 0]));
    let records = emulator.ask(&format!(
        "answer = sorted(set['Type'] for set in client('route53').list_resource_record_sets(HostedZoneId='{zone}')['ResourceRecordSets'])"
    ));
    assert_eq!(records, json!(["NS", "SOA"]));
    assert_eq!(destroy(&place).exits(0).stdout, "nothing to do\n");
}

#[test]
fn a_state_that_lists_resources_or_a_held_lock_forbids_it() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["apply", "--yes"]).exits(0);
    let full = r#"{"version":4,"terraform_version":"1.11.4","lineage":"x","resources":[{"type":"aws_vpc"}]}"#;
    let empty = r#"{"version":4,"terraform_version":"1.11.4","lineage":"x","resources":[]}"#;
    let mut all = String::new();
    let mut refused = |what: &str| {
        all += &destroy(&place).exits(4).transcript(what);
        assert_eq!(left(&emulator), json!([1, 1, 0]));
    };
    // Under any name, and also where the state was deleted but not what it lists.
    put(&emulator, &place, "anything", full);
    refused("a state with a resource");
    emulator.ask(&format!("client('s3').delete_object(Bucket='{}', Key='anything')", place.bucket()));
    refused("a deleted state with a resource");
    put(&emulator, &place, "anything", empty);

    let note = r#"{"ID":"1","Who":"ann@desk","Created":"2020-01-02T03:04:05Z"}"#;
    put(&emulator, &place, "osmt/test/terraform.tfstate.tflock", note);
    refused("a lock file");
    emulator.ask(&format!(
        "client('s3').delete_object(Bucket='{}', Key='osmt/test/terraform.tfstate.tflock')",
        place.bucket()
    ));
    emulator.ask(&format!(
        "client('dynamodb').put_item(TableName='osmt-test', Item={{'LockID': {{'S': 'b/k'}}, 'Info': {{'S': '''{note}'''}}}})"
    ));
    refused("a lock in the table");
    snapshot("bootstrap/destroy-refused", &all, &place.folder.own());
    emulator.ask("client('dynamodb').delete_item(TableName='osmt-test', Key={'LockID': {'S': 'b/k'}})");
    let digest = "osmt-test-123456789012-us-west-2/osmt/test/terraform.tfstate-md5";
    emulator.ask(&format!("client('dynamodb').put_item(TableName='osmt-test', Item={{'LockID': {{'S': '{digest}'}}, 'Digest': {{'S': 'x'}}}})"));
    destroy(&place).exits(0);
    assert_eq!(left(&emulator), json!([0, 0, 0]));
}

#[test]
fn what_does_not_carry_our_tags_is_not_ours_to_delete() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["apply", "--yes"]).exits(0);
    emulator.ask(&format!(
        "client('s3').put_bucket_tagging(Bucket='{}', Tagging={{'TagSet': [{{'Key': 'Environment', 'Value': 'prod'}}]}})",
        place.bucket()
    ));
    destroy(&place).exits(4).matches("bootstrap/destroy-without-tags", &place.folder.own());
    assert_eq!(left(&emulator), json!([1, 1, 0]));
}

#[test]
fn a_record_that_proves_another_certificate_stays() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let zone = place.hosted_zone();
    place.run(&["apply", "--yes"]).exits(0);
    place.run(&["certificate", "--yes"]).exits(0);
    // In another region, under another name first.
    emulator.ask(
        "client('acm', region_name='eu-west-1').request_certificate(DomainName='www.test.example.org', SubjectAlternativeNames=['osmt.test.example.org'], ValidationMethod='DNS')",
    );
    let plan = place.run(&["destroy", "--dry-run"]).exits(1);
    plan.matches("bootstrap/destroy-shared-record", &place.folder.own());
    destroy(&place).exits(0);
    assert_eq!(left(&emulator), json!([0, 0, 0]));
    let records = emulator.ask(&format!(
        "answer = sorted(set['Type'] for set in client('route53').list_resource_record_sets(HostedZoneId='{zone}')['ResourceRecordSets'])"
    ));
    assert_eq!(records, json!(["CNAME", "NS", "SOA"]));
}

#[test]
fn two_at_once_both_end_well() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["apply", "--yes"]).exits(0);
    let runs: Vec<Ran> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..2).map(|_| scope.spawn(|| destroy(&place))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    // The second one may see what the first one did between its two looks.
    let well = |run: &Ran| matches!(run.exit, 0 | 4);
    let done = |run: &Ran| run.exit == 0;
    assert!(runs.iter().all(well) && runs.iter().any(done), "{runs:#?}");
    assert_eq!(left(&emulator), json!([0, 0, 0]));
}

#[test]
fn what_others_keep_in_an_adopted_bucket_and_table_stays() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.adopts("campus-tfstate", "terraform-locks");
    emulator.ask(
        "client('s3').put_bucket_tagging(Bucket='campus-tfstate-test', Tagging={'TagSet': [{'Key': 'Application', 'Value': 'legacy'}]})",
    );
    place.run(&["apply", "--yes"]).exits(0);
    assert_eq!(
        emulator.ask("answer = sorted((one['Key'], one['Value']) for one in client('s3').get_bucket_tagging(Bucket='campus-tfstate-test')['TagSet'])"),
        json!([["Application", "legacy"], ["Environment", "test"], ["ManagedBy", "osmt-bootstrap"], ["osmt:adopted", "test"]])
    );
    place.run(&["status"]).exits(0);
    place.use_state();
    // A held lock of another project is its own affair.
    emulator.ask("client('dynamodb').put_item(TableName='terraform-locks-test', Item={'LockID': {'S': 'campus-tfstate/lms/terraform.tfstate'}, 'Info': {'S': '{}'}})");
    place.run(&["destroy", "--dry-run"]).exits(1).matches("bootstrap/destroy-adopted", &place.folder.own());
    let done = place.run(&["destroy", "--yes", "--confirm", "test", "--format", "json"]).exits(0).json();
    assert_eq!(done["kept"].as_array().unwrap().len(), 2, "{done}");
    assert_eq!(left(&emulator), json!([1, 1, 0]));
    let keys = "answer = [one['Key'] for one in client('s3').list_object_versions(Bucket='campus-tfstate-test')['Versions']]";
    assert_eq!(emulator.ask(keys), json!(["artifacts/lms-release.zip", "lms/terraform.tfstate"]));
    assert_eq!(destroy(&place).exits(0).stdout, "nothing to do\n");
    // More only where that is said, and never while another state lists resources.
    let more = ["destroy", "--yes", "--confirm", "test", "--delete-everything"];
    place.run(&more).exits(4).says("state lms/terraform.tfstate still lists 1 resource");
    emulator.ask(
        "client('s3').delete_object(Bucket='campus-tfstate-test', Key='lms/terraform.tfstate', VersionId=client('s3').list_object_versions(Bucket='campus-tfstate-test', Prefix='lms')['Versions'][0]['VersionId'])
client('dynamodb').delete_item(TableName='terraform-locks-test', Key={'LockID': {'S': 'campus-tfstate/lms/terraform.tfstate'}})",
    );
    place.run(&more).exits(0);
    assert_eq!(left(&emulator), json!([0, 0, 0]));
}

#[test]
fn what_others_put_into_a_bucket_and_a_table_that_were_made_here_stays_too() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["apply", "--yes"]).exits(0);
    put(&emulator, &place, "artifacts/lms.zip", "PK");
    put(&emulator, &place, "osmt/test/terraform.tfstate", "{}");
    emulator.ask("client('dynamodb').put_item(TableName='osmt-test', Item={'LockID': {'S': 'b/k-md5'}, 'Digest': {'S': 'x'}})");
    destroy(&place).exits(0).matches("bootstrap/destroy-shared", &place.folder.own());
    assert_eq!(left(&emulator), json!([1, 1, 0]));
    let keys = format!(
        "answer = [one['Key'] for one in client('s3').list_object_versions(Bucket='{}')['Versions']]",
        place.bucket()
    );
    assert_eq!(emulator.ask(&keys), json!(["artifacts/lms.zip"]));
    place.run(&["destroy", "--yes", "--confirm", "test", "--delete-everything"]).exits(0);
    assert_eq!(left(&emulator), json!([0, 0, 0]));
}

#[test]
fn a_large_object_is_not_read_and_a_protected_one_is_seen_before_anything_is_deleted() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.adopts("campus-tfstate", "terraform-locks");
    emulator.ask(
        r"
s3 = client('s3')
s3.create_bucket(Bucket='locked', ObjectLockEnabledForBucket=True, CreateBucketConfiguration={'LocationConstraint': 'us-west-2'})
s3.put_object(Bucket='locked', Key='osmt/test/terraform.tfstate', Body=b'{}', ObjectLockMode='COMPLIANCE', ObjectLockRetainUntilDate='2099-01-01T00:00:00Z')",
    );
    let with =
        |verb: &[&str]| place.run(&[verb, &["--bucket", "locked", "--lock-table", "osmt-test"]].concat());
    with(&["apply", "--yes"]).exits(0);
    let refused = with(&["destroy", "--yes", "--confirm", "test"]).exits(4);
    let mut all = refused.says("Object Lock protects it until 2099-01-01").transcript("Object Lock");
    assert_eq!(left(&emulator), json!([2, 2, 0]));

    // Five megabytes that begin like a state are taken for one.
    place.run(&["apply", "--yes"]).exits(0);
    emulator.ask(
        r#"
body = b'{"version":4,"terraform_version":"1.11.4","resources":[' + b' ' * (5 << 20) + b']}'
client('s3').put_object(Bucket='campus-tfstate-test', Key='osmt/test/terraform.tfstate', Body=body)"#,
    );
    all += &destroy(&place).exits(4).transcript("a large state");
    snapshot("bootstrap/destroy-protected", &all, &place.folder.own());
}
