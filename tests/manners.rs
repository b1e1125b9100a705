//! What all four binaries owe a person and a script: one document, no escape sequences, honest exits, whole files.

#![expect(clippy::disallowed_methods, reason = "the tests make files as another program would")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use osmt::command::{Context, SharedArgs, Tool};
use osmt::explain::{Exit, Failure};
use serde_json::Value;
use support::{Folder, Ran, config, osmt, run, run_into, write};

const BINARIES: [&str; 4] = ["osmt-bootstrap", "osmt-secrets", "osmt-doctor", "osmt-release"];

/// A verb of each binary that reads the config first.
const READERS: [(&str, &[&str]); 3] = [
    ("osmt-bootstrap", &["plan"]),
    ("osmt-secrets", &["diff"]),
    ("osmt-release", &["tag", "HEAD", "--offline"]),
];

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn colour_is_off_where_it_is_not_wanted() {
    for binary in BINARIES {
        for (name, value, flag) in
            [("X", "", "--color=never"), ("NO_COLOR", "1", "--color=auto"), ("TERM", "dumb", "--color=auto")]
        {
            for arguments in [["--help"], ["--no-such-flag"]] {
                run(osmt(binary).arg(flag).args(arguments).env(name, value)).lacks("\u{1b}");
            }
        }
        run(osmt(binary).args(["--color", "always", "--no-such-flag"])).says("\u{1b}");
        for (value, is_forced) in [("1", true), ("0", false)] {
            let ran = run(osmt(binary).arg("--no-such-flag").env("CLICOLOR_FORCE", value));
            assert_eq!(ran.stderr.contains('\u{1b}'), is_forced, "{binary} {value}");
        }
    }
}

#[test]
fn a_lost_answer_is_not_a_success() {
    for binary in BINARIES {
        for arguments in [&["--help"] as &[&str], &["--version"], &["man"], &["completions", "bash"]] {
            let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            run_into(osmt(binary).args(arguments), full).exits(3).says("error: could not write to stdout");
        }
    }
}

#[test]
fn bad_flags_are_one_json_document_too() {
    for binary in BINARIES {
        for format in [&["--format", "json"] as &[&str], &["--format=json"]] {
            let document = run(osmt(binary).args(format).arg("--no-such-flag")).exits(2).json();
            assert_eq!(document["status"], "usage", "{binary}");
            assert!(document["error"]["message"].as_str().unwrap().contains("--no-such-flag"), "{binary}");
        }
    }
}

#[test]
fn a_file_name_cannot_write_a_line_of_its_own() {
    let name = "x\nerror: \u{1b}[31mforged\u{9b}1m";
    for (binary, verb) in READERS.into_iter().chain([("osmt-doctor", &["check"] as &[&str])]) {
        for color in ["always", "never"] {
            let ran = run(osmt(binary).args(["--color", color, "--config", name]).args(verb)).exits(2);
            ran.lacks("\u{1b}[31mforged").lacks("\u{9b}").lacks("\nerror: ");
        }
    }
}

#[test]
fn an_argument_cannot_steer_the_terminal() {
    let text = "x\u{1b}[2J\u{9b}31m\u{202e}\r\u{7f}";
    let flag = format!("--{text}");
    for binary in BINARIES {
        for arguments in [&[text] as &[&str], &[&flag], &["--format", text], &["--endpoint-url", text]] {
            for color in ["always", "never"] {
                let ran = run(osmt(binary).args(["--color", color]).args(arguments)).exits(2);
                let said = ran.lacks("\u{1b}[2J").stderr;
                let is_raw = |char: char| matches!(char, '\u{9b}' | '\u{202e}' | '\r' | '\u{7f}');
                assert!(!said.contains(is_raw), "{binary} {arguments:?}: {said:?}");
            }
        }
    }
}

/// A folder with a config that was changed in one place.
fn folder(from: &str, to: &str) -> Folder {
    let folder = Folder::empty();
    let whole = config("test");
    let text = whole.replacen(from, to, 1);
    assert_ne!(text, whole, "{from}");
    write(&folder.path().join("config.auto.tfvars.json"), &text);
    folder
}

#[test]
fn what_the_doctor_calls_an_error_stops_every_verb_that_would_use_it() {
    for (from, to, code) in [
        ("\"env\": \"test\"", "\"env\": \"test\", \"env\": \"prod\"", "JSON002"),
        ("\"env\": \"test\"", "\"env\": \"test\", \"\\u0065nv\": \"prod\"", "JSON002"),
        ("\"rds\": {", "\"rds\": { \"multi_az\": false,", "JSON002"),
        ("\"secrets_revision\": 1", "\"secrets_revision\": 2147483648", "REV001"),
        ("\"secrets_revision\": 1", "\"secrets_revision\": 9223372036854775807", "REV001"),
        ("\"secrets_revision\": 1", "\"secrets_revision\": 0", "REV001"),
    ] {
        let folder = folder(from, to);
        for (binary, verb) in READERS {
            run(osmt(binary).arg("--dir").arg(folder.path()).args(verb)).exits(2).says(code).says("line ");
        }
    }
}

