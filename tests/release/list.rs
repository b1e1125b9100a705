//! What can be selected, and what the history brings.

use serde_json::Value;

use crate::checkout::{Checkout, MIGRATIONS, import, pom, tag};
use crate::support;
use crate::support::{Ran, git, run, snapshot};

#[test]
fn releases_are_listed_newest_first_and_the_selected_one_is_marked() {
    let checkout = Checkout::osmt();
    checkout.git(&["tag", "v10.0.0", "2.5.0"]);
    checkout.git(&["tag", "3.0.0-rc.1", "2.5.1"]);
    checkout.git(&["tag", "nightly"]);
    let Ran { stdout, .. } = run(checkout.release_tool().arg("list")).exits(0).matches("release/list", &[]);
    let rows: Vec<Vec<&str>> = stdout.lines().skip(1).map(|row| row.split_whitespace().collect()).collect();
    let tags: Vec<&str> = rows.iter().map(|row| if row[0] == "*" { row[1] } else { row[0] }).collect();
    assert_eq!(tags, ["v10.0.0", "3.0.0", "3.0.0-rc.1", "2.5.1", "2.5.0", "2.4.2"]);
    let commit = &checkout.id("3.0.0")[..12];
    assert_eq!(rows[1], ["*", "3.0.0", commit, "2026-01-02", "3.0.0", "7"]);
    assert_eq!(rows.iter().filter(|row| row[0] == "*").count(), 1);
}

#[test]
fn commits_are_listed_on_demand_and_json_says_where_the_version_was_read() {
    let checkout = Checkout::osmt();
    let mut tool = checkout.release_tool();
    let printed = run(tool.args(["list", "--commits", "2", "--format", "json"])).exits(0).json();
    assert_eq!(printed["selected"], "3.0.0");
    assert_eq!(printed["releases"].as_array().unwrap().len(), 4);
    let commits = printed["commits"].as_array().unwrap();
    assert_eq!(commits.len(), 2);
    assert_eq!(commits[0]["commit"], checkout.id("HEAD").as_str());
    assert_eq!(commits[0]["version"], "3.1.0-SNAPSHOT");
    assert_eq!(commits[0]["version_from"], "project/version");
    assert_eq!(commits[0]["selected"], false);
    assert_eq!(commits[1]["tag"], "3.0.0");
    assert_eq!(commits[1]["selected"], true);
}

#[test]
fn a_config_that_is_not_there_yet_selects_nothing() {
    let checkout = Checkout::osmt();
    let mut tool = support::osmt("osmt-release");
    let ran = run(tool.current_dir(checkout.repo()).args(["list", "--dir", "nowhere"])).exits(0);
    let mut all = ran.transcript("the usual name");
    // One that was given is a mistake.
    let given = run(checkout.release_tool().args(["list", "--config", "typo.json"])).exits(2);
    all += &given.transcript("a name that was given");
    snapshot("release/list-without-config", &all, &[]);
}

#[test]
fn a_shallow_clone_says_that_something_may_be_missing() {
    let checkout = Checkout::osmt();
    let origin = format!("file://{}", checkout.repo().display());
    let parent = checkout.repo().parent().unwrap().to_owned();
    git(&parent, &["clone", "--quiet", "--depth=1", &origin, "shallow"]);
    let on = |args: &[&str]| run(checkout.release_tool().args(args).args(["--repo", "shallow"]));
    let mut all = on(&["list"]).exits(0).transcript("list");
    all += &on(&["check", "2.5.0"]).exits(2).transcript("check 2.5.0");
    snapshot("release/shallow", &all, &[]);
}

#[test]
fn a_bare_repository_is_as_good_also_without_its_head() {
    let checkout = Checkout::osmt();
    let parent = checkout.repo().parent().unwrap().to_owned();
    git(&parent, &["init", "--quiet", "--bare", "--initial-branch=nowhere", "bare.git"]);
    checkout.git(&["push", "--quiet", "../bare.git", "3.0.0", "2.5.0"]);
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["list", "--repo", "bare.git"]));
    assert_eq!((exit, stdout.lines().count()), (0, 3), "{stderr}");
    run(checkout.release_tool().args(["check", "--head", "--repo", "bare.git"]))
        .exits(2)
        .says("has no commit checked out");
}

