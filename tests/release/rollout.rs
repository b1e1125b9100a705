//! A migration from its plan to its end, and what the running app answers.

use std::process::Stdio;

use serde_json::Value;

use crate::checkout::Checkout;
use crate::deployed::deploy;
use crate::support::{Emulator, Folder, Ran, run, snapshot};
use crate::{server, support};

#[test]
fn two_at_once_start_one_task() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let start = || {
        let mut tool = checkout.on(account.osmt("osmt-release"));
        tool.args(["migrate", "--yes", "--format", "json"]);
        tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let (one, two) = (start(), start());
    let ends = [one, two].map(|child| child.wait_with_output().unwrap());
    let printed: Vec<String> =
        ends.iter().map(|end| String::from_utf8_lossy(&end.stderr).into_owned()).collect();
    assert!(ends.iter().any(|end| end.status.success()), "{printed:?}");
    assert!(ends.iter().all(|end| matches!(end.status.code(), Some(0 | 4))), "{printed:?}");
    let started: Vec<&str> = printed
        .iter()
        .flat_map(|text| text.lines().filter_map(|line| line.strip_prefix("started ")))
        .collect();
    assert!(!started.is_empty() && started.iter().all(|task| *task == started[0]), "{printed:?}");
    let runs = account.calls().iter().filter(|call| *call == "ecs:RunTask").count();
    assert!(runs <= 2, "{runs}");
}

#[test]
fn a_task_is_followed_again_and_its_log_says_what_was_migrated() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    let tool = || checkout.on(account.osmt("osmt-release"));
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let Ran { exit, stdout, stderr } = run(tool().args(["migrate", "--yes"]));
    assert_eq!((exit, stdout.ends_with("its log was not read\n")), (0, true), "{stdout}{stderr}");
    let task = stderr.lines().find_map(|line| line.strip_prefix("started ")).unwrap();
    let id = task.rsplit('/').next().unwrap();
    account.ask(&format!(
        r#"
import time
logs, group, stream = client('logs'), '/osmt/test/maintenance', 'maintenance/maintenance/{id}'
logs.create_log_group(logGroupName=group)
logs.create_log_stream(logGroupName=group, logStreamName=stream)
lines = ['maintenance: import', 'Current version of schema `osmt_db`: 2023.02.08',
    'Migrating schema `osmt_db` to version "2023.02.20 - authors"'] + ['Importing %d' % row for row in range(30)] + ['maintenance: done']
logs.put_log_events(logGroupName=group, logStreamName=stream,
    logEvents=[dict(timestamp=int(time.time() * 1000), message=line) for line in lines])
"#
    ));
    for named in [task, id] {
        let Ran { exit, stdout, stderr } = run(tool().args(["migrate", "--watch", named]));
        assert_eq!(
            (exit, stdout.as_str()),
            (0, "migrated: 2023.02.20 - authors; 30 rows imported\n"),
            "{stderr}"
        );
    }
    let Ran { exit, stdout, stderr } = run(tool().args(["migrate", "--watch", id, "--format", "json"]));
    assert_eq!(exit, 0, "{stderr}");
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(printed["task"]["arn"], *task);
    assert_eq!(printed["task"]["exit"], 0);
    assert_eq!(printed["task"]["log_stream"], format!("maintenance/maintenance/{id}"));
    assert_eq!(printed["task"]["database_before"], "2023.02.08");

    run(tool().args(["migrate", "--dry-run"])).exits(1).says("the lists of job codes were imported before");
    run(tool().args(["migrate", "--watch", "0123456789abcdef0123456789abcdef"]))
        .exits(2)
        .says("is not a maintenance task");
}

#[test]
fn a_snapshot_is_taken_before_what_cannot_be_undone() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    let tool = || checkout.on(account.osmt("osmt-release"));
    deploy(&account, "wguopensource/osmt-app:2.5.0");
    account.ask(
        "client('rds').create_db_instance(DBInstanceIdentifier='osmt-test', DBInstanceClass='db.t4g.small', Engine='mysql', \
         AllocatedStorage=20, MasterUsername='admin', MasterUserPassword='a-password-of-a-test')",
    );
    checkout.select("2.5.0");
    let Ran { exit, stderr, .. } = run(tool().args(["tag", "--yes"]));
    assert_eq!(exit, 0, "{stderr}");
    checkout.select("3.0.0");
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let Ran { stderr, .. } =
        run(tool().args(["migrate", "--yes"])).exits(0).matches("release/migrate-with-snapshot", &[]);
    let taken = account
        .ask("answer = [one for one in client('rds').describe_db_snapshots()['DBSnapshots'] if '-before-' in one['DBSnapshotIdentifier']]");
    assert_eq!(taken.as_array().unwrap().len(), 1);
    assert!(stderr.contains(taken[0]["DBSnapshotIdentifier"].as_str().unwrap()), "{stderr}");
    run(tool().args(["migrate", "--dry-run", "--no-snapshot", "--repair"]))
        .exits(1)
        .shows("repair Flyway's history, migrate")
        .lacks("RDS snapshot");
}

