//! The one place that starts git: how it is called, and how it may fail.

use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use thiserror::Error as ThisError;

use crate::explain::{Exit, Explain};

/// The oldest git whose `rev-parse` honours `--end-of-options`.
const OLDEST: (u32, u32) = (2, 30);

/// Variables that would lead git to another repository than the folder names, as they do inside a hook.
const ELSEWHERE: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// What git said, as text of its own.
#[derive(Debug, ThisError)]
#[error("{0}")]
pub struct Said(pub(super) String);

/// Git could not do what was asked.
#[derive(Debug, ThisError)]
pub enum Error {
    /// There is no `git` on the PATH.
    #[error("git is not installed")]
    Missing,
    /// It could not be started.
    #[error("could not run git")]
    Start(#[source] io::Error),
    /// Its version lacks what is needed.
    #[error("git {0} is too old")]
    TooOld(String),
    /// The folder is in no repository that git would open.
    #[error("{} is in no git repository that can be read", .0.display())]
    NotARepository(PathBuf, #[source] Said),
    /// `HEAD` names a branch without commits.
    #[error("the repository {} has no commit checked out", .0.display())]
    NoHead(PathBuf),
    /// The revision names no commit here.
    #[error("{rev:?} names no commit in {}", .folder.display())]
    UnknownRevision {
        /// As it was given.
        rev: String,
        /// The repository.
        folder: PathBuf,
        /// Whether its history is cut off.
        shallow: bool,
        /// Git's own words, if it had any.
        source: Option<Said>,
    },
    /// A git command failed.
    #[error("git could not {what}")]
    Failed {
        /// Fits after "could not".
        what: String,
        /// Git's own words.
        source: Said,
    },
    /// Git printed something that cannot be read.
    #[error("could not understand what git said when asked to {0}")]
    Garbled(&'static str),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NotARepository(..) | Self::NoHead(_) | Self::UnknownRevision { .. } => Exit::Usage,
            _ => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        let (major, minor) = OLDEST;
        match self {
            Self::Missing => Some(format!("install git {major}.{minor} or newer")),
            Self::TooOld(_) => Some(format!("update git to {major}.{minor} or newer")),
            Self::NotARepository(..) => Some(
                "give `--repo DIR`, a checkout of OSMT (git clone https://github.com/wgu-opensource/osmt)"
                    .into(),
            ),
            Self::NoHead(_) => Some("check out a branch or tag of OSMT, or name a revision".into()),
            Self::UnknownRevision { shallow: true, .. } => {
                Some("this clone is shallow: `git fetch --unshallow --tags` brings the rest".into())
            }
            Self::UnknownRevision { .. } => {
                Some("`osmt-release list` shows the releases; `git fetch --tags` brings newer ones".into())
            }
            _ => None,
        }
    }
}

/// How a git command ended.
#[derive(Debug)]
pub struct Output {
    /// The exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said beside, without white space around it.
    pub stderr: String,
}

impl Output {
    /// The output of a command that must succeed.
    pub(super) fn expect(self, what: impl Into<String>) -> Result<Vec<u8>, Error> {
        if self.status == Some(0) {
            return Ok(self.stdout);
        }
        Err(Error::Failed { what: what.into(), source: Said(self.stderr) })
    }
}

/// Runs git in a folder: no pager, no prompt, no lock for a read, messages in English.
pub fn run(folder: &Path, args: &[&str], input: &[u8]) -> Result<Output, Error> {
    #[expect(clippy::disallowed_methods, reason = "the one place that starts git")]
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .arg("--no-optional-locks")
        .args(["-c", "core.quotepath=false", "-c", "color.ui=false"])
        .arg("-C")
        .arg(folder)
        .args(args)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing,
        _ => Error::Start(error),
    })?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // In a thread, for git may print before it has read all; a git that stops reading says why on stderr.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        child.wait_with_output()
    })
    .map_err(Error::Start)?;
    Ok(Output {
        status: output.status.code(),
        stdout: output.stdout,
        stderr: text(output.stderr).trim().to_owned(),
    })
}

/// Text that git printed, without characters that could steer a terminal: authors choose subjects and file names.
pub(super) fn text(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let steers = |char: char| char.is_control() && !matches!(char, '\0' | '\n' | '\t');
    text.replace(steers, "\u{fffd}")
}

/// Refuses a git that lacks what is needed, by what `git version` printed.
pub(super) fn recent(printed: &str) -> Result<(), Error> {
    let version = printed.trim().trim_start_matches("git version ");
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if found < OLDEST {
        return Err(Error::TooOld(version.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::recent;

    #[test]
    fn old_git_is_refused_by_its_number() {
        for good in ["git version 2.47.3\n", "git version 2.30.0.windows.2", "git version 3.1"] {
            assert!(recent(good).is_ok(), "{good}");
        }
        for bad in ["git version 2.29.3\n", "git version 1.8.3.1", "nonsense"] {
            assert!(recent(bad).is_err(), "{bad}");
        }
    }
}
