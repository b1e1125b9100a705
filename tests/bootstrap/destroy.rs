//! `destroy`: refused while anything is needed, whole otherwise, and repeatable.

use serde_json::{Value, json};

use crate::place::{Place, Run};
use crate::support::Emulator;

fn destroy(place: &Place<'_>) -> Run {
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
    for (arguments, exit) in [
        (vec!["destroy", "--dry-run"], 1),
        (vec!["destroy"], 4),
        (vec!["destroy", "--yes"], 4),
        (vec!["destroy", "--yes", "--confirm", "prod"], 4),
    ] {
        place.run(&arguments).exits(exit);
        assert_eq!(left(&emulator), json!([1, 1, 1]));
    }
    let plan = place.run(&["destroy", "--dry-run"]).exits(1);
    assert!(plan.stdout.contains("1012 versions"), "{plan:?}");
    destroy(&place).exits(0);
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
    let refused = |told: &str| {
        let run = destroy(&place).exits(4);
        assert!(run.stderr.contains(told), "{run:?}");
        assert_eq!(left(&emulator), json!([1, 1, 0]));
    };
    // Under whatever name, and also where somebody deleted the state but not what it lists.
    put(&emulator, &place, "anything", full);
    refused("state anything still lists 1 resource");
    emulator.ask(&format!("client('s3').delete_object(Bucket='{}', Key='anything')", place.bucket()));
    refused("the last version of the deleted state anything lists 1 resource");
    put(&emulator, &place, "anything", empty);

    let note = r#"{"ID":"1","Who":"ann@desk","Created":"2020-01-02T03:04:05Z"}"#;
    put(&emulator, &place, "osmt/test/terraform.tfstate.tflock", note);
    refused("locked by ann@desk");
    emulator.ask(&format!(
        "client('s3').delete_object(Bucket='{}', Key='osmt/test/terraform.tfstate.tflock')",
        place.bucket()
    ));
    emulator.ask(&format!(
        "client('dynamodb').put_item(TableName='osmt-test', Item={{'LockID': {{'S': 'b/k'}}, 'Info': {{'S': '''{note}'''}}}})"
    ));
    refused("b/k is locked by ann@desk");
    emulator.ask("client('dynamodb').delete_item(TableName='osmt-test', Key={'LockID': {'S': 'b/k'}})");
    emulator.ask("client('dynamodb').put_item(TableName='osmt-test', Item={'LockID': {'S': 'b/k-md5'}, 'Digest': {'S': 'x'}})");
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
    let run = destroy(&place).exits(4);
    assert!(run.stderr.contains("not ours"), "{run:?}");
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
    assert!(plan.stderr.contains("is proven by it, too"), "{plan:?}");
    assert!(!plan.stdout.contains("hosted zone"), "{plan:?}");
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
    let runs: Vec<Run> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..2).map(|_| scope.spawn(|| destroy(&place))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    // The second one may see what the first one did between its two looks.
    let well = |run: &Run| matches!(run.exit, Some(0 | 4));
    let done = |run: &Run| run.exit == Some(0);
    assert!(runs.iter().all(well) && runs.iter().any(done), "{runs:#?}");
    assert_eq!(left(&emulator), json!([0, 0, 0]));
}