#[test]
fn the_way_from_2_5_1_wants_its_own_flag_and_shows_the_files_first() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    let tool = || checkout.on(account.osmt("osmt-release"));
    deploy(&account, "wguopensource/osmt-app:2.5.1");
    checkout.select("2.5.1");
    let reindex = run(tool().args(["migrate", "--dry-run", "--step", "reindex"]));
    reindex.exits(4).says("the reindex job of OSMT 2.x deletes");
    run(tool().args(["migrate", "--dry-run"])).exits(1).shows(": migrate, import\n");
    run(tool().args(["tag", "--yes"])).exits(0);
    checkout.select("3.0.0");
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    run(tool().args(["migrate", "--yes"]))
        .exits(4)
        .says("Flyway would refuse V2023.02.20__authors.sql, V2023.03.07__categories.sql");
    let shown = run(tool().args(["migrate", "--dry-run", "--out-of-order"])).exits(1);
    shown.matches("release/migrate-out-of-order", &[]);
    assert!(!account.calls().contains(&"ecs:RunTask".to_owned()));
}

#[test]
fn the_running_app_is_asked_what_matters_to_people() {
    let handler = r"
        good = GOOD
        if self.path == '/':
            return self.reply(200, {'Content-Type': 'text/html;charset=UTF-8'} if good else {}, b'<html>' if good else b'UI not configured')
        if self.path == '/health':
            return self.reply(200, body=b'{\x22status\x22: \x22UP\x22}') if good else self.reply(503, body=b'{\x22status\x22: \x22DOWN\x22, \x22components\x22: {\x22db\x22: {\x22status\x22: \x22UP\x22}, \x22elasticsearch\x22: {\x22status\x22: \x22DOWN\x22}}}')
        if self.path == '/rqueue':
            return self.reply(404 if good else 200)
        scheme = 'https' if good else 'http'
        where = 'ISSUER/v1/authorize?client_id=CLIENT&redirect_uri=%s%%3A//DOMAIN/login/oauth2/code/okta' % scheme
        return self.reply(302, {'Location': where})
";
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let config: Value = serde_json::from_str(&checkout.config_text()).unwrap();
    let oauth = &config["config"]["app"]["oauth"];
    let handler = handler
        .replace("ISSUER", oauth["issuer"].as_str().unwrap())
        .replace("CLIENT", oauth["client_id"].as_str().unwrap())
        .replace("DOMAIN", config["config"]["domain"]["name"].as_str().unwrap());
    for (good, name, exit) in [("True", "release/app-ok", 0), ("False", "release/app-differs", 1)] {
        let (_server, port) = server::http(&handler.replace("GOOD", good));
        let app = format!("http://127.0.0.1:{port}");
        run(checkout.on(account.osmt("osmt-release")).args(["status", "--app", &app]))
            .exits(exit)
            .matches(name, &[]);
    }
    // What was not asked is unknown.
    run(checkout.on(account.osmt("osmt-release")).args(["status", "--strict"])).exits(1);
}

#[test]
fn a_certificate_of_another_address_differs() {
    let folder = Folder::empty();
    support::openssl(
        folder.path(),
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out leaf.pem -days 2 -subj /CN=other.example",
    );
    let files = folder.path().display();
    let (_server, port) = server::https(&format!("'{files}/leaf.pem', '{files}/key.pem'"));
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    let status = |port: u16| {
        let app = format!("https://127.0.0.1:{port}");
        run(checkout.on(account.osmt("osmt-release")).args(["status", "--app", &app]))
    };
    let mut all = status(port).exits(1).transcript("another name");
    // Nothing is known.
    all += &status(9).transcript("no server");
    snapshot("release/app-certificate", &all, &[]);
}
