//! Profiles as the AWS CLI reads them, and each way to get credentials named where it fails.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::proxy::Proxy;
use crate::server::{IDENTITY, Server, answer};
use crate::support::{Folder, Ran, run, snapshot};
use crate::{support, trust};

const KEYS: &str = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = y\n";

/// `osmt-bootstrap status` with a file of profiles.
fn with(folder: &Folder, config: &str, endpoint: &str) -> Command {
    let file = folder.path().join("aws-config");
    support::write(&file, config);
    let mut command = support::osmt("osmt-bootstrap");
    command.args(["status", "--endpoint-url", endpoint, "--dir"]).arg(folder.path());
    command.env("AWS_CONFIG_FILE", file).env("AWS_MAX_ATTEMPTS", "1").env("HOME", folder.path());
    command
}

fn aws() -> Server {
    Server::start(|_| answer(200, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", IDENTITY))
}

#[test]
fn a_name_is_read_as_the_aws_cli_reads_it() {
    let aws = aws();
    let endpoint = format!("http://{}", aws.address);
    let folder = Folder::of("test");
    for (section, name) in [
        ("profile ops", "ops"),
        ("profile 'My School'", "My School"),
        ("profile \"My School\"", "My School"),
        ("profile ä", "ä"),
        ("default", "default"),
    ] {
        let before = aws.requests().len();
        let config = format!("[{section}]\n{KEYS}");
        let Ran { stderr, .. } = run(with(&folder, &config, &endpoint).args(["--profile", name]));
        assert!(aws.requests().len() > before, "{section}: {stderr}");
        let Ran { stderr, .. } = run(with(&folder, &config, &endpoint).env("AWS_PROFILE", name));
        assert!(aws.requests().len() > before + 1, "{section}: {stderr}");
    }
}

#[test]
fn an_unknown_profile_is_named_with_those_that_exist() {
    let folder = Folder::of("test");
    let config = format!("[profile ops]\n{KEYS}[profile 'My School']\n{KEYS}");
    let mut all = String::new();
    for name in ["No Such", "nosuch"] {
        let by_flag = run(with(&folder, &config, "http://127.0.0.1:1").args(["--profile", name]));
        let by_variable = run(with(&folder, &config, "http://127.0.0.1:1").env("AWS_PROFILE", name));
        all += &by_flag.exits(3).transcript(&format!("--profile {name}"));
        all += &by_variable.exits(3).transcript(&format!("AWS_PROFILE={name}"));
    }
    snapshot("network/unknown-profile", &all, &folder.own());
}

#[test]
fn a_sign_in_that_has_ended_names_the_command_for_the_profile() {
    let folder = Folder::of("test");
    let sso = "[profile ops]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\nregion = us-west-2\n[sso-session s]\nsso_region = us-west-2\nsso_start_url = https://example.awsapps.com/start\n";
    run(with(&folder, sso, "http://127.0.0.1:1").args(["--profile", "ops"]))
        .exits(3)
        .matches("network/sign-in-ended", &folder.own());
}

/// A stand-in for the AWS CLI on a search path of its own, which has nothing else but a shell.
fn aws_cli(folder: &Folder, script: Option<&str>) -> std::path::PathBuf {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let path = folder.path().join("path");
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir(&path).unwrap();
    for program in ["sh", "sleep"] {
        symlink(["/bin", program].iter().collect::<std::path::PathBuf>(), path.join(program)).unwrap();
    }
    if let Some(script) = script {
        let program = path.join("aws");
        support::write(&program, &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    path
}

/// As `aws configure export-credentials --format process` prints them (AWS CLI Command Reference).
const EXPORTED: &str = r#"echo '{"Version": 1, "AccessKeyId": "ASIAEXPORTED", "SecretAccessKey": "CANARY", "SessionToken": "CANARY", "Expiration": "2099-01-01T00:00:00+00:00"}'"#;

/// What `aws login` writes, with a role and a name that both need care.
const LOGIN: &str = "[default]\nlogin_session = arn:aws:iam::123456789012:user/ann\n\
    [profile ops]\nlogin_session = arn:aws:iam::123456789012:user/ann\nregion = us-west-2\n\
    [profile \"Ann's School\"]\nlogin_session = arn:aws:iam::123456789012:user/ann\n\
    [profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = ops\nregion = us-west-2\n";

#[cfg(unix)]
#[test]
fn a_profile_of_aws_login_gets_its_credentials_from_the_aws_cli() {
    let aws = aws();
    let proxy = Server::start(|_| answer(502, "", ""));
    let endpoint = format!("http://{}", aws.address);
    let folder = Folder::of("test");
    let asked = folder.path().join("asked");
    let path = aws_cli(&folder, Some(&format!("printf \"'%s' \" \"$@\" >> {}\n{EXPORTED}", asked.display())));
    for (profile, base) in [
        (Some("ops"), "'ops'"),
        (None, "'default'"),
        (Some("Ann's School"), "'Ann's School'"),
        (Some("role"), "'ops'"),
    ] {
        let _ = std::fs::remove_file(&asked);
        let before = aws.requests().len();
        let mut command = with(&folder, LOGIN, &endpoint);
        command.env("HTTPS_PROXY", format!("http://{}", proxy.address));
        command.env("PATH", &path).args(profile.map(|profile| ["--profile", profile]).into_iter().flatten());
        let Ran { stderr, .. } = run(&mut command);
        let command = std::fs::read_to_string(&asked).unwrap_or_default();
        let expected = format!("'configure' 'export-credentials' '--format' 'process' '--profile' {base} ");
        assert_eq!(command, expected, "{profile:?}: {stderr}");
        if profile == Some("role") {
            // With these keys, AWS itself is asked for the role's.
            let asked = |head: &String| head.starts_with("CONNECT sts.us-west-2.amazonaws.com:443");
            assert!(proxy.requests().iter().any(asked), "{stderr}");
        } else {
            let requests = aws.requests().split_off(before);
            let identity = requests.iter().find(|request| request.contains("GetCallerIdentity")).unwrap();
            assert!(identity.contains("Credential=ASIAEXPORTED/"), "{profile:?}: {identity}: {stderr}");
        }
        assert!(!stderr.contains("CANARY"), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn an_aws_cli_that_cannot_load_the_session_is_named_with_its_remedy() {
    let folder = Folder::of("test");
    let ended_session =
        "echo 'Your session has expired. Please reauthenticate using '\\''aws login'\\''.' >&2; exit 255";
    let mut all = String::new();
    for (version, script) in [
        (Some("2.32.1"), ended_session),
        (Some("2.31.9"), "exit 252"),
        (Some("1.46.3"), "exit 252"),
        (Some("2.40.0"), "echo nonsense"),
        (None, ""),
    ] {
        let script = version.map(|version| {
            format!(
                "if [ \"$1\" = --version ]; then echo aws-cli/{version} Python/3.13.7; exit 0; fi\n{script}"
            )
        });
        let path = aws_cli(&folder, script.as_deref());
        for profile in ["ops", "role"] {
            let mut command = with(&folder, LOGIN, "http://127.0.0.1:1");
            let ran = run(command.env("PATH", &path).args(["--profile", profile])).exits(3);
            all += &ran.transcript(&format!("profile {profile}, AWS CLI {}", version.unwrap_or("missing")));
        }
    }
    snapshot("network/aws-cli", &all, &folder.own());
}

/// The AWS CLI writes the end of a session with `Z`; its earlier versions wrote other forms, which it still reads.
#[cfg(unix)]
#[test]
fn a_session_of_iam_identity_center_is_used_or_its_command_is_named() {
    let sso = "[profile ops]\nsso_session = school\nsso_account_id = 123456789012\nsso_role_name = r\nregion = us-west-2\n[sso-session school]\nsso_region = us-west-2\nsso_start_url = https://example.awsapps.com/start\n";
    let older = "[profile ops]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-west-2\nsso_account_id = 123456789012\nsso_role_name = r\nregion = us-west-2\n";
    // The names are the SHA-1 of the session's name and of the start URL.
    let name = "655f83be7512e5b5b3ba4c9976c043ece4b3ce51";
    let older_name = "e8be5486177c5b5392bd9aa76563515b29358e6e";
    let mut all = String::new();
    for (profile, name, field, end, way) in [
        (sso, name, "expiresAt", "2099-01-01T00:00:00Z", Way::Used),
        (sso, name, "expiresAt", "2001-01-01T00:00:00Z", Way::Refused),
        (sso, name, "expiresAt", "2099-01-01T00:00:00UTC", Way::ByCli),
        (sso, name, "expiresAt", "2099-01-01T00:00:00+00:00", Way::ByCli),
        (sso, name, "registrationExpiresAt", "2099-01-01T00:00:00UTC", Way::ByCli),
        (sso, name, "expiresAt", "soon", Way::Refused),
        (older, older_name, "expiresAt", "2099-01-01T00:00:00Z", Way::Used),
        (older, older_name, "expiresAt", "2099-01-01T00:00:00UTC", Way::ByCli),
    ] {
        let proxy = Server::start(|_| answer(502, "", ""));
        let folder = Folder::of("test");
        let cache = folder.path().join(".aws/sso/cache");
        std::fs::create_dir_all(&cache).unwrap();
        let mut token = serde_json::json!({
            "startUrl": "https://example.awsapps.com/start",
            "region": "us-west-2",
            "accessToken": "CANARY-token",
            "expiresAt": "2099-01-01T00:00:00Z",
        });
        token[field] = end.into();
        support::write(&cache.join(name).with_extension("json"), &token.to_string());
        for script in [Some(EXPORTED), None] {
            let path = aws_cli(&folder, script);
            let mut command = with(&folder, profile, "https://sts.us-west-2.amazonaws.com");
            command.args(["--profile", "ops"]).env("PATH", path);
            command.env("HTTPS_PROXY", format!("http://{}", proxy.address));
            let ran = run(&mut command).exits(3).lacks("CANARY");
            let asked = |host: &str| {
                proxy.requests().iter().any(|head| head.starts_with(&format!("CONNECT {host}.us-west-2.")))
            };
            assert_eq!(asked("portal.sso"), way == Way::Used, "{end}: {ran:?}");
            if way == Way::ByCli && script.is_some() {
                assert!(asked("sts"), "{end}: {ran:?}");
                continue;
            }
            let cli = if script.is_some() { "an AWS CLI" } else { "no AWS CLI" };
            let own = [(folder.path().to_str().unwrap(), "FOLDER"), (&*proxy.address, "PROXY")];
            let end = end.replace("-01-01T00:00:00", " ");
            all += &named(&ran.transcript(&format!("{field} {end}, {cli}")), &own);
        }
    }
    snapshot("network/identity-center", &all, &[]);
}

/// A text with names for what is of one run alone.
fn named(text: &str, own: &[(&str, &str)]) -> String {
    own.iter().fold(text.to_owned(), |text, (own, name)| text.replace(own, name))
}

/// A token for the session `school`, as `aws sso login` leaves it.
fn sign_in_to_school(folder: &Folder) {
    let cache = folder.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = serde_json::json!({
        "startUrl": "https://example.awsapps.com/start",
        "region": "us-west-2",
        "accessToken": "CANARY-token",
        "expiresAt": "2099-01-01T00:00:00Z",
    });
    // The SHA-1 of the session's name.
    support::write(&cache.join("655f83be7512e5b5b3ba4c9976c043ece4b3ce51.json"), &token.to_string());
}

/// Roles that the caller is signed in for and may not have: another sign-in does not help.
#[cfg(unix)]
#[test]
fn a_role_that_is_refused_says_who_can_give_it() {
    let place = Folder::empty();
    let names = "DNS:portal.sso.us-west-2.amazonaws.com,DNS:sts.us-west-2.amazonaws.com";
    let server = trust::serve(place.path(), names);
    let proxy = Proxy::to(server.1.trim_start_matches("https://").to_owned(), "");
    let folder = Folder::of("test");
    sign_in_to_school(&folder);
    let sso = "[profile ops]\nsso_session = school\nsso_account_id = 123456789012\nsso_role_name = Admins\nregion = us-west-2\n[sso-session school]\nsso_region = us-west-2\nsso_start_url = https://example.awsapps.com/start\n";
    let role = format!(
        "[profile base]\n{KEYS}region = us-west-2\n[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/osmt-test-admin\nsource_profile = base\nregion = us-west-2\n"
    );
    let assume = |why: &str| {
        let message = format!(
            "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/osmt-test-admin{why}"
        );
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        );
        (&*role, "Action=AssumeRole", 403, "AccessDenied", body, why.to_owned())
    };
    let portal = |status: u16, code: &'static str, message: &str| {
        let body = serde_json::json!({ "message": message }).to_string();
        (sso, "/federation/credentials", status, code, body, message.to_owned())
    };
    let rows: &[(&str, &str, u16, &str, String, String)] = &[
        portal(403, "ForbiddenException", "No access"),
        portal(401, "UnauthorizedException", "Session token not found or invalid"),
        portal(429, "TooManyRequestsException", "slow down"),
        assume(" because no role trust policy allows the sts:AssumeRole action"),
        assume(" with an explicit deny in the role trust policy"),
        assume(""),
        assume(" with an explicit deny in a service control policy"),
    ];
    let mut all = String::new();
    for (config, to, status, code, body, message) in rows {
        let refusal = serde_json::json!({ "to": to, "status": status, "code": code, "body": body });
        support::write(&place.path().join("refusal.json"), &refusal.to_string());
        let file = folder.path().join("aws-config");
        support::write(&file, config);
        let mut command = support::osmt("osmt-bootstrap");
        command.args(["status", "--profile", "ops", "--dir"]).arg(folder.path());
        command.env("AWS_CONFIG_FILE", file).env("AWS_MAX_ATTEMPTS", "1").env("HOME", folder.path());
        command.env("HTTPS_PROXY", format!("http://{}", proxy.address));
        command.env("AWS_CA_BUNDLE", place.path().join("root.pem"));
        // Another sign-in helps where the session has ended, and not where the role is refused.
        let ran = run(&mut command).exits(3).lacks("CANARY");
        all += &ran.transcript(format!("{status} {code} {message}").trim());
    }
    snapshot("network/refused-roles", &all, &folder.own());
}

/// How a token of IAM Identity Center becomes credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Used,
    ByCli,
    Refused,
}

#[test]
fn a_credential_process_may_take_its_time_and_its_failure_is_its_own() {
    let aws = aws();
    let endpoint = format!("http://{}", aws.address);
    let folder = Folder::of("test");
    let helper = folder.path().join("helper");
    support::write(
        &helper,
        "sleep 6; echo '{\"Version\":1,\"AccessKeyId\":\"AKIAEXAMPLE\",\"SecretAccessKey\":\"y\"}'\n",
    );
    let config = format!("[profile ops]\ncredential_process = sh {}\n", helper.display());
    let Ran { stderr, .. } = run(with(&folder, &config, &endpoint).args(["--profile", "ops"]));
    assert!(!aws.requests().is_empty(), "{stderr}");
    support::write(&helper, "echo CANARY; echo 'no card in the reader' >&2; exit 1\n");
    run(with(&folder, &config, &endpoint).args(["--profile", "ops"]))
        .exits(3)
        .lacks("CANARY")
        .matches("network/credential-process", &folder.own());
}

#[test]
fn a_signal_ends_the_credential_process() {
    let folder = Folder::of("test");
    let ids = folder.path().join("ids");
    let helper = folder.path().join("helper");
    support::write(&helper, &format!("echo $$ > {0}; sleep 300 & echo $! >> {0}; wait\n", ids.display()));
    let config = format!("[profile ops]\ncredential_process = sh {}\n", helper.display());
    let mut command = with(&folder, &config, "http://127.0.0.1:1");
    command.args(["--profile", "ops"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while std::fs::read_to_string(&ids).unwrap_or_default().lines().count() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(60), "the helper was not started");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted; nothing was written"), "{said}");
    for id in std::fs::read_to_string(&ids).unwrap().lines() {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{id} still runs");
    }
}
