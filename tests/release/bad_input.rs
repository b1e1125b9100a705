//! What cannot be understood ends at once, with the remedy.

use crate::checkout::Checkout;
use crate::support;
use crate::support::{Ran, git, run, snapshot};

#[test]
fn a_revision_is_never_an_option() {
    let checkout = Checkout::osmt();
    let trap = checkout.repo().parent().unwrap().join("trap");
    let option = format!("--upload-pack=touch {}", trap.display());
    for rev in ["nope", "", "^develop", "2.5.0..3.0.0", "--all", "--git-dir=/", "develop:pom.xml", &option] {
        // The cause is git's own text.
        let refused = run(checkout.release_tool().args(["check", "--", rev])).exits(2);
        assert_eq!(refused.says("is not a commit, tag or branch").says("help: ").stdout, "");
        run(checkout.release_tool().args(["check", "3.0.0", &format!("--from={rev}")])).exits(2);
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
    let mut all = String::new();
    let mut list = |what: &str, repo: &str| {
        all += &run(checkout.release_tool().args(["list", "--repo", repo])).exits(2).transcript(what);
    };
    list("no commit", "osmt");
    list("no such folder", "missing");
    list("a file", "config.auto.tfvars.json");
    checkout.commit("README", "x");
    list("no pom.xml", "osmt");
    checkout.commit("pom.xml", "<project/>");
    list("no migrations", "osmt");
    checkout.migration("V1__a.sql", "SELECT 1;\n");
    let commits = run(checkout.release_tool().args(["list", "--commits", "1"])).exits(0);
    all += &commits.transcript("no release");
    all += &run(checkout.release_tool().args(["check", "--latest"])).exits(2).transcript("check --latest");
    snapshot("release/not-osmt", &all, &checkout.folder().own());
}

#[test]
fn without_git_it_says_so() {
    let checkout = Checkout::osmt();
    run(checkout.release_tool().env("PATH", "").arg("list")).exits(3).matches("release/without-git", &[]);
}

#[test]
fn a_config_that_cannot_be_read_is_named_with_its_place() {
    let checkout = Checkout::osmt();
    let text = checkout.config_text();
    let mut all = String::new();
    let verbs = [&["select", "3.0.0"][..], &["check", "3.0.0"], &["list"], &["tag"], &["status"]];
    for content in ["{\n  \"config\": nope\n}", "", "{\"config\": {\"env\": 5}}", "{\"config\": []}"] {
        support::write(&checkout.config(), content);
        let runs = verbs.map(|args| run(checkout.release_tool().args(args)).exits(2).transcript(content));
        assert!(runs.iter().all(|one| *one == runs[0]), "{runs:#?}");
        all += &runs[0];
    }
    support::write(&checkout.config(), &text);
    std::fs::remove_file(checkout.config()).unwrap();
    all += &run(checkout.release_tool().args(["select", "3.0.0"])).exits(2).transcript("no file");
    snapshot("release/config", &all, &checkout.folder().own());
}

#[test]
fn tags_with_odd_names_are_not_releases() {
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
    let (_, found, _) = checkout.check(&["--head", "--repo", "tree"]);
    let has = |code: &str| found.iter().any(|one| one.ends_with(code));
    assert!(has("REL013") && !has("REL002"), "{found:?}");
}

#[test]
fn what_cannot_start_cannot_be_accepted() {
    run(Checkout::osmt().release_tool().args(["check", "develop", "--accept", "REL011"]))
        .exits(2)
        .matches("release/accept-refused", &[]);
}
