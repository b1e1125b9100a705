//! The account's own settings: shown, and changed only where they are named.

use std::io::{Read as _, Write as _};

use super::bootstrap;
use crate::support::{Emulator, Folder, Ran, run, snapshot};

#[test]
fn an_item_changes_only_where_it_is_named() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let bootstrap = |arguments: &str| bootstrap(&account, &folder, arguments);
    let policy = "iam = client('iam')
try:
  answer = iam.get_account_password_policy()['PasswordPolicy']
except iam.exceptions.NoSuchEntityException:
  pass";

    let Ran { exit, stdout: plan, stderr: error } = bootstrap("apply --only account --yes");
    assert_eq!((exit, plan.as_str()), (0, "nothing to do\n"), "{error}");
    // The emulator does not have IAM Access Analyzer.
    let own = [folder.own()[0], (": AttributeError: 'NoneType' object has no attribute 'replace'", "")];
    bootstrap("plan --only account").exits(0).matches("bootstrap/account-plan", &own);
    assert_eq!(account.ask(policy), serde_json::Value::Null);

    // What is stricter already stays.
    account.ask("client('iam').update_account_password_policy(MinimumPasswordLength=20, MaxPasswordAge=180)");
    bootstrap("apply --only account.password-policy --yes")
        .exits(0)
        .matches("bootstrap/password-policy", &folder.own());
    let found = account.ask(policy);
    assert_eq!(found["MinimumPasswordLength"], 20);
    assert_eq!(found["MaxPasswordAge"], 180);
    assert_eq!(found["PasswordReusePrevention"], 24);
    for class in ["Symbols", "Numbers"] {
        assert_eq!(found[format!("Require{class}")], true, "{found}");
    }
    for class in ["Uppercase", "Lowercase"] {
        assert_eq!(found[format!("Require{class}Characters")], true, "{found}");
    }
    assert_eq!(bootstrap("apply --only account.password-policy --yes").exits(0).stdout, "nothing to do\n");

    // The baseline outlives the environment.
    bootstrap("destroy --yes --confirm test").exits(0);
    assert_eq!(account.ask(policy), found);
}

#[test]
fn new_disks_are_encrypted_only_where_it_is_named() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let bootstrap = |arguments: &str| bootstrap(&account, &folder, arguments);
    let disks = "answer = client('ec2').get_ebs_encryption_by_default()['EbsEncryptionByDefault']";
    bootstrap("apply --only account --yes").exits(0);
    assert_eq!(account.ask(disks), false);

    let item = "--only account.ebs-encryption";
    let mut all = bootstrap(&format!("plan {item}")).exits(1).transcript("plan");
    assert_eq!(account.ask(disks), false);
    bootstrap(&format!("apply {item} --yes")).exits(0);
    assert_eq!(account.ask(disks), true);
    assert_eq!(bootstrap(&format!("apply {item} --yes")).exits(0).stdout, "nothing to do\n");

    // Not known is said where it is only looked at, and ends what would change it.
    let unreached = |arguments: &str| {
        let mut command = folder.on(account.osmt("osmt-bootstrap"), arguments);
        command.env("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9").env("AWS_MAX_ATTEMPTS", "1");
        run(&mut command)
    };
    all += &unreached(&format!("plan {item}")).exits(3).transcript("plan without EC2");
    all += &unreached(&format!("apply {item} --yes")).exits(3).transcript("apply without EC2");
    snapshot("bootstrap/ebs-encryption", &all, &folder.own());
    unreached("plan --only account")
        .exits(0)
        .shows("! EBS encryption by default in us-west-2: not known: could not reach AWS for ec2:GetEbsEncryptionByDefault");
}

