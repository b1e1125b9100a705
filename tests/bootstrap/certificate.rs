//! `certificate`: requested once, proven, waited for, written into the config, reused.

use serde_json::json;

use crate::place::Place;
use crate::support::{Emulator, snapshot};

const ARN: &str = "/config/alb/certificate_arn";

#[test]
fn it_is_requested_once_and_only_its_arn_changes_in_the_config() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let zone = place.hosted_zone();
    let before = place.folder.config_text();
    let old = place.folder.get(ARN);
    place
        .run(&["certificate", "--dry-run"])
        .exits(1)
        .matches("bootstrap/certificate-dry-run", &place.folder.own());
    assert_eq!(place.folder.config_text(), before);
    place.run(&["certificate"]).exits(4);
    let made = place.run(&["certificate", "--yes", "--format", "json"]).exits(0).json();
    let new = place.folder.get(ARN);
    let written = made["actions"].as_array().unwrap().last().unwrap();
    assert_eq!(written["to"], new, "{made}");
    assert_ne!(new, old);
    assert_eq!(place.folder.config_text(), before.replace(&old, &new));

    let found = emulator.ask(&format!(
        r"
acm, dns = client('acm'), client('route53')
one = acm.describe_certificate(CertificateArn='{new}')['Certificate']
wanted = one['DomainValidationOptions'][0]['ResourceRecord']
answer = {{
  'status': one['Status'], 'names': sorted(one['SubjectAlternativeNames']), 'count': len(acm.list_certificates()['CertificateSummaryList']),
  'tags': sorted(tag['Key'] for tag in acm.list_tags_for_certificate(CertificateArn='{new}')['Tags']),
  'proven': any(set['Name'].rstrip('.') == wanted['Name'].rstrip('.') for set in dns.list_resource_record_sets(HostedZoneId='{zone}')['ResourceRecordSets']),
}}"
    ));
    assert_eq!(found["status"], "ISSUED");
    assert_eq!(found["names"], json!(["*.osmt.test.example.org", "osmt.test.example.org"]));
    assert_eq!(found["count"], 1);
    assert_eq!(found["proven"], true);
    assert_eq!(found["tags"], json!(["Application", "Environment", "ManagedBy"]));

    let again = place.run(&["certificate", "--yes"]).exits(0);
    assert_eq!(again.stdout, "nothing to do\n");
    // A fresh config finds the same certificate again.
    place.folder.set(ARN, &old);
    place.run(&["certificate", "--yes"]).exits(0).matches("bootstrap/certificate-known", &place.folder.own());
    assert_eq!(place.folder.get(ARN), new);
}

#[test]
fn a_deadline_that_passes_leaves_something_to_go_on_with() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.hosted_zone();
    let late = place.run(&["certificate", "--yes", "--timeout", "0s"]).exits(3);
    assert!(late.stderr.contains("run this again to continue"), "{late:?}");
    place.run(&["certificate", "--yes"]).exits(0);
    let count = emulator.ask("answer = len(client('acm').list_certificates()['CertificateSummaryList'])");
    assert_eq!(count, 1);
}

#[test]
fn what_cannot_work_is_refused_before_the_wait() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let certificate = || place.run(&["certificate", "--yes"]);
    let mut all = certificate().exits(4).transcript("no such zone");

    let zone = place.hosted_zone();
    place.folder.set("/config/domain/name", "osmt.example.com");
    all += &certificate().exits(4).transcript("the zone of another domain");

    place.folder.set("/config/domain/name", "a.osmt.test.example.org");
    emulator.ask(&format!(
        r#"
record = {{'Name': 'osmt.test.example.org', 'Type': 'CAA', 'TTL': 60, 'ResourceRecords': [{{'Value': '0 issue "letsencrypt.org"'}}]}}
client('route53').change_resource_record_sets(HostedZoneId='{zone}', ChangeBatch={{'Changes': [{{'Action': 'CREATE', 'ResourceRecordSet': record}}]}})"#
    ));
    all += &certificate().exits(4).transcript("CAA allows another authority");

    let private = emulator.ask(
        r"
vpc = client('ec2').describe_vpcs()['Vpcs'][0]['VpcId']
answer = client('route53').create_hosted_zone(Name='test.example.org', CallerReference='p', HostedZoneConfig={'PrivateZone': True, 'Comment': ''}, VPC={'VPCRegion': 'us-west-2', 'VPCId': vpc})['HostedZone']['Id'].split('/')[-1]",
    );
    place.folder.set("/config/domain/hosted_zone_id", private.as_str().unwrap());
    all += &certificate().exits(4).transcript("a private zone");
    snapshot("bootstrap/certificate-refused", &all, &place.folder.own());

    let twin = emulator.ask("answer = client('route53').create_hosted_zone(Name='test.example.org', CallerReference='twin')['HostedZone']['Id'].split('/')[-1]");
    place.folder.set("/config/domain/name", "osmt2.test.example.org");
    place.folder.set("/config/domain/hosted_zone_id", &zone);
    certificate().exits(0).says(twin.as_str().unwrap());
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_is_refused_before_acm_is_asked() {
    use std::os::unix::fs::PermissionsExt as _;
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.hosted_zone();
    let requests = || emulator.calls().iter().filter(|call| *call == "acm:RequestCertificate").count();
    let mode = |mode| {
        std::fs::set_permissions(place.folder.config(), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o444);
    place.run(&["certificate", "--dry-run"]).exits(1);
    place.run(&["certificate", "--yes"]).exits(4).says("is read-only").lacks("already done");
    mode(0o644);
    let zone = place.folder.path().join("records.zone");
    std::fs::write(&zone, "old").unwrap();
    std::fs::set_permissions(&zone, std::fs::Permissions::from_mode(0o444)).unwrap();
    let zone_file = zone.to_str().unwrap();
    place.run(&["certificate", "--external-dns", "--yes", "--zone-file", zone_file]).exits(4);
    assert_eq!(requests(), 0);
}
