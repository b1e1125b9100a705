//! What bootstrap sets, as the AWS CLI shows it: the commands of docs/bootstrap.md, run and compared.

use std::process::Command;

use crate::place::{Place, zone};
use crate::support;
use crate::support::{Emulator, run};

/// The commands of the page's console, each with what it should print.
fn console(page: &str) -> Vec<(String, String)> {
    let (_, begun) = page.split_once("```console\n").unwrap();
    let (console, _) = begun.split_once("```").unwrap();
    let commands = console.split("$ ").filter(|text| !text.is_empty());
    commands
        .map(|text| text.split_once('\n').unwrap())
        .map(|(command, output)| (command.to_owned(), output.trim_end().to_owned()))
        .collect()
}

#[test]
fn the_aws_cli_sees_what_the_page_says() {
    let page = std::fs::read_to_string(support::root().join("docs/bootstrap.md")).unwrap();
    let console = console(&page);
    assert!(console.len() >= 15, "{console:?}");
    let cli = support::python("awscli");
    let folder = cli.parent().unwrap();

    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    let aws = |command: &str| {
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).env("PATH", format!("{}:{path}", folder.display()));
        run(shell.envs(emulator.environment.iter().cloned()))
    };

    place.answers_at("osmt.example.org", &zone(&emulator, "example.org"));
    let with = "admin,account.password-policy,account.ebs-encryption";
    let ann = "arn:aws:iam::123456789012:user/ann";
    place.run(&["apply", "--yes", "--with", with, "--trust", ann]).exits(0);
    place.run(&["certificate", "--yes"]).exits(0);
    for (command, wanted) in &console {
        let ran = aws(command);
        assert_eq!(ran.stdout.trim_end(), wanted, "{command}: {}", ran.stderr);
    }
}
