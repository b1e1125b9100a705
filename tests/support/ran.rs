//! What a run of a program came to.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use serde_json::Value;

use super::snapshot::snapshot;

/// What takes longer hangs: it is ended, and its test fails.
const LIMIT: Duration = Duration::from_secs(300);

/// The exit and both streams of a run.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end, with nothing on stdin. Where a signal ended it, the exit is -1.
pub(crate) fn run(command: &mut Command) -> Ran {
    run_with(command, "")
}

/// Runs a command to its end, with this on stdin.
pub(crate) fn run_with(command: &mut Command, stdin: impl AsRef<[u8]>) -> Ran {
    finish(command.stdout(Stdio::piped()), stdin)
}

/// Runs a command to its end, with this file as its stdout.
pub(crate) fn run_into(command: &mut Command, stdout: File) -> Ran {
    finish(command.stdout(stdout), "")
}

/// Whether a program can be started and prints its version.
pub(crate) fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn finish(command: &mut Command, stdin: impl AsRef<[u8]>) -> Ran {
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (id, mut input, stdin) = (child.id().to_string(), child.stdin.take().unwrap(), stdin.as_ref());
    let (done, waited) = mpsc::channel::<()>();
    let output = std::thread::scope(|scope| {
        // A program may end without reading all of it.
        scope.spawn(move || input.write_all(stdin));
        scope.spawn(move || {
            if waited.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &id]).status();
            }
        });
        let output = child.wait_with_output().unwrap();
        drop(done);
        output
    });
    Ran {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The exit is as expected, or the test shows what was printed.
    #[track_caller]
    pub(crate) fn exits(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{self:#?}");
        self
    }

    /// A text is on stderr.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no `{text}` in\n{}", self.stderr);
        self
    }

    /// A text is on stdout.
    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no `{text}` in\n{}", self.stdout);
        self
    }

    /// A text is on neither stream.
    #[track_caller]
    pub(crate) fn lacks(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "`{text}` in\n{self:#?}");
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// What was printed on both streams.
    pub(crate) fn both(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The whole output is that of `tests/snapshots/NAME.txt`; `own` are texts that are of this run alone, with their names.
    #[track_caller]
    pub(crate) fn matches(self, name: &str, own: &[(&str, &str)]) -> Self {
        snapshot(name, &self.text(), own);
        self
    }

    /// The whole output below a heading: several of them make one snapshot.
    pub(crate) fn transcript(&self, heading: &str) -> String {
        format!("==> {heading}\n{}\n", self.text())
    }

    fn text(&self) -> String {
        let mut text = format!("exit {}\n", self.exit);
        for (stream, content) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !content.is_empty() {
                let _ = write!(text, "--- {stream}\n{content}");
                if !content.ends_with('\n') {
                    text.push_str("\\ no newline at the end\n");
                }
            }
        }
        text
    }
}
