//! The check before the first write against a simulator that evaluates the caller's policies, and what the admin role
//! may do by its verdict: `MiniStack`, an emulator beside the usual one, which has none.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support;
use crate::support::{ACCOUNT, Folder, REGION, Ran, run};

/// An account whose IAM evaluates policies.
struct Simulator {
    server: Child,
    /// What it writes.
    _folder: Folder,
    endpoint: String,
}

impl Simulator {
    fn start() -> Self {
        let folder = Folder::empty();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
        let server = Command::new(support::python("simulator"))
            .args(["-m", "ministack"])
            .current_dir(folder.path())
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "no simulator");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { server, _folder: folder, endpoint: format!("http://127.0.0.1:{port}") }
    }

    fn environment(&self, keys: &Value) -> Vec<(String, String)> {
        let mut environment = vec![("AWS_ENDPOINT_URL".to_owned(), self.endpoint.clone())];
        let mut set = |name: &str, value: &str| {
            environment.push((name.to_owned(), value.to_owned()));
        };
        set("AWS_DEFAULT_REGION", REGION);
        let of = |key: &str, or: &'static str| keys[key].as_str().unwrap_or(or).to_owned();
        set("AWS_ACCESS_KEY_ID", &of("AccessKeyId", "root"));
        set("AWS_SECRET_ACCESS_KEY", &of("SecretAccessKey", "root"));
        if let Some(token) = keys["SessionToken"].as_str() {
            set("AWS_SESSION_TOKEN", token);
        }
        environment
    }

    /// Asks as the account's root user.
    fn ask(&self, script: &str) -> Value {
        support::ask(&self.environment(&Value::Null), script)
    }

    /// A user with one policy, and her keys.
    fn user(&self, statements: &Value) -> Value {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        self.ask(&format!(
            "iam = client('iam')
iam.create_user(UserName='ann')
iam.put_user_policy(UserName='ann', PolicyName='p', PolicyDocument='''{policy}''')
answer = iam.create_access_key(UserName='ann')['AccessKey']"
        ))
    }

    /// The binary with these keys.
    fn osmt(&self, keys: &Value) -> Command {
        let mut command = support::osmt("osmt-bootstrap");
        command.envs(self.environment(keys));
        command
    }

    fn buckets(&self) -> Value {
        self.ask("answer = [one['Name'] for one in client('s3').list_buckets()['Buckets']]")
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

const APPLY: &str = "apply --yes --check-permissions always -v";

#[test]
fn what_the_callers_policies_do_not_allow_is_reported_before_the_first_write() {
    let everything = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    for (statements, denied) in [
        (
            json!([{ "Effect": "Allow", "Action": ["s3:*", "iam:Simulate*"], "Resource": "*" }]),
            &[
                "not allowed: dynamodb:CreateTable on arn:aws:dynamodb:us-west-2:123456789012:table/osmt-test",
                "not allowed: dynamodb:UpdateContinuousBackups",
            ][..],
        ),
        (
            json!([everything, { "Effect": "Deny", "Action": "s3:PutBucketPolicy", "Resource": "arn:aws:s3:::osmt-*" }]),
            &["not allowed: s3:PutBucketPolicy on arn:aws:s3:::osmt-test-123456789012-us-west-2"],
        ),
    ] {
        let (account, folder) = (Simulator::start(), Folder::of("test"));
        let keys = account.user(&statements);
        let Ran { exit, stderr: error, .. } = run(&mut folder.on(account.osmt(&keys), APPLY));
        assert_eq!(exit, 4, "{error}");
        for expected in denied {
            assert!(error.contains(expected), "{expected}: {error}");
        }
        assert!(error.contains("nothing was written"), "{error}");
        assert_eq!(account.buckets(), json!([]));
    }
}

#[test]
fn the_admin_role_may_make_the_state_but_not_change_itself() {
    let (account, folder) = (Simulator::start(), Folder::of("test"));
    let keys = account.user(&json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]));
    let make = "--only admin --trust arn:aws:iam::123456789012:user/ann --no-mfa";
    let make = format!("{APPLY} {make}");
    let Ran { exit, stderr: error, .. } = run(&mut folder.on(account.osmt(&keys), &make));
    assert_eq!(exit, 0, "{error}");
    assert!(!error.contains("undecided"), "{error}");

    let role = support::ask(
        &account.environment(&keys),
        "answer = client('sts').assume_role(RoleArn='arn:aws:iam::123456789012:role/osmt-test-admin', RoleSessionName='ann')['Credentials']",
    );
    let Ran { exit, stderr: error, .. } = run(&mut folder.on(account.osmt(&role), APPLY));
    assert_eq!(exit, 0, "{error}");
    assert!(!error.contains("undecided"), "{error}");
    assert_eq!(account.buckets(), json!(["osmt-test-123456789012-us-west-2"]));

    let widen = format!("{APPLY} --only admin --session-hours 12");
    let Ran { exit, stderr: error, .. } = run(&mut folder.on(account.osmt(&role), &widen));
    assert_eq!(exit, 4, "{error}");
    let expected = "not allowed: iam:UpdateRole on arn:aws:iam::123456789012:role/osmt-test-admin";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn only_the_right_repository_and_environment_may_assume_the_ci_roles() {
    use osmt::bootstrap::Target;
    use osmt::bootstrap::ci::repository::{Repository, Source};
    use osmt::bootstrap::ci::{CiRole, documents};
    use osmt::deployment::{Deployment, StateBackend};

    let deployment = Deployment { account_id: ACCOUNT.into(), region: REGION.into(), env: "test".into() };
    let target = Target { backend: StateBackend::standard(&deployment), deployment, region_in_names: false };
    let source = |repository: &str, branches: &[&str], environments: &[&str]| Source {
        repository: Repository::parse(repository).unwrap(),
        branches: branches.iter().map(|&one| one.to_owned()).collect(),
        environments: environments.iter().map(|&one| one.to_owned()).collect(),
    };
    // `MiniStack`'s evaluator of trust policies; its simulator API does not take the token's claims as context.
    let may = |which: CiRole, source: &Source, tokens: &[(&str, &str)]| {
        let issuer = source.repository.issuer();
        let trust = documents::trust(&target, which, source, None);
        let script = "
import json, sys
from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy
trust, issuer, provider, tokens = json.loads(sys.argv[1])
def may(aud, sub):
  claims = {issuer.lower() + ':aud': aud, issuer.lower() + ':sub': sub}
  context = EvalContext(principal_arn=provider, principal_type='FederatedUser', principal_account='', action='sts:AssumeRoleWithWebIdentity',
    resource_arn='*', region='', service_context=claims)
  return evaluate_trust_policy(trust, provider, context)
print(json.dumps([may(aud, sub) for aud, sub in tokens]))";
        let provider = documents::provider_arn(&target, &issuer);
        let asked = json!([trust, issuer, provider, tokens]).to_string();
        let answer = run(Command::new(support::python("simulator")).args(["-c", script, &asked])).exits(0);
        serde_json::from_value::<Vec<bool>>(answer.json()).unwrap()
    };
    let aws = "sts.amazonaws.com";
    let github = source("my-org/osmt", &["main"], &["test"]);
    let tokens = [
        (aws, "repo:my-org/osmt:environment:test"),
        (aws, "repo:my-org/osmt:ref:refs/heads/main"),
        (aws, "repo:my-org/osmt:pull_request"),
        (aws, "repo:my-org/osmt:environment:prod"),
        (aws, "repo:my-org/osmt:ref:refs/heads/main2"),
        (aws, "repo:my-org/osmt-fork:environment:test"),
        (aws, "repo:evil/osmt:environment:test"),
        (aws, "repo:evil/osmt:pull_request"),
        ("https://github.com/my-org", "repo:my-org/osmt:environment:test"),
    ];
    let of = |allowed: usize| (0..9).map(|at| at < allowed).collect::<Vec<bool>>();
    assert_eq!(may(CiRole::Apply, &github, &tokens), of(2));
    assert_eq!(may(CiRole::Plan, &github, &tokens), of(3));
    // From an environment alone, or from a branch alone.
    let one = |allowed: usize| (0..9).map(|at| at == allowed).collect::<Vec<bool>>();
    let environment = source("my-org/osmt", &[], &["test"]);
    assert_eq!(may(CiRole::Apply, &environment, &tokens), one(0));
    let branch = source("my-org/osmt", &["main"], &[]);
    assert_eq!(may(CiRole::Apply, &branch, &tokens), one(1));
    for (narrow, own) in [(&environment, 0), (&branch, 1)] {
        let with_pull_requests: Vec<bool> = (0..9).map(|at| at == own || at == 2).collect();
        assert_eq!(may(CiRole::Plan, narrow, &tokens), with_pull_requests);
    }
    // A pull request from a fork has the subject of a pull request of the repository that it is for, and no token; a workflow
    // of the fork itself has its own subject.
    let of_forks = [
        (aws, "repo:ann/osmt:pull_request"),
        (aws, "repo:ann/osmt:environment:test"),
        (aws, "repo:ann/osmt:ref:refs/heads/main"),
    ];
    for which in CiRole::ALL {
        assert_eq!(may(which, &github, &of_forks), [false; 3]);
    }
    let gitlab = source("gitlab.com/my/osmt", &["main"], &[]);
    let tokens = [
        (aws, "project_path:my/osmt:ref_type:branch:ref:main"),
        (aws, "project_path:my/osmt:ref_type:branch:ref:feature"),
        (aws, "project_path:my/osmt:ref_type:tag:ref:main"),
        (aws, "project_path:evil/osmt:ref_type:branch:ref:main"),
        (aws, "project_path:my/osmt-fork:ref_type:branch:ref:main"),
        (aws, "project_path:my/osmt/sub:ref_type:branch:ref:main"),
        ("https://gitlab.com", "project_path:my/osmt:ref_type:branch:ref:main"),
    ];
    assert_eq!(may(CiRole::Apply, &gitlab, &tokens), [true, false, false, false, false, false, false]);
    assert_eq!(may(CiRole::Plan, &gitlab, &tokens), [true, true, false, false, false, false, false]);
}
