//! Loads credentials with the AWS CLI: those of `aws login`, and tokens of IAM Identity Center in a format that the SDK cannot
//! read.
//!
//! The SDK's support for `aws login` needs 22 more crates. The AWS CLI passes the credentials to programs that support
//! `credential_process` ("Login for AWS local development using console credentials" in its user guide).

use std::process::Command;
use std::time::Duration;

use crate::child;

/// The first version with `aws login` (the same page).
pub(super) const FIRST_WITH_LOGIN: [u32; 3] = [2, 32, 0];

/// The installed AWS CLI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cli {
    /// The command `aws` does not exist.
    Missing,
    /// It is too old for `aws login`; its version.
    WithoutLogin(String),
    /// It supports `aws login`, or its version is unknown.
    WithLogin,
}

/// The command that prints the credentials of a profile in the format of `credential_process`. `None` if the profile's name cannot
/// be quoted for the shell of this system.
pub(super) fn export_credentials(profile: &str) -> Option<String> {
    let profile = match cfg!(windows) {
        true if profile.contains(['"', '%', '^', '!']) => return None,
        true => format!("\"{profile}\""),
        false => quoted(profile),
    };
    Some(format!("aws configure export-credentials --format process --profile {profile}"))
}

/// A name, quoted for a shell.
pub(super) fn quoted(name: &str) -> String {
    let plain = name.chars().all(|char| char.is_ascii_alphanumeric() || "_-/.@:+".contains(char));
    if plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

/// Runs `aws --version`.
pub(super) fn installed() -> Cli {
    #[expect(clippy::disallowed_methods, reason = "the one place that starts the AWS CLI itself")]
    let mut command = Command::new("aws");
    match child::run(command.arg("--version"), b"", Some(Duration::from_secs(20))) {
        Ok(output) => of_version(&String::from_utf8_lossy(&output.stdout)),
        Err(error) if error.is_missing() => Cli::Missing,
        Err(_) => Cli::WithLogin,
    }
}

/// `aws-cli/2.31.5 Python/3.13.7 …`
fn of_version(printed: &str) -> Cli {
    let version = printed.trim().strip_prefix("aws-cli/").and_then(|rest| rest.split(' ').next());
    let numbers = version.map(|version| version.split('.').map_while(|part| part.parse().ok()).collect());
    match (version, numbers) {
        (Some(version), Some::<Vec<u32>>(numbers)) if numbers.as_slice() < &FIRST_WITH_LOGIN[..] => {
            Cli::WithoutLogin(version.to_owned())
        }
        _ => Cli::WithLogin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_decides() {
        for old in
            ["aws-cli/2.31.39 Python/3.13.7 Linux/6.12", "aws-cli/1.46.3 Python/3.11.7", "aws-cli/2.9.19\n"]
        {
            assert!(matches!(of_version(old), Cli::WithoutLogin(_)), "{old}");
        }
        for recent in ["aws-cli/2.32.0 Python/3.13.7", "aws-cli/2.100.1", "aws-cli/3.0", "something else", ""]
        {
            assert_eq!(of_version(recent), Cli::WithLogin, "{recent}");
        }
    }
}
