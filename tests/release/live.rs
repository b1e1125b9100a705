//! The database itself is asked: Flyway's table in the log of a maintenance task.

use osmt::release::migrations::checksum;
use serde_json::Value;

use crate::checkout::Checkout;
use crate::deployed::deploy;
use crate::support::Emulator;
use crate::support::{Ran, run, snapshot};

/// What 2.5.1 has applied, as `Checkout::osmt` has it.
const APPLIED: [(&str, &str); 4] = [
    ("V2020.09.15__first.sql", "CREATE TABLE skill (id int, author_id int, cat_id int);\n"),
    ("V2023.01.26__status.sql", "ALTER TABLE skill ADD status int;\n"),
    ("V2023.02.08__description.sql", "ALTER TABLE skill ADD description text;\n"),
    ("V2023.03.22__published.sql", "UPDATE skill SET status = 1;\n"),
];

/// The lines that Flyway prints of its table, and other lines after them.
fn table(rows: &[(&str, i32, bool)], more: &[&str]) -> Vec<String> {
    let line = |text: String| {
        format!(
            "WARN DefaultSqlScriptExecutor : DB: Truncated incorrect INTEGER value: '{text}' (SQL State: 22007 - Error Code: 1292)"
        )
    };
    let mut lines = vec!["maintenance: migrate".to_owned()];
    for (rank, (file, checksum, success)) in rows.iter().enumerate() {
        let version = file[1..].split("__").next().unwrap();
        let success = u8::from(*success);
        lines.push(line(format!("osmt-history {} {success} {checksum} SQL {version} {file}", rank + 1)));
    }
    lines.push(line(format!("osmt-history end {}", rows.len())));
    lines.extend(more.iter().map(|text| (*text).to_owned()));
    lines
}

fn print(account: &Emulator, task: &str, lines: &[String]) {
    let lines = serde_json::to_string(lines).unwrap();
    account.ask(&format!(
        r"
import json, time
logs, group, stream = client('logs'), '/osmt/test/maintenance', 'maintenance/maintenance/{task}'
if not logs.describe_log_groups(logGroupNamePrefix=group)['logGroups']:
    logs.create_log_group(logGroupName=group)
logs.create_log_stream(logGroupName=group, logStreamName=stream)
time.sleep(0.01)
begin = int(time.time() * 1000)
logs.put_log_events(logGroupName=group, logStreamName=stream,
    logEvents=[dict(timestamp=begin + at, message=line) for at, line in enumerate(json.loads(r'''{lines}'''))])
"
    ));
}

fn database(account: &Emulator) {
    account.ask(
        "client('rds').create_db_instance(DBInstanceIdentifier='osmt-test', DBInstanceClass='db.t4g.small', Engine='mysql', \
         AllocatedStorage=20, MasterUsername='admin', MasterUserPassword='a-password-of-a-test')",
    );
}

