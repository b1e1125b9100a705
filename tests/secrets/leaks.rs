//! A value that is looked for wherever it must not be.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Emulator, Folder, Ran};
use crate::world::World;

const CANARY: &str = "Canary-9f27b1-not-to-be-seen";

/// Values where none belongs.
const MISTAKES: [&str; 23] = [
    "rotate rds/password VALUE",
    "generate rds/password VALUE",
    "set rds/password=VALUE",
    "import {\"rds\":\"VALUE\"}",
    "rm VALUE",
    "push VALUE",
    "pull VALUE",
    "diff VALUE",
    "history VALUE",
    "rollback VALUE",
    "rollback rds/password --to VALUE --yes",
    "exec --only VALUE -- true",
    "exec --as VALUE -- true",
    "exec --as X=VALUE -- true",
    "exec --from VALUE -- true",
    "set rds/password -VALUE",
    "set rds/password --VALUE",
    "set rds/password --value=VALUE",
    "verify VALUE",
    "verify --max-age VALUE",
    "list VALUE",
    "scan VALUE",
    "VALUE",
];

#[test]
fn no_output_log_or_file_shows_a_value() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    let mut said = String::new();
    let mut look = |ran: Ran| {
        said.push_str(&ran.stdout);
        said.push_str(&ran.stderr);
    };
    look(world.feed(&account, "set rds/password -vv", &format!("{CANARY}\n")));
    look(world.feed(&account, "set app/oauth_client_secret -vv", &format!("{CANARY}-two\n")));
    look(world.feed(&account, "set app/oauth_client_secret --yes", &format!("{CANARY} with space\n")));
    look(world.feed(&account, &format!("set rds/password {CANARY}"), ""));
    for verb in [
        "list",
        "diff",
        "push --dry-run",
        "push",
        "push --yes",
        "verify",
        "diff",
        "pull --yes",
        "rotate --dry-run",
    ] {
        look(world.run(&account, &format!("{verb} -vv")));
        look(world.run(&account, &format!("{verb} -vv --format json")));
    }
    // The same for what a file, a version, a command or a mistake brings.
    let elsewhere = Folder::empty();
    std::fs::write(elsewhere.path().join(format!("{CANARY}.txt")), format!("a\n{CANARY}\n")).unwrap();
    let scan = format!("scan {}", elsewhere.path().display());
    look(world.feed(&account, "import --yes -vv", &format!("DB_PASSWORD={CANARY}\nOTHER={CANARY}\n")));
    look(world.feed(&account, "import --yes -vv", &format!("DB_PASSWORD={CANARY}\n{CANARY}\n")));
    look(world.feed(&account, "set app/oauth_client_secret --yes -vv", &format!("{CANARY}-three\n")));
    look(world.run(&account, "-vv push --bump --yes"));
    let versions = world.run(&account, "history app/oauth_client_secret --format json").exits(0).json();
    let back = format!(
        "rollback app/oauth_client_secret --yes --to {}",
        versions["versions"][1]["id"].as_str().unwrap()
    );
    for verb in [
        &back,
        &scan,
        "history rds/password",
        "history app/oauth_client_secret",
        "verify --max-age 90d",
        "verify --strict",
        "diff rds/password",
        "push rds/password --yes",
        "push --force --yes",
        "pull rds/password --yes",
        "exec -- env",
        "exec --pristine -- env",
        "exec --only rds/password --as MYSQL_PWD=rds/password -- env",
        "exec --from aws -- env",
        "exec --db-host 127.0.0.1:3306 -- env",
        "exec --dry-run -- env",
        "rotate --verify",
    ] {
        look(world.run(&account, &format!("-vv {verb}")));
        look(world.run(&account, &format!("-vv --format json {verb}")));
    }
    for mistake in MISTAKES {
        let mistake = mistake.replace("VALUE", CANARY);
        look(world.run(&account, &format!("-vv {mistake}")));
        look(world.run(&account, &format!("-vv --format json {mistake}")));
    }
    // Values that break the rules, only in AWS: refusals must not quote them either.
    let (rds, app) = (world.secret("rds"), world.secret("app"));
    account.ask(&format!(
        "m = client('secretsmanager')\nm.put_secret_value(SecretId='{rds}', SecretString=json.dumps({{'username': '{CANARY}', 'password': '{CANARY} *'}}))\nm.put_secret_value(SecretId='{app}', SecretString='{{\"{CANARY}')"
    ));
    for verb in ["diff", "pull --yes", "push --yes", "verify", "rollback rds/password --yes", "rotate --yes"]
    {
        look(world.run(&account, &format!("{verb} -vv")));
    }
    assert!(
        said.contains("osmt-secrets")
            && said.contains("GetSecretValue")
            && said.contains("[redacted].txt:2:"),
        "the runs said nothing: the search proves nothing"
    );
    assert!(
        said.matches("MYSQL_PWD=[redacted]").count() == 2 && said.contains("DB_URI=osmt_admin:[redacted]@"),
        "{said}"
    );
    // What was on the command line is not echoed either.
    assert!(!said.contains(CANARY), "{said}");
    assert!(!world.config_text().contains(CANARY));
    let folder = world.config().parent().unwrap().to_owned();
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "a file was left behind");
}

