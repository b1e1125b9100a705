//! `init` on a terminal of its own: what the account tells need not be typed.

use std::path::Path;

use crate::init::{checkout, read};
use crate::support::Emulator;

/// `init` on a terminal of its own, told these lines: its exit and what it said.
fn on_a_terminal(emulator: &Emulator, dir: &Path, more: &str, lines: &[&str]) -> (i64, String) {
    let program = env!("CARGO_BIN_EXE_osmt-bootstrap");
    let told = lines.join("\n") + "\n";
    let dir = dir.display().to_string();
    let script = format!(
        "import os, pty, subprocess
{more}
os.environ.update(AWS_CONFIG_FILE='/dev/null', AWS_SHARED_CREDENTIALS_FILE='/dev/null', AWS_MAX_ATTEMPTS='1')
ours, theirs = pty.openpty()
os.write(ours, {told:?}.encode())
ended = subprocess.run([{program:?}, 'init', '--dir', {dir:?}], stdin=theirs, capture_output=True, timeout=120)
answer = [ended.returncode, ended.stderr.decode()]"
    );
    let answer = emulator.ask(&script);
    let said = answer[1].as_str().unwrap().to_owned();
    (answer[0].as_i64().unwrap(), said)
}

/// Everything after the region, and the network as it is offered.
const TOLD: [&str; 7] = [
    "test",
    "osmt.example.org",
    "Z0123456789ABCDEFGHIJ",
    "https://login.example.org/x",
    "abc",
    "api://default",
    "",
];

#[test]
fn on_a_terminal_the_account_tells_its_regions_and_zones() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    // The account's number as offered; a region that there is not, then one that there is; zones likewise.
    let mut lines = vec!["", "moon-west-1", "eu-central-1"];
    lines.extend(TOLD);
    lines.extend(["eu-central-1a", "eu-central-1a,eu-central-1z", "", "y"]);
    let (exit, said) = on_a_terminal(&emulator, dir, "", &lines);
    assert_eq!(exit, 0, "{said}");
    for wanted in [
        "regions that the account has enabled: ",
        "it should be one of the regions that the account has enabled",
        "zones of eu-central-1 that the account can use: eu-central-1a (euc1-az",
        "these are the first two of 3 [eu-central-1a,eu-central-1b]",
        "it should be two or more of these",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(!said.contains("offline knowledge"), "{said}");
    let config = read(dir, "config.auto.tfvars.json");
    assert!(config.contains(r#""azs": ["eu-central-1a", "eu-central-1b"]"#), "{config}");
    let calls = emulator.calls();
    for call in ["ec2:DescribeRegions", "ec2:DescribeAvailabilityZones"] {
        assert!(calls.iter().any(|made| made == call), "{calls:?}");
    }
}

#[test]
fn where_ec2_does_not_answer_offline_knowledge_goes_on() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    let mut lines = vec!["", ""];
    lines.extend(TOLD);
    lines.push("y");
    let unreached = "os.environ['AWS_ENDPOINT_URL_EC2'] = 'http://127.0.0.1:9'";
    let (exit, said) = on_a_terminal(&emulator, dir, unreached, &lines);
    assert_eq!(exit, 0, "{said}");
    for wanted in [
        "the account's regions are not known: could not reach AWS for ec2:DescribeRegions",
        "the account's zones are not known: ",
        "zones: the first two of the region, by offline knowledge",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let config = read(dir, "config.auto.tfvars.json");
    assert!(config.contains(r#""azs": ["us-west-2a", "us-west-2b"]"#));
}

#[test]
fn the_wizard_says_why_the_account_offers_nothing() {
    let emulator = Emulator::start_as("210987654321");
    let folder = checkout();
    let mut lines = vec!["123456789012", "us-west-2"];
    lines.extend(TOLD);
    lines.push("y");
    let (exit, said) = on_a_terminal(&emulator, folder.path(), "", &lines);
    assert_eq!(exit, 0, "{said}");
    assert!(
        said.contains("your credentials are for account 210987654321: it offers no answers here"),
        "{said}"
    );
    assert!(!said.contains("regions that the account"), "{said}");

    let folder = checkout();
    lines.insert(2, "Prod");
    let unreached = "os.environ['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:9'";
    let (exit, said) = on_a_terminal(&emulator, folder.path(), unreached, &lines);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("AWS offers no answers here: could not reach AWS"), "{said}");
    // The doctor judges each answer.
    assert!(said.contains("environment name Prod has upper case"), "{said}");
}
