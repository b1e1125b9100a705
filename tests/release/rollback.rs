//! Back to what was recorded, by the same edit and past the same guards.

use crate::checkout::{Checkout, git};
use crate::support;
use crate::support::{Ran, run};

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
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["rollback", "--yes"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stdout.contains("2.5.1 → 2.5.0"), "{stdout}");
    assert!(stderr.contains("warning[REL013]") && stderr.contains("rewriting"), "{stderr}");
    assert_eq!(checkout.config_text(), before.replace("\"2.5.1\"", "\"2.5.0\""));
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["rollback", "--yes"]));
    assert_eq!((exit, stdout.as_str()), (0, "nothing to do\n"), "{stderr}");
    assert!(stderr.contains("ran before osmt/test/2026-01-02T000000Z"), "{stderr}");
}

#[test]
fn a_selection_that_failed_before_it_was_recorded_goes_back_to_the_last_that_ran() {
    let checkout = deployed();
    checkout.select("3.0.0");
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["rollback", "--yes"]));
    assert_eq!(exit, 4);
    assert!(stderr.contains("osmt/test/2026-01-02T000000Z recorded"), "{stderr}");
    assert!(stderr.contains("REL009, REL013 refused 2.5.1; nothing was written"), "{stderr}");
    // The snapshot from before is back: the database is 2.5.1's again.
    let mut tool = checkout.release_tool();
    let Ran { exit, stdout, stderr } = run(tool.args(["rollback", "--yes", "--from", "2.5.1"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stdout.contains("3.0.0 → 2.5.1"), "{stdout}");
}

#[test]
fn a_record_can_be_named_and_a_wrong_one_is_refused() {
    let checkout = deployed();
    checkout.select("2.5.0");
    let mut tool = checkout.release_tool();
    let Ran { exit, stdout, stderr } =
        run(tool.args(["rollback", "osmt/test/2026-01-02T000000Z", "--dry-run"]));
    assert_eq!(exit, 1, "{stderr}");
    assert!(stdout.contains("2.5.0 → 2.5.1"), "{stdout}");
    for wrong in ["3.0.0", "osmt/test/2027-01-01T000000Z", ""] {
        let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["rollback", wrong]));
        assert_eq!(exit, 2, "{wrong}");
        assert!(stderr.contains("the newest are osmt/test/2026-01-02T000000Z"), "{stderr}");
    }
    let other = checkout.config_text().replace("wguopensource/osmt-app", "example.org:5000/osmt");
    support::write(&checkout.config(), &other);
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["rollback", "--yes"]));
    assert_eq!(exit, 4);
    assert!(stderr.contains("another image repository"), "{stderr}");
}

#[test]
fn without_a_record_there_is_no_way_back() {
    let checkout = Checkout::osmt();
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["rollback", "--yes"]));
    assert_eq!(exit, 4);
    assert!(stderr.contains("no other deployment was recorded"), "{stderr}");
}
