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
use osmt::command::Tool;
use support::{is_installed, osmt, run};

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
    let script = run(osmt(binary).args(["completions", shell])).exits(0).stdout;
    let file = tempfile::NamedTempFile::new().unwrap();
    support::write(file.path(), &script);
    file
}

/// What the shell answers; `None` where it is not installed.
fn shell(program: &str, arguments: &[&str]) -> Option<String> {
    if !is_installed(program) {
        // In the test's output, which is shown with --nocapture and where the test fails.
        eprintln!("skipped: {program} is not installed");
        return None;
    }
    Some(run(Command::new(program).args(arguments)).exits(0).stdout)
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

/// Types a beginning and the tab key into an interactive zsh, and prints the line that comes of it.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PROMPT= RPROMPT=; autoload -U compinit; compinit -u -D; source $1; shown() { print -r -- \"<<\$BUFFER>>\"; BUFFER=; }; zle -N shown; bindkey '^I' complete-word; bindkey '^X' shown; print READY-NOW | tr N M"
zpty -r -m shell seen '*READY-MOW*'
for line in "${@:2}"; do
  zpty -w -n shell "$line"$'\t\C-X'
  zpty -r -m shell seen '*<<*>>*'
  print -r -- "${${seen##*<<}%%>>*}"
done
"#;

#[test]
fn zsh_completes_behind_every_verb() {
    for command in binaries() {
        let name = command.get_name();
        let file = script(name, "zsh");
        let lines: Vec<String> = verbs(&command).iter().map(|verb| format!("{name} {verb} --col")).collect();
        let script = file.path().display().to_string();
        let mut arguments = vec!["-f", "-c", ZSH, "zsh", &script];
        arguments.extend(lines.iter().map(String::as_str));
        let Some(answer) = shell("zsh", &arguments) else {
            return;
        };
        let wanted: Vec<String> = lines.iter().map(|line| format!("{line}or=")).collect();
        assert_eq!(answer.lines().map(str::trim_end).collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn the_help_of_a_verb_has_examples_and_no_flag_that_it_ignores() {
    fn of<T: Tool>() -> (Vec<&'static str>, Vec<&'static str>) {
        (T::WRITES.to_vec(), T::FINDINGS.to_vec())
    }
    let known = [
        of::<command::bootstrap::Bootstrap>(),
        of::<command::secrets::Secrets>(),
        of::<command::doctor::Doctor>(),
        of::<command::release::Release>(),
    ];
    for (command, (writes, findings)) in binaries().into_iter().zip(known) {
        let name = command.get_name();
        let verbs = verbs(&command);
        for verb in writes.iter().chain(&findings) {
            assert!(verbs.iter().any(|known| known == verb), "{name} {verb}");
        }
        for verb in verbs {
            let help = run(osmt(name).args([&verb, "--help"])).exits(0).stdout;
            assert!(help.contains("\nExamples:\n"), "{name} {verb}: {help}");
            assert!(help.contains(&format!("  {name} ")) || verb == "man" || verb == "completions", "{help}");
            assert_eq!(help.contains("--dry-run\n"), writes.contains(&&*verb), "{name} {verb}: {help}");
            assert_eq!(help.contains("sarif"), findings.contains(&&*verb), "{name} {verb}: {help}");
            let is_about_itself = verb == "man" || verb == "completions";
            assert_eq!(help.contains("--profile"), !is_about_itself && help.contains("--region"), "{help}");
        }
    }
    // A format that is not shown is still refused with the reason.
    run(osmt("osmt-bootstrap").args(["plan", "--format", "sarif"]))
        .exits(2)
        .says("`sarif`, `github`, `gitlab`, `junit` and `markdown` are for findings");
}

#[test]
fn each_verb_has_a_page_and_each_page_says_what_people_look_for() {
    for command in binaries() {
        let name = command.get_name();
        let page = |arguments: &[&str]| run(osmt(name).arg("man").args(arguments)).exits(0).stdout;
        let whole = page(&[]);
        for heading in
            ["NAME", "SYNOPSIS", "SUBCOMMANDS", "EXAMPLES", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES"]
        {
            assert!(whole.contains(&format!(".SH {heading}\n")), "{name}: {heading}");
        }
        for verb in verbs(&command) {
            let text = page(&[&verb]);
            assert!(text.contains(&format!(".TH {name}-{verb} 1")), "{name} {verb}: {text}");
            for heading in ["EXAMPLES", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES"] {
                assert!(text.contains(&format!(".SH {heading}\n")), "{name} {verb}: {heading}");
            }
            assert!(!text.contains(".SH SUBCOMMANDS"), "{name} {verb}");
        }
        run(osmt(name).args(["man", "no-such-verb"])).exits(2);
    }
}
