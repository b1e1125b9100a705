//! What the other end-to-end tests build on: a binary in a clean environment, an account of its own.

mod support;

use support::{Emulator, osmt};

#[test]
fn each_binary_says_what_it_is() {
    for binary in ["osmt-bootstrap", "osmt-secrets", "osmt-doctor", "osmt-release"] {
        let output = osmt(binary).arg("--version").output().unwrap();
        let expected = format!("{binary} {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        osmt(binary).assert().code(2);
        osmt(binary).args(["completions", "bash"]).assert().success();
        osmt(binary).arg("man").assert().success();
    }
}

#[test]
fn an_account_is_there_and_knows_itself() {
    let account = Emulator::start_as("210987654321");
    let answer = account.ask("answer = client('sts').get_caller_identity()['Account']");
    assert_eq!(answer, "210987654321");
    assert!(account.calls().contains(&"sts:GetCallerIdentity".to_owned()));
}
