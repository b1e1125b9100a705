//! From 3.0.0 to 4.x: the same migrations with other checksums, and no way back.

use osmt::release::migrations::checksum;
use serde_json::Value;

use crate::checkout::{Checkout, MIGRATIONS, import, pom, tag};
use crate::deployed::deploy;
use crate::support::Emulator;
use crate::support::{Ran, run, snapshot};

const FIRST: (&str, &str) =
    ("V2020.09.15__first.sql", "CREATE TABLE skill (uri varchar(768), name int, KEY uri_index (uri));\n");
const SECOND: (&str, &str) = ("V2023.07.05__second.sql", "ALTER TABLE skill ADD status int;\n");

/// 3.0.0; 4.0.0 with another layout and an index prefix; 4.1.0 with another column as well.
fn checkout() -> Checkout {
    let mut stream = String::new();
    let mut release = |version: &str, files: &[(&str, &str)]| {
        for (file, sql) in files {
            import(&mut stream, &format!("{MIGRATIONS}/{file}"), sql);
        }
        import(&mut stream, "pom.xml", &pom(version));
        tag(&mut stream, version);
    };
    release("3.0.0", &[FIRST, SECOND]);
    let reformatted =
        "create table skill\n(\n  uri varchar(768),\n  name int,\n  key uri_index (uri(191))\n);\n";
    release("4.0.0", &[(FIRST.0, reformatted), (SECOND.0, "alter table skill\n  add status int;\n")]);
    release("4.1.0", &[(SECOND.0, "ALTER TABLE skill ADD status varchar(9);\n")]);
    Checkout::imported(stream)
}

#[test]
fn validation_is_left_out_once_where_all_that_differs_is_harmless() {
    let checkout = checkout();
    let account = Emulator::start();
    let tool = || checkout.on(account.osmt("osmt-release"));
    account.ask(
        "client('rds').create_db_instance(DBInstanceIdentifier='osmt-test', DBInstanceClass='db.t4g.small', Engine='mysql', \
         AllocatedStorage=20, MasterUsername='admin', MasterUserPassword='a-password-of-a-test')",
    );
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let mut all = String::new();
    let mut refused = |what: &str, args: &str, exit: i32| {
        all += &run(tool().args(args.split(' '))).exits(exit).transcript(&format!("{args}: {what}"));
    };
    let without = "migrate --yes --without-validation";
    refused("nothing was recorded yet", without, 4);
    run(tool().args(["tag", "--yes"])).exits(0);
    refused("nothing differs", without, 4);

    checkout.select("4.1.0");
    deploy(&account, "wguopensource/osmt-app:4.1.0");
    refused("statements differ", without, 4);

    checkout.select("4.0.0");
    deploy(&account, "wguopensource/osmt-app:4.0.0");
    refused("layout and an index prefix differ", "migrate --yes", 4);
    refused("two flags", "migrate --without-validation --no-snapshot", 2);
    snapshot("release/migrate-changed", &all, &[]);
    assert!(!account.calls().contains(&"ecs:RunTask".to_owned()));
    let Ran { exit, stdout, stderr } =
        run(tool().args(["migrate", "--yes", "--without-validation", "--step", "migrate"]));
    assert_eq!(exit, 0, "{stderr}");
    snapshot("release/migrate-without-validation", &format!("{stdout}--- stderr\n{stderr}"), &[]);
    let started = stderr.lines().find_map(|line| line.strip_prefix("started ")).unwrap();
    let given = account.ask(&format!(
        "answer = client('ecs').describe_tasks(cluster='osmt-test', tasks=['{started}'])['tasks'][0]['overrides']['containerOverrides'][0]"
    ));
    assert_eq!(given["command"], serde_json::json!(["migrate"]));
    let environment = given["environment"].as_array().unwrap();
    let value = |name: &str| {
        let mut environment = environment.iter();
        environment.find(|one| one["name"] == name).unwrap()["value"].as_str().unwrap()
    };
    assert_eq!(value("SPRING_FLYWAY_VALIDATE_ON_MIGRATE"), "false");
    // Later runs validate again: the history gets the checksums of the files.
    let before = checksum(FIRST.1.as_bytes());
    let statements = value("SPRING_FLYWAY_INITSQLS_0_");
    assert!(statements.contains(&format!("(''2020.09.15'', {before})")), "{statements}");

    // The record names the snapshot; going back over it is refused.
    run(tool().args(["tag", "--yes"])).exits(0).shows("snapshot: osmt-test-before-4-0-0-");
    run(tool().args(["rollback", "--yes"])).exits(4).matches("release/rollback-over-snapshot", &[]);
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    checkout.select("3.0.0");
    let Ran { exit, stderr, .. } = run(tool().args(["migrate", "--yes"]));
    assert_eq!(exit, 4, "{stderr}");
}

