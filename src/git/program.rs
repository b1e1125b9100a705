//! Starts git. No other file does.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use thiserror::Error as ThisError;

use super::settings::Override;
use crate::child;
use crate::explain::{Exit, Explain, shown};

/// The oldest git whose `rev-parse` honours `--end-of-options`.
const OLDEST: (u32, u32) = (2, 30);

/// Environment variables that select another repository (a git hook sets them) or change git's output. The variables that a
/// user needs to reach a remote (`GIT_SSH_COMMAND`, `GIT_CONFIG_COUNT`, …) are kept.
const REMOVED_VARIABLES: [&str; 26] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_QUARANTINE_PATH",
    "GIT_ATTR_SOURCE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_TRACE",
    "GIT_TRACE_SETUP",
    "GIT_TRACE_PERFORMANCE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_PACKET",
    "GIT_REDIRECT_STDIN",
    "GIT_REDIRECT_STDOUT",
    "GIT_REDIRECT_STDERR",
];

/// Settings of read commands: git runs no program that the repository configures, and no setting of the user changes the output.
const READ_SETTINGS: [&str; 8] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.ignoreStat=false",
    "sparse.expectFilesOutsideOfPatterns=false",
    "log.showSignature=false",
    "i18n.logOutputEncoding=UTF-8",
    "protocol.ext.allow=never",
    "gc.auto=0",
];

/// Git's own error message.
#[derive(Debug, ThisError)]
#[error("{0}")]
pub struct Message(pub(super) String);

