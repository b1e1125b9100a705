//! What Flyway reads, what it does not, and what git does not have.

use crate::checkout::{Checkout, MIGRATIONS};
use crate::support;
use crate::support::{Ran, git, run};

fn has(found: &[String], what: &str) -> bool {
    found.iter().any(|one| one == what)
}

#[test]
fn an_object_that_git_lacks_is_an_error_and_never_an_empty_file() {
    let checkout = Checkout::osmt();
    checkout.migration("V2024.02.01__drop.sql", "DROP TABLE skill;\n");
    let parent = checkout.repo().parent().unwrap().to_owned();
    let origin = format!("file://{}", checkout.repo().display());
    checkout.git(&["config", "uploadpack.allowFilter", "true"]);
    git(&parent, &["clone", "--quiet", "--no-checkout", "--filter=blob:none", &origin, "partial"]);
    git(&parent.join("partial"), &["remote", "set-url", "origin", "file:///nowhere"]);
    for verb in [
        &["check", "develop"][..],
        &["select", "develop", "--dry-run"],
        &["notes", "3.0.0..develop"],
        &["list"],
    ] {
        let mut tool = checkout.release_tool();
        let Ran { exit, stdout, stderr } =
            run(tool.args(verb).args(["--repo", "partial"]).env("GIT_NO_LAZY_FETCH", "1"));
        assert_eq!((exit, stdout.as_str()), (3, ""), "{verb:?}: {stderr}");
        // Git itself ends, or reports the object as missing: that depends on its version.
        let named = stderr.contains("is not in this repository") || stderr.contains("from promisor remote");
        assert!(named, "{stderr}");
    }
    // An object that was damaged.
    let id = checkout.git(&["rev-parse", &format!("develop:{MIGRATIONS}/V2024.02.01__drop.sql")]);
    let object = checkout.repo().join(".git/objects").join(&id[..2]).join(&id[2..]);
    let whole = std::fs::read(&object).unwrap();
    for damaged in [&b""[..], b"garbage", &whole[..whole.len() / 2]] {
        std::fs::remove_file(&object).unwrap();
        std::fs::write(&object, damaged).unwrap();
        let Ran { exit, stdout, stderr } = run(checkout.release_tool().args(["check", "develop"]));
        assert_eq!((exit, stdout.as_str()), (3, ""), "{stderr}");
    }
}

#[test]
fn a_replacement_changes_nothing() {
    let checkout = Checkout::osmt();
    checkout.migration("V2024.02.01__drop.sql", "DROP TABLE skill;\n");
    support::write(&checkout.repo().join("harmless"), "SELECT 1;\n");
    let harmless = checkout.git(&["hash-object", "-w", "harmless"]);
    let id = checkout.git(&["rev-parse", &format!("develop:{MIGRATIONS}/V2024.02.01__drop.sql")]);
    checkout.git(&["replace", &id, &harmless]);
    assert!(has(&checkout.check(&["develop"]).1, "warning REL014"));
}

#[test]
fn a_head_on_an_old_layout_is_still_a_checkout_of_osmt() {
    let checkout = Checkout::osmt();
    checkout.git(&["checkout", "--quiet", "--orphan", "site"]);
    checkout.git(&["rm", "--quiet", "-r", "--force", "."]);
    checkout.commit("index.html", "x");
    let Ran { exit, stdout, stderr } = run(checkout.release_tool().arg("list"));
    assert_eq!((exit, stdout.lines().count()), (0, 5), "{stderr}");
}
