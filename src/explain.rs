//! The exit code and the help of an error.
//!
//! `command` prints errors; this module does not.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{Display, Write as _};
use std::path::Path;

use serde::Serialize;

/// How a run ends; the numbers are part of the contract with users and scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Nothing to report, or all applied and verified.
    Done = 0,
    /// Findings at or above `--fail-on`, a plan or diff that is not empty, drift.
    Pending = 1,
    /// Bad flags, or an input file that cannot be read as what it claims to be.
    Usage = 2,
    /// AWS, git, the keyring, the registry or the disk failed.
    Failed = 3,
    /// A guard, the wrong AWS account, no `--yes`, or "no" at the prompt.
    Refused = 4,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// All exits, sorted by number.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Pending, Self::Usage, Self::Failed, Self::Refused, Self::Interrupted];

    /// The exit code of the process.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name in the README's table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Pending => "pending",
            Self::Usage => "usage",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
        }
    }

    /// The meaning in the README's table.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "nothing to report, or all applied and verified",
            Self::Pending => "findings at or above `--fail-on`, a plan or diff that is not empty, drift",
            Self::Usage => "bad flags, or an input file that cannot be read as what it claims to be",
            Self::Failed => {
                "AWS, git, the keyring, the registry or the disk failed; the message says what was already done"
            }
            Self::Refused => "a guard, the wrong AWS account, no `--yes`, or \"no\" at the prompt",
            Self::Interrupted => "Ctrl-C; the message says what was already done",
        }
    }
}

/// The exit code and the help of an error.
///
/// The text is a lowercase fragment that fits after "could not", or a complete sentence.
pub trait Explain: Error {
    /// The exit of the process. The default is for errors of AWS and other services.
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    /// What the user can do.
    fn help(&self) -> Option<String> {
        None
    }
}

/// A text from a file, AWS or git with its control characters replaced, because they could change the terminal or the order of
/// the text: ASCII control characters by their symbol (`␛`, `␊`), others by their code (`<U+009B>`).
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\u{7f}' => shown.push('␡'),
            // The Unicode block "Control Pictures" has the same order.
            '\0'..' ' => shown.push(char::from_u32(0x2400 + u32::from(char)).unwrap_or('\u{fffd}')),
            _ if is_control(char) => {
                let _ = write!(shown, "<U+{:04X}>", u32::from(char));
            }
            _ => shown.push(char),
        }
    }
    Cow::Owned(shown)
}

/// A path for messages. A line break or an escape sequence in a file name must not look like output of this program.
pub fn shown(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

/// A number with its noun: `1 version`, `2 versions`.
pub fn count<N: Copy + PartialEq + From<u8> + Display>(number: N, noun: &str) -> String {
    if number == N::from(1) { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Whether a character controls the terminal or changes the direction of text.
pub fn is_control(char: char) -> bool {
    // C0, DEL and C1; line and paragraph separator; the bidirectional formatting characters (UAX #9).
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
        || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An error as it is printed: message, causes, help and exit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What went wrong, in one line.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// The exit of the process.
    #[serde(skip)]
    pub exit: Exit,
}

impl Failure {
    /// A failure without an underlying error.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new(), help: None, exit }
    }

    /// Puts the name of a file in front of the message.
    #[must_use]
    pub fn about(mut self, name: &str) -> Self {
        self.message = format!("{name}: {}", self.message);
        self
    }

    /// Adds the remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self { message: error.to_string(), causes, help: error.help(), exit: error.exit() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, count};

    #[test]
    fn a_noun_is_singular_only_after_one() {
        assert_eq!([count(0, "key"), count(1, "key"), count(2, "key")], ["0 keys", "1 key", "2 keys"]);
    }

    #[test]
    fn the_exit_codes_do_not_change() {
        let numbers: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 130]);
    }
}
