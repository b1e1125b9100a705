//! A deployment is recorded once, where git keeps it. What AWS is asked first, `deployed` tests.

use std::collections::BTreeSet;

use crate::checkout::Checkout;
use crate::support;
use crate::support::{Ran, git, run, snapshot};

fn records(checkout: &Checkout) -> Vec<String> {
    let names = checkout.git(&["for-each-ref", "--format=%(refname:strip=2)", "refs/tags/osmt/"]);
    names.lines().map(str::to_owned).collect()
}

#[test]
fn the_tag_says_what_was_deployed_and_is_made_once() {
    let checkout = Checkout::osmt();
    for (arguments, exit) in [("tag --offline", 4), ("tag --offline --dry-run", 1)] {
        run(checkout.release_tool().args(arguments.split(' '))).exits(exit);
        assert_eq!(records(&checkout).len(), 0);
    }
    run(checkout.release_tool().args(["tag", "--offline", "--yes"])).exits(0).matches("release/tag", &[]);
    let names = records(&checkout);
    let name = names[0].strip_prefix("osmt/test/").unwrap();
    let shape: String = name.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    assert_eq!(shape, "0000-00-00T000000Z");
    let object = checkout.git(&["cat-file", "tag", &names[0]]);
    snapshot("release/record", &(object + "\n"), &[(checkout.id("3.0.0").as_str(), "COMMIT")]);
    assert_eq!(run(checkout.release_tool().args(["tag", "--offline"])).exits(0).stdout, "nothing to do\n");
    assert_eq!(records(&checkout).len(), 1);
}

#[test]
fn pushing_is_part_of_the_plan_and_is_done_once() {
    let checkout = Checkout::osmt();
    let parent = checkout.repo().parent().unwrap().to_owned();
    let remote = parent.join("remote.git");
    for wrong in ["--push", "--push=elsewhere", "--push=--upload-pack=x"] {
        let Ran { exit, stderr, .. } =
            run(checkout.release_tool().args(["tag", "--offline", "--yes", wrong]));
        assert_eq!(exit, 2, "{wrong}: {stderr}");
    }
    checkout.git(&["remote", "add", "origin", "../remote.git"]);
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["tag", "--offline", "--yes", "--push"]));
    assert_eq!((exit, records(&checkout).len()), (3, 0), "{stderr}");
    git(&parent, &["init", "--quiet", "--bare", "remote.git"]);
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["tag", "--offline", "--yes"]));
    assert_eq!(exit, 0, "{stderr}");
    // The tag exists already; only the push is left.
    let mut tool = checkout.release_tool();
    run(tool.args(["tag", "--offline", "--yes", "--push"])).exits(0).matches("release/tag-push", &[]);
    let pushed = git(&remote, &["for-each-ref", "--format=%(refname:strip=2)"]);
    assert_eq!(pushed, records(&checkout)[0]);
    let Ran { stdout, .. } = run(checkout.release_tool().args(["tag", "--offline", "--push", "origin"]));
    assert_eq!(stdout, "nothing to do\n");
}

#[test]
fn an_image_of_ones_own_is_traced_through_its_record() {
    let checkout = Checkout::osmt();
    checkout.select("mine-7");
    run(checkout.release_tool().args(["tag", "--offline", "--yes"]))
        .exits(4)
        .matches("release/tag-of-ones-own", &[]);
    run(checkout.release_tool().args(["tag", "2.5.1", "--offline", "--yes"])).exits(0);
    let found = || -> BTreeSet<String> { checkout.check(&["3.0.0"]).1.into_iter().collect() };
    assert!(found().contains("error REL010") && !found().contains("error REL006"), "{:?}", found());
    // A record of another account says nothing about this one.
    let other = checkout.config_text().replace(support::ACCOUNT, "210987654321");
    support::write(&checkout.config(), &other);
    assert!(found().contains("error REL006"), "{:?}", found());
}

#[test]
fn a_selection_that_was_never_recorded_is_mentioned() {
    let checkout = Checkout::osmt();
    let Ran { exit, .. } = run(checkout.release_tool().args(["tag", "--offline", "--yes"]));
    assert_eq!(exit, 0);
    checkout.select("2.5.1");
    // The database has what 3.0.0 migrated, whatever the config says.
    run(checkout.release_tool().args(["check", "2.5.1"])).exits(1).matches("release/check-not-recorded", &[]);
    let Ran { stdout, .. } = run(checkout.release_tool().args(["notes"]));
    assert!(stdout.starts_with("3.0.0 → 2.5.1\n"), "{stdout}");
}

#[test]
fn git_that_does_not_know_its_user_is_quoted() {
    let checkout = Checkout::osmt();
    checkout.git(&["config", "user.useConfigOnly", "true"]);
    let mut tool = checkout.release_tool();
    tool.env_remove("GIT_COMMITTER_NAME").env_remove("GIT_COMMITTER_EMAIL");
    // The rest is git's own text.
    run(tool.args(["tag", "--offline", "--yes"]))
        .exits(3)
        .says("git could not create the tag")
        .says("not finished: git tag");
    assert_eq!(records(&checkout).len(), 0);
}

#[test]
fn a_configuration_that_signs_every_annotated_tag_is_respected() {
    for key in ["tag.forceSignAnnotated", "tag.gpgSign"] {
        let checkout = Checkout::osmt();
        checkout.git(&["config", key, "true"]);
        checkout.git(&["config", "gpg.program", "false"]);
        run(checkout.release_tool().args(["tag", "--offline", "--yes"])).exits(3).says("sign");
        assert_eq!(records(&checkout).len(), 0, "{key}");
    }
}
