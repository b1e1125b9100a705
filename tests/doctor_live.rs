//! `osmt-doctor check --live`, `facts` and `check --facts` against an account of their own.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read and write files; a panic is how they fail"
)]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;

use serde_json::Value;

use support::{Folder, run};

/// A folder with a config of the environment, for the account's own zone and certificate where given.
fn folder(edit: impl Fn(&mut Value)) -> Folder {
    let folder = Folder::empty();
    let mut config: Value = serde_json::from_str(&support::config("live")).unwrap();
    // Nothing on the Internet is asked: this port is closed.
    config["config"]["app"]["oauth"]["issuer"] = "https://127.0.0.1:9/oauth2/default".into();
    edit(&mut config["config"]);
    let text = serde_json::to_string_pretty(&config).unwrap();
    support::write(&folder.path().join("config.auto.tfvars.json"), &text);
    folder
}

fn codes(report: &[u8]) -> BTreeSet<String> {
    let report: Value = serde_json::from_slice(report).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

fn doctor(account: &support::Emulator, dir: &Path, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = account.osmt("osmt-doctor");
    command.args(arguments).arg("--dir").arg(dir);
    command
}

#[test]
fn an_empty_account_lacks_everything_and_a_recording_says_the_same() {
    let account = support::Emulator::start();
    let folder = folder(|_| ());
    let check = ["check", "--live", "--format", "json"];
    let live = doctor(&account, folder.path(), &check).assert().code(1);
    let live = codes(&live.get_output().stdout);
    for code in ["STA001", "LCK001", "ASM001", "ACM001", "ZON001"] {
        assert!(live.contains(code), "{code} is not among {live:?}");
    }

    run(&mut doctor(&account, folder.path(), &["check", "--live"]))
        .exits(1)
        .matches("doctor/check-live", &folder.own());

    let facts = doctor(&account, folder.path(), &["facts"]).assert().code(0);
    let recording = folder.path().join("facts.json");
    std::fs::write(&recording, &facts.get_output().stdout).unwrap();
    let path = recording.to_str().unwrap();
    let mut replay = support::osmt("osmt-doctor");
    replay.args(["check", "--facts", path, "--format", "json"]);
    // The emulator's account is a placeholder, unless the endpoint is on this machine.
    replay.args(["--endpoint-url", &account.endpoint, "--dir"]);
    let replay = replay.arg(folder.path()).assert().code(1);
    assert_eq!(codes(&replay.get_output().stdout), live);

    let writes = ["Create", "Put", "Update", "Delete", "Tag", "Request"];
    for call in account.calls() {
        let operation = call.split(':').nth(1).unwrap();
        assert!(!writes.iter().any(|write| operation.starts_with(write)), "{call}");
    }
}

#[test]
fn a_recording_of_another_account_is_a_finding_and_another_caller_is_refused() {
    let account = support::Emulator::start();
    let folder = folder(|config| config["account_id"] = "210987654321".into());
    let refused = doctor(&account, folder.path(), &["check", "--live"]).assert().code(4);
    let printed = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(printed.contains("123456789012") && printed.contains("210987654321"), "{printed}");
    doctor(&account, folder.path(), &["facts"]).assert().code(4);
}

#[test]
fn no_answer_is_a_failure_and_bad_flags_or_facts_are_usage() {
    let folder = folder(|_| ());
    let run = |arguments: &[&str]| {
        let mut command = support::osmt("osmt-doctor");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("AWS_MAX_ATTEMPTS", "1").args(arguments);
        command.arg("--dir").arg(folder.path());
        command.assert()
    };
    run(&["check", "--live", "--endpoint-url", "http://127.0.0.1:9"]).code(3);
    run(&["check", "--live", "--offline"]).code(2);
    run(&["check", "--live", "--facts", "x"]).code(2);
    run(&["check", "--facts", "no-such-file"]).code(2);
    let file = folder.path().join("facts.json");
    for content in ["", "{}", "[1]"] {
        std::fs::write(&file, content).unwrap();
        let printed = run(&["check", "--facts", file.to_str().unwrap()]).code(2);
        let printed = String::from_utf8(printed.get_output().stderr.clone()).unwrap();
        assert!(printed.contains("is not a facts file") && printed.contains("help:"), "{printed}");
    }
    run(&["check", "--live", "one.json", "two.json"]).code(2);
}

#[test]
fn the_zones_of_the_config_are_looked_for_in_the_account() {
    let account = support::Emulator::start();
    let check = ["check", "--live", "--format", "json"];
    let judged = |zones: &[&str]| {
        let folder = folder(|config| config["vpc"]["azs"] = zones.into());
        let report = doctor(&account, folder.path(), &check).assert().code(1);
        let report: Value = serde_json::from_slice(&report.get_output().stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        let unknown = report["unknown"].to_string();
        let of_zones = findings.into_iter().filter(|finding| {
            let code = finding["code"].as_str().unwrap();
            code.starts_with("AZS")
        });
        (of_zones.collect::<Vec<_>>(), unknown)
    };
    let (findings, unknown) = judged(&["us-west-2a", "us-west-2d"]);
    assert_eq!(findings, Vec::<Value>::new());
    assert!(!unknown.contains("AZS"), "{unknown}");

    let (findings, _) = judged(&["us-west-2a", "us-west-2z"]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["code"], "AZS001");
    assert_eq!(findings[0]["pointer"], "/config/vpc/azs/1");
    assert!(account.calls().contains(&"ec2:DescribeAvailabilityZones".to_owned()));

    // A recording from before zones were read does not have them, and that is reported.
    let folder = folder(|_| ());
    let facts = doctor(&account, folder.path(), &["facts"]).assert().code(0);
    let mut facts: Value = serde_json::from_slice(&facts.get_output().stdout).unwrap();
    assert!(facts.as_object_mut().unwrap().remove("zones").is_some());
    let recording = folder.path().join("facts.json");
    support::write(&recording, &facts.to_string());
    let recording = recording.to_str().unwrap();
    let replay = ["check", "--format", "json", "--facts", recording];
    let report = doctor(&account, folder.path(), &replay).assert().code(1);
    let report: Value = serde_json::from_slice(&report.get_output().stdout).unwrap();
    assert!(report["unknown"].to_string().contains("AZS001"), "{report}");
}

#[test]
fn a_service_that_is_not_reached_leaves_its_facts_unknown() {
    let account = support::Emulator::start();
    let folder = folder(|_| ());
    let mut command = doctor(&account, folder.path(), &["check", "--live", "--format", "json"]);
    command.env("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9");
    let report = command.env("AWS_MAX_ATTEMPTS", "1").assert().code(1);
    let report: Value = serde_json::from_slice(&report.get_output().stdout).unwrap();
    let unknown = report["unknown"].as_array().unwrap();
    let reason = unknown.iter().find(|unknown| unknown["code"] == "AZS001");
    let reason = reason.unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("could not reach AWS for ec2:DescribeAvailabilityZones"), "{reason}");
    assert!(codes(&serde_json::to_vec(&report).unwrap()).contains("STA001"));
}

#[test]
fn a_denied_setting_is_said_and_the_others_stay_known() {
    let account = support::Emulator::start();
    let folder = folder(|_| ());
    // Secrets Manager does not answer: the two secrets are unknown, and nothing else is.
    let mut command = doctor(&account, folder.path(), &["facts", "--strict"]);
    command.env("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9").env("AWS_MAX_ATTEMPTS", "1");
    let run = command.assert().code(1);
    let printed = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert!(printed.contains("osmt/live/rds is not known"), "{printed}");
    let facts: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert!(facts["recorded"].is_string() && facts["zones"]["known"].is_array(), "{facts}");
}

#[test]
fn policies_on_the_account_are_unknown_offline_and_have_their_place_in_a_recording() {
    let account = support::Emulator::start();
    let folder = folder(|_| ());
    let policy = r#"{ "policies": [ { "code": "ACME001", "on": "account", "message": "in Frankfurt only", "require": { "properties": { "region": { "const": "eu-central-1" } } } } ] }"#;
    std::fs::create_dir_all(folder.path().join("policies")).unwrap();
    support::write(&folder.path().join("policies/acme.json"), policy);
    let facts = doctor(&account, folder.path(), &["facts"]).assert().code(0);
    let recording = folder.path().join("facts.json");
    // As PowerShell writes it.
    let text = format!("\u{feff}{}", String::from_utf8(facts.get_output().stdout.clone()).unwrap());
    support::write(&recording, &text);
    let offline = doctor(&account, folder.path(), &["check", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&offline.stdout).unwrap();
    assert!(report["unknown"].to_string().contains("ACME001"), "{report}");
    let replay = ["check", "--format", "json", "--facts", recording.to_str().unwrap()];
    let report = doctor(&account, folder.path(), &replay).assert().code(1);
    let report: Value = serde_json::from_slice(&report.get_output().stdout).unwrap();
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
    let account = support::Emulator::start();
    let issuer = provider();
    let facts = |client: &str| {
        let folder = folder(|config| {
            config["domain"]["name"] = "osmt.rehearsal-school.org".into();
            config["app"]["oauth"]["issuer"] = issuer.as_str().into();
            config["app"]["oauth"]["client_id"] = client.into();
        });
        let facts = doctor(&account, folder.path(), &["facts"]).assert().code(0);
        let facts: Value = serde_json::from_slice(&facts.get_output().stdout).unwrap();
        facts["sign_in"]["known"].clone()
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
    let account = support::Emulator::start();
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
        let mut command = doctor(&account, folder.path(), &["check", "--live", "--format", "json"]);
        command.env("AWS_ENDPOINT_URL_SERVICE_QUOTAS", service_quotas(quotas));
        let report = command.assert().code(1);
        let report: Value = serde_json::from_slice(&report.get_output().stdout).unwrap();
        assert!(!report["unknown"].to_string().contains("QUO"), "{}", report["unknown"]);
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
            "QUO001 | error | /config/ecs/task/app | the tasks need 6 vCPUs, the account may use 5",
            "QUO002 | warning | /config/vpc/azs | a NAT gateway in each zone needs 2 Elastic IP addresses; the account may have 3, others use 2",
            "QUO003 | error | /config/vpc/vpc_cidr | the account may have 2 VPCs in this region and has 2 others",
            "QUO004 | warning | /config/vpc/azs/1 | us-west-2b may have 2 NAT gateways and has 2 others",
            "QUO005 | error | /config/alb/ingress_cidrs | the blocks need 2 inbound rules of one family in a security group, and 1 were made elsewhere; it may have 2",
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
            "QUO001 | warning | /config/ecs/task/app | a rolling deployment and a migration need 12 vCPUs, the account may use 6"
        ]
    );
    // AWS's defaults hold where the account has no quota of its own; a gateway that was deleted is not counted.
    let script = format!("client('ec2').delete_nat_gateway(NatGatewayId={})", gateways[0]);
    account.ask(&script);
    assert_eq!(check(&[("L-3032A538", 12), ("L-FE5A380F", 2)]), Vec::<String>::new());
}
