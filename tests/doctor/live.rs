//! `osmt-doctor check --live`, `facts` and `check --facts` against an account of their own.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Command;

use serde_json::Value;

use super::support::{Emulator, Folder, Ran, config, osmt, run, snapshot, write};

/// A folder with a config of the environment, for the account's own zone and certificate where given.
fn folder(edit: impl Fn(&mut Value)) -> Folder {
    let folder = Folder::empty();
    let mut config: Value = serde_json::from_str(&config("live")).unwrap();
    // Nothing on the Internet is asked: this port is closed.
    config["config"]["app"]["oauth"]["issuer"] = "https://127.0.0.1:9/oauth2/default".into();
    edit(&mut config["config"]);
    write(&folder.config(), &format!("{config:#}\n"));
    folder
}

/// The codes of the errors.
fn codes(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether a code could not be checked.
fn is_unknown(report: &Value, code: &str) -> bool {
    report["unknown"].as_array().unwrap().iter().any(|unknown| unknown["code"] == code)
}

fn doctor(account: &Emulator, folder: &Folder, arguments: &str) -> Ran {
    run(&mut folder.on(account.osmt("osmt-doctor"), arguments))
}

/// Records the account's facts into a file of the folder.
fn record(account: &Emulator, folder: &Folder) -> Value {
    let facts = doctor(account, folder, "facts").exits(0);
    write(&folder.path().join("facts.json"), &facts.stdout);
    facts.json()
}

/// Judges the recorded facts.
fn replay(command: Command, folder: &Folder) -> Ran {
    let mut command = folder.on(command, "check --format json --facts facts.json");
    run(command.current_dir(folder.path()))
}

#[test]
fn an_empty_account_lacks_everything_and_a_recording_says_the_same() {
    let account = Emulator::start();
    let folder = folder(|_| ());
    let live = codes(&doctor(&account, &folder, "check --live --format json").exits(1).json());
    doctor(&account, &folder, "check --live").exits(1).matches("doctor/check-live", &folder.own());
    record(&account, &folder);
    // The emulator's account is a placeholder, unless the endpoint is on this machine.
    let mut command = osmt("osmt-doctor");
    command.args(["--endpoint-url", &account.endpoint]);
    assert_eq!(codes(&replay(command, &folder).exits(1).json()), live);

    let writes = ["Create", "Put", "Update", "Delete", "Tag", "Request"];
    for call in account.calls() {
        let operation = call.split(':').nth(1).unwrap();
        assert!(!writes.iter().any(|write| operation.starts_with(write)), "{call}");
    }
}

/// The first Region's roles have the names that Terraform would give those of a second one.
#[test]
fn role_names_of_another_region_are_found_before_terraform_meets_them() {
    let account = Emulator::start();
    account.has_the_stack_of("live", "eu-central-1");
    let folder = folder(|_| ());
    for (operations, is_found) in [
        (None, true),
        (Some("locals {\n  operations = {}\n}\n"), true),
        (Some("locals {\n  operations = { region_in_names = true }\n}\n"), false),
    ] {
        if let Some(text) = operations {
            write(&folder.path().join("operations.tf"), text);
        }
        let report = doctor(&account, &folder, "check --live --format json").exits(1).json();
        assert_eq!(codes(&report).contains("ACC004"), is_found, "{operations:?}");
    }
}

#[test]
fn a_recording_of_another_account_is_a_finding_and_another_caller_is_refused() {
    let account = Emulator::start();
    let folder = folder(|config| config["account_id"] = "210987654321".into());
    doctor(&account, &folder, "check --live").exits(4).matches("doctor/other-account", &folder.own());
    doctor(&account, &folder, "facts").exits(4);
}

#[test]
fn no_answer_is_a_failure_and_bad_flags_or_facts_are_usage() {
    let folder = folder(|_| ());
    let check = |arguments: &str| {
        let mut command = folder.on(osmt("osmt-doctor"), "check");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("AWS_MAX_ATTEMPTS", "1").args(arguments.split_whitespace());
        run(command.current_dir(folder.path()))
    };
    check("--live --endpoint-url http://127.0.0.1:9").exits(3);
    check("--live --offline").exits(2);
    check("--live --facts x").exits(2);
    let mut all = check("--facts no-such-file").exits(2).transcript("no file");
    for content in ["", "{}", "[1]"] {
        write(&folder.path().join("facts.json"), content);
        all += &check("--facts facts.json").exits(2).transcript(content);
    }
    snapshot("doctor/facts-refused", &all, &folder.own());
    check("--live one.json two.json").exits(2);
}

#[test]
fn the_zones_of_the_config_are_looked_for_in_the_account() {
    let account = Emulator::start();
    let judged = |zones: &[&str]| {
        let folder = folder(|config| config["vpc"]["azs"] = zones.into());
        let report = doctor(&account, &folder, "check --live --format json").exits(1).json();
        let of_zones = |one: &&Value| one["code"].as_str().unwrap().starts_with("AZS");
        let list = |name: &str| report[name].as_array().unwrap().iter().filter(of_zones).cloned().collect();
        let (findings, unknown): (Vec<Value>, Vec<Value>) = (list("findings"), list("unknown"));
        (findings, unknown)
    };
    assert_eq!(judged(&["us-west-2a", "us-west-2d"]), (vec![], vec![]));

    let (findings, _) = judged(&["us-west-2a", "us-west-2z"]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["code"], "AZS001");
    assert_eq!(findings[0]["pointer"], "/config/vpc/azs/1");
    assert!(account.calls().contains(&"ec2:DescribeAvailabilityZones".to_owned()));

    // A recording from before zones were read does not have them, and that is reported.
    let folder = folder(|_| ());
    let mut facts = record(&account, &folder);
    assert!(facts.as_object_mut().unwrap().remove("zones").is_some());
    write(&folder.path().join("facts.json"), &facts.to_string());
    let report = replay(account.osmt("osmt-doctor"), &folder).exits(1).json();
    assert!(is_unknown(&report, "AZS001"), "{report}");
}

#[test]
fn a_service_that_is_not_reached_leaves_its_facts_unknown() {
    let account = Emulator::start();
    let folder = folder(|_| ());
    let mut command = folder.on(account.osmt("osmt-doctor"), "check --live --format json");
    command.env("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9").env("AWS_MAX_ATTEMPTS", "1");
    let report = run(&mut command).exits(1).json();
    let unknown = report["unknown"].as_array().unwrap();
    let reason = unknown.iter().find(|unknown| unknown["code"] == "AZS001");
    let reason = reason.unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("could not reach AWS for ec2:DescribeAvailabilityZones"), "{reason}");
    assert!(codes(&report).contains("STA001"));
}

