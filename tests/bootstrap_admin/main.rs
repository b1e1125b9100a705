//! `osmt-bootstrap` and what goes beyond the state: the admin role, the account's own settings, the permission check.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs of their own; a panic is how they fail"
)]

#[path = "../support/mod.rs"]
mod support;

mod account;
mod ci;
mod model;
mod permissions;
mod role;
mod simulator;

use assert_cmd::Command;
use support::Emulator;
use tempfile::TempDir;

/// A working directory with a config of environment `test`.
fn workplace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.auto.tfvars.json");
    support::write(&config, &support::config("test"));
    folder
}

/// `osmt-bootstrap` in that directory.
fn in_workplace(mut command: Command, folder: &TempDir, arguments: &str) -> Command {
    command.arg("--dir").arg(folder.path());
    command.args(arguments.split_whitespace());
    command
}

/// What a command wrote, with its exit.
fn run(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// `osmt-bootstrap` in that directory, for an emulated account.
fn bootstrap(account: &Emulator, folder: &TempDir, arguments: &str) -> (i32, String, String) {
    run(in_workplace(account.osmt("osmt-bootstrap"), folder, arguments))
}
