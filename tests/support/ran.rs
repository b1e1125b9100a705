//! What a run of a binary came to.

use std::fmt::Write as _;

use assert_cmd::Command;
use serde_json::Value;

use super::snapshot::snapshot;

/// The exit and both streams of a run.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end. Where a signal ended it, the exit is -1.
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
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

    /// The one JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The whole output is that of `tests/snapshots/NAME.txt`; `own` are texts that are of this run alone, with their names.
    #[track_caller]
    pub(crate) fn matches(self, name: &str, own: &[(&str, &str)]) -> Self {
        let mut text = format!("exit {}\n", self.exit);
        for (stream, content) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !content.is_empty() {
                let _ = write!(text, "--- {stream}\n{content}");
                if !content.ends_with('\n') {
                    text.push_str("\\ no newline at the end\n");
                }
            }
        }
        snapshot(name, &text, own);
        self
    }
}
