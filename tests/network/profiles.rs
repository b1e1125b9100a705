//! Profiles as the AWS CLI reads them, and each way to get credentials named where it fails.

use std::process::{Command as Program, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command;

use crate::server::{IDENTITY, Server, answer, ended, folder};
use crate::support;

const KEYS: &str = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = y\n";

/// `osmt-bootstrap status` with a file of profiles.
fn with(folder: &tempfile::TempDir, config: &str, endpoint: &str) -> Command {
    let file = folder.path().join("aws-config");
    support::write(&file, config);
    let mut command = support::osmt("osmt-bootstrap");
    command.args(["status", "--endpoint-url", endpoint, "--dir"]).arg(folder.path());
    command.env("AWS_CONFIG_FILE", file).env("AWS_MAX_ATTEMPTS", "1").env("HOME", folder.path());
    command.timeout(Duration::from_secs(120));
    command
}

fn aws() -> Server {
    Server::start(|_| answer(200, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", IDENTITY))
}

#[test]
fn a_name_is_read_as_the_aws_cli_reads_it() {
    let aws = aws();
    let endpoint = format!("http://{}", aws.address);
    let folder = folder();
    for (section, name) in [
        ("profile ops", "ops"),
        ("profile 'My School'", "My School"),
        ("profile \"My School\"", "My School"),
        ("profile ä", "ä"),
        ("default", "default"),
    ] {
        let before = aws.requests().len();
        let config = format!("[{section}]\n{KEYS}");
        let (_, stderr) = ended(with(&folder, &config, &endpoint).args(["--profile", name]));
        assert!(aws.requests().len() > before, "{section}: {stderr}");
        let (_, stderr) = ended(with(&folder, &config, &endpoint).env("AWS_PROFILE", name));
        assert!(aws.requests().len() > before + 1, "{section}: {stderr}");
    }
}

#[test]
fn an_unknown_profile_is_named_with_those_that_exist() {
    let folder = folder();
    let config = format!("[profile ops]\n{KEYS}[profile 'My School']\n{KEYS}");
    for name in ["No Such", "nosuch"] {
        let by_flag = ended(with(&folder, &config, "http://127.0.0.1:1").args(["--profile", name]));
        let by_variable = ended(with(&folder, &config, "http://127.0.0.1:1").env("AWS_PROFILE", name));
        for (exit, stderr) in [by_flag, by_variable] {
            assert_eq!(exit, 3, "{stderr}");
            assert!(stderr.contains(&format!("profile `{name}` is not defined in ")), "{stderr}");
            assert!(stderr.contains("My School, ops"), "{stderr}");
            assert!(!stderr.contains("--profile`"), "{stderr}");
        }
    }
}

#[test]
fn a_sign_in_that_has_ended_names_the_command_for_the_profile() {
    let folder = folder();
    let sso = "[profile ops]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\nregion = us-west-2\n[sso-session s]\nsso_region = us-west-2\nsso_start_url = https://example.awsapps.com/start\n";
    let (exit, stderr) = ended(with(&folder, sso, "http://127.0.0.1:1").args(["--profile", "ops"]));
    assert_eq!(exit, 3, "{stderr}");
    assert!(
        stderr.contains("the profile `ops`") && stderr.contains("aws sso login --profile ops"),
        "{stderr}"
    );
    let login = "[profile ops]\nlogin_session = arn:aws:iam::123456789012:user/ann\n";
    let (_, stderr) = ended(with(&folder, login, "http://127.0.0.1:1").args(["--profile", "ops"]));
    assert!(stderr.contains("aws login --profile ops"), "{stderr}");
}

/// The AWS CLI writes the end of a session with `Z` (`aws configure sso` and `aws sso login`, AWS CLI 2).
#[test]
fn a_session_of_iam_identity_center_is_used_or_its_command_is_named() {
    let sso = "[profile ops]\nsso_session = school\nsso_account_id = 123456789012\nsso_role_name = r\nregion = us-west-2\n[sso-session school]\nsso_region = us-west-2\nsso_start_url = https://example.awsapps.com/start\n";
    for (end, is_used) in [
        ("2099-01-01T00:00:00Z", true),
        ("2001-01-01T00:00:00Z", false),
        ("2099-01-01T00:00:00UTC", false),
        ("2099-01-01T00:00:00+00:00", false),
        ("soon", false),
    ] {
        let proxy = Server::start(|_| answer(502, "", ""));
        let folder = folder();
        let cache = folder.path().join(".aws/sso/cache");
        std::fs::create_dir_all(&cache).unwrap();
        let token = format!(
            "{{\"startUrl\": \"https://example.awsapps.com/start\", \"region\": \"us-west-2\", \"accessToken\": \"CANARY-token\", \"expiresAt\": \"{end}\"}}"
        );
        // The name is the SHA-1 of the session's.
        support::write(&cache.join("655f83be7512e5b5b3ba4c9976c043ece4b3ce51.json"), &token);
        let mut command = with(&folder, sso, "http://127.0.0.1:1");
        command.args(["--profile", "ops"]).env("HTTPS_PROXY", format!("http://{}", proxy.address));
        let (exit, stderr) = ended(&mut command);
        assert_eq!(exit, 3, "{stderr}");
        assert!(!stderr.contains("CANARY"), "{stderr}");
        let asked = proxy.requests().iter().any(|head| head.starts_with("CONNECT portal.sso.us-west-2."));
        assert_eq!(asked, is_used, "{end}: {stderr}");
        let word =
            if is_used { "portal.sso.us-west-2.amazonaws.com" } else { "`aws sso login --profile ops`" };
        assert!(stderr.contains(word), "{end}: {stderr}");
    }
}

#[test]
fn a_credential_process_may_take_its_time_and_its_failure_is_its_own() {
    let aws = aws();
    let endpoint = format!("http://{}", aws.address);
    let folder = folder();
    let helper = folder.path().join("helper");
    support::write(
        &helper,
        "sleep 6; echo '{\"Version\":1,\"AccessKeyId\":\"AKIAEXAMPLE\",\"SecretAccessKey\":\"y\"}'\n",
    );
    let config = format!("[profile ops]\ncredential_process = sh {}\n", helper.display());
    let (_, stderr) = ended(with(&folder, &config, &endpoint).args(["--profile", "ops"]));
    assert!(!aws.requests().is_empty(), "{stderr}");
    support::write(&helper, "echo CANARY; echo 'no card in the reader' >&2; exit 1\n");
    let (exit, stderr) = ended(with(&folder, &config, &endpoint).args(["--profile", "ops"]));
    assert_eq!(exit, 3, "{stderr}");
    for said in ["profile `ops`", "credential_process", "no card in the reader"] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert!(!stderr.contains("CANARY") && !stderr.contains("found no AWS credentials"), "{stderr}");
}

#[test]
fn a_signal_ends_the_credential_process() {
    let folder = folder();
    let ids = folder.path().join("ids");
    let helper = folder.path().join("helper");
    support::write(&helper, &format!("echo $$ > {0}; sleep 300 & echo $! >> {0}; wait\n", ids.display()));
    let config = format!("[profile ops]\ncredential_process = sh {}\n", helper.display());
    let prepared = with(&folder, &config, "http://127.0.0.1:1");
    let mut command = Program::new(prepared.get_program());
    command.args(prepared.get_args()).args(["--profile", "ops"]);
    command.current_dir(prepared.get_current_dir().unwrap());
    for (name, value) in prepared.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while std::fs::read_to_string(&ids).unwrap_or_default().lines().count() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(60), "the helper was not started");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(Program::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted; nothing was written"), "{said}");
    for id in std::fs::read_to_string(&ids).unwrap().lines() {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{id} still runs");
    }
}
