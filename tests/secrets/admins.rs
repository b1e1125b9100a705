//! Two administrators, two processes: the newer value wins.

use std::process::Stdio;
use std::time::Duration;

use crate::support::Emulator;
use crate::world::World;

#[test]
fn a_stale_keyring_never_overwrites_a_newer_value() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    let ann = world.snapshot();

    // Bob, on a machine of his own.
    world.offline("rm --all --yes", "").exits(0);
    world.run(&account, "pull --yes").exits(0);
    world.run(&account, "rotate --yes").exits(0);
    let newer = world.held(&account, "rds")["password"].as_str().unwrap().to_owned();

    // Ann, whose keyring still has the old value, changes another secret.
    world.become_one(&ann);
    assert_ne!(world.kept("rds/password").as_deref(), Some(newer.as_str()));
    world.offline("set app/oauth_client_secret --yes", "anns-new-client-secret\n").exits(0);
    for verb in ["push --yes", "push --yes --dry-run", "push rds/password --yes"] {
        world.run(&account, verb).exits(4).says("rds/password: AWS is newer").says("pull rds/password");
    }
    assert_eq!(world.held(&account, "rds")["password"], newer.as_str());
    assert_ne!(world.held(&account, "app")["oauth_client_secret"], "anns-new-client-secret");
    let diff = world.run(&account, "diff --format json").exits(1).json();
    let newer_side = |name: &str| {
        let rows = diff["secrets"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap()["newer"].clone()
    };
    assert_eq!(
        (newer_side("rds/password"), newer_side("app/oauth_client_secret")),
        ("aws".into(), "keyring".into())
    );
    world.run(&account, "verify").exits(1).shows("differs; AWS is newer");
    world.run(&account, "rotate --yes").exits(4).says("AWS is newer");

    // What is hers alone goes; what is newer comes.
    world.run(&account, "push app/oauth_client_secret --yes").exits(0).shows("done: changed secret osmt/");
    assert_eq!(world.held(&account, "app")["oauth_client_secret"], "anns-new-client-secret");
    world.run(&account, "pull rds/password --yes").exits(0);
    assert_eq!(world.kept("rds/password").as_deref(), Some(newer.as_str()));
    world.run(&account, "verify").exits(0);

    // Both changed: refused, unless it is insisted on.
    world.become_one(&ann);
    world.offline("set rds/password --yes", "anns-own-password\n").exits(0);
    world.run(&account, "push rds/password --yes").exits(4).says("both changed");
    world.run(&account, "push rds/password --yes --force").exits(0);
    assert_eq!(world.held(&account, "rds")["password"], "anns-own-password");
}

#[test]
fn a_value_that_was_set_before_another_administrator_pushed_is_older() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.offline("generate rds/password", "").exits(0);
    world.offline("set app/oauth_client_secret", "the-same-on-both\n").exits(0);
    let ann = world.snapshot();
    std::thread::sleep(Duration::from_millis(1100));
    world.offline("rm --all --yes", "").exits(0);
    world.pushed(&account);
    world.become_one(&ann);
    world.run(&account, "push --yes").exits(4).says("AWS is newer");
    // Set after that: newer.
    std::thread::sleep(Duration::from_millis(1100));
    world.offline("generate rds/password --force", "").exits(0);
    world.run(&account, "push rds/password --yes").exits(0);
}

#[test]
fn a_push_and_a_rotation_at_once_never_undo_the_rotation() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    for pause in [0, 60, 80, 100, 120, 140] {
        let before = world.held(&account, "rds")["password"].clone();
        let start = |verb: &[&str]| {
            let mut command = world.program(Some(&account));
            command
                .args(verb)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let rotation = start(&["rotate", "--yes"]);
        std::thread::sleep(Duration::from_millis(pause));
        let push = start(&["push", "--yes"]);
        let rotation = rotation.wait_with_output().unwrap();
        let push = push.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&push.stderr).into_owned();
        assert!(matches!(push.status.code(), Some(0 | 4)), "{said}");
        assert_eq!(rotation.status.code(), Some(0), "{}", String::from_utf8_lossy(&rotation.stderr));
        let after = world.held(&account, "rds")["password"].clone();
        assert_ne!(before, after, "after {pause} ms the push undid the rotation");
        assert_eq!(after.as_str(), world.kept("rds/password").as_deref());
    }
}

#[test]
fn two_equal_pushes_at_once_both_succeed() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.offline("generate rds/password", "").exits(0);
    world.offline("set app/oauth_client_secret", "issued\n").exits(0);
    for _ in 0..3 {
        let start = || {
            let mut command = world.program(Some(&account));
            command.args(["push", "--yes"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        for run in [start(), start()] {
            let ended = run.wait_with_output().unwrap();
            assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
        }
        world.run(&account, "diff").exits(0);
        world.offline("generate rds/password --force", "").exits(0);
    }
}

#[test]
fn entries_of_the_former_service_move_and_two_accounts_share_none() {
    use osmt::keyring::{Choice, Keyring};
    let Some(world) = World::new() else { return };
    let former = Keyring::open(Choice::Kernel, &format!("osmt/{}", world.env)).unwrap();
    former.set("rds/password", &"from-before-1".into()).unwrap();
    world.offline("list --dry-run", "").exits(0).shows("rds/password             set");
    assert_eq!(world.kept("rds/password"), None, "a dry run moves nothing");
    world.offline("list", "").exits(0).says("moved 1 keyring entry").shows("rds/password             set");
    assert_eq!(world.kept("rds/password").as_deref(), Some("from-before-1"));
    assert!(former.get("rds/password").unwrap().is_none());
    world.offline("list", "").exits(0);

    let text = world.config_text().replace(crate::support::ACCOUNT, "210987654321");
    std::fs::write(world.config(), text).unwrap();
    world.offline("list", "").exits(0).shows("rds/password             missing");
}
