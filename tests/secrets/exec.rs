//! `exec`: the command behaves as if it were started alone.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{Emulator, run_into};
use crate::world::World;

const CANARY: &str = "Canary-77c1~exec";

fn filled() -> Option<World> {
    let world = World::new()?;
    let given = format!(
        r#"{{"rds": {{"password": "{CANARY}"}}, "app": {{"oauth_client_secret": "{CANARY}/a&b'c$d"}}}}"#
    );
    world.offline("import", &given).exits(0);
    Some(world)
}

/// A shell that has set its trap says so; then the signal comes.
fn trapped(
    world: &World,
    raw: bool,
    target: impl Fn(&Child) -> String,
    signal: &str,
) -> (Option<i32>, String) {
    let script = "trap 'echo heard; exit 7' TERM HUP INT; echo up; while :; do sleep 0.1; done";
    let mut command = world.program(None);
    command.arg("exec").args(raw.then_some("--raw")).args(["--", "sh", "-c", script]);
    // A group of its own, so that the group can be signalled without this test.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut first = [0u8; 3];
    out.read_exact(&mut first).unwrap();
    let sent = Command::new("kill").args([&format!("-{signal}"), "--", &target(&child)]).status().unwrap();
    assert!(sent.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    (child.wait().unwrap().code(), rest)
}

#[test]
fn signals_reach_the_command_and_its_last_words_reach_us() {
    let Some(world) = filled() else { return };
    for raw in [false, true] {
        for signal in ["TERM", "HUP", "INT"] {
            let one = trapped(&world, raw, |child| child.id().to_string(), signal);
            assert_eq!(one, (Some(7), "heard\n".to_owned()), "{signal} {raw}");
        }
        let group = trapped(&world, raw, |child| format!("-{}", child.id()), "INT");
        assert_eq!(group, (Some(7), "heard\n".to_owned()), "INT to the group, {raw}");
    }
}

#[test]
fn the_exit_is_the_commands() {
    let Some(world) = filled() else { return };
    for raw in ["", "--raw "] {
        let script = world.config().with_file_name("exit.sh");
        for (text, code) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255)] {
            crate::support::write(&script, text);
            world.offline(&format!("exec {raw}-- sh {}", script.display()), "").exits(code);
        }
    }
    let script = world.config().with_file_name("kill.sh");
    crate::support::write(&script, "kill -KILL $$");
    world.offline(&format!("exec -- sh {}", script.display()), "").exits(137);
    world.offline("exec -- /nowhere/program", "").exits(3).says("could not run");
    world.offline("exec --raw -- /nowhere/program", "").exits(3).says("could not run");
}

#[test]
fn lost_output_is_a_failure_and_a_closed_pipe_is_not() {
    let Some(world) = filled() else { return };
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    run_into(world.program(None).args(["exec", "--", "echo", "hi"]), full)
        .exits(3)
        .says("could not write the output");
    let mut child = world.program(None);
    let mut child = child
        .args(["exec", "-q", "--", "yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(141), None), "as `yes` alone: 128 + SIGPIPE");
    assert_eq!(said, "");
}

#[test]
fn a_process_left_in_the_background_does_not_hold_us() {
    let Some(world) = filled() else { return };
    let script = world.config().with_file_name("background.sh");
    crate::support::write(&script, "sleep 30 & echo started");
    let begun = std::time::Instant::now();
    world.offline(&format!("exec -- sh {}", script.display()), "").exits(0).shows("started");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_variables_are_chosen_and_named() {
    let Some(world) = filled() else { return };
    let script = world.config().with_file_name("names.sh");
    crate::support::write(
        &script,
        "env | cut -d= -f1 | sort | tr '\\n' ' '; printf '%s' \"$MYSQL_PWD\" | wc -c",
    );
    let run =
        |flags: &str| world.offline(&format!("exec {flags} -- sh {}", script.display()), "").exits(0).stdout;
    let has = |out: &str, name: &str| out.split_whitespace().any(|word| word == name);
    let out = run("--only rds/password --as MYSQL_PWD=rds/password");
    assert!(has(&out, "MYSQL_PWD") && !has(&out, "DB_PASSWORD") && !has(&out, "OAUTH_CLIENTSECRET"), "{out}");
    assert!(out.trim_end().ends_with(&CANARY.len().to_string()), "{out}");
    let out = run("--pristine");
    assert!(has(&out, "DB_PASSWORD") && has(&out, "PATH") && !has(&out, "HOME"), "{out}");
    let out = run("--db-host 127.0.0.1:3307");
    assert!(has(&out, "DB_URI"), "{out}");
    crate::support::write(&script, "echo \"$DB_URI\"");
    let out = run("--db-host 127.0.0.1:3307");
    assert_eq!(out, "osmt_admin:[redacted]@127.0.0.1:3307\n");
    world.offline("exec --as nonsense -- true", "").exits(2);
    world.offline("exec --only Canary-77c1~exec -- true", "").exits(2);
}

#[test]
fn a_job_without_a_keyring_reads_aws() {
    let Some(world) = filled() else { return };
    let account = Emulator::start();
    world.run(&account, "push --yes").exits(0);
    world.offline("rm --all --yes", "").exits(0);
    let script = world.config().with_file_name("length.sh");
    crate::support::write(&script, "printf '%s' \"$DB_PASSWORD\" | wc -c; echo \"$DB_PASSWORD\"");
    let command = format!("--keyring os exec --from aws -- sh {}", script.display());
    let ran = world.run(&account, &command).exits(0);
    assert_eq!(ran.stdout, format!("{}\n[redacted]\n", CANARY.len()));
}

#[test]
fn what_programs_make_of_a_value_is_masked() {
    let Some(world) = filled() else { return };
    let script = world.config().with_file_name("forms.sh");
    let text = r#"
v=$OAUTH_CLIENTSECRET
printf '%s\n' "$v"; printf '%q\n' "$v"; echo "${v@Q}"; (set -x; : "$v") 2>&1
printf '%s' "prefix $v and a tail that is long enough to wrap the line more than once" | base64
printf '%s' "prefix $v and a tail that is long enough to wrap the line more than once" | base64 -w 64
printf '%s' "$v" | od -An -tx1 | tr -d ' '
python3 - <<'P'
import os, json, html, shlex, urllib.parse, base64
v = os.environ["OAUTH_CLIENTSECRET"]
print(urllib.parse.quote(v)); print(urllib.parse.quote(v, safe="")); print(urllib.parse.quote_plus(v))
print(json.dumps(v)); print(json.dumps(json.dumps(v))); print(html.escape(v)); print(shlex.quote(v)); print(repr(v))
print(v.replace("~", "%7E").replace("/", "%2F").replace("&", "%26").replace("'", "%27").replace("$", "%24"))
print(json.dumps(v).replace("&", "\\u0026")); print(json.dumps(v).replace("/", "\\/"))
print(base64.encodebytes(b"x" * 50 + v.encode()).decode()); print(v.encode().hex())
P
"#;
    crate::support::write(&script, text);
    let ran = world.offline(&format!("exec -q -- bash {}", script.display()), "").exits(0);
    let (flat, coded) = (ran.stdout.replace('\n', ""), "Q2FuYXJ5");
    for piece in
        ["77c1", "a&b", "a%26b", "a\\u0026b", "a&amp;b", coded, "NhbmFyeS", "DYW5hcnkt", "43616e617279"]
    {
        assert!(!flat.contains(piece), "{piece} in\n{}", ran.stdout);
    }
    assert!(ran.stdout.matches("[redacted]").count() >= 20, "{}", ran.stdout);
}
