//! The completion scripts in real shells, and the manual pages.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "the tests start shells; a panic is how they fail"
)]

mod support;

use std::process::Command;

use clap::CommandFactory as _;
use osmt::command;
use support::osmt;

fn binaries() -> [clap::Command; 4] {
    [
        command::bootstrap::Bootstrap::command(),
        command::secrets::Secrets::command(),
        command::doctor::Doctor::command(),
        command::release::Release::command(),
    ]
}

fn verbs(command: &clap::Command) -> Vec<String> {
    command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .map(|verb| verb.get_name().to_owned())
        .collect()
}

fn script(binary: &str, shell: &str) -> tempfile::NamedTempFile {
    let output = osmt(binary).args(["completions", shell]).output().unwrap();
    assert!(output.status.success());
    let file = tempfile::NamedTempFile::new().unwrap();
    support::write(file.path(), &String::from_utf8(output.stdout).unwrap());
    file
}

/// What the shell answers; `None` where it is not installed.
fn shell(program: &str, arguments: &[&str]) -> Option<String> {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        // Said in the test's output, which is shown with --nocapture and where the test fails.
        eprintln!("skipped: {program} is not installed");
        return None;
    };
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn bash_completes_behind_every_verb() {
    for command in binaries() {
        let name = command.get_name();
        let file = script(name, "bash");
        let function = format!("_{}", name.replace('-', "__"));
        for verb in verbs(&command) {
            let program = format!(
                "source {}\nCOMP_WORDS=({name} {verb} --col); COMP_CWORD=2\n{function} {name} --col {verb}\necho \"${{COMPREPLY[@]}}\"",
                file.path().display()
            );
            let answer = shell("bash", &["--norc", "-c", &program]).unwrap();
            assert_eq!(answer.trim(), "--color", "{name} {verb}");
        }
    }
}

#[test]
fn fish_completes_behind_every_verb() {
    for command in binaries() {
        let name = command.get_name();
        let file = script(name, "fish");
        for verb in verbs(&command) {
            let program = format!("source {}; complete -C '{name} {verb} --col'", file.path().display());
            let Some(answer) = shell("fish", &["--no-config", "-c", &program]) else {
                return;
            };
            assert!(answer.starts_with("--color"), "{name} {verb}: {answer}");
        }
    }
}

#[test]
fn zsh_takes_the_scripts() {
    for command in binaries() {
        let name = command.get_name();
        let file = script(name, "zsh");
        let program = format!(
            "autoload -U compinit; compinit -u -D; source {}; whence -w _{name}; print $_comps[{name}]",
            file.path().display()
        );
        let Some(answer) = shell("zsh", &["-f", "-c", &program]) else {
            return;
        };
        assert_eq!(answer, format!("_{name}: function\n_{name}\n"));
    }
}

#[test]
fn each_verb_has_a_page_and_each_page_says_what_people_look_for() {
    for command in binaries() {
        let name = command.get_name();
        let page = |arguments: &[&str]| {
            let output = osmt(name).arg("man").args(arguments).output().unwrap();
            assert!(output.status.success(), "{name} {arguments:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let whole = page(&[]);
        for heading in ["NAME", "SYNOPSIS", "SUBCOMMANDS", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES"] {
            assert!(whole.contains(&format!(".SH {heading}\n")), "{name}: {heading}");
        }
        for verb in verbs(&command) {
            let text = page(&[&verb]);
            assert!(text.contains(&format!(".TH {name}-{verb} 1")), "{name} {verb}: {text}");
            assert!(
                text.contains(".SH \"EXIT STATUS\"\n") && !text.contains(".SH SUBCOMMANDS"),
                "{name} {verb}"
            );
        }
        osmt(name).args(["man", "no-such-verb"]).assert().code(2);
    }
}
