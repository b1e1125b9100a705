//! One value of the config changes, and no other byte.

use serde_json::Value;

use crate::checkout::Checkout;
use crate::support;
use crate::support::{Ran, run, snapshot};

#[test]
fn one_value_changes_and_the_second_run_has_nothing_to_do() {
    let checkout = Checkout::osmt();
    checkout.select("2.5.0");
    let odd = checkout.config_text().replace('\n', "\r\n") + "\r\n\r\n";
    support::write(&checkout.config(), &odd);
    run(checkout.release_tool().args(["select", "3.0.0", "--yes"])).exits(0).matches("release/select", &[]);
    let expected = odd.replace("\"docker_tag\": \"2.5.0\"", "\"docker_tag\": \"3.0.0\"");
    assert_eq!(checkout.config_text(), expected);
    let Ran { exit, stdout, .. } = run(checkout.release_tool().args(["select", "3.0.0"]));
    assert_eq!((exit, stdout.as_str()), (0, "nothing to do\n"));
}

#[test]
fn nothing_is_written_without_a_yes() {
    let checkout = Checkout::osmt();
    checkout.select("2.5.0");
    let before = checkout.config_text();
    run(checkout.release_tool().args(["select", "--latest"]))
        .exits(4)
        .matches("release/select-without-yes", &[]);
    let mut tool = checkout.release_tool();
    let dry = run(tool.args(["select", "--latest", "--dry-run", "--format", "json"])).exits(1);
    let printed = dry.json();
    assert_eq!(printed["status"], "pending");
    assert_eq!(printed["actions"][0]["to"], "3.0.0");
    assert_eq!(checkout.config_text(), before);
}

#[test]
fn a_guard_refuses_also_with_a_yes() {
    let checkout = Checkout::osmt();
    checkout.select("2.5.1");
    let before = checkout.config_text();
    run(checkout.release_tool().args(["select", "3.0.0", "--yes"]))
        .exits(4)
        .matches("release/select-refused", &[]);
    assert_eq!(checkout.config_text(), before);
    let mut tool = checkout.release_tool();
    run(tool.args(["select", "3.0.0", "--yes", "--accept", "REL010"]))
        .exits(0)
        .matches("release/select-accepted", &[]);
}

#[test]
fn a_commit_is_selected_by_its_whole_id_with_a_word_on_its_image() {
    let checkout = Checkout::osmt();
    let commit = checkout.id("develop");
    let own = [(&*commit, "COMMIT"), (&commit[..12], "COMMIT-12")];
    run(checkout.release_tool().args(["select", "develop", "--yes"]))
        .exits(0)
        .matches("release/select-commit", &own);
    assert_eq!(checkout.folder().get("/config/ecs/task/app/docker_tag"), commit);
    // What was selected is what the next comparison starts from.
    run(checkout.release_tool().args(["list", "--commits", "1"]))
        .exits(0)
        .matches("release/list-commit", &own);
}

#[test]
fn the_release_that_an_image_holds_is_written_where_its_tag_does_not_say_it() {
    let checkout = Checkout::osmt();
    let commit = checkout.id("develop");
    let before = checkout.config_text();
    run(checkout.release_tool().args(["select", "develop", "--yes"])).exits(0).shows("app.version: ");
    let text = checkout.config_text();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["config"]["app"]["version"], "3.0.0");
    assert_eq!(value["config"]["ecs"]["task"]["app"]["docker_tag"], commit.as_str());
    // Nothing else changed.
    let tight = |text: &str| text.replace(char::is_whitespace, "");
    let expected =
        tight(&before).replace("\"docker_tag\":\"3.0.0\"", &format!("\"docker_tag\":\"{commit}\""));
    assert_eq!(tight(&text).replace(",\"version\":\"3.0.0\"", ""), expected);
    let Ran { exit, stdout, .. } = run(checkout.release_tool().args(["select", "develop"]));
    assert_eq!((exit, stdout.as_str()), (0, "nothing to do\n"));
    // A version that is written follows.
    let Ran { exit, stderr, .. } =
        run(checkout.release_tool().args(["select", "2.5.0", "--yes", "--from", "none"]));
    assert_eq!(exit, 0, "{stderr}");
    let value: Value = serde_json::from_str(&checkout.config_text()).unwrap();
    assert_eq!(value["config"]["app"]["version"], "2.5.0");
}

#[test]
fn a_releases_commit_is_the_release_however_it_was_named() {
    let checkout = Checkout::osmt();
    checkout.select("2.5.0");
    let commit = checkout.id("3.0.0");
    for rev in [commit.as_str(), &commit[..10], "develop~1", "tags/3.0.0"] {
        let mut tool = checkout.release_tool();
        run(tool.args(["select", rev, "--dry-run"])).exits(1).shows("2.5.0 → 3.0.0");
    }
}

#[test]
fn the_images_tag_or_digest_can_be_given() {
    let checkout = Checkout::osmt();
    let digest = format!("sha256:{}", "0a".repeat(32));
    for tag in ["3.0.0-hardened", &digest] {
        let mut tool = checkout.release_tool();
        run(tool.args(["select", "3.0.0", "--yes", "--from", "3.0.0", "--tag", tag])).exits(0);
        assert_eq!(checkout.folder().get("/config/ecs/task/app/docker_tag"), tag);
    }
    for tag in ["", "a b", "a/b", "sha256:0a", "-x", "\u{e9}"] {
        let given = format!("--tag={tag}");
        let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["select", "3.0.0", &given]));
        assert_eq!(exit, 2, "{tag}: {stderr}");
    }
}

#[test]
fn head_wants_a_clean_tree_and_ignores_what_a_hook_sets() {
    let checkout = Checkout::osmt();
    checkout.git(&["checkout", "--quiet", "--detach", "3.0.0"]);
    support::write(&checkout.repo().join("notes.txt"), "x");
    let head = run(checkout.release_tool().env("GIT_DIR", "/nowhere").args(["check", "--head"])).exits(0);
    let mut all = head.transcript("a file that is not under version control");
    support::write(&checkout.repo().join("pom.xml"), "changed");
    let changed = run(checkout.release_tool().args(["check", "--head"])).exits(1);
    all += &changed.transcript("a file that was changed");
    snapshot("release/check-head", &all, &[]);
    // A commit that is named does not depend on the tree.
    run(checkout.release_tool().args(["check", "3.0.0"])).exits(0);
}
