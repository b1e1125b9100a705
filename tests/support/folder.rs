//! A working directory of a test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A folder, gone with the value. With a config in it, it is what `--dir` names.
#[derive(Debug)]
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with a config of this environment, without a mistake.
    pub(crate) fn of(env: &str) -> Self {
        let folder = Self::empty();
        super::write(&folder.config(), &super::config(env));
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// This folder, and what a snapshot has in its place.
    pub(crate) fn own(&self) -> [(&str, &str); 1] {
        [(self.path().to_str().unwrap(), "FOLDER")]
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path().join("config.auto.tfvars.json")
    }

    pub(crate) fn config_text(&self) -> String {
        std::fs::read_to_string(self.config()).unwrap()
    }

    /// A value of the config.
    pub(crate) fn get(&self, pointer: &str) -> String {
        let config: Value = serde_json::from_str(&self.config_text()).unwrap();
        config.pointer(pointer).unwrap().as_str().unwrap().to_owned()
    }

    /// Sets a value of the config.
    pub(crate) fn set(&self, pointer: &str, value: &str) {
        let mut config: Value = serde_json::from_str(&self.config_text()).unwrap();
        *config.pointer_mut(pointer).unwrap() = value.into();
        super::write(&self.config(), &format!("{config:#}\n"));
    }

    /// A command with this folder as `--dir`, and more arguments, separated by spaces.
    pub(crate) fn on(&self, mut command: Command, arguments: &str) -> Command {
        command.arg("--dir").arg(self.path()).args(arguments.split_whitespace());
        command
    }
}