#[test]
fn a_variable_set_to_nothing_is_not_set() {
    let folder = Folder::empty();
    write(&folder.path().join("config.auto.tfvars.json"), &config("test"));
    let list = |name: &str, value: &str| {
        let mut command = osmt("osmt-secrets");
        run(command.arg("--dir").arg(folder.path()).arg("list").env(name, value)).exit
    };
    assert_ne!(list("OSMT_KEYRING", ""), 2);
    assert_eq!(list("OSMT_KEYRING", "nowhere"), 2);
    assert_ne!(list("AWS_ENDPOINT_URL", ""), 2);
}

#[cfg(unix)]
#[test]
fn fix_leaves_a_file_what_it_was() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = Folder::empty();
    let real = folder.path().join("real.json");
    let link = folder.path().join("config.auto.tfvars.json");
    let broken = config("test").replacen("\"multi_az\": true", "\"multi_az\": \"true\"", 1);
    assert_ne!(broken, config("test"));
    symlink("real.json", &link).unwrap();
    let fix = |text: &str, prepare: &dyn Fn(&Path)| {
        let _ = fs::remove_file(&real);
        fs::write(&real, text).unwrap();
        prepare(&real);
        run(osmt("osmt-doctor").arg("fix").arg("--yes").arg(&link))
    };
    let Ran { exit, stderr, .. } = fix(&broken, &|_| {});
    assert!(matches!(exit, 0 | 1), "{stderr}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_ne!(fs::read_to_string(&real).unwrap(), broken);
    fix(&broken, &|path| fs::set_permissions(path, fs::Permissions::from_mode(0o444)).unwrap()).exits(4);
    assert_eq!(fs::read_to_string(&real).unwrap(), broken);
    let other = folder.path().join("other.json");
    fix(&broken, &|path| fs::hard_link(path, &other).unwrap()).exits(4);
    assert_eq!(fs::read_to_string(&other).unwrap(), broken);
}