/// Git could not be run, or failed.
#[derive(Debug, ThisError)]
pub enum Error {
    /// `git` is not on the PATH.
    #[error("git is not installed")]
    Missing,
    /// It could not be started.
    #[error("could not run git")]
    Start(#[source] io::Error),
    /// Its version is below the minimum.
    #[error("git {0} is too old")]
    TooOld(String),
    /// The folder is not in a repository.
    #[error("{} is not in a git repository", shown(.0))]
    NotARepository(PathBuf, #[source] Message),
    /// The repository exists, but git refuses to open it.
    #[error("git could not open the repository {}", shown(.0))]
    Refused(PathBuf, #[source] Message),
    /// `HEAD` names a branch without commits.
    #[error("the repository {} has no commit checked out", shown(.0))]
    NoHead(PathBuf),
    /// The repository has no such commit.
    #[error("{rev:?} is not a commit, tag or branch of {}", shown(.folder))]
    UnknownRevision {
        /// The revision as the user wrote it.
        rev: String,
        /// The repository.
        folder: PathBuf,
        /// Whether the repository is a shallow clone.
        shallow: bool,
        /// Git's error message, if it printed one.
        source: Option<Message>,
    },
    /// A git command failed.
    #[error("git could not {what}")]
    Failed {
        /// Fits after "could not".
        what: String,
        /// Git's error message.
        source: Message,
    },
    /// A tag could not be signed, so it was not created.
    #[error("git could not create and sign the tag {name}")]
    NotSigned {
        /// The tag's name.
        name: String,
        /// The error messages of git and of the signing program.
        source: Message,
    },
    /// A commit lists a file whose content is not in this repository.
    #[error("the content of {path} ({id}) is not in this repository, or is damaged")]
    Unreadable {
        /// The file.
        path: String,
        /// The object's id.
        id: String,
    },
    /// A git command took too long.
    #[error("git could not {what}: it did not end within {} s and was stopped", .limit.as_secs())]
    TooLong {
        /// Fits after "could not".
        what: String,
        /// The time limit.
        limit: Duration,
    },
    /// This process received a signal.
    #[error("interrupted while git ran")]
    Interrupted,
    /// Git's output could not be parsed.
    #[error("could not {0}: git printed unexpected output")]
    UnexpectedOutput(&'static str),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NotARepository(..) | Self::Refused(..) | Self::NoHead(_) | Self::UnknownRevision { .. } => {
                Exit::Usage
            }
            Self::Interrupted => Exit::Interrupted,
            Self::Missing
            | Self::Start(_)
            | Self::TooOld(_)
            | Self::Failed { .. }
            | Self::NotSigned { .. }
            | Self::Unreadable { .. }
            | Self::TooLong { .. }
            | Self::UnexpectedOutput(_) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        let (major, minor) = OLDEST;
        match self {
            Self::Missing => Some(format!("install git {major}.{minor} or newer")),
            Self::TooOld(_) => Some(format!("update git to {major}.{minor} or newer")),
            Self::NotARepository(..) => {
                Some("name a folder of a git repository".into())
            }
            Self::Refused(..) => Some("follow git's message above, then run this again".into()),
            Self::NoHead(_) => Some("check out a branch or tag, or name a revision".into()),
            Self::UnknownRevision { shallow: true, .. } => {
                Some("this clone is shallow: `git fetch --unshallow --tags` fetches the rest".into())
            }
            Self::UnknownRevision { .. } => {
                Some("`git tag --list` shows the tags; `git fetch --tags` fetches newer ones".into())
            }
            Self::NotSigned { .. } => Some(
                "`tag.gpgSign` asks for a signature: try `echo test | gpg --sign`; without a desktop gpg asks on the terminal that GPG_TTY names (`export GPG_TTY=$(tty)`)"
                    .into(),
            ),
            Self::Unreadable { .. } => {
                Some("`git fsck` lists damaged and missing objects; a fresh clone has all objects".into())
            }
            Self::TooLong { .. } => Some(
                "a program that git started may be waiting for a passphrase or a password: run this on a terminal"
                    .into(),
            ),
            Self::Start(_) | Self::Failed { .. } | Self::UnexpectedOutput(_) | Self::Interrupted => None,
        }
    }
}

/// The result of a git command.
#[derive(Debug)]
pub struct Output {
    /// The exit status; `None` if a signal ended git.
    pub status: Option<i32>,
    /// The standard output.
    pub stdout: Vec<u8>,
    /// The standard error, trimmed.
    pub stderr: String,
}

impl Output {
    /// The standard output; an error unless the command succeeded.
    pub(super) fn expect(self, what: impl Into<String>) -> Result<Vec<u8>, Error> {
        if self.status == Some(0) {
            return Ok(self.stdout);
        }
        Err(Error::Failed { what: what.into(), source: Message(self.stderr) })
    }
}

/// What a git command may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It only reads the repository.
    Read,
    /// It writes or connects to a remote, with the user's configuration, hooks and signing programs.
    WriteOrRemote,
}

/// A git command in a folder: no pager, no prompt, no locks for reading, messages in English.
pub(super) fn command(folder: &Path, purpose: Purpose, overrides: &[Override]) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the one place that starts git")]
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .arg("--no-optional-locks")
        .args(["-c", "core.quotepath=false", "-c", "color.ui=false"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C");
    for name in REMOVED_VARIABLES {
        command.env_remove(name);
    }
    if purpose == Purpose::Read {
        for setting in READ_SETTINGS {
            command.args(["-c", setting]);
        }
        for (number, Override { key, value }) in overrides.iter().enumerate() {
            if key.contains('=') {
                // With `-c` the key ends at the first `=`, with `--config-env` at the last.
                let variable = format!("OSMT_GIT_SETTING_{number}");
                command.arg(format!("--config-env={key}={variable}")).env(variable, value);
            } else {
                command.arg("-c").arg(format!("{key}={value}"));
            }
        }
        // With replace refs or grafts git would print another content than that of the commit with this id.
        command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_GRAFT_FILE", "/dev/null");
    }
    command.arg("-C").arg(folder);
    command
}

/// Runs git to its end.
pub(super) fn run(
    mut command: Command,
    what: &str,
    input: &[u8],
    limit: Option<Duration>,
) -> Result<Output, Error> {
    let output = child::run(&mut command, input, limit).map_err(|error| failed(error, what))?;
    Ok(Output {
        status: output.status.code(),
        stdout: output.stdout,
        stderr: text(output.stderr).trim().to_owned(),
    })
}

pub(super) fn failed(error: child::Error, what: &str) -> Error {
    match error {
        error if error.is_missing() => Error::Missing,
        child::Error::Start(error) => Error::Start(error),
        child::Error::Interrupted => Error::Interrupted,
        child::Error::TooLong(limit) => Error::TooLong { what: what.to_owned(), limit },
    }
}

/// Git's output without control characters: commit subjects and file names could contain terminal escape sequences.
pub(super) fn text(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let is_control = |char: char| char.is_control() && !matches!(char, '\0' | '\n' | '\t');
    text.replace(is_control, "\u{fffd}")
}

/// Refuses an old git. `printed` is the output of `git version`.
pub(super) fn check_version(printed: &str) -> Result<(), Error> {
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
    use super::check_version;

    #[test]
    fn a_git_below_the_minimum_version_is_refused() {
        for good in ["git version 2.47.3\n", "git version 2.30.0.windows.2", "git version 3.1"] {
            assert!(check_version(good).is_ok(), "{good}");
        }
        for bad in ["git version 2.29.3\n", "git version 1.8.3.1", "nonsense"] {
            assert!(check_version(bad).is_err(), "{bad}");
        }
    }
}
