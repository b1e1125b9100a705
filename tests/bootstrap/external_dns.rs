//! `certificate --external-dns`: another team adds the records, and a later run continues.

use serde_json::{Value, json};

use crate::place::{Place, zone};
use crate::support::{Emulator, run, snapshot};

/// What the admin role may do in Route 53 where another team manages the DNS.
const ROUTE53_WITHOUT_A_ZONE: [&str; 9] = [
    "route53:AssociateVPCWithHostedZone",
    "route53:CreateHostedZone",
    "route53:DeleteHostedZone",
    "route53:GetChange",
    "route53:GetHostedZone",
    "route53:ListHostedZones",
    "route53:ListHostedZonesByName",
    "route53:ListResourceRecordSets",
    "route53:ListTagsForResource",
];

const ARN: &str = "/config/alb/certificate_arn";

#[test]
fn a_config_without_a_hosted_zone_needs_no_flag_and_no_call_to_route_53() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let text = place.folder.config_text();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["config"]["domain"] = json!({"name": "osmt.test.example.org", "hosted_zone_id": "none"});
    crate::support::write(&place.folder.config(), &format!("{config:#}\n"));
    place
        .run(&["apply", "--yes", "--with", "admin", "--trust", "arn:aws:iam::123456789012:user/ann"])
        .exits(0);
    // Actions of Route 53, and resources that are hosted zones.
    let route53 = emulator.ask(
        "iam = client('iam')
arns = [one['Arn'] for one in iam.list_policies(Scope='Local')['Policies']]
documents = [iam.get_policy_version(PolicyArn=arn, VersionId=iam.get_policy(PolicyArn=arn)['Policy']['DefaultVersionId'])['PolicyVersion']['Document'] for arn in arns]
listed = lambda value: value if isinstance(value, list) else [value]
of = lambda key, text: sorted({one for document in documents for statement in document['Statement'] for one in listed(statement.get(key, [])) if text in one})
answer = [of('Action', 'route53:'), of('Resource', 'hostedzone/')]",
    );
    assert_eq!(route53, json!([ROUTE53_WITHOUT_A_ZONE, []]));

    let pending = place.run(&["certificate", "--yes", "--timeout", "0s", "--format", "json"]).exits(1).json();
    let validation = &pending["records"][0];
    let of = |key: &str| validation[key].as_str().unwrap().to_owned();
    let theirs = zone(&emulator, "example.org");
    emulator.ask(&format!(
        r"
record = {{'Name': '{}.', 'Type': 'CNAME', 'TTL': 300, 'ResourceRecords': [{{'Value': '{}.'}}]}}
client('route53').change_resource_record_sets(HostedZoneId='{theirs}', ChangeBatch={{'Changes': [{{'Action': 'CREATE', 'ResourceRecordSet': record}}]}})",
        of("name"),
        of("value")
    ));
    place.put(
        "osmt/test/terraform.tfstate",
        r#"{"version":4,"resources":[],"outputs":{"alb_dns_name":{"value":"osmt-test-1.us-west-2.elb.amazonaws.com","type":"string"},"load_balancer":{"value":{"zone_id":"Z1H1FL5HABSF5"}}}}"#,
    );
    let before = emulator.calls().len();
    let zone_id = [("Z1H1FL5HABSF5", "LOAD-BALANCERS-ZONE"), place.folder.own()[0]];
    let records =
        [(validation["name"].as_str().unwrap(), "RECORD"), (validation["value"].as_str().unwrap(), "VALUE")];
    let own = [&zone_id[..], &records].concat();
    // Whether the certificate is issued at once differs from run to run.
    place
        .run(&["certificate", "--yes"])
        .exits(0)
        .shows("osmt.test.example.org. CNAME osmt-test-1")
        .says("ALIAS or ANAME")
        .says("Z1H1FL5HABSF5");
    let again = place.run(&["certificate", "--yes", "--format", "json"]).exits(0).json();
    assert_eq!(again["records"][1]["alias_hosted_zone_id"], "Z1H1FL5HABSF5");

    run(&mut place.folder.on(emulator.osmt("osmt-doctor"), "facts")).exits(0);
    let kept = place.run(&["destroy", "--yes", "--confirm", "test"]).exits(0);
    kept.matches("bootstrap/external-dns-destroyed", &own);
    let calls = emulator.calls();
    let route53: Vec<&String> = calls[before..].iter().filter(|call| call.starts_with("route53:")).collect();
    assert!(route53.is_empty(), "{route53:?}");
}