#[test]
fn notes_list_commits_and_what_migrations_do() {
    let checkout = Checkout::osmt();
    run(checkout.release_tool().args(["notes", "2.5.0..3.0.0"])).exits(0).matches("release/notes", &[]);
    let Ran { stdout, .. } = run(checkout.release_tool().args(["notes", "2.5.0", "--format", "json"]));
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(printed["from"], checkout.id("3.0.0").as_str());
    assert_eq!(printed["commits"].as_array().unwrap().len(), 0);
    assert_eq!(printed["undone"].as_array().unwrap().len(), 4);
    let Ran { stdout, .. } = run(checkout.release_tool().arg("notes"));
    assert_eq!(stdout, "3.0.0 is selected already: there are no changes\n");
    run(checkout.release_tool().args(["notes", "2.5.0...3.0.0"])).exits(2).says("three dots");
}

#[test]
fn authors_cannot_steer_the_terminal() {
    let checkout = Checkout::osmt();
    checkout.git(&["commit", "--quiet", "--allow-empty", "--message", "a\u{1b}[31mb"]);
    run(checkout.release_tool().args(["notes", "3.0.0..HEAD", "--color", "always"]))
        .exits(0)
        .shows("a\u{fffd}[31mb");
}

#[test]
fn encodings_of_the_repository_do_not_change_what_is_read() {
    let checkout = Checkout::osmt();
    checkout.git(&["commit", "--quiet", "--allow-empty", "--message", "caf\u{e9}"]);
    for key in ["i18n.logOutputEncoding", "i18n.commitEncoding"] {
        checkout.git(&["config", key, "ISO-8859-1"]);
    }
    run(checkout.release_tool().args(["notes", "3.0.0..HEAD"])).exits(0).shows("caf\u{e9}");
    // A record is written and read as UTF-8.
    let Ran { exit, stderr, .. } = run(checkout.release_tool().args(["tag", "--offline", "--yes"]));
    assert_eq!(exit, 0, "{stderr}");
    let Ran { exit, stdout, .. } = run(checkout.release_tool().args(["tag", "--offline"]));
    assert_eq!((exit, stdout.as_str()), (0, "nothing to do\n"));
}

#[cfg(unix)]
#[test]
fn file_names_with_line_breaks_or_other_bytes_are_one_file_on_one_line() {
    use std::os::unix::ffi::OsStrExt as _;
    let checkout = Checkout::osmt();
    let folder = checkout.repo().join(MIGRATIONS);
    for name in [&b"V2024.01.01__new\nline.sql"[..], b"V2024.01.02__\xff.sql"] {
        std::fs::write(folder.join(std::ffi::OsStr::from_bytes(name)), "DROP TABLE skill;\n").unwrap();
    }
    // Files that git does not have are a note.
    let (exit, found, _) = checkout.check(&["--head"]);
    assert!(exit == 0 && found.contains(&"note REL002".to_owned()), "{found:?}");
    checkout.git(&["add", "--all"]);
    checkout.git(&["commit", "--quiet", "--message", "names"]);
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["notes", "3.0.0..HEAD"]));
    assert_eq!(exit, 0, "{stderr}");
    snapshot("release/notes-odd-names", &stdout, &[]);
    let (_, found, _) = checkout.check(&["HEAD"]);
    assert_eq!(found.iter().filter(|one| one.ends_with("REL014")).count(), 2, "{found:?}");
}

#[test]
fn three_hundred_releases_are_listed_at_once() {
    let mut stream = String::new();
    for number in 0..300 {
        let version = format!("{}.{}.{}", 1 + number / 30, number / 3 % 10, number % 3);
        if number % 25 == 0 {
            import(&mut stream, &format!("{MIGRATIONS}/V2020.{number:03}__x.sql"), "SELECT 1;\n");
        }
        import(&mut stream, "pom.xml", &pom(&version));
        tag(&mut stream, &version);
    }
    let checkout = Checkout::imported(stream);
    let began = std::time::Instant::now();
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().arg("list"));
    let took = began.elapsed();
    assert_eq!((exit, stdout.lines().count()), (0, 301), "{stderr}");
    // About 0.2 s; one process of git for each release would take many times that.
    assert!(took < std::time::Duration::from_secs(3), "{took:?}");
}
