//! `rotate` and `rollback`, also where they were interrupted.

use secrecy::SecretString;

use crate::support::Emulator;
use crate::world::World;

fn revision(world: &World) -> u64 {
    let config: serde_json::Value = serde_json::from_str(&world.config_text()).unwrap();
    config["config"]["secrets_revision"].as_u64().unwrap()
}

#[test]
fn a_rotation_changes_all_three_places_and_a_rollback_brings_them_back() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.run(&account, "rotate --yes").exits(4).says("not in AWS yet");
    world.pushed(&account);
    world.run(&account, "rollback rds/password --yes").exits(4).says("no earlier version");
    let (before, text) = (world.kept("rds/password"), world.config_text());
    world.run(&account, "rotate").exits(4);
    world.run(&account, "rotate --dry-run").exits(1).matches("secrets/rotate-dry-run", &world.own());
    assert_eq!((world.kept("rds/password"), world.config_text()), (before.clone(), text.clone()));

    world.run(&account, "rotate --yes").exits(0).matches("secrets/rotate", &world.own());
    let after = world.kept("rds/password");
    assert_ne!(before, after);
    assert_eq!(world.held(&account, "rds")["password"].as_str(), after.as_deref());
    assert_eq!(world.config_text(), text.replace("\"secrets_revision\": 1", "\"secrets_revision\": 2"));
    world.run(&account, "verify").exits(0);
    assert_eq!(world.kept("rotation/rds"), None);

    world.run(&account, "rollback rds/password --yes").exits(0);
    assert_eq!(world.kept("rds/password"), before);
    assert_eq!(world.held(&account, "rds")["password"].as_str(), before.as_deref());
    assert_eq!(revision(&world), 3);
    world.run(&account, "rotate --yes").exits(0);
    world.run(&account, "verify").exits(0);

    world.feed(&account, "rotate app/oauth_client_secret --yes", "a-new-one\n").exits(0);
    assert_eq!(world.held(&account, "app")["oauth_client_secret"], "a-new-one");
    world.feed(&account, "rotate app/oauth_client_secret --yes", "a-new-one\n").exits(4);
    world.run(&account, "rotate rds/username --yes").exits(4).says("cannot rename it");
    world.offline("set rds/password --yes", "not-pushed-yet\n").exits(0);
    world.run(&account, "rotate --yes").exits(4).says("not the same");
}

#[test]
fn an_interrupted_rotation_goes_on_where_it_stopped() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    let name = world.secret("rds");
    let version = |account: &Emulator| {
        let shown = account.ask(&format!(
            "answer = client('secretsmanager').get_secret_value(SecretId='{name}', VersionStage='AWSCURRENT')['VersionId']"
        ));
        shown.as_str().unwrap().to_owned()
    };
    let journal = |base: &str, target: &str, revision: u64, value: &str| {
        let text = format!("rotate\nrds/password\n{base}\n{target}\n{revision}\n{value}");
        world.keyring.set("rotation/rds", &SecretString::from(text)).unwrap();
    };

    // Stopped after the journal: the value in it is used, not a second one.
    let base = version(&account);
    journal(&base, &"a".repeat(32), 1, "from-the-journal-1");
    world.run(&account, "push --yes").exits(4).says("did not finish");
    world.run(&account, "rollback rds/password --yes").exits(4).says("did not finish");
    world.run(&account, "verify").exits(1).shows("did not finish; run it again to finish it");
    world.run(&account, "rotate --yes").exits(0).says("continuing");
    assert_eq!(world.held(&account, "rds")["password"], "from-the-journal-1");
    assert_eq!((version(&account), revision(&world)), ("a".repeat(32), 2));

    // Stopped after the write to AWS: it is not written twice.
    journal(&base, &"a".repeat(32), 2, "from-the-journal-1");
    world.offline("set rds/password --yes", "older-in-keyring\n").exits(0);
    world.run(&account, "rotate --yes").exits(0);
    assert_eq!(world.kept("rds/password").as_deref(), Some("from-the-journal-1"));
    assert_eq!((version(&account), revision(&world)), ("a".repeat(32), 3));

    // Stopped after the config: the revision does not grow twice.
    journal(&base, &"a".repeat(32), 2, "from-the-journal-1");
    world.run(&account, "rotate --yes").exits(0);
    assert_eq!((revision(&world), world.kept("rotation/rds")), (3, None));

    // Another user wrote meanwhile: nothing is written until the journal is dropped.
    journal(&base, &"b".repeat(32), 3, "from-the-journal-2");
    world.run(&account, "rotate --yes").exits(4).says("another user or process changed");
    world.run(&account, "rotate --abandon --yes").exits(0);
    world.run(&account, "rotate --yes").exits(0);
    assert_eq!(revision(&world), 4);

    world.keyring.set("rotation/rds", &SecretString::from("nonsense canary-in-journal")).unwrap();
    let damaged = world.run(&account, "rotate --yes").exits(3).says("is damaged");
    assert!(!damaged.stderr.contains("canary"));
}

#[test]
fn a_config_that_cannot_be_written_leaves_a_rotation_that_can_be_finished() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    // Terraform's folder is a link into the void: the config reads, and cannot be replaced.
    let text = world.config_text();
    let blocked = world.config().with_file_name("blocked");
    std::fs::create_dir(&blocked).unwrap();
    std::fs::write(blocked.join("config.json"), &text).unwrap();
    let program = env!("CARGO_BIN_EXE_osmt-secrets");
    // A process may be shown to write no file at all: the kernel then refuses step four.
    let stopped = account.ask(&format!(
        r#"
import os, resource, signal, subprocess
def no_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
done = subprocess.run([{program:?}, "--config", {:?}, "--keyring", "kernel", "rotate", "--yes"], preexec_fn=no_files, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
answer = [done.returncode, done.stderr.decode()]
"#,
        blocked.join("config.json")
    ));
    assert_eq!(stopped[0], 3, "{}", stopped[1]);
    let shown = stopped[1].as_str().unwrap();
    assert!(shown.contains("it was not changed") && shown.contains("stopped after 3 of 5"), "{shown}");
    assert_eq!(std::fs::read_to_string(blocked.join("config.json")).unwrap(), text);
    assert_eq!(std::fs::read_dir(&blocked).unwrap().count(), 1, "no litter");
    world.run(&account, "rotate --yes").exits(0).shows("1 to change, 1 to delete");
    assert_eq!(revision(&world), 2);
    world.run(&account, "verify").exits(0);
}

#[cfg(unix)]
#[test]
fn a_read_only_config_is_refused_before_anything_changes() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    let before = world.held(&account, "rds");
    let mode =
        |mode| std::fs::set_permissions(world.config(), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o444);
    world.run(&account, "rotate --dry-run").exits(1);
    for verb in ["rotate --yes", "rollback rds/password --yes"] {
        world.run(&account, verb).exits(4).says("is read-only").lacks("already done");
    }
    assert_eq!(world.held(&account, "rds"), before);
    world.run(&account, "diff").exits(0).lacks("unfinished");
    world.offline("set app/oauth_client_secret --yes", "a-second-one\n").exits(0);
    world.run(&account, "push --bump --yes").exits(4).says("is read-only");
    world.run(&account, "diff").exits(1);
    world.run(&account, "push --yes").exits(0);
    mode(0o644);
    world.run(&account, "rotate --yes").exits(0);
}
