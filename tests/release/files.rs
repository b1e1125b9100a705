//! What Flyway reads, what it does not, and what git does not have.

use crate::checkout::{Checkout, MIGRATIONS, git};
use crate::support;
use crate::support::{Ran, run};

fn has(found: &[String], what: &str) -> bool {
    found.iter().any(|one| one == what)
}

#[test]
fn names_that_flyway_takes_are_migrations() {
    let checkout = Checkout::osmt();
    checkout.migration("V2024.02.01.sql", "DROP TABLE skill;\n");
    checkout.migration("V2024.03.01_02.sql", "ALTER TABLE skill ADD a int;\n");
    checkout.migration("V99999999999999999999__big.sql", "DROP TABLE skill;\n");
    let (_, found, report) = checkout.check(&["develop"]);
    assert_eq!(found.iter().filter(|one| *one == "warning REL014").count(), 2, "{report}");
    assert!(!has(&found, "warning REL012"), "{report}");
    // Applied and gone is seen, too.
    let commit = checkout.id("HEAD");
    checkout.rename("V2024.02.01.sql", "");
    let (exit, found, _) = checkout.check(&["develop", "--from", &commit]);
    assert!(exit == 1 && has(&found, "error REL009"), "{found:?}");
}

#[test]
fn callbacks_run_and_other_suffixes_do_not() {
    let checkout = Checkout::osmt();
    checkout.migration("afterMigrate__grants.sql", "DELETE FROM skill;\n");
    checkout.migration("beforeValidate.sql", "SELECT 1;\n");
    checkout.migration("V2024.01.01__loud.SQL", "DROP TABLE skill;\n");
    checkout.migration("U2024.01.01__undo.sql", "DROP TABLE skill;\n");
    let (_, found, report) = checkout.check(&["develop"]);
    let text = report.to_string();
    assert!(
        text.contains(
            "afterMigrate__grants.sql is a callback that runs at every start (destructive: DELETE FROM)"
        ),
        "{text}"
    );
    assert_eq!(found.iter().filter(|one| *one == "warning REL012").count(), 2, "{text}");
    assert!(!text.contains("beforeValidate"), "{text}");
}

#[test]
fn repeatable_migrations_run_again_when_they_change() {
    let checkout = Checkout::osmt();
    checkout.migration("R__views.sql", "CREATE VIEW v AS SELECT 1;\n");
    let before = checkout.id("HEAD");
    checkout.migration("R__views.sql", "DROP TABLE skill;\n");
    let (_, found, report) = checkout.check(&["develop", "--from", &before]);
    assert!(has(&found, "warning REL014"), "{report}");
    let Ran { stdout, .. } = run(checkout.release_tool().args(["notes", &format!("{before}..develop")]));
    assert!(stdout.contains("R__views.sql  destructive (DROP TABLE)"), "{stdout}");
    checkout.migration("other/R__views.sql", "SELECT 1;\n");
    assert!(has(&checkout.check(&["develop", "--from", &before]).1, "error REL011"));
    checkout.rename("R__views.sql", "");
    checkout.rename("other/R__views.sql", "");
    let (exit, found, report) = checkout.check(&["develop", "--from", &before]);
    assert!(exit == 1 && has(&found, "error REL009"), "{report}");
}

#[test]
fn classes_take_part_and_what_they_do_is_unclear() {
    let checkout = Checkout::osmt();
    checkout.commit(
        "api/src/main/kotlin/db/migration/V2023_06_01__Fill.kt",
        "class V2023_06_01__Fill : BaseJavaMigration()",
    );
    let (exit, found, report) = checkout.check(&["develop"]);
    assert!(exit == 1 && has(&found, "error REL010") && has(&found, "warning REL014"), "{report}");
}

#[test]
fn bytes_that_are_not_utf_8_stop_flyway() {
    let checkout = Checkout::osmt();
    let path = checkout.repo().join(MIGRATIONS).join("V2024.01.01__latin.sql");
    std::fs::write(path, b"INSERT INTO skill VALUES ('caf\xe9');\n").unwrap();
    checkout.git(&["add", "."]);
    checkout.git(&["commit", "--quiet", "--message", "latin"]);
    let (exit, found, report) = checkout.check(&["develop"]);
    assert!(exit == 1 && has(&found, "error REL019"), "{report}");
    assert!(report.to_string().contains("is not UTF-8 (byte 30)"), "{report}");
}

#[test]
fn what_a_pointer_or_a_link_holds_is_unknown() {
    let checkout = Checkout::osmt();
    checkout.migration(
        "V2024.01.01__lfs.sql",
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    );
    std::os::unix::fs::symlink("/etc/passwd", checkout.repo().join(MIGRATIONS).join("V2024.01.02__link.sql"))
        .unwrap();
    checkout.git(&["add", "."]);
    checkout.git(&["commit", "--quiet", "--message", "link"]);
    let (_, found, report) = checkout.check(&["develop"]);
    let unknown = report["unknown"].to_string();
    assert!(
        unknown.contains("V2024.01.01__lfs.sql") && unknown.contains("V2024.01.02__link.sql"),
        "{report}"
    );
    assert_eq!(found.iter().filter(|one| *one == "warning REL014").count(), 2, "{report}");
}

#[test]
fn other_settings_of_flyway_are_named() {
    let checkout = Checkout::osmt();
    let file = "api/src/main/resources/config/application.properties";
    checkout.commit(
        file,
        "spring.flyway.locations=classpath:db/migration\nspring.flyway.url=${db.composedUrl}\n",
    );
    assert!(!checkout.check(&["develop"]).1.iter().any(|one| one.ends_with("REL018")));
    checkout.commit(file, "spring.flyway.locations=classpath:db/migration,classpath:extra\n");
    let (exit, found, _) = checkout.check(&["develop"]);
    assert!(exit == 1 && has(&found, "error REL018"), "{found:?}");
    checkout.commit(file, "spring.flyway.out-of-order=true\n");
    checkout.select("2.5.1");
    let (exit, found, _) = checkout.check(&["develop"]);
    assert!(exit == 0 && has(&found, "warning REL018") && has(&found, "warning REL010"), "{found:?}");
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

#[test]
fn layout_alone_is_distinguished_from_other_statements() {
    let checkout = Checkout::osmt();
    checkout.migration("V2023.01.26__status.sql", "alter table skill\n  add status int -- reformatted\n;\n");
    let (exit, found, report) = checkout.check(&["develop"]);
    assert!(exit == 1 && has(&found, "error REL007"), "{report}");
    assert!(report.to_string().contains("the statements are the same"), "{report}");
    let (exit, found, _) = checkout.check(&["develop", "--accept", "REL007"]);
    assert!(exit == 0 && has(&found, "warning REL007"));
    checkout.migration("V2023.01.26__status.sql", "ALTER TABLE skill ADD status bigint;\n");
    let text = checkout.check(&["develop"]).2.to_string();
    assert!(text.contains("statements differ: ALTER TABLE SKILL ADD STATUS BIGINT"), "{text}");
}
