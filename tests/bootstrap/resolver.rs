//! Public DNS is checked before the wait for a certificate; here a resolver of the test answers.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};

use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Name, Rtype, Ttl};
use domain::rdata::caa::{CaaFlags, CaaTag};
use domain::rdata::{Caa, Cname, Ns};
use serde_json::{Value, json};

use crate::place::{Place, zone};
use crate::support::{Emulator, snapshot};

/// The records of a name. A name that is not listed does not exist.
#[derive(Clone, Default)]
struct Records {
    servers: Vec<String>,
    issuers: Vec<&'static str>,
    /// The target of its CNAME record.
    alias: Option<String>,
    /// The servers that it is delegated to do not answer.
    broken: bool,
}

/// Starts a resolver that knows these names and gives its address.
fn resolver(world: BTreeMap<String, Records>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut packet = [0; 1500];
        while let Ok((length, client)) = socket.recv_from(&mut packet) {
            let query = Message::from_octets(packet[..length].to_vec()).unwrap();
            socket.send_to(&answer(&query, &world), client).unwrap();
        }
    });
    address
}

fn answer(query: &Message<Vec<u8>>, world: &BTreeMap<String, Records>) -> Vec<u8> {
    let question = query.sole_question().unwrap();
    let name = question.qname().to_string();
    let records = world.get(name.trim_end_matches('.'));
    let broken = records.is_some_and(|records| records.broken);
    let rcode = match records {
        None => Rcode::NXDOMAIN,
        Some(_) if broken => Rcode::SERVFAIL,
        Some(_) => Rcode::NOERROR,
    };
    let mut answer = MessageBuilder::new_vec().start_answer(query, rcode).unwrap();
    let records = records.cloned().unwrap_or_default();
    let ttl = Ttl::from_secs(60);
    if question.qtype() == Rtype::NS {
        for server in &records.servers {
            let server: Name<Vec<u8>> = server.parse().unwrap();
            answer.push((question.qname(), ttl, Ns::new(server))).unwrap();
        }
    }
    if question.qtype() == Rtype::CAA {
        for issuer in records.issuers {
            let tag = CaaTag::from_octets(b"issue".to_vec()).unwrap();
            let caa = Caa::new(CaaFlags::new(0), tag, issuer.as_bytes().to_vec());
            answer.push((question.qname(), ttl, caa)).unwrap();
        }
    }
    if let Some(alias) = records.alias.filter(|_| question.qtype() == Rtype::CNAME) {
        let alias: Name<Vec<u8>> = alias.parse().unwrap();
        answer.push((question.qname(), ttl, Cname::new(alias))).unwrap();
    }
    answer.finish()
}

/// A zone in an account of its own, a config for it, and its records in public DNS.
fn begin(emulator: &Emulator) -> (Place<'_>, BTreeMap<String, Records>) {
    let place = Place::new(emulator, "test");
    let id = zone(emulator, "skills.example.org");
    place.answers_at("osmt.skills.example.org", &id);
    let servers = emulator.ask(&format!(
        "answer = client('route53').get_hosted_zone(Id='{id}')['DelegationSet']['NameServers']"
    ));
    let servers: Vec<String> = serde_json::from_value(servers).unwrap();
    assert!(!servers.is_empty());
    let delegated = Records { servers, ..Records::default() };
    let world = [
        ("skills.example.org".to_owned(), delegated),
        ("example.org".to_owned(), Records::default()),
        ("org".to_owned(), Records::default()),
    ];
    (place, world.into())
}

fn requested(emulator: &Emulator) -> usize {
    let calls = emulator.calls();
    calls.iter().filter(|call| *call == "acm:RequestCertificate").count()
}

