//! One row a class of error that AWS answers with; what the user reads is in the snapshots.

use crate::server::{IDENTITY, Server, answer, status};
use crate::support::{Folder, Ran, run, snapshot};

/// Status, code and message that AWS answers with.
const ROWS: &[(u16, &str, &str)] = &[
    (403, "RequestTimeTooSkewed", "too large"),
    (400, "ExpiredToken", "The provided token has expired."),
    (400, "TokenRefreshRequired", "refresh"),
    (400, "InvalidToken", "malformed or otherwise invalid"),
    (403, "InvalidAccessKeyId", "does not exist"),
    (403, "SignatureDoesNotMatch", "does not match"),
    (
        403,
        "AccessDenied",
        "User: arn:aws:iam::1:user/a is not authorized to perform: s3:GetBucketVersioning because no identity-based policy allows it",
    ),
    (
        403,
        "AccessDenied",
        "User: arn:aws:iam::1:user/a is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-west-2:1:key/k because no resource-based policy allows it",
    ),
    (400, "KMS.DisabledException", "is disabled"),
    (400, "KMS.NotFoundException", "does not exist"),
    (400, "KMS.KMSInvalidStateException", "is pending deletion"),
    (403, "OptInRequired", "not subscribed"),
    (403, "AllAccessDisabled", "disabled"),
    (400, "AuthorizationHeaderMalformed", "expecting 'eu-west-1'"),
    (503, "SlowDown", "Please reduce your request rate."),
    (400, "TooManyBuckets", "too many"),
    (409, "LimitExceeded", "Cannot exceed quota"),
    (400, "ThrottlingException", "Rate exceeded"),
    (403, "ExpiredTokenException", "expired"),
    (409, "BucketAlreadyExists", "not available"),
    (400, "MalformedPolicy", "Invalid principal in policy"),
    (409, "OperationAborted", "conflicting"),
    (500, "InternalError", "internal"),
];

#[test]
fn each_class_has_its_words_and_its_help() {
    let mut all = String::new();
    for (status, code, message) in ROWS {
        all += &refused(*status, code, message).exits(3).says(message).transcript(code);
    }
    snapshot("network/classes", &all, &[]);
}

/// A text with a name for the folder of one run.
fn named(text: &str, folder: &Folder) -> String {
    text.replace(folder.own()[0].0, folder.own()[0].1)
}

/// A run in which S3 refuses each call about the bucket.
fn refused(status_code: u16, code: &str, message: &str) -> Ran {
    let message = message.replace('"', "&quot;");
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let server = Server::start(move |request| {
        if request.contains("Action=GetCallerIdentity") {
            return answer(200, "", IDENTITY);
        }
        if request.starts_with("HEAD") {
            return answer(200, "x-amz-bucket-region: us-west-2\r\n", "");
        }
        answer(status_code, "x-amz-request-id: 1\r\nContent-Type: application/xml\r\n", &body)
    });
    let folder = Folder::of("test");
    let mut ran = run(status(&folder).env("AWS_ENDPOINT_URL", format!("http://{}", server.address)));
    // Calls made at once are throttled in any order.
    let lines = ran.stderr.split_inclusive('\n');
    ran.stderr = lines.filter(|line| !line.starts_with("AWS throttles ")).collect();
    ran
}

/// The end of AWS's message ("Troubleshoot access denied error messages", IAM User Guide; with the ARN of the policy since 2026,
/// "Enhanced access denied error messages with policy ARNs", AWS Security Blog).
const POLICIES: &[&str] = &[
    "with an explicit deny in a service control policy",
    "with an explicit deny in a service control policy: arn:aws:organizations::987654321098:policy/o-q/service_control_policy/p-2",
    "because no service control policy allows the s3:GetBucketVersioning action",
    "on resource: arn:aws:s3:::b with an explicit deny in a resource control policy",
    "with an explicit deny in a VPC endpoint policy",
    "because no VPC endpoint policy allows the s3:GetBucketVersioning action",
    "with an explicit deny in a permissions boundary",
    "because no permissions boundary allows the s3:GetBucketVersioning action",
    "on resource: arn:aws:s3:::b with an explicit deny in a sessions policy",
    "with an explicit deny in a session policy",
    "because no session policy allows the s3:GetBucketVersioning action",
    "with an explicit deny in an identity-based policy",
    "on resource: \"arn:aws:s3:::b\" with an explicit deny in a resource-based policy",
    "because no resource-based policy allows the s3:GetBucketVersioning action",
    "on resource: b with an explicit deny",
];

#[test]
fn each_kind_of_policy_that_refuses_has_the_one_who_can_change_it() {
    let mut all = String::new();
    for end in POLICIES {
        let message =
            format!("User: arn:aws:iam::1:user/a is not authorized to perform: s3:GetBucketVersioning {end}");
        let refused = refused(403, "AccessDenied", &message).exits(3);
        all += &refused.says(end).lacks("the caller needs").transcript(end);
    }
    snapshot("network/policies", &all, &[]);
}

#[test]
fn an_answer_that_does_not_come_from_aws_is_not_taken_for_a_refusal() {
    let mut all = String::new();
    for (status_code, body) in [
        (200, "<html><title>Welcome to our network</title></html>"),
        (403, ""),
        (403, "<html>blocked</html>"),
        (302, ""),
    ] {
        let server = Server::start(move |_| answer(status_code, "Content-Type: text/html\r\n", body));
        let folder = Folder::of("test");
        let ran = run(status(&folder).env("AWS_ENDPOINT_URL", format!("http://{}", server.address)));
        all += &named(&ran.exits(3).transcript(format!("{status_code} {body}").trim()), &folder);
    }
    snapshot("network/not-aws", &all, &[]);
}

