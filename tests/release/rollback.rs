//! Back to what was recorded, by the same edit and past the same guards.

use crate::checkout::Checkout;
use crate::support;
use crate::support::{git, run, snapshot};

/// Two deployments, a day apart: 2.5.0, then 2.5.1.
fn deployed() -> Checkout {
    let checkout = Checkout::osmt();
    for (day, version) in [(1, "2.5.0"), (2, "2.5.1")] {
        let commit = checkout.id(version);
        let message = format!(
            "Deploy OSMT\n\ncommit: {commit}\nversion: {version}\nimage: wguopensource/osmt-app:{version}\n\
             digest: unknown\naccount: {}\nregion: {}\n",
            support::ACCOUNT,
            support::REGION
        );
        let name = format!("osmt/test/2026-01-0{day}T000000Z");
        git(&checkout.repo(), &["tag", "--annotate", "--message", &message, &name, &commit]);
    }
    checkout.select("2.5.1");
    checkout
}

#[test]
fn it_goes_one_deployment_back_and_then_has_nothing_to_do() {
    let checkout = deployed();
    let before = checkout.config_text();
    let rollback = || run(checkout.release_tool().args(["rollback", "--yes"]));
    rollback().exits(0).matches("release/rollback", &[]);
    assert_eq!(checkout.config_text(), before.replace("\"2.5.1\"", "\"2.5.0\""));
    rollback().exits(0).matches("release/rollback-again", &[]);
}

#[test]
fn a_selection_that_failed_before_it_was_recorded_goes_back_to_the_last_that_ran() {
    let checkout = deployed();
    checkout.select("3.0.0");
    run(checkout.release_tool().args(["rollback", "--yes"]))
        .exits(4)
        .matches("release/rollback-refused", &[]);
    // The snapshot from before is back: the database is 2.5.1's again.
    let mut tool = checkout.release_tool();
    run(tool.args(["rollback", "--yes", "--from", "2.5.1"])).exits(0).shows("3.0.0 → 2.5.1");
}

#[test]
fn a_record_can_be_named_and_a_wrong_one_is_refused() {
    let checkout = deployed();
    checkout.select("2.5.0");
    let mut tool = checkout.release_tool();
    run(tool.args(["rollback", "osmt/test/2026-01-02T000000Z", "--dry-run"])).exits(1).shows("2.5.0 → 2.5.1");
    let mut all = String::new();
    for wrong in ["3.0.0", "osmt/test/2027-01-01T000000Z", ""] {
        all += &run(checkout.release_tool().args(["rollback", wrong])).exits(2).transcript(wrong);
    }
    let other = checkout.config_text().replace("wguopensource/osmt-app", "example.org:5000/osmt");
    support::write(&checkout.config(), &other);
    let ran = run(checkout.release_tool().args(["rollback", "--yes"]));
    all += &ran.exits(4).transcript("another image repository");
    let ran = run(Checkout::osmt().release_tool().args(["rollback", "--yes"]));
    all += &ran.exits(4).transcript("no records");
    snapshot("release/rollback-wrong", &all, &[]);
}
