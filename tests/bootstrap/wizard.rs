//! `init` on a terminal: what the account provides need not be typed.

use std::path::Path;

use serde_json::{Value, json};

use crate::init::{checkout, read};
use crate::support::{Emulator, snapshot};

/// `init` on a terminal with these lines as input: its exit and what it printed.
fn on_a_terminal(emulator: &Emulator, dir: &Path, more: &str, lines: &[&str]) -> (i64, String) {
    let program = env!("CARGO_BIN_EXE_osmt-bootstrap");
    let input = lines.join("\n") + "\n";
    let dir = dir.display().to_string();
    let script = format!(
        "import os, pty, subprocess
{more}
os.environ.update(AWS_CONFIG_FILE='/dev/null', AWS_SHARED_CREDENTIALS_FILE='/dev/null', AWS_MAX_ATTEMPTS='1')
ours, theirs = pty.openpty()
os.write(ours, {input:?}.encode())
ended = subprocess.run([{program:?}, 'init', '--dir', {dir:?}], stdin=theirs, capture_output=True, timeout=120)
answer = [ended.returncode, ended.stderr.decode()]"
    );
    let answer = emulator.ask(&script);
    let said = answer[1].as_str().unwrap().to_owned();
    (answer[0].as_i64().unwrap(), said)
}

/// The zones that the config has.
fn zones(dir: &Path) -> Value {
    let config: Value = serde_json::from_str(&read(dir, "config.auto.tfvars.json")).unwrap();
    config["config"]["vpc"]["azs"].clone()
}

/// Everything after the region, and the network as it is offered.
const TYPED: [&str; 7] = [
    "test",
    "osmt.example.org",
    "Z0123456789ABCDEFGHIJ",
    "https://login.example.org/x",
    "abc",
    "api://default",
    "",
];

#[test]
fn on_a_terminal_the_regions_and_zones_of_the_account_are_offered() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    // The account's number as offered; a region that there is not, then one that there is; zones likewise.
    let mut lines = vec!["", "moon-west-1", "eu-central-1"];
    lines.extend(TYPED);
    lines.extend(["eu-central-1a", "eu-central-1a,eu-central-1z", "", "y"]);
    let (exit, said) = on_a_terminal(&emulator, dir, "", &lines);
    assert_eq!(exit, 0, "{said}");
    snapshot("bootstrap/init-on-a-terminal", &said, &folder.own());
    assert_eq!(zones(dir), json!(["eu-central-1a", "eu-central-1b"]));
    let calls = emulator.calls();
    for call in ["ec2:DescribeRegions", "ec2:DescribeAvailabilityZones"] {
        assert!(calls.iter().any(|made| made == call), "{calls:?}");
    }
}

/// IAM is global in an account: two deployments of an environment would have the same role names.
#[test]
fn for_a_second_region_the_names_of_roles_get_the_region() {
    let emulator = Emulator::start();
    emulator.has_the_stack_of("test", "eu-central-1");
    for (region, is_second) in [("us-west-2", true), ("eu-central-1", false)] {
        let folder = checkout();
        let dir = folder.path();
        let shipped = read(dir, "operations.tf");
        let mut lines = vec!["", region];
        lines.extend(TYPED);
        lines.extend(["", "y"]);
        let (exit, said) = on_a_terminal(&emulator, dir, "", &lines);
        assert_eq!(exit, 0, "{said}");
        let with = shipped.replacen("operations = {", "operations = {\n    region_in_names = true", 1);
        assert_eq!(read(dir, "operations.tf"), if is_second { with } else { shipped });
        assert_eq!(said.contains("has the environment in eu-central-1 already"), is_second, "{said}");
    }
}

#[test]
fn where_ec2_does_not_answer_the_first_two_zones_are_taken() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    let mut lines = vec!["", ""];
    lines.extend(TYPED);
    lines.push("y");
    let unreached = "os.environ['AWS_ENDPOINT_URL_EC2'] = 'http://127.0.0.1:9'";
    let (exit, said) = on_a_terminal(&emulator, dir, unreached, &lines);
    assert_eq!(exit, 0, "{said}");
    snapshot("bootstrap/init-without-ec2", &said, &folder.own());
    assert_eq!(zones(dir), json!(["us-west-2a", "us-west-2b"]));
}