#[test]
fn what_acm_would_wait_for_in_vain_is_refused_with_the_remedy() {
    let emulator = Emulator::start();
    let (place, world) = begin(&emulator);
    let certificate = |world: &BTreeMap<String, Records>| {
        let address = resolver(world.clone()).to_string();
        place.run(&["certificate", "--yes", "--resolver", &address])
    };
    let name = || "skills.example.org".to_owned();

    let mut elsewhere = world.clone();
    elsewhere.get_mut(&name()).unwrap().servers = vec!["ns1.registrar.example".into()];
    let mut all = certificate(&elsewhere).exits(4).transcript("delegated to other name servers");

    let mut nowhere = world.clone();
    nowhere.remove(&name());
    all += &certificate(&nowhere).exits(4).transcript("not delegated");

    let mut broken = world.clone();
    broken.get_mut(&name()).unwrap().broken = true;
    all += &certificate(&broken).exits(4).transcript("the name servers do not answer");

    let mut forbidden = world.clone();
    forbidden.get_mut("org").unwrap().issuers = vec!["amazon.com"];
    forbidden.get_mut("example.org").unwrap().issuers = vec!["letsencrypt.org", ";"];
    all += &certificate(&forbidden).exits(4).transcript("CAA records allow another authority");

    // Both at once, in one run.
    forbidden.get_mut(&name()).unwrap().servers = vec!["ns1.registrar.example".into()];
    all += &certificate(&forbidden).exits(4).transcript("other name servers and another authority");
    assert_eq!(requested(&emulator), 0);

    // Once it is issued, the same is worth a warning: ACM will want to renew it.
    certificate(&world).exits(0);
    all +=
        &certificate(&elsewhere).exits(0).transcript("delegated to other name servers after it was issued");
    assert_eq!(requested(&emulator), 1);
    snapshot("bootstrap/certificate-dns", &all, &place.folder.own());
}

#[test]
fn a_zone_that_sends_the_domain_on_is_not_the_one() {
    let emulator = Emulator::start();
    let (place, _) = begin(&emulator);
    emulator.ask(&format!(
        r"
record = {{'Name': 'osmt.skills.example.org', 'Type': 'NS', 'TTL': 60, 'ResourceRecords': [{{'Value': 'ns1.elsewhere.example.'}}]}}
client('route53').change_resource_record_sets(HostedZoneId='{}', ChangeBatch={{'Changes': [{{'Action': 'CREATE', 'ResourceRecordSet': record}}]}})",
        place.folder.get("/config/domain/hosted_zone_id")
    ));
    let own = place.folder.own();
    place.run(&["certificate", "--yes"]).exits(4).matches("bootstrap/certificate-delegated", &own);
    assert_eq!(requested(&emulator), 0);
}

#[test]
fn a_record_of_the_zone_decides_over_one_above_it() {
    let emulator = Emulator::start();
    let (place, mut world) = begin(&emulator);
    world.get_mut("example.org").unwrap().issuers = vec!["letsencrypt.org"];
    emulator.ask(&format!(
        r#"
record = {{'Name': 'skills.example.org', 'Type': 'CAA', 'TTL': 60, 'ResourceRecords': [{{'Value': '0 issue "amazon.com"'}}]}}
client('route53').change_resource_record_sets(HostedZoneId='{}', ChangeBatch={{'Changes': [{{'Action': 'CREATE', 'ResourceRecordSet': record}}]}})"#,
        place.folder.get("/config/domain/hosted_zone_id")
    ));
    let address = resolver(world).to_string();
    place.run(&["certificate", "--yes", "--resolver", &address]).exits(0).lacks("warning");
}

#[test]
fn the_caa_record_of_an_alias_is_that_of_its_target() {
    let emulator = Emulator::start();
    let (place, mut world) = begin(&emulator);
    emulator.ask(&format!(
        r"
record = {{'Name': 'osmt.skills.example.org', 'Type': 'CNAME', 'TTL': 60, 'ResourceRecords': [{{'Value': 'apps.hoster.example.'}}]}}
client('route53').change_resource_record_sets(HostedZoneId='{}', ChangeBatch={{'Changes': [{{'Action': 'CREATE', 'ResourceRecordSet': record}}]}})",
        place.folder.get("/config/domain/hosted_zone_id")
    ));
    let hoster = Records { issuers: vec!["letsencrypt.org"], ..Records::default() };
    world.insert("apps.hoster.example".to_owned(), hoster);
    let address = resolver(world.clone()).to_string();
    let run = place.run(&["certificate", "--yes", "--resolver", &address]);
    let mut all = run.exits(4).transcript("the alias is in the zone");
    assert_eq!(requested(&emulator), 0);
    // The same where another team manages the DNS; the resolver follows the alias.
    world.insert("osmt.skills.example.org".to_owned(), world["apps.hoster.example"].clone());
    let address = resolver(world.clone()).to_string();
    let run = place.run(&["certificate", "--external-dns", "--yes", "--resolver", &address]);
    all += &run.exits(4).transcript("--external-dns");
    snapshot("bootstrap/certificate-alias", &all, &place.folder.own());
    // A target without CAA records leaves the decision to the parents.
    world.insert("apps.hoster.example".to_owned(), Records::default());
    let address = resolver(world).to_string();
    place.run(&["certificate", "--dry-run", "--resolver", &address]).exits(1);
}

