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

    /// Every file in it, at any depth, with its content.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut folders, mut found) = (vec![self.path().to_owned()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push((path.clone(), std::fs::read(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
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
