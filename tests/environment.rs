//! What the other end-to-end tests build on: a binary in a clean environment, an account of its own.

mod support;

use support::{Emulator, osmt, run};

#[test]
fn each_binary_says_what_it_is() {
    for binary in ["osmt-bootstrap", "osmt-secrets", "osmt-doctor", "osmt-release"] {
        let version = run(osmt(binary).arg("--version")).exits(0).stdout;
        assert_eq!(version, format!("{binary} {}\n", env!("CARGO_PKG_VERSION")));
        run(&mut osmt(binary)).exits(2);
        run(osmt(binary).args(["completions", "bash"])).exits(0);
        run(osmt(binary).arg("man")).exits(0);
    }
}

#[test]
fn an_account_is_there_and_knows_itself() {
    let account = Emulator::start_as("210987654321");
    let answer = account.ask("answer = client('sts').get_caller_identity()['Account']");
    assert_eq!(answer, "210987654321");
    assert!(account.calls().contains(&"sts:GetCallerIdentity".to_owned()));
}