#[test]
fn a_database_that_is_not_there_yet_is_found_so() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    // Nothing answers there: the registry is not what this is about.
    let nowhere = checkout.config_text().replace("wguopensource/osmt-app", "127.0.0.1:9/osmt-app");
    crate::support::write(&checkout.config(), &nowhere);
    let check = || {
        let mut tool = checkout.on(account.osmt("osmt-release"));
        run(tool.env_remove("OSMT_OFFLINE").args(["check", "2.5.0"]))
    };
    let mut all = check().exits(0).transcript("AWS has no database");
    account.ask(
        "client('rds').create_db_instance(DBInstanceIdentifier='osmt-test', DBInstanceClass='db.t4g.small', Engine='mysql', \
         AllocatedStorage=20, MasterUsername='admin', MasterUserPassword='a-password-of-a-test')",
    );
    all += &check().exits(1).transcript("AWS has a database");
    // Nothing is taken for granted.
    all += &run(checkout.release_tool().args(["check", "2.5.0"])).exits(1).transcript("AWS was not asked");
    snapshot("release/no-database", &all, &[]);
}

#[test]
fn a_run_after_one_that_failed_says_so() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let log = |lines: &str| {
        account.ask(&format!(
            r"
import time
logs, group, stream = client('logs'), '/osmt/test/maintenance', 'maintenance/maintenance/%d' % time.time_ns()
if not logs.describe_log_groups(logGroupNamePrefix=group)['logGroups']:
    logs.create_log_group(logGroupName=group)
logs.create_log_stream(logGroupName=group, logStreamName=stream)
logs.put_log_events(logGroupName=group, logStreamName=stream,
    logEvents=[dict(timestamp=int(time.time() * 1000), message=line) for line in {lines}])
"
        ))
    };
    let migrate = || run(checkout.on(account.osmt("osmt-release")).args(["migrate", "--dry-run"]));
    migrate().lacks("the last run failed");
    log("['maintenance: import', 'maintenance: the step import failed (status 1): the lines above say why']");
    migrate().exits(1).matches("release/migrate-after-failure", &[]);
    log("['maintenance: import', 'maintenance: reindex', 'maintenance: done']");
    migrate().lacks("the last run failed");
    let Ran { stdout, .. } =
        run(checkout.on(account.osmt("osmt-release")).args(["status", "--format", "json"]));
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    let links = printed["links"].as_array().unwrap();
    let index = links.iter().find(|link| link["name"] == "search index").unwrap();
    assert_eq!(index["verdict"], "agrees", "{index}");

    let mappings = || {
        let Ran { stdout, .. } =
            run(checkout.on(account.osmt("osmt-release")).args(["status", "--format", "json"]));
        let printed: Value = serde_json::from_str(&stdout).unwrap();
        let links = printed["links"].as_array().unwrap().clone();
        links.into_iter().find(|link| link["name"] == "search mappings").unwrap()
    };
    assert_eq!(mappings()["verdict"], "unknown");
    log("['osmt: search: ok', 'maintenance: done']");
    assert_eq!(mappings()["verdict"], "agrees");
    // The app writes it later than the maintenance task; what it wrote an hour ago is not of today.
    account.ask(
        r"
import time
logs, group = client('logs'), '/osmt/test/app'
logs.create_log_group(logGroupName=group)
logs.create_log_stream(logGroupName=group, logStreamName='app/app/1')
now = int(time.time() * 1000)
logs.put_log_events(logGroupName=group, logStreamName='app/app/1', logEvents=[
    dict(timestamp=now - 3600000, message='osmt: search: not ok: missing keyword'),
    dict(timestamp=now + 1000, message='osmt: search: not ok: guessed mappings richskill_v1')])
",
    );
    let differs = mappings();
    assert_eq!(differs["verdict"], "differs", "{differs}");
    assert!(differs["found"].as_str().unwrap().starts_with("guessed mappings richskill_v1 ("), "{differs}");
}