#[test]
#[cfg(target_os = "linux")]
fn a_running_process_shows_no_value_to_others() {
    let Some(world) = World::new() else { return };
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_osmt-secrets"))
        .args(["--keyring", "kernel", "--dir"])
        .arg(world.config().parent().unwrap())
        .args(["set", "rds/password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(CANARY.as_bytes()).unwrap();
    // It sleeps, so it has read what there is and waits for the end of the line.
    // Only root may read the environment of a process that refuses debuggers.
    let read = |file| match std::fs::read(format!("/proc/{}/{file}", child.id())) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => b"denied".to_vec(),
        other => other.unwrap(),
    };
    while !String::from_utf8_lossy(&read("stat")).contains(") S ") || read("cmdline").is_empty() {
        std::thread::yield_now();
    }
    for file in ["cmdline", "environ"] {
        let text = String::from_utf8_lossy(&read(file)).into_owned();
        assert!(!text.is_empty() && !text.contains(CANARY), "{file}: {text}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(world.kept("rds/password").as_deref(), Some(CANARY));
}

#[test]
fn a_command_gets_the_values_and_its_output_does_not() {
    let Some(world) = World::new() else { return };
    world.offline("exec -- true", "").exits(4).says("rds/password is not in");
    let given = format!(
        r#"{{"rds": {{"password": "{CANARY}"}}, "app": {{"oauth_client_secret": "{CANARY}&more"}}}}"#
    );
    world.offline("import", &given).exits(0).shows("2 to create");
    // Each form arrives in the child; none comes out of it.
    let script = world.config().with_file_name("show.py");
    let text = r#"
import base64, json, os, sys, urllib.parse
values = [os.environ["DB_PASSWORD"], os.environ["OAUTH_CLIENTSECRET"]]
for value in values:
    for form in (value, urllib.parse.quote(value), json.dumps({"v": value}), base64.b64encode(("u:" + value).encode()).decode()):
        print("out", len(form), form)
        print("err", len(form), form, file=sys.stderr)
sys.stdout.write(values[0][:9]); sys.stdout.flush()
sys.stdout.write(values[0][9:] + " end " + os.environ["DB_USER"] + "\n")
sys.exit(7 if len(sys.argv) > 1 else 0)
"#;
    crate::support::write(&script, text);
    let command = format!("exec -q -- python3 {}", script.display());
    let ran = world.offline(&command, "").exits(0);
    let said = ran.stdout.clone() + &ran.stderr;
    for form in [
        CANARY.to_owned(),
        format!("{CANARY}%26more"),
        "Q2FuYXJ5LTlmMjdi".to_owned(),
        "DYW5hcnktOWYyN2".to_owned(),
    ] {
        assert!(!said.contains(&form), "{said}");
    }
    assert!(
        ran.stdout.contains("out 28 [redacted]\n") && ran.stderr.contains("err 28 [redacted]\n"),
        "{said}"
    );
    assert!(ran.stdout.ends_with("[redacted] end osmt_admin\n"), "{said}");
    world.offline(&format!("{command} fail"), "").exits(7);
    world.offline("exec -- /nowhere/program", "").exits(3).says("could not run");
    world.offline("exec --dry-run -- true", "").exits(1).shows("DB_USER, DB_PASSWORD");
}
