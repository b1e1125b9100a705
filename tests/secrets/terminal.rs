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
