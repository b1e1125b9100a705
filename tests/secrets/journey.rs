//! From the keyring to the account and back: list, set, generate, rm, diff, push, pull, verify.

use crate::support::Emulator;
use crate::world::World;

#[test]
fn values_go_to_the_account_once_and_come_back() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.run(&account, "push --yes").exits(4).matches("secrets/push-without-values", &world.own());
    world.offline("generate rds/password", "").exits(0);
    world.offline("set app/oauth_client_secret", "issued\n").exits(0);
    world.offline("list", "").exits(0).matches("secrets/list", &world.own());
    world.run(&account, "diff").exits(1).matches("secrets/diff-new", &world.own());

    // Nothing is written without a yes, and a dry run writes nothing.
    world.run(&account, "push").exits(4).says("cannot ask for confirmation without a terminal");
    world.run(&account, "push --dry-run").exits(1).matches("secrets/push-dry-run", &world.own());
    let wrote = |calls: Vec<String>| calls.iter().any(|call| call.contains("Create") || call.contains("Put"));
    assert!(!wrote(account.calls()));

    let pushed = world.run(&account, "push --yes --format json").exits(0);
    assert_eq!(pushed.json()["status"], "applied");
    let rds = world.held(&account, "rds");
    assert_eq!(rds["username"], "osmt_admin");
    assert_eq!(rds["password"].as_str(), world.kept("rds/password").as_deref());
    assert_eq!(world.held(&account, "app")["oauth_client_secret"], "issued");
    let name = world.secret("rds");
    let tags = account.ask(&format!(
        "answer = sorted([t['Key'], t['Value']] for t in client('secretsmanager').describe_secret(SecretId='{name}')['Tags'])"
    ));
    let expected = serde_json::json!([
        ["Application", "osmt"],
        ["Environment", world.env],
        ["ManagedBy", "osmt-bootstrap"]
    ]);
    assert_eq!(tags, expected);

    world.run(&account, "push --yes").exits(0).shows("nothing to do");
    world.run(&account, "diff").exits(0);
    world.run(&account, "verify").exits(0).matches("secrets/verify", &world.own());

    // A changed entry shows, is pulled back only after a yes, and a missing one comes back.
    world.offline("set rds/password --yes", "another-password\n").exits(0);
    world.run(&account, "diff").exits(1).matches("secrets/diff-changed", &world.own());
    world.run(&account, "verify").exits(1).matches("secrets/verify-changed", &world.own());
    world.run(&account, "pull").exits(4);
    world.offline("rm app/oauth_client_secret --yes", "").exits(0);
    world.run(&account, "pull --yes").exits(0).matches("secrets/pull", &world.own());
    world.run(&account, "diff").exits(0);
}

#[test]
fn what_others_keep_in_a_secret_stays_and_what_is_not_ours_is_refused() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.offline("generate rds/password", "").exits(0);
    world.offline("set app/oauth_client_secret", "issued\n").exits(0);
    let rds = world.secret("rds");
    account.ask(&format!(
        r#"client('secretsmanager').create_secret(Name='{rds}', SecretString='{{"n": 12345678901234567890.10, "deep": {{"a": [1, null]}}, "password": "old"}}')"#
    ));
    // Keys, not the whole; and the tags that were missing.
    world.run(&account, "push --yes").exits(0).shows("tag Environment");
    let text = account.ask(&format!(
        "answer = client('secretsmanager').get_secret_value(SecretId='{rds}')['SecretString']"
    ));
    let text = text.as_str().unwrap();
    assert!(
        text.starts_with(r#"{"n": 12345678901234567890.10, "deep": {"a": [1, null]}, "password": ""#),
        "{}",
        text.len()
    );
    world.run(&account, "rm --all --remote --yes").exits(4).says("also contains 2 keys");

    // Bytes, plain text, rotation by AWS: refused, untouched, by every verb that would write.
    let app = world.secret("app");
    for (change, reason) in [
        ("put_secret_value(SecretId=name, SecretBinary=b'bytes')", "is not a JSON object"),
        ("put_secret_value(SecretId=name, SecretString='just text')", "is not a JSON object"),
    ] {
        let shown = account.ask(&format!(
            "name = '{app}'\nm = client('secretsmanager')\nm.{change}\nanswer = m.describe_secret(SecretId=name)['VersionIdsToStages']"
        ));
        for verb in ["push", "pull", "diff", "rm --all --remote", "rotate app/oauth_client_secret"] {
            world.feed(&account, &format!("{verb} --yes"), "new-one\n").exits(4).says(reason);
        }
        let after = account.ask(&format!(
            "answer = client('secretsmanager').describe_secret(SecretId='{app}')['VersionIdsToStages']"
        ));
        assert_eq!(shown, after);
    }
}