#[test]
fn a_zone_file_without_external_dns_is_a_mistake() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.run(&["certificate", "--zone-file", "records.zone", "--yes"]).exits(2).says("add `--external-dns`");
}

#[test]
fn the_records_are_printed_and_a_later_run_continues() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.folder.set("/config/domain/name", "osmt.test.example.org");
    // The config's zone is not in the account.
    let mut all = place.run(&["certificate", "--yes"]).exits(4).transcript("the zone is in another account");
    let old = place.folder.get(ARN);
    let file = place.folder.path().join("records.zone");
    let file = file.to_str().unwrap();
    let external = ["certificate", "--external-dns", "--yes", "--timeout", "0s", "--zone-file", file];
    let first = place.run(&external).exits(1);
    let text = std::fs::read_to_string(file).unwrap();
    let record = text.lines().find(|line| line.contains(" IN CNAME ")).unwrap();
    let fields: Vec<&str> = record.split(' ').collect();
    let (name, value) = (fields[0], fields[4]);
    all += &first.transcript("--external-dns");
    assert_eq!(place.folder.get(ARN), old);

    // The same records again, as JSON; no second certificate.
    let again = place.run(&[&external[..], &["--format", "json"]].concat()).exits(1).json();
    assert_eq!(again["status"], "pending");
    let bare = |text: &str| text.trim_end_matches('.').to_owned();
    assert_eq!(
        again["records"],
        json!([{"name": bare(name), "type": "CNAME", "value": bare(value), "purpose": "validation", "published": null}])
    );
    let dry = place.run(&["certificate", "--external-dns", "--dry-run", "--format", "json"]).exits(1).json();
    assert_eq!(dry["records"], again["records"]);
    assert_eq!(dry["actions"][0]["verb"], "run");

    // The other team adds the record; the stack makes the load balancer.
    let theirs = zone(&emulator, "example.org");
    emulator.ask(&format!(
        r"
record = {{'Name': '{name}', 'Type': 'CNAME', 'TTL': 300, 'ResourceRecords': [{{'Value': '{value}'}}]}}
client('route53').change_resource_record_sets(HostedZoneId='{theirs}', ChangeBatch={{'Changes': [{{'Action': 'CREATE', 'ResourceRecordSet': record}}]}})"
    ));
    place.run(&["apply", "--yes"]).exits(0);
    place.put(
        "osmt/test/terraform.tfstate",
        r#"{"version":4,"outputs":{"alb_dns_name":{"value":"osmt-test-1.us-west-2.elb.amazonaws.com","type":"string"}}}"#,
    );
    let done = place.run(&["certificate", "--external-dns", "--yes", "--format", "json"]).exits(0).json();
    assert_eq!(done["status"], "applied");
    assert_eq!(done["records"][1]["value"], "osmt-test-1.us-west-2.elb.amazonaws.com");
    assert_eq!(done["records"][1]["purpose"], "application");
    assert_ne!(place.folder.get(ARN), old);
    let nothing = place.run(&["certificate", "--external-dns", "--yes"]).exits(0);
    all += &nothing.transcript("issued, and nothing is left to do");
    snapshot("bootstrap/external-dns", &all, &[(name, "RECORD."), (value, "VALUE."), place.folder.own()[0]]);
    let calls = emulator.calls();
    assert_eq!(calls.iter().filter(|call| *call == "acm:RequestCertificate").count(), 1);
}