#[test]
fn the_wizard_says_why_the_account_offers_nothing() {
    let emulator = Emulator::start_as("210987654321");
    let folder = checkout();
    let mut lines = vec!["123456789012", "us-west-2"];
    lines.extend(TYPED);
    lines.push("y");
    let (exit, said) = on_a_terminal(&emulator, folder.path(), "", &lines);
    assert_eq!(exit, 0, "{said}");
    let mut all = vec![format!("==> credentials for another account\n{said}\n")];

    let folder = checkout();
    lines.insert(2, "Prod");
    let unreached = "os.environ['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:9'";
    let (exit, said) = on_a_terminal(&emulator, folder.path(), unreached, &lines);
    assert_eq!(exit, 0, "{said}");
    // The doctor judges each answer.
    all.push(format!("==> no network, and an answer that the doctor refuses\n{said}\n"));
    snapshot("bootstrap/init-without-suggestions", &all.concat(), &folder.own());
}

/// `init` on a screen: what is waited for and what is typed then; its exit and everything that was on the screen.
fn on_a_screen(emulator: &Emulator, dir: &Path, typed: &[(&str, &str)]) -> (i64, String) {
    let program = env!("CARGO_BIN_EXE_osmt-bootstrap");
    let dir = dir.display().to_string();
    let script = format!(
        "import fcntl, os, pty, select, struct, subprocess, termios, time
os.environ.update(AWS_CONFIG_FILE='/dev/null', AWS_SHARED_CREDENTIALS_FILE='/dev/null', AWS_MAX_ATTEMPTS='1', TERM='xterm')
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 160, 0, 0))
run = subprocess.Popen([{program:?}, 'init', '--dir', {dir:?}], stdin=theirs, stdout=theirs, stderr=theirs)
os.close(theirs)
seen = dict(screen='', read=0)
def more(seconds):
    if select.select([ours], [], [], seconds)[0]:
        try:
            seen['screen'] += os.read(ours, 65536).decode(errors='replace')
            return True
        except OSError:
            pass
    return False
missed = ''
for wanted, keys in json.loads({typed:?}):
    begun = time.time()
    while wanted not in seen['screen'][seen['read']:] and time.time() - begun < 60 and run.poll() is None:
        more(1)
    if wanted not in seen['screen'][seen['read']:]:
        missed = wanted
        break
    seen['read'] = seen['screen'].index(wanted, seen['read']) + len(wanted)
    while more(0.3):
        pass
    os.write(ours, keys.encode())
begun = time.time()
while run.poll() is None and time.time() - begun < 60 and not missed:
    more(0.2)
while more(0.2):
    pass
if run.poll() is None:
    run.kill()
answer = [run.wait(), seen['screen'] + (' NEVER SEEN: ' + missed if missed else '')]",
        // Rust and Python write the key for delete differently.
        typed = serde_json::to_string(typed).unwrap().replace('\u{7f}', "\\u007f"),
    );
    let answer = emulator.ask(&script);
    (answer[0].as_i64().unwrap(), answer[1].as_str().unwrap().to_owned())
}

const LEFT: &str = "\u{1b}[D";
const DOWN: &str = "\u{1b}[B";

#[test]
fn on_a_screen_answers_can_be_edited_explained_and_corrected() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    let edited = format!("{}\u{7f}\u{7f}osmt.\r", LEFT.repeat(11));
    let block = format!("{}10.20.0.0/22\r", "\u{7f}".repeat(10));
    let third = format!("{}\r", DOWN.repeat(3));
    let (exit, screen) = on_a_screen(
        &emulator,
        dir,
        &[
            ("[1/10] AWS account id", "\r"),
            ("[2/10] AWS region", "eu-central-1\r"),
            ("[3/10] name of the environment", "?\r"),
            ("the names of all resources begin with it", ""),
            ("[3/10] name of the environment", "te<t\r"),
            ("leave `<` and `>` out", "\u{7f}\u{7f}\u{7f}set\r"),
            ("[4/10] host name", "<\r"),
            ("[tset]", "test\r"),
            ("[4/10] host name", "*.example.org\r"),
            ("name one host", &edited),
            ("[5/10] id of the Route 53 zone", "Z0123456789ABCDEFGHIJ\r"),
            ("[6/10] OAuth issuer", "https://login.example.org/x\r"),
            ("[7/10] OAuth client id", "abc\r"),
            ("[8/10] OAuth audience", "api://default\r"),
            ("[9/10] address block", "8.8.8.0/24\r"),
            ("is a block of public addresses", &block),
            ("[10/10] two or more zones", "\r"),
            ("stop; the answers are kept", &third),
            ("[3/10] name of the environment", "prod\r"),
            ("stop; the answers are kept", "\r"),
        ],
    );
    assert_eq!(exit, 0, "{screen}");
    let config = read(dir, "config.auto.tfvars.json");
    snapshot("bootstrap/init-changed-answers", &config, &[]);
    assert!(!dir.join(".osmt-init-answers.json").exists());
}

