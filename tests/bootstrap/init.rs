//! `init`: renders, edits, judges the answers.

use std::path::Path;

use serde_json::{Value, json};

use crate::support;
use crate::support::{Folder, Ran, osmt, root, run, snapshot};

pub(crate) const ANSWERS: &str = "--account-id 123456789012 --region us-west-2 --env test --domain osmt.example.org \
    --hosted-zone-id Z0123456789ABCDEFGHIJ --oauth-issuer https://login.example.org/x --oauth-client-id abc --oauth-audience api://default";

/// The Terraform directory as a checkout has it.
pub(crate) fn checkout() -> Folder {
    let folder = Folder::empty();
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

fn init(folder: &Path, arguments: &str) -> Ran {
    let mut command = osmt("osmt-bootstrap");
    command.args(["init", "--dir"]).arg(folder).args(arguments.split_whitespace());
    run(&mut command)
}

pub(crate) fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn answers_become_two_files_once() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --dry-run")).exits(1);
    init(dir, ANSWERS).exits(4);
    assert!(!dir.join("main.tf").exists());
    init(dir, &format!("{ANSWERS} --yes")).exits(0).matches("bootstrap/init", &folder.own());
    snapshot("bootstrap/init-main", &read(dir, "main.tf"), &[]);
    snapshot("bootstrap/init-config", &read(dir, "config.auto.tfvars.json"), &[]);

    let again = init(dir, ANSWERS).exits(0);
    assert_eq!(again.stdout, "nothing to do\n");
    assert_eq!(init(dir, "").exits(0).stdout, "nothing to do\n");
}

#[test]
fn a_flag_puts_the_region_into_the_names_of_roles() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --yes")).exits(0);
    let shipped = read(dir, "operations.tf");
    let mut all = init(dir, "--region-in-names --yes").exits(0).transcript("the shipped operations.tf");
    let with = shipped.replacen("operations = {", "operations = {\n    region_in_names = true", 1);
    assert_eq!(read(dir, "operations.tf"), with);
    assert_eq!(init(dir, "--region-in-names").exits(0).stdout, "nothing to do\n");
    // A place that the flag does not find is named, and nothing is damaged.
    let own = "locals {\n  operations = local.of_ours\n}\n";
    support::write(&dir.join("operations.tf"), own);
    all += &init(dir, "--region-in-names --yes").exits(0).transcript("another operations.tf");
    snapshot("bootstrap/init-region-in-names", &all, &folder.own());
    assert_eq!(read(dir, "operations.tf"), own);
}

#[test]
fn an_edited_config_keeps_every_byte_that_no_flag_speaks_of() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --yes")).exits(0);
    let mine = read(dir, "config.auto.tfvars.json")
        .replace("  \"log_retention_days\": 30", "\t\"log_retention_days\":   90");
    support::write(&dir.join("config.auto.tfvars.json"), &mine);
    init(dir, &format!("{ANSWERS} --yes")).exits(0);
    assert_eq!(read(dir, "config.auto.tfvars.json"), mine);

    init(dir, "--domain skills.example.org --yes")
        .exits(0)
        .matches("bootstrap/init-changed-config", &folder.own());
    assert_eq!(read(dir, "config.auto.tfvars.json"), mine.replace("osmt.example.org", "skills.example.org"));
}

#[test]
fn chosen_names_stay_and_the_lock_moves_both_ways() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --yes --bucket mine --profile ann --write-profile")).exits(0);
    let main = read(dir, "main.tf");
    assert_eq!(main.matches("profile             = \"ann\"").count(), 2, "{main}");
    init(dir, "--env prod --yes").exits(0);
    snapshot("bootstrap/init-chosen-names", &read(dir, "main.tf"), &[]);
}

#[test]
fn subnets_follow_from_the_block_and_the_zones() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --yes --vpc-cidr 10.0.0.0/16 --azs us-west-2a,us-west-2b,us-west-2d"))
        .exits(0);
    let config: Value = serde_json::from_str(&read(dir, "config.auto.tfvars.json")).unwrap();
    let subnets = json!({
        "private": ["10.0.0.0/20", "10.0.32.0/20", "10.0.64.0/20"],
        "public": ["10.0.128.0/20", "10.0.160.0/20", "10.0.192.0/20"],
    });
    assert_eq!(config["config"]["vpc"]["subnets"], subnets);
    // Another region has other zones; the network may stay.
    init(dir, "--region eu-central-1 --azs eu-central-1a,eu-central-1b --yes").exits(0);
    let bucket = "    bucket              = \"osmt-test-123456789012-eu-central-1\"";
    assert!(read(dir, "main.tf").lines().any(|line| line == bucket), "{}", read(dir, "main.tf"));
}

#[test]
fn answers_that_cannot_be_right_are_bad_usage() {
    let folder = checkout();
    let dir = folder.path();
    let mut all = init(dir, "--env test").exits(2).transcript("--env test");
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
            if own.split(' ').next() == Some(flag) { String::new() } else { format!("--{own}") }
        });
        let answers: Vec<String> = answers.collect();
        all += &init(dir, &format!("{} {wrong} --yes", answers.join(" "))).exits(2).transcript(wrong);
        assert!(!dir.join("main.tf").exists(), "{wrong}");
    }
    snapshot("bootstrap/init-wrong-answers", &all, &folder.own());
    let empty = Folder::empty();
    init(empty.path(), &format!("{ANSWERS} --yes")).exits(4);
}

#[test]
fn an_edited_environment_brings_its_own_names() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --yes")).exits(0);
    let path = dir.join("config.auto.tfvars.json");
    let config = read(dir, "config.auto.tfvars.json");
    support::write(&path, &config.replace("\"env\": \"test\"", "\"env\": \"prod\""));
    init(dir, "--yes").exits(0);
    snapshot("bootstrap/init-edited-main", &read(dir, "main.tf"), &[]);
}

#[test]
fn terraform_can_assume_a_role_of_the_account() {
    let folder = checkout();
    let dir = folder.path();
    let role = "arn:aws:iam::123456789012:role/terraform";
    for wrong in
        ["arn:aws:iam::210987654321:role/terraform", "terraform", "arn:aws:iam::123456789012:user/ann"]
    {
        init(dir, &format!("{ANSWERS} --yes --assume-role {wrong}")).exits(2);
        assert!(!dir.join("main.tf").exists(), "{wrong}");
    }
    init(dir, &format!("{ANSWERS} --yes --assume-role {role}")).exits(0);
    let main = read(dir, "main.tf");
    assert_eq!(main.matches(&format!("role_arn = \"{role}\"")).count(), 2, "{main}");
    init(dir, "--yes").exits(0);
    assert_eq!(read(dir, "main.tf"), main);
}

#[test]
fn what_a_user_added_to_main_tf_or_to_the_network_stays() {
    let folder = checkout();
    let dir = folder.path();
    init(dir, &format!("{ANSWERS} --yes --profile ann --write-profile")).exits(0);
    let mine = read(dir, "main.tf").replace(
        "    allowed_account_ids = [\"123456789012\"]\n    dynamodb",
        "    allowed_account_ids = [\"123456789012\"]\n    kms_key_id          = \"alias/state\" # ours\n    dynamodb",
    );
    assert!(mine.contains("kms_key_id"));
    support::write(&dir.join("main.tf"), &mine);
    let path = dir.join("config.auto.tfvars.json");
    let network = read(dir, "config.auto.tfvars.json")
        .replace("\"192.168.100.64/27\"]", "\"192.168.100.64/27\", \"192.168.100.96/27\"]");
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
