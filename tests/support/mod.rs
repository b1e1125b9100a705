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

mod folder;
mod ran;
mod snapshot;

use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::sync::OnceLock;

use assert_cmd::Command;
use serde_json::Value;

pub(crate) use self::folder::Folder;
pub(crate) use self::ran::{Ran, run};
pub(crate) use self::snapshot::snapshot;

/// The account that an emulator plays.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The region that its clients use.
pub(crate) const REGION: &str = "us-west-2";

/// The checkout.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A binary with nothing of the user's environment that could reach AWS, a keyring or a terminal.
pub(crate) fn osmt(binary: &str) -> Command {
    let mut command = Command::cargo_bin(binary).unwrap();
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
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

/// An AWS account on this machine, empty at the start, gone with the value or with the test's process.
pub(crate) struct Emulator {
    state: tempfile::TempDir,
    /// `http://127.0.0.1:…`
    pub(crate) endpoint: String,
    /// What clients need to reach it.
    pub(crate) environment: Vec<(String, String)>,
    calls: PathBuf,
}

impl Emulator {
    /// Starts the usual account.
    pub(crate) fn start() -> Self {
        Self::start_as(ACCOUNT)
    }

    /// Starts an account of another number.
    pub(crate) fn start_as(account: &str) -> Self {
        let state = tempfile::tempdir().unwrap();
        let parent = std::process::id().to_string();
        let output = Program::new(root().join("scripts/aws-emulator"))
            .args(["start", "--format", "json", "--region", REGION, "--account-id", account])
            .args(["--parent", &parent])
            .arg("--state")
            .arg(state.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "could not start the emulator: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let environment = printed["environment"].as_object().unwrap();
        Self {
            endpoint: printed["endpoint"].as_str().unwrap().to_owned(),
            environment: environment
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            calls: PathBuf::from(printed["calls"].as_str().unwrap()),
            state,
        }
    }

    /// A binary that talks to this account.
    pub(crate) fn osmt(&self, binary: &str) -> Command {
        let mut command = osmt(binary);
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Asks the account by a way of its own, as [`ask`] does.
    pub(crate) fn ask(&self, script: &str) -> Value {
        ask(&self.environment, script)
    }

    /// Every call that reached the account so far: `s3:CreateBucket`.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::fs::read_to_string(&self.calls)
            .unwrap_or_default()
            .lines()
            .map(|line| {
                let call: Value = serde_json::from_str(line).unwrap();
                format!(
                    "{}:{}",
                    call["service"].as_str().unwrap_or_default(),
                    call["operation"].as_str().unwrap_or_default()
                )
            })
            .collect()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = Program::new(root().join("scripts/aws-emulator"))
            .arg("stop")
            .arg("--state")
            .arg(self.state.path())
            .output();
    }
}

/// Asks an account by a way of its own: Python with botocore, independent of our code.
///
/// `client(service)` makes a client; what `script` assigns to `answer` comes back.
pub(crate) fn ask(environment: &[(String, String)], script: &str) -> Value {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let prelude = "import json, botocore.session\nsession = botocore.session.get_session()\nclient = session.create_client\nanswer = None\n";
    let program = format!("{prelude}{script}\nprint(json.dumps(answer, default=str))");
    let output = Program::new(PYTHON.get_or_init(|| python("emulator")))
        .args(["-c", &program])
        .envs(environment.iter().cloned())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "the account did not answer: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The interpreter of one of the scripts' private environments, made first where it is missing.
pub(crate) fn python(environment: &str) -> PathBuf {
    let scripts = root().join("scripts");
    let output = Program::new("python3")
        .arg("-B")
        .arg(scripts.join("environment.py"))
        .arg(scripts.join(environment).join("requirements.txt"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
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