#[test]
fn a_denied_setting_is_said_and_the_others_stay_known() {
    let account = Emulator::start();
    let folder = folder(|_| ());
    // Secrets Manager does not answer: the two secrets are unknown, and nothing else is.
    let mut command = folder.on(account.osmt("osmt-doctor"), "facts --strict");
    command.env("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9").env("AWS_MAX_ATTEMPTS", "1");
    let facts = run(&mut command).exits(1).says("osmt/live/rds is not known").json();
    assert!(facts["recorded"].is_string() && facts["zones"]["known"].is_array(), "{facts}");
}

#[test]
fn policies_on_the_account_are_unknown_offline_and_have_their_place_in_a_recording() {
    let account = Emulator::start();
    let folder = folder(|_| ());
    let policy = r#"{ "policies": [ { "code": "ACME001", "on": "account", "message": "in Frankfurt only", "require": { "properties": { "region": { "const": "eu-central-1" } } } } ] }"#;
    write(&folder.path().join("policies/acme.json"), policy);
    record(&account, &folder);
    // As PowerShell writes it.
    let recording = folder.path().join("facts.json");
    let text = std::fs::read_to_string(&recording).unwrap();
    write(&recording, &format!("\u{feff}{text}"));
    let report = doctor(&account, &folder, "check --format json").json();
    assert!(is_unknown(&report, "ACME001"), "{report}");
    let report = replay(account.osmt("osmt-doctor"), &folder).exits(1).json();
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["code"] == "ACME001").unwrap();
    assert_eq!(found["pointer"], "/region");
    assert!(found["file"].as_str().unwrap().ends_with("facts.json") && found["start"]["line"].is_number());
}

/// A provider of sign-in on this machine: it answers to one client, as Keycloak does.
fn provider() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}/realms/osmt", listener.local_addr().unwrap());
    let own = issuer.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // All of the request is read: a close with unread bytes resets the connection, and the answer can be lost.
            let mut request = BufReader::new(&stream).lines().map_while(Result::ok);
            let line = request.next().unwrap_or_default();
            request.take_while(|header| !header.is_empty()).for_each(drop);
            let answer = if line.contains("/.well-known/openid-configuration") {
                let body = format!(r#"{{"issuer":"{own}","authorization_endpoint":"{own}/auth"}}"#);
                format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
            } else if line.contains("client_id=known&") && line.contains("prompt=none") {
                let back = "https://osmt.rehearsal-school.org/login/oauth2/code/okta?error=login_required";
                format!(
                    "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: {back}\r\ncontent-length: 0\r\n\r\n"
                )
            } else {
                "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_owned()
            };
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    issuer
}

