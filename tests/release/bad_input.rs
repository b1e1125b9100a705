//! What cannot be understood ends at once, with the remedy.

use crate::checkout::{Checkout, git};
use crate::support;
use crate::support::{Ran, run};

#[test]
fn a_revision_is_never_an_option() {
    let checkout = Checkout::osmt();
    let trap = checkout.repo().parent().unwrap().join("trap");
    let option = format!("--upload-pack=touch {}", trap.display());
    for rev in ["nope", "", "^develop", "2.5.0..3.0.0", "--all", "--git-dir=/", "develop:pom.xml", &option] {
        let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["check", "--", rev]));
        assert_eq!((exit, stdout.as_str()), (2, ""), "{rev}: {stderr}");
        assert!(
            stderr.contains("is not a commit, tag or branch") && stderr.contains("help: "),
            "{rev}: {stderr}"
        );
        let Ran { exit, .. } =
            run(checkout.release_tool().args(["check", "3.0.0", &format!("--from={rev}")]));
        assert_eq!(exit, 2, "{rev}");
    }
    for verb in ["check", "select", "tag"] {
        let Ran { exit, .. } = run(checkout.release_tool().args([verb, &option]));
        assert_eq!(exit, 2);
    }
    assert!(!trap.exists());
}

#[test]
fn exactly_one_revision_is_wanted() {
    let checkout = Checkout::osmt();
    for args in [&["select"][..], &["select", "3.0.0", "--head"], &["check", "--head", "--latest"]] {
        let Ran { exit, stderr, .. } = run(checkout.release_tool().args(args));
        assert_eq!(exit, 2, "{args:?}: {stderr}");
    }
}

#[test]
fn a_folder_that_is_not_a_checkout_of_osmt_is_refused_with_the_remedy() {
    let checkout = Checkout::empty();
    let expect = |repo: &str, exit: i32, text: &str| {
        let Ran { exit: found, stderr, .. } = run(checkout.release_tool().args(["list", "--repo", repo]));
        assert_eq!(found, exit, "{repo}: {stderr}");
        assert!(stderr.contains(text) && stderr.contains("help: "), "{repo}: {stderr}");
    };
    expect("osmt", 2, "has no commit checked out");
    expect("missing", 2, "is not in a git repository");
    expect("config.auto.tfvars.json", 2, "is not in a git repository");
    checkout.commit("README", "x");
    expect("osmt", 2, "is not a checkout of OSMT: commit ");
    expect("osmt", 2, "has no pom.xml");
    checkout.commit("pom.xml", "<project/>");
    expect("osmt", 2, "has no api/src/main/resources/db/migration");
    checkout.migration("V1__a.sql", "SELECT 1;\n");
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["list", "--commits", "1"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stderr.contains("there are no release tags") && stdout.contains("unknown"), "{stdout}{stderr}");
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["check", "--latest"]));
    assert_eq!(exit, 2);
    assert!(stderr.contains("has no release tag"), "{stderr}");
}

#[test]
fn without_git_it_says_so() {
    let checkout = Checkout::osmt();
    let Ran { exit, stderr, .. } = run(checkout.release_tool().env("PATH", "").arg("list"));
    assert_eq!(exit, 3);
    assert!(stderr.contains("git is not installed") && stderr.contains("help: install git"), "{stderr}");
}

#[test]
fn a_config_that_cannot_be_read_is_named_with_its_place() {
    let checkout = Checkout::osmt();
    let text = checkout.config_text();
    for (content, place) in [
        ("{\n  \"config\": nope\n}", "line 2, column 13"),
        ("", "line 1, column 1"),
        ("{\"config\": {\"env\": 5}}", "line 1, column "),
        ("{\"config\": []}", "line 1, column "),
    ] {
        support::write(&checkout.config(), content);
        for args in [&["select", "3.0.0"][..], &["check", "3.0.0"], &["list"], &["tag"], &["status"]] {
            let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(args));
            assert_eq!((exit, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
            assert!(stderr.contains("config.auto.tfvars.json: ") && stderr.contains(place), "{stderr}");
        }
    }
    support::write(&checkout.config(), &text);
    std::fs::remove_file(checkout.config()).unwrap();
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["select", "3.0.0"]));
    assert_eq!(exit, 2);
    assert!(stderr.contains("does not exist"), "{stderr}");
}

#[test]
fn tags_with_odd_names_do_no_harm() {
    let checkout = Checkout::osmt();
    for name in ["osmt/test/not-a-time", "\u{e9}\u{1f600}", "3.0.0.x", "a'b\"c", "$(id)", "9-", "1.0-\u{e9}"]
    {
        checkout.git(&["tag", name]);
    }
    checkout.git(&["tag", "0.0.1", "develop:pom.xml"]);
    checkout.git(&["tag", "--annotate", "--message", "commit: x\nimage: y", "osmt/test/2026-01-01T000000Z"]);
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().arg("list"));
    assert_eq!((exit, stderr.as_str()), (0, ""));
    assert_eq!(stdout.lines().count(), 5, "a header and four releases, no blob: {stdout}");
    let Ran { exit, .. } = run(checkout.release_tool().args(["check", "$(id)"]));
    assert_eq!(exit, 0);
}

#[test]
fn a_subfolder_and_a_worktree_are_the_repository_too() {
    let checkout = Checkout::osmt();
    git(&checkout.repo(), &["worktree", "add", "--quiet", "../tree", "2.5.0"]);
    for repo in ["osmt/api/src", "tree"] {
        let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["list", "--repo", repo]));
        assert_eq!((exit, stdout.lines().count()), (0, 5), "{stderr}");
    }
    let Ran { stdout, .. } =
        run(checkout.release_tool().args(["check", "--head", "--repo", "tree", "--format", "json"]));
    assert!(stdout.contains("REL013") && !stdout.contains("REL002"), "{stdout}");
}

#[test]
fn what_cannot_start_cannot_be_accepted() {
    run(Checkout::osmt().release_tool().args(["check", "develop", "--accept", "REL011"]))
        .exits(2)
        .matches("release/accept-refused", &[]);
}
