//! What end-to-end tests share: the real binaries in a clean environment, and an AWS account of their own.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs and read the environment that cargo gives them; a panic is how they fail"
)]
#![allow(
    dead_code,
    unused_imports,
    clippy::missing_panics_doc,
    reason = "each test binary uses its own part of this module"
)]

mod emulator;
mod folder;
mod git;
mod ran;
mod snapshot;
mod terminal;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub(crate) use self::emulator::{ACCOUNT, Emulator, REGION, ask};
pub(crate) use self::folder::Folder;
pub(crate) use self::git::{GIT, git, git_command, git_with};
pub(crate) use self::ran::{Ran, is_installed, run, run_into, run_with};
pub(crate) use self::snapshot::{difference, snapshot};
pub(crate) use self::terminal::on_terminal;

/// The checkout.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo put a binary of this package.
pub(crate) fn binary(name: &str) -> &'static str {
    match name {
        "osmt-bootstrap" => env!("CARGO_BIN_EXE_osmt-bootstrap"),
        "osmt-doctor" => env!("CARGO_BIN_EXE_osmt-doctor"),
        "osmt-release" => env!("CARGO_BIN_EXE_osmt-release"),
        "osmt-secrets" => env!("CARGO_BIN_EXE_osmt-secrets"),
        _ => panic!("{name} is not a binary of this package"),
    }
}

/// A binary with nothing of the user's environment that could reach AWS, a keyring or a terminal.
pub(crate) fn osmt(name: &str) -> Command {
    let mut command = Command::new(binary(name));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let proxy = text.to_lowercase().ends_with("_proxy");
        if text.starts_with("AWS_") || text.starts_with("OSMT_") || text == "NO_COLOR" || proxy {
            command.env_remove(&name);
        }
    }
    command
        .current_dir(root())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        // Messages name it, whatever is installed here.
        .env("OSMT_TERRAFORM", "terraform")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

/// The interpreter of one of the scripts' private environments, made first where it is missing.
pub(crate) fn python(environment: &str) -> PathBuf {
    let scripts = root().join("scripts");
    let mut command = Command::new("python3");
    command.arg("-B").arg(scripts.join("environment.py"));
    let made = run(command.arg(scripts.join(environment).join("requirements.txt"))).exits(0);
    PathBuf::from(made.stdout.trim())
}

/// Runs openssl in a folder.
pub(crate) fn openssl(folder: &Path, arguments: &str) {
    run(Command::new("openssl").args(arguments.split(' ')).current_dir(folder)).exits(0);
}

/// A config without a mistake, for the emulator's account.
pub(crate) fn config(env: &str) -> String {
    let text = include_str!("config.json");
    text.replace("\"env\": \"ENV\"", &format!("\"env\": \"{env}\""))
}

/// Writes a file into a folder of the test's own.
pub(crate) fn write(path: &Path, content: &str) {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::write(path, content).unwrap();
}
