//! Records in the config's repository, kept by several administrators; and the way back through a restored snapshot.

use std::path::Path;
use std::process::Command;

use crate::checkout::Checkout;
use crate::deployed::deploy;
use crate::support;
use crate::support::Emulator;
use crate::support::{Ran, git, run, run_with};

fn names(repository: &Path) -> Vec<String> {
    let listed = git(repository, &["for-each-ref", "--format=%(refname:strip=2)", "refs/tags/osmt/"]);
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn two_administrators_keep_each_others_records_and_need_no_clone_of_osmt_to_survive() {
    let checkout = Checkout::osmt();
    let parent = checkout.repo().parent().unwrap().to_owned();
    git(&parent, &["init", "--quiet", "--bare", "--initial-branch=main", "config.git"]);
    git(&parent, &["clone", "--quiet", "config.git", "ada"]);
    git(&parent.join("ada"), &["commit", "--quiet", "--allow-empty", "--message", "config"]);
    git(&parent.join("ada"), &["push", "--quiet", "origin", "HEAD:main"]);
    git(&parent, &["clone", "--quiet", "config.git", "bob"]);
    let tool = |records: &str, args: &[&str]| {
        let mut tool = checkout.release_tool();
        run(tool.env("OSMT_RECORDS", parent.join(records)).args(args))
    };

    checkout.select("2.5.1");
    let Ran { exit, stderr, .. } = tool("ada", &["tag", "--offline", "--yes", "--push"]);
    assert_eq!(exit, 0, "{stderr}");
    // Ada's clone of OSMT is lost; Bob has one of his own, to which no one pushed a record.
    git(&parent, &["clone", "--quiet", "--bare", "osmt", "new.git"]);
    git(&parent.join("bob"), &["fetch", "--quiet", "--tags"]);
    let repo = parent.join("new.git").display().to_string();
    checkout.select("2.5.0");
    let Ran { exit, stdout, .. } =
        tool("bob", &["check", "3.0.0", "--offline", "--format", "json", "--repo", &repo]);
    assert!(exit == 1 && stdout.contains("REL015"), "Ada's record counts: {stdout}");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let Ran { exit, stderr, .. } = tool("bob", &["tag", "--offline", "--yes", "--push", "--repo", &repo]);
    assert_eq!(exit, 0, "{stderr}");
    let all = names(&parent.join("config.git"));
    assert_eq!(all.len(), 2, "{all:?}");
    let Ran { exit, stdout, stderr } = tool("bob", &["rollback", "--dry-run", "--repo", &repo]);
    assert!(exit == 1 && stdout.contains("2.5.0 \u{2192} 2.5.1"), "{stdout}{stderr}");
    assert_eq!(names(&checkout.repo()), Vec::<String>::new());

    // In the same second both made a record of the same name: none is overwritten.
    let newest = &all[1];
    let message =
        git(&parent.join("bob"), &["for-each-ref", "--format=%(contents)", &format!("refs/tags/{newest}")]);
    let ada = parent.join("ada");
    git(&ada, &["-c", "user.name=Other", "tag", "--annotate", "--message", &message, newest]);
    let printed = git(&ada, &["for-each-ref", "--format=%(objectname)", &format!("refs/tags/{newest}")]);
    git(&ada, &["update-ref", &format!("refs/tags/{newest}"), &other_tagger(&ada, &printed)]);
    let Ran { exit, stderr, .. } = tool("ada", &["tag", "--offline", "--yes", "--push"]);
    assert_eq!(exit, 4, "{stderr}");
    assert!(stderr.contains(&format!("origin has another tag {newest}")), "{stderr}");
    assert_eq!(names(&parent.join("config.git")), all);

    // Production takes what test runs.
    let text = checkout.config_text().replace("\"env\": \"test\"", "\"env\": \"prod\"");
    support::write(&checkout.config(), &text.replace("\"2.5.0\"", "\"2.4.2\""));
    let Ran { exit, stdout, stderr } =
        tool("bob", &["select", "--promote", "test", "--yes", "--repo", &repo]);
    assert!(exit == 0 && stdout.contains("2.4.2 \u{2192} 2.5.0"), "{stdout}{stderr}");
}

/// The same tag by another tagger.
fn other_tagger(repository: &Path, tag: &str) -> String {
    let text = git(repository, &["cat-file", "tag", tag]);
    let text: String = text
        .lines()
        .map(|line| {
            if line.starts_with("tagger ") {
                "tagger Bob <bob@example.org> 1767323046 +0000\n".to_owned()
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    let mut program = Command::new("git");
    program.current_dir(repository).args(["mktag", "--no-strict"]);
    run_with(&mut program, &text).exits(0).stdout.trim().to_owned()
}

#[test]
fn a_restored_snapshot_takes_the_base_of_the_comparison_back() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    let tool = |args: &[&str]| run(checkout.on(account.osmt("osmt-release")).args(args));
    let ok = |args: &[&str]| {
        let Ran { exit, stdout, stderr } = tool(args);
        assert_eq!(exit, 0, "{args:?}: {stderr}");
        stdout + &stderr
    };
    account.ask(
        "client('rds').create_db_instance(DBInstanceIdentifier='osmt-test', DBInstanceClass='db.t4g.small', Engine='mysql', \
         AllocatedStorage=20, MasterUsername='admin', MasterUserPassword='a-password-of-a-test')",
    );
    deploy(&account, "wguopensource/osmt-app:2.5.0");
    checkout.select("2.5.0");
    ok(&["tag", "--yes"]);
    checkout.select("3.0.0");
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let said = ok(&["migrate", "--yes"]);
    let snapshot = said.split_whitespace().find(|word| word.starts_with("osmt-test-before-3-0-0-")).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    ok(&["tag", "--yes"]);
    assert_eq!(checkout.check(&["2.5.1"]).0, 1, "the database has 3.0.0's migrations");

    // docs/release.md, "A migration that failed": the commands of steps 2 and 3.
    let restored = account.ask(&format!(
        r"
rds = client('rds')
# The emulator names its automated snapshots by the minute, and takes one of each new database.
for one in rds.describe_db_snapshots(SnapshotType='automated')['DBSnapshots']:
    rds.delete_db_snapshot(DBSnapshotIdentifier=one['DBSnapshotIdentifier'])
old = rds.modify_db_instance(DBInstanceIdentifier='osmt-test', NewDBInstanceIdentifier='osmt-test-failed', ApplyImmediately=True)['DBInstance']
new = rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier='osmt-test', DBSnapshotIdentifier='{snapshot}')['DBInstance']
names = sorted(one['DBInstanceIdentifier'] for one in rds.describe_db_instances()['DBInstances'])
answer = [names, old['DbiResourceId'] != new['DbiResourceId']]
"
    ));
    assert_eq!(restored, serde_json::json!([["osmt-test", "osmt-test-failed"], true]));

    // Step 5: the version from before, compared with itself alone; nothing hides what the records say until the restore is one.
    let Ran { exit, stderr, .. } = tool(&["select", "2.5.0", "--yes"]);
    assert!(exit == 4 && stderr.contains("REL013"), "{stderr}");
    ok(&["select", "2.5.0", "--from", "2.5.0", "--yes"]);
    assert_eq!(checkout.check(&["2.5.1"]).0, 1, "the records still say 3.0.0");
    deploy(&account, "wguopensource/osmt-app:2.5.0");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let said = ok(&["tag", "--restored", "--yes"]);
    assert!(said.contains("database: restored"), "{said}");
    let (exit, found, report) = checkout.check(&["2.5.1"]);
    assert_eq!(exit, 0, "{found:?} {report}");
    let (_, found, _) = checkout.check(&["3.0.0"]);
    assert!(!found.iter().any(|one| one.starts_with("error")), "forward again, in order: {found:?}");
}