#[test]
fn the_provider_of_sign_in_is_asked_for_its_name_and_the_client() {
    let account = Emulator::start();
    let issuer = provider();
    let facts = |client: &str| {
        let folder = folder(|config| {
            config["domain"]["name"] = "osmt.rehearsal-school.org".into();
            config["app"]["oauth"]["issuer"] = issuer.as_str().into();
            config["app"]["oauth"]["client_id"] = client.into();
        });
        doctor(&account, &folder, "facts").exits(0).json()["sign_in"]["known"].clone()
    };
    let known = facts("known");
    assert_eq!(known["metadata"]["known"]["issuer"], issuer.as_str(), "{known}");
    assert_eq!(known["client"]["known"]["error"], "login_required", "{known}");
    let other = facts("other");
    assert_eq!(other["client"]["known"]["status"], 400, "{other}");
    assert_eq!(other["client"]["known"]["returns"], false, "{other}");
}

/// Service Quotas on this machine: the account's own quotas by their codes; any other has AWS's default, which is 5 here.
fn service_quotas(own: &'static [(&str, u32)]) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = BufReader::new(&stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                request.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                let line = line.to_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            request.read_exact(&mut body).unwrap();
            let asked: Value = serde_json::from_slice(&body).unwrap();
            let code = asked["QuotaCode"].as_str().unwrap();
            let is_default = head.contains("servicequotasv20190624.getawsdefaultservicequota");
            let value = own.iter().find(|(of, _)| *of == code).map(|(_, value)| *value);
            let (status, answer) = match value.or(is_default.then_some(5)) {
                Some(value) => {
                    ("200 OK", format!(r#"{{"Quota":{{"QuotaCode":"{code}","Value":{value}.0}}}}"#))
                }
                None => ("400 Bad Request", r#"{"__type":"NoSuchResourceException"}"#.to_owned()),
            };
            let length = answer.len();
            let answer =
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{answer}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    endpoint
}

#[test]
fn quotas_and_what_the_account_uses_of_them_are_read() {
    let account = Emulator::start();
    // Beside the VPC that every account has: one more, with two NAT gateways in the config's second zone.
    let gateways = account.ask(
        r#"
ec2 = client("ec2")
vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-west-2b")["Subnet"]["SubnetId"]
made = lambda: ec2.create_nat_gateway(SubnetId=subnet, AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"])
answer = [made()["NatGateway"]["NatGatewayId"] for _ in range(2)]
group = ec2.create_security_group(GroupName="osmt-live-alb", Description="test", VpcId=vpc)["GroupId"]
ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.0.0.0/8")
"#,
    );
    let folder = folder(|_| ());
    let check = |quotas: &'static [(&str, u32)]| {
        let mut command = folder.on(account.osmt("osmt-doctor"), "check --live --format json");
        command.env("AWS_ENDPOINT_URL_SERVICE_QUOTAS", service_quotas(quotas));
        let report = run(&mut command).exits(1).json();
        for code in ["QUO001", "QUO002", "QUO003", "QUO004", "QUO005"] {
            assert!(!is_unknown(&report, code), "{}", report["unknown"]);
        }
        let findings = report["findings"].as_array().unwrap().iter();
        let findings = findings.filter(|finding| finding["code"].as_str().unwrap().starts_with("QUO"));
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let found = findings.map(|one| ["code", "severity", "pointer", "message"].map(|key| text(one, key)));
        found.map(|words| words.join(" | ")).collect::<Vec<_>>()
    };
    let mut found = check(&[
        ("L-3032A538", 5),
        ("L-0263D0A3", 3),
        ("L-F678F1CE", 2),
        ("L-FE5A380F", 2),
        ("L-0EA8095F", 2),
    ]);
    found.sort();
    assert_eq!(
        found,
        [
            "QUO001 | error | /config/ecs/task/app | the tasks need 6 vCPUs, but the account may use 5",
            "QUO002 | warning | /config/vpc/azs | a NAT gateway in each zone needs 2 Elastic IP addresses; the account may have 3, of which other resources use 2",
            "QUO003 | error | /config/vpc/vpc_cidr | the account may have 2 VPCs in this region and already has 2, not counting this one",
            "QUO004 | warning | /config/vpc/azs/1 | us-west-2b may have 2 NAT gateways and already has 2, not counting this one",
            "QUO005 | error | /config/alb/ingress_cidrs | the blocks need 2 inbound rules of one family; the load balancer's security group may have 2, of which other rules use 1",
        ]
    );
    // One step more of each quota is enough, but for Fargate: a rolling deployment and a migration need 12 vCPUs.
    let found = check(&[
        ("L-3032A538", 6),
        ("L-0263D0A3", 4),
        ("L-F678F1CE", 3),
        ("L-FE5A380F", 3),
        ("L-0EA8095F", 3),
    ]);
    assert_eq!(
        found,
        [
            "QUO001 | warning | /config/ecs/task/app | a rolling deployment and a migration need 12 vCPUs, but the account may use 6"
        ]
    );
    // AWS's defaults hold where the account has no quota of its own; a gateway that was deleted is not counted.
    let script = format!("client('ec2').delete_nat_gateway(NatGatewayId={})", gateways[0]);
    account.ask(&script);
    assert_eq!(check(&[("L-3032A538", 12), ("L-FE5A380F", 2)]), Vec::<String>::new());
}
