//! What `check` prints for other programs, and configs that are not ordinary files.

use serde_json::Value;

use crate::checkout::Checkout;
use crate::support::{Ran, run, run_with, snapshot};

#[test]
fn findings_are_printed_in_every_format_and_other_verbs_have_none() {
    let checkout = Checkout::osmt();
    let check = |format: &str| run(checkout.release_tool().args(["check", "2.5.0", "--format", format]));
    let Ran { exit, stdout, stderr } = check("sarif");
    assert_eq!(exit, 1, "{stderr}");
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    let results = printed["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().any(|one| one["ruleId"] == "REL013"), "{stdout}");
    let Ran { exit, stdout, .. } = check("github");
    assert_eq!(exit, 1);
    assert!(stdout.lines().any(|line| line.starts_with("::error ") && line.contains("REL013")), "{stdout}");
    let Ran { exit, stdout, .. } = check("gitlab");
    assert_eq!(exit, 1);
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    assert!(printed.as_array().unwrap().iter().any(|one| one["check_name"] == "REL013"), "{stdout}");
    let Ran { exit, stdout, .. } = check("junit");
    assert_eq!(exit, 1);
    assert!(stdout.contains("<testsuite"), "{stdout}");
    for verb in [&["select", "2.5.0"][..], &["list"], &["notes"]] {
        let Ran { exit, stdout, .. } = run(checkout.release_tool().args(verb).args(["--format", "sarif"]));
        assert_eq!((exit, stdout.as_str()), (2, ""), "{verb:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_read_only_config_is_kept_and_one_from_a_pipe_can_be_judged() {
    use std::os::unix::fs::PermissionsExt as _;
    let checkout = Checkout::osmt();
    checkout.select("2.5.0");
    let before = checkout.config_text();
    let piped = |args: &[&str]| {
        let mut tool = checkout.release_tool();
        run_with(tool.args(args).args(["--config", "/dev/stdin"]), &before)
    };
    for verb in [&["check", "3.0.0"][..], &["notes"], &["notes", "3.0.0"], &["list"]] {
        let Ran { exit, stderr, .. } = piped(verb);
        assert_eq!(exit, 0, "{verb:?}: {stderr}");
    }
    let mut all = piped(&["select", "3.0.0", "--yes"]).exits(4).transcript("a pipe");

    std::fs::set_permissions(checkout.config(), std::fs::Permissions::from_mode(0o444)).unwrap();
    let read_only = run(checkout.release_tool().args(["select", "3.0.0", "--yes"])).exits(4);
    all += &read_only.transcript("a file that is read-only");
    snapshot("release/config-not-writable", &all, &checkout.folder().own());
    assert_eq!(checkout.config_text(), before);
}

#[test]
fn the_notes_have_the_releases_own_words() {
    let checkout = Checkout::osmt();
    let old = "# OSMT 3.0.0\n- old\n";
    checkout.commit("CHANGELOG.md", old);
    checkout.git(&["tag", "3.0.1"]);
    checkout.commit(
        "CHANGELOG.md",
        &format!("# OSMT 3.1.0\nJan 10\n## Upgrade to 8.11.1\n- new\n\n-----\n{old}"),
    );
    checkout.git(&["tag", "3.1.0"]);
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["notes", "3.0.1..3.1.0"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(
        stdout.ends_with("\nOSMT's CHANGELOG\n  # OSMT 3.1.0\n  Jan 10\n  ## Upgrade to 8.11.1\n  - new\n\n"),
        "{stdout}"
    );
    let Ran { stdout, .. } = run(checkout.release_tool().args(["notes", "3.0.1..3.1.0", "--format", "json"]));
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(printed["changelog"][0]["version"], "3.1.0");
    assert_eq!(printed["changelog"].as_array().unwrap().len(), 1);
    run(checkout.release_tool().args(["notes", "3.0.0..3.0.0"])).lacks("CHANGELOG");
}
