//! Prompts on a terminal, in dash and bash: a signal ends them with the terminal as it was.

use serde_json::Value;

use crate::support::{Emulator, binary, on_terminal};
use crate::world::World;

/// Runs a shell on a terminal; the shell runs the prompt and prints its exit, then `act` is done.
fn in_shell(account: &Emulator, world: &World, shell: &str, act: &str) -> Value {
    let prompt = format!(
        "trap : INT TERM HUP; '{}' --dir '{}' set rds/password; echo code=$?; sleep 0.2",
        binary("osmt-secrets"),
        world.config().parent().unwrap().display()
    );
    let act = format!(
        r#"
until(b"(not shown): ")
quiet = termios.tcgetattr(terminal)[3]
tool = int(subprocess.check_output(["pgrep", "-P", str(pid), "-f", "osmt-secrets"]).split()[0])
{act}
until(b"code=", 30)
until(b"\n", 1)
after = termios.tcgetattr(terminal)[3]
answer = [seen.decode(), bool(quiet & termios.ECHO), after == before]
"#
    );
    account.ask(&on_terminal(&[shell, "-c", &prompt], &[("OSMT_KEYRING", "kernel")], &act))
}

#[test]
fn a_signal_at_a_prompt_restores_the_terminal_and_is_exit_130() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    for shell in ["dash", "bash"] {
        if std::process::Command::new(shell).args(["-c", "true"]).status().is_err() {
            eprintln!("skipped: {shell} is not installed");
            continue;
        }
        for act in [
            "os.write(terminal, b\"\\x03\")",
            "os.kill(tool, signal.SIGINT)",
            "os.kill(tool, signal.SIGTERM)",
            "os.kill(tool, signal.SIGHUP)",
        ] {
            let outcome = in_shell(&account, &world, shell, act);
            let said = outcome[0].as_str().unwrap();
            assert!(said.contains("code=130"), "{shell} {act}: {said}");
            assert!(said.contains("interrupted; nothing was written"), "{shell} {act}: {said}");
            assert_eq!(
                (&outcome[1], &outcome[2]),
                (&false.into(), &true.into()),
                "{shell} {act}: echo off, then as before"
            );
        }
    }
    assert_eq!(world.kept("rds/password"), None);
}

/// Answers the question with yes after a change that another process makes; the exit and what was said.
fn answered_late(account: &Emulator, world: &World, verb: &str, change: &str) -> Value {
    world.on_terminal(
        account,
        verb,
        &format!("until(b\"[y/N]\")\n{change}\ntype_in(b\"y\\n\")\nanswer = end()"),
    )
}

#[test]
fn what_changes_while_a_question_is_open_is_not_overwritten() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    let before = (world.kept("rds/password"), world.held(&account, "rds"));
    let config = world.config_text();
    let path = world.config();
    // Another revision, and another account.
    for (old, new) in
        [(r#""secrets_revision": 1"#, r#""secrets_revision": 5"#), ("123456789012", "210987654321")]
    {
        for verb in ["rotate rds/password", "push --bump"] {
            if verb == "push --bump" {
                world.offline("generate rds/password --force", "").exits(0);
            }
            let change = format!(
                "text = open({path:?}).read()\nassert {old:?} in text\nopen({path:?}, 'w').write(text.replace({old:?}, {new:?}))"
            );
            let outcome = answered_late(&account, &world, verb, &change);
            let said = outcome[1].as_str().unwrap();
            assert_eq!(outcome[0], 4, "{verb}: {said}");
            assert!(said.contains("changed in the meantime"), "{verb}: {said}");
            assert_eq!(world.config_text(), config.replace(old, new), "{verb}");
            assert_eq!(world.held(&account, "rds"), before.1, "{verb}: AWS was written");
            crate::support::write(&path, &config);
        }
        world.run(&account, "pull --yes").exits(0);
        assert_eq!(world.kept("rds/password"), before.0);
    }
    // An entry.
    let other = format!(
        "subprocess.run([{:?}, '--dir', {:?}, 'generate', 'rds/password', '--force'], env=dict(os.environ, OSMT_KEYRING='kernel'), check=True)",
        binary("osmt-secrets"),
        path.parent().unwrap()
    );
    for verb in ["rm rds/password", "pull"] {
        world.offline("generate rds/password --force", "").exits(0);
        let planned = world.kept("rds/password");
        let outcome = answered_late(&account, &world, verb, &other);
        let said = outcome[1].as_str().unwrap();
        assert_eq!(outcome[0], 4, "{verb}: {said}");
        assert!(
            said.contains("the keyring entry rds/password changed while the question was open"),
            "{verb}: {said}"
        );
        let kept = world.kept("rds/password");
        assert!(kept.is_some() && kept != planned && kept != before.0, "{verb}: the other's value is gone");
    }
}
