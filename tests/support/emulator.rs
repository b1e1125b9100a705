//! An AWS account for a test, and a look into it that is independent of our code.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{osmt, root, run};

/// The account that an emulator plays.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The region that its clients use.
pub(crate) const REGION: &str = "us-west-2";

/// An AWS account on this machine, empty at the start, gone with the value or with the test's process.
pub(crate) struct Emulator {
    /// `http://127.0.0.1:…`
    pub(crate) endpoint: String,
    /// What clients need to reach it.
    pub(crate) environment: Vec<(String, String)>,
    calls: PathBuf,
    process: Pid,
    _state: tempfile::TempDir,
}

impl Emulator {
    /// Starts the usual account.
    pub(crate) fn start() -> Self {
        let state = tempfile::tempdir().unwrap();
        let asked = json!({"state": state.path(), "parent": std::process::id(), "region": REGION});
        let answer = forked(&json!({ "start": asked }));
        Self::of(&answer, state)
    }

    /// Starts an account of another number: a process of its own, which takes longer.
    pub(crate) fn start_as(account: &str) -> Self {
        let state = tempfile::tempdir().unwrap();
        let parent = std::process::id().to_string();
        let mut command = Command::new(root().join("scripts/aws-emulator"));
        command
            .args(["start", "--format", "json", "--region", REGION, "--account-id", account])
            .args(["--parent", &parent])
            .arg("--state");
        let started = run(command.arg(state.path())).exits(0);
        Self::of(&started.json(), state)
    }

    fn of(started: &Value, state: tempfile::TempDir) -> Self {
        let environment = started["environment"].as_object().unwrap();
        let process = i32::try_from(started["pid"].as_i64().unwrap()).unwrap();
        Self {
            endpoint: started["endpoint"].as_str().unwrap().to_owned(),
            environment: environment
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            calls: PathBuf::from(started["calls"].as_str().unwrap()),
            process: Pid::from_raw(process).unwrap(),
            _state: state,
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

    /// What Terraform leaves of an environment in IAM, as far as the tools ask: the role of the app's task, for this Region.
    pub(crate) fn has_the_stack_of(&self, env: &str, region: &str) {
        self.ask(&format!(
            "arn = 'arn:aws:ecs:{region}:{ACCOUNT}:*'
trust = {{'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', 'Principal': {{'Service': 'ecs-tasks.amazonaws.com'}}, 'Action': 'sts:AssumeRole', 'Condition': {{'ArnLike': {{'aws:SourceArn': arn}}}}}}]}}
client('iam').create_role(RoleName='osmt-{env}-app-execution', AssumeRolePolicyDocument=json.dumps(trust))"
        ));
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
        let _ = kill_process(self.process, Signal::TERM);
    }
}

/// Asks an account by a way of its own: Python with botocore, independent of our code.
///
/// `client(service)` makes a client; what `script` assigns to `answer` comes back.
pub(crate) fn ask(environment: &[(String, String)], script: &str) -> Value {
    let environment: serde_json::Map<String, Value> =
        environment.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let mut answer = forked(&json!({"ask": {"script": script, "environment": environment}}));
    assert!(
        answer["error"].is_null(),
        "the account did not answer: {}",
        answer["error"].as_str().unwrap_or_default()
    );
    answer["answer"].take()
}

/// One request to the process that accounts are forked from (`scripts/emulator/forks.py`): one for all tests of a run.
fn forked(request: &Value) -> Value {
    let runner = rustix::process::getppid().unwrap();
    let folder = std::env::temp_dir().join(format!("osmt-emulators-{}", runner.as_raw_nonzero()));
    let socket = folder.join("socket");
    let mut stream = UnixStream::connect(&socket).unwrap_or_else(|_| {
        run(Command::new(root().join("scripts/aws-emulator")).args(["forks", "--folder"]).arg(&folder))
            .exits(0);
        UnixStream::connect(&socket).unwrap()
    });
    writeln!(stream, "{request}").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    serde_json::from_str(&line)
        .unwrap_or_else(|error| panic!("{error}: `{line}`; see {}", folder.join("log").display()))
}