#[test]
fn a_deleted_secret_is_restored_and_removal_can_be_final() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    world.run(&account, "rm --all --remote").exits(4);
    world.run(&account, "rm --all --remote --yes").exits(0).shows("30 days");
    world.run(&account, "rm --all --remote --yes").exits(0).shows("nothing to do");
    world.run(&account, "diff").exits(1).shows("scheduled for deletion");
    world.run(&account, "verify").exits(1).shows("push` restores it");
    world.offline("set rds/password --yes", "changed-meanwhile\n").exits(0);
    world.run(&account, "push --yes").exits(0).shows("scheduled for deletion: yes → no");
    assert_eq!(world.held(&account, "rds")["password"], "changed-meanwhile");
    world.run(&account, "verify").exits(0);

    world.run(&account, "rm --all --remote --no-recovery --yes").exits(0).shows("cannot be restored");
    let left = account
        .ask("answer = client('secretsmanager').list_secrets(IncludePlannedDeletion=True)['SecretList']");
    assert_eq!(left, serde_json::json!([]));
    world.run(&account, "push --yes").exits(0).shows("2 to create");
}

#[test]
fn a_write_by_another_user_between_plan_and_yes_is_a_conflict() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    world.offline("set rds/password --yes", "mine-mine-mine\n").exits(0);
    // A terminal of its own: while the question is open, another user writes, then the answer is yes.
    let act = format!(
        r#"
until(b"[y/N]")
theirs = json.dumps({{"username": "osmt_admin", "password": "theirs-theirs"}})
client("secretsmanager").put_secret_value(SecretId={:?}, SecretString=theirs)
type_in(b"y\n")
answer = end()
"#,
        world.secret("rds")
    );
    let shown = world.on_terminal(&account, "push", &act);
    assert_eq!(shown[0], 4, "{}", shown[1]);
    assert!(shown[1].as_str().unwrap().contains("another user or process changed"), "{}", shown[1]);
    assert_eq!(world.held(&account, "rds")["password"], "theirs-theirs");
}

#[test]
fn the_wrong_account_no_credentials_and_no_network_write_nothing() {
    let Some(world) = World::new() else { return };
    world.offline("generate rds/password", "").exits(0);
    world.offline("set app/oauth_client_secret", "issued\n").exits(0);
    let other = Emulator::start_as("210987654321");
    for verb in ["diff", "push", "pull", "verify", "rotate", "rollback rds/password", "rm --all --remote"] {
        world.run(&other, &format!("{verb} --yes")).exits(4).says("account 210987654321");
        world.offline(&format!("{verb} --yes"), "").exits(3).says("no AWS credentials");
    }
    let asked: Vec<_> = other.calls().into_iter().filter(|call| !call.starts_with("sts:")).collect();
    assert!(asked.is_empty(), "{asked:?}");
    world.run(&other, "push --yes --endpoint-url http://127.0.0.1:1").exits(3).says("could not reach AWS");
}

#[test]
fn values_do_not_leave_this_machine_unencrypted() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    let before = account.calls().len();
    // The same emulator by an address that does not say that it is this machine.
    let elsewhere = account.endpoint.replace("127.0.0.1", "0.0.0.0");
    for verb in ["push", "pull", "diff", "verify", "rotate", "rm --all --remote"] {
        let command = format!("{verb} --yes --endpoint-url {elsewhere}");
        world.run(&account, &command).exits(4).says("is not encrypted and not on this machine");
    }
    let calls = account.calls().split_off(before);
    assert!(calls.iter().all(|call| call.starts_with("sts:")), "{calls:?}");
}

#[test]
fn verify_sees_whether_terraform_composed_the_address_of_todays_password() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    let name = world.secret("db-uri");
    let password = world.kept("rds/password").unwrap();
    let compose = |value: &str| {
        account.ask(&format!(
            "m = client('secretsmanager')\nvalue = json.dumps({{'DB_URI': '{value}'}})\ntry:\n    m.create_secret(Name='{name}', SecretString=value)\nexcept m.exceptions.ResourceExistsException:\n    m.put_secret_value(SecretId='{name}', SecretString=value)"
        ));
    };
    compose(&format!("osmt_admin:{password}@db.internal:3306"));
    world.run(&account, "verify").exits(0).shows("matches the database's secret");
    compose(&format!("osmt_admin:{password}@db.internal:3306:3306"));
    world.run(&account, "verify").exits(1).shows("has no DB_URI of the form");
    compose("osmt_admin:yesterdays-one@db.internal:3306");
    let ran = world.run(&account, "verify --format json").exits(1);
    let checks = ran.json()["checks"].clone();
    let last = checks.as_array().unwrap().last().unwrap();
    assert_eq!((&last["verdict"], &last["item"]), (&"ng".into(), &name.into()));
    assert!(!ran.stdout.contains("yesterdays-one"));
}
