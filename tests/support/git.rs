//! The real git, without the user's configuration.

use std::path::Path;
use std::process::Command;

use super::ran::{run, run_with};

/// What keeps a user's own configuration out, and the clock still: ids of commits are the same on every run.
pub(crate) const GIT: [(&str, &str); 8] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_AUTHOR_NAME", "Ada"),
    ("GIT_AUTHOR_EMAIL", "ada@example.org"),
    ("GIT_COMMITTER_NAME", "Ada"),
    ("GIT_COMMITTER_EMAIL", "ada@example.org"),
    ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05+00:00"),
    ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05+00:00"),
];

/// git in a folder.
pub(crate) fn git_command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(args).envs(GIT);
    command
}

/// Runs git in a folder; what it prints.
#[track_caller]
pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    run(&mut git_command(folder, args)).exits(0).stdout.trim().to_owned()
}

/// Runs git in a folder with this on stdin; what it prints.
#[track_caller]
pub(crate) fn git_with(folder: &Path, args: &[&str], stdin: impl AsRef<[u8]>) -> String {
    run_with(&mut git_command(folder, args), stdin).exits(0).stdout.trim().to_owned()
}
