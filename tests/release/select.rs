//! One value of the config changes, and no other byte.

use serde_json::Value;

use crate::checkout::Checkout;
use crate::support;
use crate::support::{Ran, run};

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
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["select", "--latest"]));
    assert_eq!(exit, 4);
    assert!(stderr.contains("cannot ask for confirmation without a terminal"), "{stderr}");
    let mut tool = checkout.release_tool();
    let Ran { exit, stdout, .. } = run(tool.args(["select", "--latest", "--dry-run", "--format", "json"]));
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((exit, &printed["status"]), (1, &Value::from("pending")));
    assert_eq!(printed["actions"][0]["to"], "3.0.0");
    assert_eq!(checkout.config_text(), before);
}

#[test]
fn a_guard_refuses_also_with_a_yes() {
    let checkout = Checkout::osmt();
    checkout.select("2.5.1");
    let before = checkout.config_text();
    let refused = run(checkout.release_tool().args(["select", "3.0.0", "--yes"])).exits(4);
    assert_eq!(refused.stdout, "");
    refused.matches("release/select-refused", &[]);
    assert_eq!(checkout.config_text(), before);
    let mut tool = checkout.release_tool();
    let Ran { exit, stderr, .. } = run(tool.args(["select", "3.0.0", "--yes", "--accept", "REL010"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stderr.contains("(accepted)"), "{stderr}");
}

#[test]
fn a_commit_is_selected_by_its_whole_id_with_a_word_on_its_image() {
    let checkout = Checkout::osmt();
    let commit = checkout.id("develop");
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["select", "develop", "--yes"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stderr.contains("REL004") && stderr.contains("build an image"), "{stderr}");
    assert!(checkout.config_text().contains(&format!("\"docker_tag\": \"{commit}\"")));
    // What was selected is what the next comparison starts from.
    let Ran { exit, stdout, .. } = run(checkout.release_tool().args(["list", "--commits", "1"]));
    assert_eq!(exit, 0);
    assert!(stdout.contains(&format!("*      {}", &commit[..12])), "{stdout}");
}

#[test]
fn the_release_that_an_image_holds_is_written_where_its_tag_does_not_say_it() {
    let checkout = Checkout::osmt();
    let commit = checkout.id("develop");
    let before = checkout.config_text();
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["select", "develop", "--yes"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stdout.contains("app.version: ") && stdout.contains("3.0.0"), "{stdout}");
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
        let Ran { stdout, stderr, .. } = run(tool.args(["select", rev, "--dry-run"]));
        assert!(stdout.contains("2.5.0 → 3.0.0"), "{rev}: {stdout}{stderr}");
    }
}

#[test]
fn the_images_tag_or_digest_can_be_given() {
    let checkout = Checkout::osmt();
    let digest = format!("sha256:{}", "0a".repeat(32));
    for tag in ["3.0.0-hardened", &digest] {
        let mut tool = checkout.release_tool();
        let Ran { exit, stderr, .. } =
            run(tool.args(["select", "3.0.0", "--yes", "--from", "3.0.0", "--tag", tag]));
        assert_eq!(exit, 0, "{stderr}");
        assert!(checkout.config_text().contains(&format!("\"docker_tag\": \"{tag}\"")));
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
    let Ran { exit, stdout, stderr } =
        run(checkout.release_tool().env("GIT_DIR", "/nowhere").args(["check", "--head"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(
        stdout.contains("note[REL002]") && stdout.contains("notes.txt is not under version control"),
        "{stdout}"
    );
    support::write(&checkout.repo().join("pom.xml"), "changed");
    let Ran { exit, stdout, .. } = run(checkout.release_tool().args(["check", "--head"]));
    assert_eq!(exit, 1);
    assert!(stdout.contains("error[REL002]") && stdout.contains("pom.xml"), "{stdout}");
    let Ran { exit, .. } = run(checkout.release_tool().args(["check", "3.0.0"]));
    assert_eq!(exit, 0, "a commit that is named does not care for the tree");
}