#[test]
fn answers_of_an_interrupted_run_are_offered_again() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    let (exit, screen) = on_a_screen(
        &emulator,
        dir,
        &[
            ("AWS account id", "\r"),
            ("AWS region", "us-west-2\r"),
            ("name of the environment", "blue\r"),
            ("host name", "\u{3}"),
        ],
    );
    assert_eq!(exit, 130, "{screen}");
    assert!(!dir.join("main.tf").exists());
    let (exit, screen) = on_a_screen(
        &emulator,
        dir,
        &[
            ("the answers of the previous run are suggested", ""),
            ("AWS account id", "\r"),
            ("AWS region", "\r"),
            ("name of the environment, like test or prod [blue]", "\u{3}"),
        ],
    );
    assert_eq!(exit, 130, "{screen}");
}

/// What a terminal shows after these characters: every line that was printed and not erased.
fn shown(raw: &str) -> Vec<String> {
    let (mut lines, mut row, mut column) = (vec![Vec::<char>::new()], 0_usize, 0_usize);
    let mut rest = raw.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{8}' => column = column.saturating_sub(1),
            '\u{1b}' if rest.next_if_eq(&'[').is_some() => {
                let mut parameters = String::new();
                while let Some(next) = rest.next_if(|next| !next.is_ascii_alphabetic()) {
                    parameters.push(next);
                }
                let number = parameters.parse::<usize>().unwrap_or(1);
                match rest.next() {
                    Some('A') => row = row.saturating_sub(number),
                    Some('B') => row += number,
                    Some('C') => column += number,
                    Some('D') => column = column.saturating_sub(number),
                    Some('G') => column = number - 1,
                    Some('K') => {
                        let from = if parameters == "2" { 0 } else { column };
                        lines[row].truncate(from);
                    }
                    Some('J') => {
                        lines.truncate(row + 1);
                        lines[row].truncate(column);
                    }
                    _ => {}
                }
            }
            char if char.is_control() => {}
            char => {
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = char;
                column += 1;
            }
        }
        lines.resize(lines.len().max(row + 1), Vec::new());
    }
    lines.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned()).collect()
}

#[test]
fn the_documented_session_is_that_of_the_wizard() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    let third = format!("{}\r", DOWN.repeat(3));
    let block = format!("{}10.20.0.0/22\r", "\u{7f}".repeat(10));
    let (exit, raw) = on_a_screen(
        &emulator,
        dir,
        &[
            ("[1/10] AWS account id", "\r"),
            ("[2/10] AWS region", "eu-central-1\r"),
            ("[3/10] name of the environment", "?\r"),
            ("the names of all resources begin with it", ""),
            ("[3/10] name of the environment", "test\r"),
            ("[4/10] host name", "osmt.example.org.\r"),
            ("leave the final dot out", "\u{7f}\r"),
            ("[5/10] id of the Route 53 zone", "none\r"),
            ("[6/10] OAuth issuer", "<\r"),
            ("[5/10] id of the Route 53 zone", "\r"),
            ("[6/10] OAuth issuer", "https://login.example.org/x\r"),
            ("[7/10] OAuth client id", "abc\r"),
            ("[8/10] OAuth audience", "api://default\r"),
            ("[9/10] address block", "8.8.8.0/24\r"),
            ("is a block of public addresses", &block),
            ("[10/10] two or more zones", "\r"),
            ("stop; the answers are kept", &third),
            ("[3/10] name of the environment", "\u{7f}\u{7f}\u{7f}\u{7f}prod\r"),
            ("stop; the answers are kept", "\r"),
        ],
    );
    assert_eq!(exit, 0, "{raw}");
    // The list as it is before the last answer, then what follows it.
    let end = "stop; the answers are kept for the next run";
    let at = raw.rfind(end).unwrap() + end.len();
    let path = dir.display().to_string();
    let session =
        |raw: &str| shown(raw).join("\n").replace(&path, "terraform/invocation").trim_end().to_owned();
    let (list, whole) = (session(&raw[..at]), session(&raw));
    let after = whole.rsplit_once("2 to create\n").map_or("", |(_, after)| after);
    let text = format!("```text\n$ osmt-bootstrap init\n{list}\n{after}\n```\n");
    let docs = crate::support::root().join("docs/bootstrap.md");
    let page = std::fs::read_to_string(&docs).unwrap();
    let (begin, end) = ("<!-- wizard: begin -->\n", "<!-- wizard: end -->");
    let (before, rest) = page.split_once(begin).unwrap();
    let (documented, behind) = rest.split_once(end).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(docs, format!("{before}{begin}{text}{end}{behind}")).unwrap();
    } else {
        assert_eq!(documented, text, "UPDATE_DOCS=1 records the session again");
    }
}