#[test]
fn a_resolver_that_is_silent_or_none_does_not_stop_the_run() {
    let emulator = Emulator::start();
    let (place, _) = begin(&emulator);
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    for asked in [address.as_str(), "none"] {
        place
            .run(&["certificate", "--dry-run", "-v", "--resolver", asked])
            .exits(1)
            .says("not checked: whether public DNS delegates to hosted zone")
            .says("not checked: CAA records at and above skills.example.org");
    }
    place.run(&["certificate", "--resolver", "dns.example"]).exits(2).says("the address of a resolver");
    assert_eq!(
        emulator.ask("answer = client('acm').list_certificates()['CertificateSummaryList']"),
        json!([])
    );
}

#[test]
fn a_record_of_another_team_is_published_missing_or_unknown() {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.folder.set("/config/domain/name", "osmt.skills.example.org");
    place.run(&["apply", "--yes"]).exits(0);
    let target = "osmt-test-1.us-west-2.elb.amazonaws.com";
    place.put(
        "osmt/test/terraform.tfstate",
        &json!({"version": 4, "outputs": {"alb_dns_name": {"value": target, "type": "string"}}}).to_string(),
    );
    let request = ["certificate", "--external-dns", "--yes", "--timeout", "0s", "--format", "json"];
    let first = place.run(&request).exits(1).json();
    let record = |index: usize, key: &str| first["records"][index][key].as_str().unwrap().to_owned();
    let (name, value) = (record(0, "name"), record(0, "value"));
    let published = |world: BTreeMap<String, Records>, more: &[&str]| {
        let address = resolver(world).to_string();
        let mut arguments = request.to_vec();
        arguments.extend(["--resolver", &address]);
        arguments.extend(more);
        let records = place.run(&arguments).exits(1).json()["records"].clone();
        [records[0]["published"].clone(), records[1]["published"].clone()]
    };
    let alias = |target: &str| Records { alias: Some(target.to_owned()), ..Records::default() };
    let domain = || "osmt.skills.example.org".to_owned();

    let both = BTreeMap::from([(name.clone(), alias(&value)), (domain(), alias(target))]);
    assert_eq!(published(both, &[]), [json!(true), json!(true)]);
    // DNS does not distinguish between upper and lower case.
    let upper = BTreeMap::from([(name.clone(), alias(&value.to_uppercase())), (domain(), alias(target))]);
    assert_eq!(published(upper, &[]), [json!(true), json!(true)]);
    // No record; at the host name itself there may be an ALIAS record, which a resolver does not show as such.
    assert_eq!(published(BTreeMap::new(), &[]), [json!(false), Value::Null]);
    let wrong =
        BTreeMap::from([(name.clone(), alias("old.example.org")), (domain(), alias("old.example.org"))]);
    assert_eq!(published(wrong, &[]), [json!(false), json!(false)]);
    let broken = Records { broken: true, ..Records::default() };
    let broken = BTreeMap::from([(name.clone(), broken.clone()), (domain(), broken)]);
    assert_eq!(published(broken, &[]), [Value::Null, Value::Null]);
    let text = place.run(&[
        "certificate",
        "--external-dns",
        "--yes",
        "--timeout",
        "0s",
        "--resolver",
        &resolver(BTreeMap::new()).to_string(),
    ]);
    let records = [(name.as_str(), "RECORD"), (value.as_str(), "VALUE"), place.folder.own()[0]];
    text.exits(1).matches("bootstrap/certificate-record", &records);
}
