//! A deployment is recorded once, where git keeps it. What AWS is asked first, `deployed` tries.

use crate::checkout::{Checkout, git};
use crate::support;
use crate::support::{Ran, run, snapshot};

fn records(checkout: &Checkout) -> Vec<String> {
    let names = checkout.git(&["for-each-ref", "--format=%(refname:strip=2)", "refs/tags/osmt/"]);
    names.lines().map(str::to_owned).collect()
}

#[test]
fn the_tag_says_what_was_deployed_and_is_made_once() {
    let checkout = Checkout::osmt();
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["tag", "--offline"]));
    assert_eq!(exit, 4, "{stderr}");
    let Ran { exit, .. } = run(checkout.release_tool().args(["tag", "--offline", "--dry-run"]));
    assert_eq!((exit, records(&checkout).len()), (1, 0));
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["tag", "--offline", "--yes"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stderr.contains("digest is recorded as unknown"), "{stderr}");
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
    let Ran { exit, stdout, stderr } = run(tool.args(["tag", "--offline", "--yes", "--push"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stdout.contains("on origin") && stdout.contains("1 to create"), "{stdout}");
    let pushed = git(&remote, &["for-each-ref", "--format=%(refname:strip=2)"]);
    assert_eq!(pushed, records(&checkout)[0]);
    let Ran { stdout, .. } = run(checkout.release_tool().args(["tag", "--offline", "--push", "origin"]));
    assert_eq!(stdout, "nothing to do\n");
}

#[test]
fn an_image_of_ones_own_is_traced_through_its_record() {
    let checkout = Checkout::osmt();
    checkout.select("mine-7");
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["tag", "--offline", "--yes"]));
    assert_eq!(exit, 4);
    assert!(
        stderr.contains("the repository has no release tag, commit or record for image tag mine-7"),
        "{stderr}"
    );
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["tag", "2.5.1", "--offline", "--yes"]));
    assert_eq!(exit, 0, "{stderr}");
    let Ran { exit, stdout, .. } = run(checkout.release_tool().args(["check", "3.0.0"]));
    assert_eq!(exit, 1);
    assert!(stdout.contains("REL010") && !stdout.contains("REL006"), "{stdout}");
    // A record of another account says nothing about this one.
    let other = checkout.config_text().replace(support::ACCOUNT, "210987654321");
    support::write(&checkout.config(), &other);
    let Ran { stdout, .. } = run(checkout.release_tool().args(["check", "3.0.0"]));
    assert!(stdout.contains("REL006"), "{stdout}");
}

#[test]
fn a_selection_that_was_never_recorded_is_mentioned() {
    let checkout = Checkout::osmt();
    let Ran { exit, .. } = run(checkout.release_tool().args(["tag", "--offline", "--yes"]));
    assert_eq!(exit, 0);
    checkout.select("2.5.1");
    let Ran { stdout, .. } = run(checkout.release_tool().args(["check", "2.5.1"]));
    // The database has what 3.0.0 migrated, whatever the config says.
    assert!(
        stdout.contains("error[REL015]") && stdout.contains("according to the records 3.0.0 also"),
        "{stdout}"
    );
    let Ran { stdout, .. } = run(checkout.release_tool().args(["notes"]));
    assert!(stdout.starts_with("3.0.0 → 2.5.1\n"), "{stdout}");
}

#[test]
fn git_that_does_not_know_its_user_is_quoted() {
    let checkout = Checkout::osmt();
    checkout.git(&["config", "user.useConfigOnly", "true"]);
    let mut tool = checkout.release_tool();
    tool.env_remove("GIT_COMMITTER_NAME").env_remove("GIT_COMMITTER_EMAIL");
    let Ran { exit, stderr, .. } = run(tool.args(["tag", "--offline", "--yes"]));
    assert_eq!(exit, 3);
    assert!(
        stderr.contains("git could not create the tag") && stderr.contains("not finished: git tag"),
        "{stderr}"
    );
    assert_eq!(records(&checkout).len(), 0);
}

#[test]
fn a_configuration_that_signs_every_annotated_tag_is_heeded() {
    for key in ["tag.forceSignAnnotated", "tag.gpgSign"] {
        let checkout = Checkout::osmt();
        checkout.git(&["config", key, "true"]);
        checkout.git(&["config", "gpg.program", "false"]);
        let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["tag", "--offline", "--yes"]));
        assert_eq!(exit, 3, "{key}: {stderr}");
        assert!(stderr.contains("sign"), "{key}: {stderr}");
        assert_eq!(records(&checkout).len(), 0, "{key}");
    }
}
