//! The one place that starts git: how it is called, and how it may fail.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use thiserror::Error as ThisError;

use super::settings::Setting;
use crate::child;
use crate::explain::{Exit, Explain, shown};

/// The oldest git whose `rev-parse` honours `--end-of-options`.
const OLDEST: (u32, u32) = (2, 30);

/// Variables that lead git to another repository than the folder names, as a hook sets them, or that change what it
/// prints. Those that a user needs to reach a remote (`GIT_SSH_COMMAND`, `GIT_CONFIG_COUNT`, …) stay.
const MISLEADING: [&str; 26] = [
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

/// Settings of a call that reads: no program of the repository's is run, and no setting of the user's changes the answer.
const READING: [&str; 8] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.ignoreStat=false",
    "sparse.expectFilesOutsideOfPatterns=false",
    "log.showSignature=false",
    "i18n.logOutputEncoding=UTF-8",
    "protocol.ext.allow=never",
    "gc.auto=0",
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
    /// The folder is not in a repository.
    #[error("{} is not in a git repository", shown(.0))]
    NotARepository(PathBuf, #[source] Said),
    /// There is a repository, and git refuses to open it.
    #[error("git could not open the repository {}", shown(.0))]
    Refused(PathBuf, #[source] Said),
    /// `HEAD` names a branch without commits.
    #[error("the repository {} has no commit checked out", shown(.0))]
    NoHead(PathBuf),
    /// The revision names no commit here.
    #[error("{rev:?} names no commit in {}", shown(.folder))]
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
    /// A tag was to be signed, and was not made.
    #[error("git could not make and sign the tag {name}")]
    NotSigned {
        /// The tag's name.
        name: String,
        /// Git's own words, with those of the signing program.
        source: Said,
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
        /// How long it was waited for.
        limit: Duration,
    },
    /// A signal ended this process's work.
    #[error("interrupted while git ran")]
    Interrupted,
    /// Git printed something that cannot be read.
    #[error("could not parse git's output when asked to {0}")]
    Garbled(&'static str),
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
            | Self::Garbled(_) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        let (major, minor) = OLDEST;
        match self {
            Self::Missing => Some(format!("install git {major}.{minor} or newer")),
            Self::TooOld(_) => Some(format!("update git to {major}.{minor} or newer")),
            Self::NotARepository(..) => {
                Some("name the folder of a git repository, or one inside it".into())
            }
            Self::Refused(..) => Some("follow git's message above, then run it again".into()),
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
                Some("`git fsck` lists what is damaged; a fresh clone has everything".into())
            }
            Self::TooLong { .. } => Some(
                "a program that git started may wait for an answer (a passphrase, a password): run it on a terminal"
                    .into(),
            ),
            Self::Start(_) | Self::Failed { .. } | Self::Garbled(_) | Self::Interrupted => None,
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

/// What a git call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It reads what is in the repository.
    Read,
    /// It writes, or asks a remote: with the user's configuration, hooks and signing programs.
    Act,
}

/// Git in a folder: no pager, no prompt of its own, no lock for a read, messages in English.
pub(super) fn command(folder: &Path, purpose: Purpose, settings: &[Setting]) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the one place that starts git")]
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .arg("--no-optional-locks")
        .args(["-c", "core.quotepath=false", "-c", "color.ui=false"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C");
    for name in MISLEADING {
        command.env_remove(name);
    }
    if purpose == Purpose::Read {
        for setting in READING {
            command.args(["-c", setting]);
        }
        for (number, Setting { key, value }) in settings.iter().enumerate() {
            if key.contains('=') {
                // `-c` takes the first `=` for the end of the name, `--config-env` the last.
                let variable = format!("OSMT_GIT_SETTING_{number}");
                command.arg(format!("--config-env={key}={variable}")).env(variable, value);
            } else {
                command.arg("-c").arg(format!("{key}={value}"));
            }
        }
        // Neither replaced objects nor grafts: a commit is what its id says.
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
