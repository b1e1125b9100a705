//! `init`: renders, edits, never overwrites unseen.

use std::path::Path;

use crate::place::Run;
use crate::place::ended;
use crate::support;
use crate::support::Emulator;
use crate::support::osmt;
use crate::support::root;

const ANSWERS: &str = "--account-id 123456789012 --region us-west-2 --env test --domain osmt.example.org \
    --hosted-zone-id Z0123456789ABCDEFGHIJ --oauth-issuer https://login.example.org/x --oauth-client-id abc --oauth-audience api://default";

/// The Terraform directory as a checkout has it.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(root().join("terraform/invocation")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let name = name.to_str().unwrap();
        if entry.path().is_file() && name != "main.tf" && name != "config.auto.tfvars.json" {
            std::fs::copy(entry.path(), folder.path().join(name)).unwrap();
        }
    }
    folder
}

fn init(folder: &Path, arguments: &str) -> Run {
    let mut command = osmt("osmt-bootstrap");
    command
        .args(["init", "--dir"])
        .arg(folder)
        .args(arguments.split_whitespace());
    ended(command)
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn answers_become_two_files_once() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --dry-run")).exits(1);
    init(dir, ANSWERS).exits(4);
    assert!(!dir.join("main.tf").exists());
    init(dir, &format!("{ANSWERS} --yes")).exits(0);
    let main = read(dir, "main.tf");
    for line in [
        "bucket              = \"osmt-test-123456789012-us-west-2\"",
        "key                 = \"osmt/test/terraform.tfstate\"",
        "dynamodb_table      = \"osmt-test\"",
        "Environment = \"test\"",
    ] {
        assert!(main.contains(line), "{main}");
    }
    assert!(!main.contains("profile") && !main.contains("use_lockfile") && !main.contains("{{"));
    let config = read(dir, "config.auto.tfvars.json");
    assert!(
        config.contains(r#""azs": ["us-west-2a", "us-west-2b"]"#),
        "{config}"
    );

    let again = init(dir, ANSWERS).exits(0);
    assert_eq!(again.stdout, "nothing to do\n");
    assert_eq!(init(dir, "").exits(0).stdout, "nothing to do\n");
}

#[test]
fn an_edited_config_keeps_every_byte_that_no_flag_speaks_of() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --yes")).exits(0);
    let mine = read(dir, "config.auto.tfvars.json").replace(
        "  \"log_retention_days\": 30",
        "\t\"log_retention_days\":   90",
    );
    support::write(&dir.join("config.auto.tfvars.json"), &mine);
    init(dir, &format!("{ANSWERS} --yes")).exits(0);
    assert_eq!(read(dir, "config.auto.tfvars.json"), mine);

    let changed = init(dir, "--domain skills.example.org --yes").exits(0);
    assert!(
        changed.stderr.contains("+    \"domain\""),
        "the change is shown: {changed:?}"
    );
    assert_eq!(
        read(dir, "config.auto.tfvars.json"),
        mine.replace("osmt.example.org", "skills.example.org")
    );
}

#[test]
fn names_somebody_chose_stay_and_the_lock_moves_both_ways() {
    let folder = checkout();
    let dir = folder.path();
    init(
        dir,
        &format!("{ANSWERS} --yes --bucket mine --profile ann --write-profile"),
    )
    .exits(0);
    let main = read(dir, "main.tf");
    assert_eq!(
        main.matches("profile             = \"ann\"").count(),
        2,
        "{main}"
    );
    init(dir, "--env prod --yes").exits(0);
    let main = read(dir, "main.tf");
    assert!(
        main.contains("\"mine\"") && main.contains("\"osmt-prod\""),
        "{main}"
    );
    assert!(main.contains("osmt/prod/terraform.tfstate"), "{main}");
}