#[test]
fn the_history_in_the_log_is_the_base_of_the_comparison() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    database(&account);
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let tool = || checkout.on(account.osmt("osmt-release"));
    let check = |args: &[&str]| {
        let mut tool = tool();
        tool.args(["check", "--live", "--format", "json"]).args(args).env_remove("OSMT_OFFLINE");
        let Ran { exit, stdout, stderr } = run(&mut tool);
        let shown: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stderr}"));
        let of = |finding: &Value| {
            let code = finding["code"].as_str().unwrap();
            // The image's registry is not asked for an answer here.
            (finding["severity"] == "error" && code != "REL030").then(|| code.to_owned())
        };
        let errors: Vec<String> = shown["findings"].as_array().unwrap().iter().filter_map(of).collect();
        (exit, errors, shown)
    };
    let database_link = |heading: &str| {
        let Ran { stdout, stderr, .. } = run(tool().arg("status"));
        let line = stdout.lines().find(|line| line.starts_with("database "));
        format!("==> {heading}\n{}\n", line.unwrap_or_else(|| panic!("{stderr}")))
    };

    let (exit, errors, shown) = check(&["3.0.0"]);
    assert_eq!((exit, errors), (1, vec!["REL006".to_owned()]), "nothing was printed yet: {shown}");
    let mut all = database_link("no log of a maintenance task");

    // What the config says does not matter: the database has what 2.5.1 has applied.
    let rows: Vec<(&str, i32, bool)> =
        APPLIED.iter().map(|(file, sql)| (*file, checksum(sql.as_bytes()), true)).collect();
    print(&account, "first", &table(&rows, &[]));
    let (exit, errors, shown) = check(&["3.0.0"]);
    assert_eq!((exit, errors), (1, vec!["REL010".to_owned(); 2]), "{shown}");
    assert_eq!(check(&["2.5.1"]).1, Vec::<String>::new());
    all += &database_link("what 2.5.1 has applied");
    // Nothing was recorded; the history shows it.
    run(tool().args(["migrate", "--dry-run"])).exits(4);

    // Another checksum, and a file that no release has.
    let mut other = rows.clone();
    other[1].1 = 7;
    other.push(("V2024.01.01__own.sql", 8, true));
    print(&account, "second", &table(&other, &[]));
    let (_, errors, shown) = check(&["2.5.1"]);
    assert_eq!(errors, ["REL007", "REL013"], "{shown}");

    // One that failed half-way stops everything.
    let mut failed = rows.clone();
    failed.push(("V2023.07.05__narrow.sql", 9, false));
    print(&account, "third", &table(&failed, &[]));
    let (_, errors, shown) = check(&["2.5.1"]);
    assert_eq!(errors, ["REL022"], "{shown}");
    all += &database_link("a migration that failed");
    let refused = run(tool().args(["migrate", "--dry-run", "--out-of-order"])).exits(4);
    all += &refused.transcript("migrate --dry-run --out-of-order");
    snapshot("release/database", &all, &[]);
    run(tool().args(["migrate", "--dry-run", "--out-of-order", "--repair"])).exits(1);

    // A migration that began later makes the table old; so does a database that was restored since.
    let more = ["Migrating schema `osmt_db` to version \"2023.07.05 - narrow\""];
    print(&account, "fourth", &table(&rows, &more));
    let (exit, errors, shown) = check(&["2.5.1"]);
    assert_eq!((exit, errors), (1, vec!["REL006".to_owned()]), "{shown}");
    print(&account, "fifth", &table(&rows, &[]));
    assert_eq!(check(&["2.5.1"]).1, Vec::<String>::new());
    account.ask(
        "import time\ntime.sleep(1.1)\nclient('rds').delete_db_instance(DBInstanceIdentifier='osmt-test', SkipFinalSnapshot=True)",
    );
    database(&account);
    let (exit, errors, _) = check(&["2.5.1"]);
    assert_eq!((exit, errors), (1, vec!["REL006".to_owned()]), "it is another database");
}

#[test]
fn the_step_info_migrates_nothing_and_prints_the_history() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    database(&account);
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let tool = || checkout.on(account.osmt("osmt-release"));
    run(tool().args(["migrate", "--dry-run", "--step", "info"]))
        .exits(1)
        .matches("release/migrate-info", &[]);
    let Ran { exit, stdout, stderr } = run(tool().args(["migrate", "--yes", "--step", "info"]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stdout.ends_with("the log does not show Flyway's history\n"), "{stdout}");
    let task = stderr.lines().find_map(|line| line.strip_prefix("started ")).unwrap();
    let given = account.ask(&format!(
        "answer = client('ecs').describe_tasks(cluster='osmt-test', tasks=['{task}'])['tasks'][0]['overrides']['containerOverrides'][0]"
    ));
    assert_eq!(given["command"], serde_json::json!(["migrate"]));
    let environment = given["environment"].as_array().unwrap();
    let value = |name: &str| environment.iter().find(|one| one["name"] == name).map(|one| &one["value"]);
    assert_eq!(value("SPRING_FLYWAY_TARGET").unwrap(), "current");
    assert!(value("SPRING_FLYWAY_INITSQLS_0_").unwrap().as_str().unwrap().contains("osmt-history end"));
    for more in [&["--step", "import"][..], &["--repair"], &["--out-of-order"]] {
        let Ran { exit, stderr, .. } = run(tool().args(["migrate", "--step", "info"]).args(more));
        assert_eq!(exit, 2, "{stderr}");
    }
    let id = task.rsplit('/').next().unwrap();
    print(&account, id, &table(&[("V1__a.sql", -7, true), ("V2__b.sql", 8, false)], &[]));
    let Ran { exit, stdout, stderr } = run(tool().args(["migrate", "--watch", id]));
    assert_eq!(exit, 0, "{stderr}");
    assert!(stdout.contains("  1  applied  1                      -7  V1__a.sql\n"), "{stdout}");
    assert!(stdout.contains("  2  failed "), "{stdout}");
    let Ran { exit, stdout, stderr } = run(tool().args(["migrate", "--watch", id, "--format", "json"]));
    assert_eq!(exit, 0, "{stderr}");
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(shown["task"]["history"][0]["checksum"], -7);
    assert_eq!(shown["task"]["history"][1]["success"], false);
}
