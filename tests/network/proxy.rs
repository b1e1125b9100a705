//! The proxy variables (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), against a listener that speaks CONNECT.

use crate::server::{IDENTITY, Server, answer, ended, folder, status};

/// The four binaries, each with a verb that signs in.
#[test]
fn requests_to_aws_go_through_the_proxy_and_its_refusal_is_named() {
    let server = Server::start(|_| answer(407, "Proxy-Authenticate: Basic\r\n", ""));
    let folder = folder();
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = format!("http://ann:s3cret-word@{}", server.address);
        let (exit, stderr) = ended(status(&folder).env(variable, proxy));
        assert_eq!(exit, 3, "{stderr}");
        let request = server.requests().pop().unwrap_or_default();
        assert!(request.starts_with("CONNECT sts.us-west-2.amazonaws.com:443"), "{request}");
        // ann:s3cret-word
        assert!(request.to_lowercase().contains("proxy-authorization: basic"), "{request}");
        assert!(request.contains("YW5uOnMzY3JldC13b3Jk"), "{request}");
        let said =
            ["could not reach AWS for sts:GetCallerIdentity", "sts.us-west-2.amazonaws.com", &server.address];
        for said in said.into_iter().chain([variable]) {
            assert!(stderr.contains(said), "{said}: {stderr}");
        }
        assert!(!stderr.contains("s3cret-word"), "{stderr}");
    }
}

#[test]
fn doctor_and_the_calls_without_an_sdk_go_through_the_proxy() {
    let server = Server::start(|_| answer(502, "", ""));
    let folder = folder();
    let mut command = crate::support::osmt("osmt-doctor");
    command.args(["check", "--live", "--dir"]).arg(folder.path());
    command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "y").env("AWS_MAX_ATTEMPTS", "1");
    let (exit, stderr) = ended(command.env("HTTPS_PROXY", format!("http://{}", server.address)));
    assert_eq!(exit, 3, "{stderr}");
    assert!(server.requests()[0].starts_with("CONNECT sts.us-west-2.amazonaws.com:443"), "{stderr}");
}

#[test]
fn no_proxy_exempts_a_host_and_http_proxy_is_for_plain_endpoints() {
    let aws = Server::start(|_| answer(200, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", IDENTITY));
    let folder = folder();
    let endpoint = format!("http://{}", aws.address);
    for exempt in ["127.0.0.1", "*", "example.org,127.0.0.0/8"] {
        let before = aws.requests().len();
        let mut command = status(&folder);
        command.env("AWS_ENDPOINT_URL", &endpoint).env("NO_PROXY", exempt);
        ended(command.env("HTTP_PROXY", "http://127.0.0.1:1").env("HTTPS_PROXY", "http://127.0.0.1:1"));
        assert!(aws.requests().len() > before, "{exempt}");
    }
    let proxy = Server::start(|_| answer(200, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", IDENTITY));
    let mut command = status(&folder);
    command.env("AWS_ENDPOINT_URL", &endpoint).env("HTTP_PROXY", format!("http://{}", proxy.address));
    ended(&mut command);
    assert!(proxy.requests()[0].starts_with(&format!("POST {endpoint}")), "{:?}", proxy.requests());
}

#[test]
fn a_proxy_that_cannot_be_used_is_named() {
    let folder = folder();
    for (value, said) in [("socks5://127.0.0.1:1", "socks5"), ("http://", "HTTPS_PROXY")] {
        let (exit, stderr) = ended(status(&folder).env("HTTPS_PROXY", value));
        assert_eq!(exit, 3, "{stderr}");
        assert!(stderr.contains("HTTPS_PROXY") && stderr.contains(said), "{stderr}");
    }
}

#[test]
fn a_host_that_cannot_be_resolved_is_named() {
    let folder = folder();
    let mut command = status(&folder);
    let (exit, stderr) = ended(command.args(["--endpoint-url", "https://no-such-host.invalid"]));
    assert_eq!(exit, 3, "{stderr}");
    assert!(stderr.contains("no-such-host.invalid"), "{stderr}");
}

#[test]
fn an_empty_variable_is_unset() {
    let aws = Server::start(|_| answer(200, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", IDENTITY));
    let folder = folder();
    let mut command = status(&folder);
    for name in [
        "AWS_ENDPOINT_URL",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_CA_BUNDLE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "OSMT_KEYRING",
    ] {
        command.env(name, "");
    }
    let (_, stderr) = ended(command.args(["--endpoint-url", &format!("http://{}", aws.address)]));
    assert!(!aws.requests().is_empty(), "{stderr}");
}