#[test]
fn subnets_follow_from_the_block_and_the_zones() {
    let folder = checkout();
    let dir = folder.path();
    init(
        dir,
        &format!("{ANSWERS} --yes --vpc-cidr 10.0.0.0/16 --azs us-west-2a,us-west-2b,us-west-2d"),
    )
    .exits(0);
    let config = read(dir, "config.auto.tfvars.json");
    assert!(
        config.contains(r#""private": ["10.0.0.0/20", "10.0.32.0/20", "10.0.64.0/20"]"#),
        "{config}"
    );
    assert!(
        config.contains(r#""public": ["10.0.128.0/20", "10.0.160.0/20", "10.0.192.0/20"]"#),
        "{config}"
    );
    // Another region has other zones; the network may stay.
    init(
        dir,
        "--region eu-central-1 --azs eu-central-1a,eu-central-1b --yes",
    )
    .exits(0);
    assert!(read(dir, "main.tf").contains("osmt-test-123456789012-eu-central-1"));
}

#[test]
fn answers_that_cannot_be_right_are_bad_usage() {
    let folder = checkout();
    let dir = folder.path();
    let open = init(dir, "--env test").exits(2);
    assert!(
        open.stderr.contains("--account-id, --region, --domain"),
        "{open:?}"
    );
    for wrong in [
        "--env Prod",
        "--env a--b",
        "--account-id 123",
        "--region moon",
        "--domain https://osmt.example.org",
        "--hosted-zone-id /hostedzone/Z1",
        "--oauth-issuer http://x.org",
        "--vpc-cidr 10.0.0.0/27",
        "--azs us-west-2a",
        "--azs us-west-2a,us-west-2a",
        "--azs us-east-1a,us-east-1b",
        "--certificate-arn none",
    ] {
        let answers = ANSWERS.split(" --").map(|answer| {
            let flag = wrong.split(' ').next().unwrap().trim_start_matches("--");
            let own = answer.trim_start_matches("--");
            if own.split(' ').next() == Some(flag) {
                String::new()
            } else {
                format!("--{own}")
            }
        });
        let answers: Vec<String> = answers.collect();
        let run = init(dir, &format!("{} {wrong} --yes", answers.join(" "))).exits(2);
        assert!(run.stderr.contains("error:"), "{run:?}");
        assert!(!dir.join("main.tf").exists(), "{wrong}");
    }
    let empty = tempfile::tempdir().unwrap();
    init(empty.path(), &format!("{ANSWERS} --yes")).exits(4);
}

#[test]
fn the_lock_moves_both_ways_but_only_while_nobody_holds_it() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    let run = |arguments: &str| {
        let mut command = emulator.osmt("osmt-bootstrap");
        command
            .args(arguments.split_whitespace())
            .arg("--dir")
            .arg(dir);
        ended(command)
    };
    run(&format!("init {ANSWERS} --yes")).exits(0);
    run("apply --yes").exits(0);

    let (bucket, key) = (
        "osmt-test-123456789012-us-west-2",
        "osmt/test/terraform.tfstate",
    );
    let note = r#"{"ID":"1","Who":"ann@desk","Created":"2026-01-02T03:04:05Z"}"#;
    let before = read(dir, "main.tf");
    emulator.ask(&format!(
        "client('dynamodb').put_item(TableName='osmt-test', Item={{'LockID': {{'S': '{bucket}/{key}'}}, 'Info': {{'S': '''{note}'''}}}})"
    ));
    let held = run("init --lock s3 --yes").exits(4);
    assert!(held.stderr.contains("locked by ann@desk"), "{held:?}");
    assert_eq!(read(dir, "main.tf"), before);

    emulator.ask(&format!(
        "client('dynamodb').delete_item(TableName='osmt-test', Key={{'LockID': {{'S': '{bucket}/{key}'}}}})"
    ));
    run("init --lock s3 --yes").exits(0);
    let main = read(dir, "main.tf");
    assert!(main.contains("use_lockfile        = true") && !main.contains("dynamodb_table"));
    assert_eq!(run("apply --yes").exits(0).stdout, "nothing to do\n");

    emulator.ask(&format!(
        "client('s3').put_object(Bucket='{bucket}', Key='{key}.tflock', Body='''{note}'''.encode())"
    ));
    run("init --lock dynamodb --yes").exits(4);
    emulator.ask(&format!(
        "client('s3').delete_object(Bucket='{bucket}', Key='{key}.tflock')"
    ));
    run("init --lock dynamodb --yes").exits(0);
    assert_eq!(read(dir, "main.tf"), before);
}

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
    assert!(
        config.contains(r#""azs": ["eu-central-1a", "eu-central-1b"]"#),
        "{config}"
    );
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
fn a_lock_is_looked_for_wherever_it_could_be_held() {
    let emulator = Emulator::start();
    let note = r#"{"ID":"1","Who":"ann@desk","Created":"2026-01-02T03:04:05Z"}"#;
    let (bucket, key) = (
        "osmt-test-123456789012-us-west-2",
        "osmt/test/terraform.tfstate",
    );
    let in_table = |table: &str| {
        format!(
            "client('dynamodb').put_item(TableName='{table}', Item={{'LockID': {{'S': '{bucket}/{key}'}}, 'Info': {{'S': '''{note}'''}}}})"
        )
    };
    let in_file = format!(
        "client('s3').put_object(Bucket='{bucket}', Key='{key}.tflock', Body='''{note}'''.encode())"
    );
    let run = |folder: &tempfile::TempDir, arguments: &str| {
        let mut command = emulator.osmt("osmt-bootstrap");
        command
            .args(arguments.split_whitespace())
            .arg("--dir")
            .arg(folder.path());
        ended(command)
    };
    let first = checkout();
    run(&first, &format!("init {ANSWERS} --yes")).exits(0);
    run(&first, "apply --yes").exits(0);
    run(&first, "apply --yes --lock-table osmt-other").exits(0);

    let free = format!(
        "client('s3').delete_object(Bucket='{bucket}', Key='{key}.tflock')
for table in ('osmt-test', 'osmt-other'):
  client('dynamodb').delete_item(TableName=table, Key={{'LockID': {{'S': '{bucket}/{key}'}}}})"
    );
    // How it is locked now, where the lock is held, and what would move it.
    for (now, held, moving) in [
        ("--lock s3", in_file.clone(), "--lock-table osmt-test"),
        ("", in_table("osmt-test"), "--lock-table osmt-other"),
        ("", in_table("osmt-other"), "--lock-table osmt-other"),
        ("--lock s3", in_table("osmt-test"), "--lock dynamodb"),
        ("", in_file, "--lock s3"),
    ] {
        let folder = checkout();
        run(&folder, &format!("init {ANSWERS} {now} --yes")).exits(0);
        let before = read(folder.path(), "main.tf");
        emulator.ask(&held);
        let refused = run(&folder, &format!("init {moving} --yes")).exits(4);
        assert!(refused.stderr.contains("locked by ann@desk"), "{refused:?}");
        assert_eq!(read(folder.path(), "main.tf"), before);
        emulator.ask(&free);
        run(&folder, &format!("init {moving} --yes")).exits(0);
    }

    // Both kinds at once is Terraform's own way between them: nobody said which to leave.
    let folder = checkout();
    run(&folder, &format!("init {ANSWERS} --yes")).exits(0);
    let both = read(folder.path(), "main.tf").replace(
        "    dynamodb_table      = \"osmt-test\"\n",
        "    dynamodb_table      = \"osmt-test\"\n    use_lockfile        = true\n",
    );
    support::write(&folder.path().join("main.tf"), &both);
    assert_eq!(
        run(&folder, "init --yes").exits(0).stdout,
        "nothing to do\n"
    );
    assert_eq!(read(folder.path(), "main.tf"), both);
}

#[test]
fn an_edited_environment_brings_its_own_names() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --yes")).exits(0);
    let path = dir.join("config.auto.tfvars.json");
    let config = read(dir, "config.auto.tfvars.json");
    support::write(
        &path,
        &config.replace("\"env\": \"test\"", "\"env\": \"prod\""),
    );
    init(dir, "--yes").exits(0);
    let main = read(dir, "main.tf");
    for line in [
        "\"osmt-prod-123456789012-us-west-2\"",
        "\"osmt/prod/terraform.tfstate\"",
        "\"osmt-prod\"",
        "Environment = \"prod\"",
    ] {
        assert!(main.contains(line), "{line}: {main}");
    }
}

#[test]
fn what_somebody_added_to_main_tf_or_to_the_network_stays() {
    let folder = checkout();
    let dir = folder.path();
    init(
        dir,
        &format!("{ANSWERS} --yes --profile ann --write-profile"),
    )
    .exits(0);
    let mine = read(dir, "main.tf").replace(
        "    allowed_account_ids = [\"123456789012\"]\n    dynamodb",
        "    allowed_account_ids = [\"123456789012\"]\n    kms_key_id          = \"alias/state\" # ours\n    dynamodb",
    );
    assert!(mine.contains("kms_key_id"));
    support::write(&dir.join("main.tf"), &mine);
    let path = dir.join("config.auto.tfvars.json");
    let network = read(dir, "config.auto.tfvars.json").replace(
        "\"192.168.100.64/27\"]",
        "\"192.168.100.64/27\", \"192.168.100.96/27\"]",
    );
    support::write(&path, &network);
    init(dir, "--yes").exits(0);
    assert_eq!(read(dir, "main.tf"), mine);
    assert_eq!(read(dir, "config.auto.tfvars.json"), network);
    init(dir, "--env prod --yes").exits(0);
    let main = read(dir, "main.tf");
    assert_eq!(
        main,
        mine.replace("osmt-test", "osmt-prod")
            .replace("osmt/test", "osmt/prod")
            .replace("\"test\"", "\"prod\"")
    );
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
    assert!(
        said.contains("AWS offers no answers here: could not reach AWS"),
        "{said}"
    );
    // The doctor judges each answer.
    assert!(
        said.contains("environment name Prod has upper case"),
        "{said}"
    );
}