#[test]
fn public_access_is_blocked_only_where_it_is_named() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let bootstrap = |arguments: &str| bootstrap(&account, &folder, arguments);
    let switches = |put: &str| {
        // botocore puts the account's number before the host, which an address cannot have: asked as S3 itself hears it.
        account.ask(&format!(
            r"
import botocore.auth, botocore.awsrequest, http.client, os, re
keys = session.get_credentials().get_frozen_credentials()
url = os.environ['AWS_ENDPOINT_URL'] + '/v20180820/configuration/publicAccessBlock'
body = {put}
request = botocore.awsrequest.AWSRequest('PUT' if body else 'GET', url, {{'x-amz-account-id': '123456789012'}}, body)
botocore.auth.S3SigV4Auth(keys, 's3', 'us-west-2').add_auth(request)
wire = http.client.HTTPConnection(url.split('/')[2])
wire.request(request.method, '/v20180820/configuration/publicAccessBlock', body, dict(request.headers))
answer = re.findall('<([A-Za-z]+)>true<', wire.getresponse().read().decode())"
        ))
    };
    bootstrap("apply --only account --yes").exits(0);
    assert_eq!(switches("None"), serde_json::json!([]));
    switches(
        "'<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>'",
    );

    let item = "--only account.s3-public-access";
    bootstrap(&format!("plan {item}")).exits(1).matches("bootstrap/s3-public-access", &folder.own());
    bootstrap(&format!("apply {item} --yes")).exits(0);
    let on = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    assert_eq!(switches("None"), serde_json::json!(on));
    assert_eq!(bootstrap(&format!("apply {item} --yes")).exits(0).stdout, "nothing to do\n");
}

#[test]
fn a_trail_counts_where_it_records_all_regions() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let plan = || bootstrap(&account, &folder, "plan --only account").exits(0);
    account.ask(
        r"
s3, trails = client('s3'), client('cloudtrail')
s3.create_bucket(Bucket='trails', CreateBucketConfiguration={'LocationConstraint': 'us-west-2'})
trails.create_trail(Name='here', S3BucketName='trails')
trails.start_logging(Name='here')
trails.create_trail(Name='everywhere', S3BucketName='trails', IsMultiRegionTrail=True)",
    );
    plan().shows("! CloudTrail: not all regions are recorded: trail everywhere is stopped, trail here records one region; in the CloudTrail console");
    account.ask("client('cloudtrail').start_logging(Name='everywhere')");
    plan().shows("= CloudTrail: trail everywhere records all regions");
}

#[test]
fn an_analyzer_counts_where_it_is_active_and_looks_outside() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let expected = |status: u16, answer: &'static str| {
        let mut command = account.osmt("osmt-bootstrap");
        command.env("AWS_ENDPOINT_URL_ACCESSANALYZER", one_answer(status, answer));
        let Ran { exit, stdout: plan, stderr: error } = run(&mut folder.on(command, "plan --only account"));
        assert_eq!(exit, 0, "{error}");
        let lines = plan.lines().map(str::trim);
        let mut lines = lines.filter_map(|line| {
            let expected = line.trim_start_matches(['=', '!', ' ']);
            expected.strip_prefix("IAM Access Analyzer in us-west-2: ")
        });
        lines.next().unwrap_or_else(|| panic!("{plan}")).to_owned()
    };
    let unused = r#"{"arn":"a","name":"unused","type":"ACCOUNT_UNUSED_ACCESS","status":"ACTIVE","createdAt":"2026-01-01T00:00:00Z"}"#;
    let outside = r#"{"arn":"b","name":"outside","type":"ACCOUNT","status":"ACTIVE","createdAt":"2026-01-01T00:00:00Z"}"#;
    let answer = |analyzers: String| &*format!(r#"{{"analyzers":[{analyzers}]}}"#).leak();
    assert!(expected(200, answer(unused.into())).starts_with("this account has no analyzer"));
    let failed = outside.replace("ACTIVE", "FAILED");
    assert!(expected(200, answer(failed)).starts_with("this account has no analyzer"));
    assert_eq!(expected(200, answer(format!("{unused},{outside}"))), "outside is active");
    // An answer that cannot be read is not known, and neither is a refusal.
    assert!(expected(200, "{").starts_with("not known: "));
    assert_eq!(
        expected(403, r#"{"message":"no"}"#),
        "not known: the answer to access-analyzer:ListAnalyzers does not come from AWS: HTTP status 403 without an error code of AWS"
    );
}

/// A service that knows one answer.
fn one_answer(status: u16, answer: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 8192];
            let _ = stream.read(&mut request);
            let length = answer.len();
            let head = format!(
                "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(format!("{head}{answer}").as_bytes());
        }
    });
    endpoint
}
