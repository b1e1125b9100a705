//! What the database holds, as git knows it: the selection and every recorded deployment, until a restore.

use crate::checkout::Checkout;
use crate::support;
use crate::support::{Ran, git, run};

fn ok(checkout: &Checkout, args: &[&str]) -> String {
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(args));
    assert_eq!(exit, 0, "{args:?}: {stdout}{stderr}");
    stdout + &stderr
}

/// Records what the config selects, on its own day: two records of one second would have one name.
fn record(checkout: &Checkout, day: u32, version: &str) {
    let commit = checkout.id(version);
    let message = format!(
        "Deploy OSMT\n\ncommit: {commit}\nversion: {version}\nimage: wguopensource/osmt-app:{version}\ndigest: unknown\n\
         account: {}\nregion: {}\n",
        support::ACCOUNT,
        support::REGION
    );
    let name = format!("osmt/test/2026-01-0{day}T000000Z");
    git(&checkout.repo(), &["tag", "--annotate", "--message", &message, &name, &commit]);
}

#[test]
fn a_rollback_does_not_hide_what_the_database_has_applied() {
    let checkout = Checkout::osmt();
    for (day, version) in [(1, "2.5.0"), (2, "2.5.1"), (3, "2.5.0")] {
        record(&checkout, day, version);
    }
    checkout.select("2.5.0");
    let (exit, found, report) = checkout.check(&["--latest"]);
    let count = |what: &str| found.iter().filter(|one| *one == what).count();
    assert_eq!((exit, count("error REL010"), count("error REL015")), (1, 2, 1), "{report}");
    run(checkout.release_tool().args(["check", "--latest"]))
        .exits(1)
        .matches("release/check-rolled-back", &[]);
    // Going forward to what it already has is in order.
    let (exit, found, _) = checkout.check(&["2.5.1"]);
    assert_eq!((exit, found), (0, vec![]));
    // After a restore, the earlier records do not count.
    ok(&checkout, &["tag", "--offline", "--yes", "--restored"]);
    let (exit, found, report) = checkout.check(&["--latest"]);
    assert_eq!((exit, found.iter().any(|one| one.starts_with("error"))), (0, false), "{report}");
    assert_eq!(ok(&checkout, &["tag", "--offline", "--restored"]).lines().next(), Some("nothing to do"));
}

#[test]
fn a_record_is_of_the_commit_that_the_config_selects() {
    let checkout = Checkout::osmt();
    checkout.select("2.5.1");
    run(checkout.release_tool().args(["tag", "2.4.2", "--offline", "--yes"]))
        .exits(4)
        .says("the config selects 2.5.1, which is commit");
    assert_eq!(checkout.git(&["for-each-ref", "refs/tags/osmt/"]), "");
}

#[test]
fn a_new_environment_takes_any_release() {
    let checkout = Checkout::osmt();
    ok(&checkout, &["select", "2.5.1", "--from", "none", "--yes"]);
    assert_eq!(checkout.folder().get("/config/ecs/task/app/docker_tag"), "2.5.1");
}

#[test]
fn records_can_be_kept_in_another_repository_and_promoted_to_another_environment() {
    let checkout = Checkout::osmt();
    let parent = checkout.repo().parent().unwrap().to_owned();
    git(&parent, &["init", "--quiet", "--initial-branch=main", "deployment"]);
    git(&parent.join("deployment"), &["commit", "--quiet", "--allow-empty", "--message", "config"]);
    checkout.select("2.5.1");
    ok(&checkout, &["tag", "--offline", "--yes", "--records", "deployment"]);
    assert_eq!(checkout.git(&["for-each-ref", "refs/tags/osmt/"]), "");
    let kept = git(
        &parent.join("deployment"),
        &["for-each-ref", "--format=%(refname:strip=2)", "refs/tags/osmt/test/"],
    );
    assert_eq!(kept.lines().count(), 1);
    assert_eq!(
        ok(&checkout, &["tag", "--offline", "--records", "deployment"]).lines().next(),
        Some("nothing to do")
    );
    // What they say counts as that of the checkout's own records.
    checkout.select("2.5.0");
    let (exit, found, report) = checkout.check(&["3.0.0", "--records", "deployment"]);
    assert!(exit == 1 && found.contains(&"error REL015".to_owned()), "{report}");
    let other = checkout.config_text().replace("\"env\": \"test\"", "\"env\": \"prod\"");
    support::write(&checkout.config(), &other);
    let said =
        ok(&checkout, &["select", "--promote", "test", "--records", "deployment", "--from", "none", "--yes"]);
    assert!(said.contains("2.5.0 \u{2192} 2.5.1"), "{said}");
    run(checkout.release_tool().args(["select", "--promote", "stage"]))
        .exits(4)
        .says("nothing was recorded for the environment");
}

#[test]
fn unknown_refuses_with_strict_and_a_refusal_in_json_has_its_findings() {
    let checkout = Checkout::osmt();
    let (exit, _, report) = checkout.check(&["develop"]);
    let unknown: Vec<_> = report["unknown"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert!(exit == 0 && unknown.iter().any(|code| *code == "REL003"), "{report}");
    assert_eq!(checkout.check(&["develop", "--strict"]).0, 1);
    let Ran { exit, stdout, .. } =
        run(checkout.release_tool().args(["select", "2.5.0", "--yes", "--format", "json"]));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((exit, report["findings"][0]["severity"].as_str()), (4, Some("error")), "{stdout}");
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["check", ":/authors"]));
    assert_eq!(exit, 1, "{stderr}");
}
