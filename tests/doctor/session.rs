//! A terminal session as a picture: what the real binaries print, in their colours, in light and dark.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests write files of their own, start programs, and say what they skip"
)]

use std::fmt::Write as _;
use std::fs;
use std::process::Command as Program;

use serde_json::json;

use super::base;
use super::browser::{browser, measured};
use super::support;
use super::support::{Emulator, root, run};

/// The account of the good configs; the emulator plays it.
const ACCOUNT: &str = "617300482915";
const COLUMNS: usize = 100;
const LINES: [&str; 5] = [
    "osmt-doctor check",
    "osmt-doctor fix --yes",
    "osmt-doctor check",
    "osmt-bootstrap apply --yes",
    "osmt-bootstrap apply --yes",
];

/// Width of a character and height of a line, in pixels, of text in `SIZE`.
const SIZE: usize = 15;
const ADVANCE: f64 = 9.03;
const LINE: usize = 20;
const MARGIN: usize = 24;

const STYLE: &str = r#"
svg { --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --red: #a40e26; --green: #116329; --yellow: #7d4e00; --blue: #0550ae; --magenta: #6639ba; --cyan: #1b5f6e; }
@media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --soft: #a5adb6; --red: #ff7b72; --green: #56d364; --yellow: #e3b341; --blue: #79c0ff; --magenta: #d2a8ff; --cyan: #76e3ea; } }
text { font: 15px "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace; white-space: pre; fill: var(--ink); }
.paper { fill: var(--paper); stroke: var(--soft); }
.typed, .bold { font-weight: bold; }
.prompt, .faint { fill: var(--soft); }
.red { fill: var(--red); } .green { fill: var(--green); } .yellow { fill: var(--yellow); } .blue { fill: var(--blue); } .magenta { fill: var(--magenta); } .cyan { fill: var(--cyan); }
"#;

/// The classes that one escape sequence of colours adds to, or clears.
fn style(codes: &str, classes: &mut Vec<&'static str>) {
    for code in codes.split(';') {
        match code {
            "" | "0" => classes.clear(),
            "1" => classes.push("bold"),
            "2" => classes.push("faint"),
            "31" | "91" => classes.push("red"),
            "32" | "92" => classes.push("green"),
            "33" | "93" => classes.push("yellow"),
            "34" | "94" => classes.push("blue"),
            "35" | "95" => classes.push("magenta"),
            "36" | "96" => classes.push("cyan"),
            other => panic!("the picture has no style for \\e[{other}m"),
        }
    }
}

/// A line in pieces of one style: where each begins, its classes, its text.
fn pieces(line: &str) -> Vec<(usize, String, String)> {
    let (mut column, mut classes, mut found) = (0, Vec::new(), Vec::new());
    for (at, part) in line.split("\u{1b}[").enumerate() {
        let text = if at == 0 {
            part
        } else {
            let (codes, text) = part.split_once('m').expect("only colours are printed");
            style(codes, &mut classes);
            text
        };
        let bare = text.trim();
        if !bare.is_empty() {
            let before = text.chars().take_while(|c| c.is_whitespace()).count();
            found.push((column + before, classes.join(" "), bare.to_owned()));
        }
        column += text.chars().count();
    }
    assert!(column <= COLUMNS, "wider than {COLUMNS} columns: {line}");
    found
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The session: each command with what it printed.
fn picture(session: &[(&str, String)]) -> String {
    let (mut rows, mut row) = (String::new(), 0);
    let mut put = |row: usize, column: usize, classes: &str, text: &str| {
        let x = f64::from(u32::try_from(column).unwrap()).mul_add(ADVANCE, 24.0);
        let y = MARGIN + SIZE + row * LINE;
        let class = if classes.is_empty() { String::new() } else { format!(" class=\"{classes}\"") };
        writeln!(rows, "<text x=\"{x:.2}\" y=\"{y}\"{class}>{}</text>", escaped(text)).unwrap();
    };
    for (command, output) in session {
        put(row, 0, "prompt", "$");
        put(row, 2, "typed", command);
        row += 1;
        for line in output.lines() {
            for (column, classes, text) in pieces(line) {
                put(row, column, &classes, &text);
            }
            row += 1;
        }
        row += 1;
    }
    let height = 2 * MARGIN + row * LINE;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1000 {height}\" width=\"1000\" height=\"{height}\" role=\"img\">\n\
         <title>A terminal session: osmt-doctor finds and corrects a mistake, osmt-bootstrap prepares the account</title>\n\
         <style>{STYLE}</style>\n\
         <rect class=\"paper\" x=\"1\" y=\"1\" width=\"998\" height=\"{}\" rx=\"8\"/>\n{rows}</svg>\n",
        height - 2
    )
}

/// What the binaries print in a fresh directory with one mistake in its config.
fn session() -> Vec<(&'static str, String)> {
    let account = Emulator::start_as(ACCOUNT);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("terraform/invocation");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("config.auto.tfvars.json"), base("test").replace("osmt_db", "osmt")).unwrap();
    let printed = |line: &'static str| {
        let (binary, arguments) = line.split_once(' ').unwrap();
        let mut command = Program::new("sh");
        let program = support::binary(binary);
        command.args(["-c", &format!("exec '{program}' {arguments} --color always 2>&1")]);
        command.current_dir(folder.path()).envs(account.environment.iter().cloned());
        (line, run(command.env("COLUMNS", COLUMNS.to_string())).stdout)
    };
    LINES.map(printed).into()
}

/// A new rule changes how many checks passed, and nothing that the picture is for.
fn without_counts(picture: &str) -> String {
    let lines = picture.lines().map(|line| match line.strip_suffix(" checks passed</text>") {
        Some(before) => before.trim_end_matches(|c: char| c.is_ascii_digit()),
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `docs/session.svg` is what this version prints; `UPDATE_DOCS=1` writes it anew. In light and dark, a browser shows every text
/// apart and readable.
#[test]
fn the_session_in_the_documentation_is_of_this_version() {
    let drawn = picture(&session());
    let file = root().join("docs/session.svg");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &drawn).unwrap();
    }
    let shown = fs::read_to_string(file).unwrap();
    assert_eq!(
        without_counts(&shown),
        without_counts(&drawn),
        "UPDATE_DOCS=1 cargo test --test doctor session"
    );
    for own in ["/tmp", "127.0.0.1", env!("CARGO_MANIFEST_DIR")] {
        assert!(!drawn.contains(own), "{own}");
    }
    let Some(browser) = browser() else {
        eprintln!("skipped: Chromium is missing; on Debian: apt install chromium");
        return;
    };
    for dark in [false, true] {
        let found = measured(browser, &drawn, dark);
        assert_eq!(found["faults"], json!([]), "{found:#}");
        assert_eq!((&found["dark"], &found["ground"]), (&json!(dark), &json!(dark)));
        assert_eq!(found["texts"], json!(drawn.matches("<text ").count()));
    }
}