#[test]
fn a_wrong_clock_is_known_by_the_answers_date() {
    let server = Server::start(|_| {
        let body = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message></Error></ErrorResponse>";
        answer(
            403,
            "Date: Mon, 01 Jan 2001 00:00:00 GMT\r\nx-amzn-requestid: 1\r\nContent-Type: text/xml\r\n",
            body,
        )
    });
    let folder = Folder::of("test");
    run(status(&folder).env("AWS_ENDPOINT_URL", format!("http://{}", server.address)))
        .exits(3)
        .matches("network/wrong-clock", &folder.own());
}

/// How often the caller's identity was asked for; other calls may be made meanwhile.
fn sign_ins(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.contains("Action=GetCallerIdentity")).count()
}

#[test]
fn throttling_ends_after_the_attempts_that_the_environment_names() {
    let server = Server::start(|_| {
        let body = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>";
        answer(400, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", body)
    });
    let folder = Folder::of("test");
    let mut command = status(&folder);
    command.env("AWS_ENDPOINT_URL", format!("http://{}", server.address)).env("AWS_MAX_ATTEMPTS", "2");
    let Ran { exit, stderr, .. } = run(&mut command);
    assert_eq!((exit, sign_ins(&server)), (3, 2), "{stderr}");
    assert!(stderr.contains("AWS throttles STS:GetCallerIdentity"), "{stderr}");
    assert!(stderr.contains("was throttled"), "{stderr}");
}

/// Standard and adaptive mode, as the environment and a profile name them.
#[test]
fn each_retry_mode_of_the_aws_cli_is_taken() {
    let throttled = || {
        Server::start(|_| {
            let body = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>";
            answer(400, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", body)
        })
    };
    for (mode, attempts, variables) in [
        ("standard", "1", true),
        ("standard", "3", true),
        ("adaptive", "3", true),
        ("legacy", "2", true),
        ("standard", "2", false),
        ("adaptive", "2", false),
    ] {
        let server = throttled();
        let folder = Folder::of("test");
        let mut command = status(&folder);
        command.env("AWS_ENDPOINT_URL", format!("http://{}", server.address));
        if variables {
            command.env("AWS_RETRY_MODE", mode).env("AWS_MAX_ATTEMPTS", attempts);
        } else {
            let profiles = folder.path().join("aws-config");
            let text = format!("[default]\nretry_mode = {mode}\nmax_attempts = {attempts}\n");
            crate::support::write(&profiles, &text);
            command.env("AWS_CONFIG_FILE", profiles).env_remove("AWS_MAX_ATTEMPTS");
        }
        let begun = std::time::Instant::now();
        let Ran { exit, stderr, .. } = run(&mut command);
        assert_eq!((exit, sign_ins(&server).to_string().as_str()), (3, attempts), "{mode}: {stderr}");
        assert!(stderr.contains("AWS throttles STS:GetCallerIdentity"), "{mode}: {stderr}");
        assert!(stderr.contains("was throttled"), "{mode}: {stderr}");
        assert!(begun.elapsed().as_secs() < 20, "{mode} with {attempts} attempts took {:?}", begun.elapsed());
    }
    let mut all = String::new();
    for (name, value) in
        [("AWS_RETRY_MODE", "no-such-mode"), ("AWS_MAX_ATTEMPTS", "0"), ("AWS_MAX_ATTEMPTS", "many")]
    {
        let server = throttled();
        let folder = Folder::of("test");
        let mut command = status(&folder);
        command.env("AWS_ENDPOINT_URL", format!("http://{}", server.address));
        let ran = run(command.env(name, value)).exits(2);
        assert_eq!(server.requests(), Vec::<String>::new(), "{name}");
        all += &named(&ran.transcript(&format!("{name}={value}")), &folder);
    }
    snapshot("network/retry-settings", &all, &[]);
}

#[test]
fn an_expired_or_unknown_session_is_named_at_the_first_call() {
    let mut all = String::new();
    for (code, message) in [
        ("ExpiredToken", "The security token included in the request is expired"),
        ("InvalidClientTokenId", "The security token is invalid"),
        ("RegionDisabledException", "STS is not activated in this region"),
        (
            "AccessDenied",
            "User: arn:aws:iam::1:user/a is not authorized to perform: sts:GetCallerIdentity with an explicit deny in a service control policy",
        ),
    ] {
        let server = Server::start(move |_| {
            let body = format!(
                "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            );
            answer(403, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", &body)
        });
        let folder = Folder::of("test");
        let ran = run(status(&folder).env("AWS_ENDPOINT_URL", format!("http://{}", server.address)));
        all += &named(&ran.exits(3).says(message).transcript(code), &folder);
    }
    snapshot("network/sign-in-refused", &all, &[]);
}

#[test]
fn nothing_is_sent_unencrypted_to_another_machine() {
    let folder = Folder::of("test");
    let mut all = String::new();
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"] {
        all += &run(status(&folder).env(variable, "http://192.0.2.1:4566")).exits(4).transcript(variable);
    }
    snapshot("network/unencrypted", &all, &folder.own());
}
