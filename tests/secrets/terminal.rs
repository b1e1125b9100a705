//! Prompts on a terminal, in dash and bash: a signal ends them with the terminal as it was.

use serde_json::Value;

use crate::support::Emulator;
use crate::world::World;

/// Runs a shell on a terminal; the shell runs the prompt and says its exit, then `script` acts.
fn on_terminal(account: &Emulator, world: &World, shell: &str, act: &str) -> Value {
    account.ask(&format!(
        r#"
import os, pty, select, signal, subprocess, termios, time
ready, go = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.read(ready, 1)
    os.environ["OSMT_KEYRING"] = "kernel"
    os.execvp({shell:?}, [{shell:?}, "-c", "trap : INT TERM HUP; '{program}' --dir '{folder}' set rds/password; echo code=$?; sleep 0.2"])
seen = b""
def until(text, limit=30):
    global seen
    end = time.time() + limit
    while text not in seen and time.time() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                return
before = termios.tcgetattr(terminal)[3]
os.write(go, b"x")
until(b"(not shown): ")
quiet = termios.tcgetattr(terminal)[3]
tool = int(subprocess.check_output(["pgrep", "-P", str(pid), "-f", "osmt-secrets"]).split()[0])
{act}
until(b"code=")
until(b"\n", 1)
after = termios.tcgetattr(terminal)[3]
answer = [seen.decode(), bool(quiet & termios.ECHO), after == before]
"#,
        program = env!("CARGO_BIN_EXE_osmt-secrets"),
        folder = world.config().parent().unwrap().display(),
    ))
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
            let outcome = on_terminal(&account, &world, shell, act);
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