/// A limit on the size of files stops each write half-way, as a full disk does.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_whole_is_left_as_it_was() {
    let folder = Folder::empty();
    let at = |name: &str| folder.path().join(name).display().to_string();
    for part in ["module", "invocation"] {
        for entry in fs::read_dir(support::root().join("terraform").join(part)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                let name = entry.file_name().into_string().unwrap();
                write(&folder.path().join(part).join(name), &fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    let dir = at("invocation");
    write(&Path::new(&dir).join("config.auto.tfvars.json"), &config("test").replace("osmt_db", "osmt"));
    write(&folder.path().join("old.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    write(
        &folder.path().join("plan.json"),
        r#"{"format_version":"1.2","planned_values":{},"resource_changes":[]}"#,
    );
    let before = folder.files();
    let answers = "--account-id 123456789012 --env test --region us-west-2 --domain osmt.rehearsal-school.org --hosted-zone-id \
        Z2ABCDEFGHIJ1234567 --oauth-issuer https://rehearsal-school.okta.com/oauth2/default --oauth-client-id \
        0oa7zqk42VbXw1Rn9297 --oauth-audience api://other --vpc-cidr 10.0.0.0/16";
    for (binary, arguments) in [
        ("osmt-doctor", "fix --yes".to_owned()),
        ("osmt-doctor", format!("draw -o {}", at("old.svg"))),
        ("osmt-doctor", format!("draw -o {}", at("new.svg"))),
        ("osmt-doctor", format!("plan {} --report {}", at("plan.json"), at("new.html"))),
        ("osmt-bootstrap", format!("init --yes {answers}")),
    ] {
        let mut shell = std::process::Command::new("sh");
        shell.args([
            "-c",
            "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"",
            support::binary(binary),
            "--dir",
            &dir,
        ]);
        let ran = run(shell.args(arguments.split_whitespace()).env("AWS_EC2_METADATA_DISABLED", "true"));
        ran.exits(3).says("error: could not write").says("File too large");
        assert_eq!(folder.files(), before, "{binary} {arguments}");
    }
}

/// What every binary is, around a defect.
#[derive(clap::Parser)]
#[command(name = "osmt-defect", version)]
struct Defect {
    #[command(flatten)]
    shared: SharedArgs,
    /// What the test below starts its own program with.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _arguments: Vec<String>,
}

impl Tool for Defect {
    const WRITES: &[&str] = &[];

    fn shared(&self) -> &SharedArgs {
        &self.shared
    }

    fn run(self, _: &Context) -> Result<Exit, Failure> {
        extern "C" fn where_nothing_unwinds() {
            panic!("a defect");
        }
        match std::env::var("OSMT_DEFECT").as_deref() {
            Ok("at once") => panic!("a defect"),
            Ok("in a thread") => {
                let _ = std::thread::spawn(|| panic!("a defect")).join();
                Ok(Exit::Done)
            }
            // Without the hook this aborts, as every panic of a release would.
            _ => {
                where_nothing_unwinds();
                Ok(Exit::Done)
            }
        }
    }
}

/// Nothing by itself: the test below starts it in a process of its own.
#[test]
fn a_binary_with_a_defect() {
    if std::env::var_os("OSMT_DEFECT").is_some() {
        let exit = osmt::command::main::<Defect>();
        panic!("it ended with {exit:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_defect_ends_with_101_a_message_and_no_core_file() {
    for place in ["at once", "in a thread", "without unwinding"] {
        let folder = Folder::empty();
        let mut shell = std::process::Command::new("sh");
        shell.args([
            "-c",
            "ulimit -c unlimited || ulimit -c; exec \"$0\" a_binary_with_a_defect --exact --nocapture",
        ]);
        shell.arg(std::env::current_exe().unwrap()).current_dir(folder.path()).env("OSMT_DEFECT", place);
        // A signal would be -1.
        let ran = run(&mut shell).exits(101);
        ran.says("a defect").says("error: osmt-defect ").says("help: report it");
        assert!(folder.files().is_empty(), "{place}: {:?}", folder.files());
    }
}

/// The lines below "Examples" of a help that are commands of ours, each without its comment, its pipe and its redirection.
fn examples(help: &str) -> Vec<Vec<String>> {
    let (_, lines) = help.split_once("\nExamples").unwrap_or_default();
    let commands =
        lines.lines().flat_map(|line| line.trim().split("  ").next().unwrap_or_default().split('|'));
    let ours = commands.map(str::trim).filter(|command| command.starts_with("osmt-"));
    let words = |command: &str| {
        command.split(['>', '<']).take(1).flat_map(str::split_whitespace).map(str::to_owned).collect()
    };
    ours.map(words).collect()
}

#[test]
fn every_example_of_the_help_is_a_command() {
    let mut count = 0;
    for binary in BINARIES {
        let help = run(osmt(binary).arg("--help")).exits(0).stdout;
        let verbs = help.split_once("Commands:\n").unwrap().1.lines();
        let verbs = verbs.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
        let verbs: Vec<&str> = verbs.filter_map(|line| line.split_whitespace().next()).collect();
        assert!(verbs.len() > 5, "{verbs:?}");
        let of_verb = |verb: &&str| examples(&run(osmt(binary).args([verb, "--help"])).stdout);
        let own = verbs.iter().filter(|verb| **verb != "help").flat_map(of_verb);
        for mut words in examples(&help).into_iter().chain(own) {
            count += 1;
            let at = words.iter().position(|word| word == "--").unwrap_or(words.len());
            words.insert(at, "--help".to_owned());
            run(osmt(&words[0]).args(&words[1..])).exits(0);
        }
    }
    assert!(count > 60, "{count}");
}

/// A `terraform` that starts another program and waits for it, as Terraform does with its providers.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_during_terraform_show_ends_it_and_what_it_started() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, Instant};

    let folder = Folder::empty();
    let ids = folder.path().join("ids");
    let terraform = folder.path().join("terraform");
    write(&terraform, &format!("#!/bin/sh\nsleep 300 &\necho $$ $! > {}\nwait\n", ids.display()));
    fs::set_permissions(&terraform, fs::Permissions::from_mode(0o755)).unwrap();
    let plan = folder.path().join("saved.tfplan");
    fs::write(&plan, b"PK\x03\x04 and what a plan holds").unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    for signal in ["-TERM", "-INT", "-HUP"] {
        let _ = fs::remove_file(&ids);
        let child = std::process::Command::new(support::binary("osmt-doctor"))
            .args(["plan", "--format", "json", "--dir"])
            .args([folder.path(), &plan])
            .env("PATH", &path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        let started = loop {
            let text = fs::read_to_string(&ids).unwrap_or_default();
            if text.ends_with('\n') {
                break text;
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "terraform was not started");
            std::thread::sleep(Duration::from_millis(20));
        };
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal}: {}", stderr(&output));
        assert!(stderr(&output).contains("error: interrupted"), "{signal}: {}", stderr(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["status"], "interrupted", "{signal}");
        for id in started.split_whitespace() {
            // A process that was killed is still there until the kernel gets to it.
            let end = Instant::now() + Duration::from_secs(20);
            let runs = || {
                let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
                !stat.is_empty() && !stat.contains(") Z ")
            };
            while runs() {
                assert!(Instant::now() < end, "{signal}: {id} still runs");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}
