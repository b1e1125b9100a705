//! The proxy variables (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), against a listener that speaks CONNECT.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::server::{IDENTITY, Server, answer, status};
use crate::support::{Folder, Ran, run, snapshot};
use crate::{support, trust};

/// The four binaries, each with a verb that signs in.
#[test]
fn requests_to_aws_go_through_the_proxy_and_its_refusal_is_named() {
    let server = Server::start(|_| answer(407, "Proxy-Authenticate: Basic\r\n", ""));
    let folder = Folder::of("test");
    let mut all = String::new();
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = format!("http://ann:s3cret-word@{}", server.address);
        let ran = run(status(&folder).env(variable, proxy)).exits(3).lacks("s3cret-word");
        all += &ran.transcript(variable);
        let is_sign_in = |head: &String| head.starts_with("CONNECT sts.us-west-2.amazonaws.com:443");
        let request = server.requests().into_iter().rfind(is_sign_in).unwrap_or_default();
        // ann:s3cret-word
        assert!(request.to_lowercase().contains("proxy-authorization: basic"), "{request}");
        assert!(request.contains("YW5uOnMzY3JldC13b3Jk"), "{request}");
    }
    snapshot("network/proxy-refuses", &all, &folder.own());
}

#[test]
fn doctor_and_the_calls_without_an_sdk_go_through_the_proxy() {
    let server = Server::start(|_| answer(502, "", ""));
    let folder = Folder::of("test");
    let mut command = crate::support::osmt("osmt-doctor");
    command.args(["check", "--live", "--dir"]).arg(folder.path());
    command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "y").env("AWS_MAX_ATTEMPTS", "1");
    let Ran { exit, stderr, .. } = run(command.env("HTTPS_PROXY", format!("http://{}", server.address)));
    assert_eq!(exit, 3, "{stderr}");
    let is_sign_in = |head: &String| head.starts_with("CONNECT sts.us-west-2.amazonaws.com:443");
    assert!(server.requests().iter().any(is_sign_in), "{stderr}");
}

/// A proxy that opens a tunnel to one server, whatever host it is asked for.
pub(crate) struct Proxy {
    pub(crate) address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// A tunnel for hosts whose names begin so; for others it has none, after a while.
    pub(crate) fn to(server: String, hosts: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (seen, server) = (Arc::clone(&seen), server.clone());
                std::thread::spawn(move || tunnel(client, &seen, &server, hosts));
            }
        });
        Self { address, heads }
    }
}

fn tunnel(mut client: TcpStream, seen: &Mutex<Vec<String>>, server: &str, hosts: &str) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let is_served = head.starts_with(&format!("CONNECT {hosts}"));
    seen.lock().unwrap().push(head);
    if !is_served {
        std::thread::sleep(std::time::Duration::from_millis(300));
        return client.write_all(b"HTTP/1.1 502 Bad gateway\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let mut server = TcpStream::connect(server).ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let mut to_server = server.try_clone().ok()?;
    std::thread::spawn(move || std::io::copy(&mut reader, &mut to_server));
    std::io::copy(&mut server, &mut client).ok().map(drop)
}

/// A region of the default partition and one of the European Sovereign Cloud, whose endpoints have another domain ("AWS
/// European Sovereign Cloud User Guide", endpoints).
#[test]
fn inside_a_tunnel_requests_are_those_of_a_direct_connection() {
    for (region, partition, domain) in
        [("us-west-2", "aws", "amazonaws.com"), ("eusc-de-east-1", "aws-eusc", "amazonaws.eu")]
    {
        let place = Folder::empty();
        let names = format!("DNS:*.{region}.{domain},DNS:*.s3.{region}.{domain},DNS:*.{domain}");
        let server = trust::serve(place.path(), &names);
        let proxy = Proxy::to(server.1.trim_start_matches("https://").to_owned(), "");
        let folder = Folder::of("test");
        let config = support::config("test")
            .replace("us-west-2", region)
            .replace("arn:aws:", &format!("arn:{partition}:"));
        support::write(&folder.path().join("config.auto.tfvars.json"), &config);
        let mut command = status(&folder);
        command.env("HTTPS_PROXY", format!("http://ann:a%40b@{}", proxy.address));
        command.env("AWS_CA_BUNDLE", place.path().join("root.pem"));
        let Ran { exit, stderr, .. } = run(&mut command);
        let heads = proxy.heads.lock().unwrap().clone();
        for host in ["sts", &format!("osmt-test-123456789012-{region}.s3")] {
            let wanted = format!("CONNECT {host}.{region}.{domain}:443 HTTP/1.1\r\n");
            assert!(heads.iter().any(|head| head.starts_with(&wanted)), "{wanted}: {heads:?}: {stderr}");
        }
        // ann:a@b
        assert!(heads.iter().all(|head| head.contains("Basic YW5uOmFAYg==")), "{heads:?}");
        let requests = std::fs::read_to_string(place.path().join("requests")).unwrap();
        assert!(requests.contains(&format!("POST / HTTP/1.1 sts.{region}.{domain}\n")), "{requests}");
        assert!(requests.lines().all(|line| line.split(' ').nth(1).unwrap().starts_with('/')), "{requests}");
        assert!(!requests.to_lowercase().contains("proxy-authorization"), "{requests}");
        assert!(exit != 2 && !stderr.contains("GetCallerIdentity"), "{exit}: {stderr}");
    }
}

/// The hosts that are asked in a Region, by verbs that ask many services.
fn hosts(region: &str, prepare: impl Fn(&mut std::process::Command)) -> (Vec<String>, String) {
    let place = Folder::empty();
    let names = ["amazonaws.com", "api.aws"].map(|domain| format!("DNS:*.{region}.{domain}")).join(",");
    let server = trust::serve(place.path(), &names);
    let proxy = Proxy::to(server.1.trim_start_matches("https://").to_owned(), "sts");
    let folder = Folder::of("test");
    let config = support::config("test").replace("us-west-2", region);
    support::write(&folder.path().join("config.auto.tfvars.json"), &config);
    let mut said = String::new();
    for (binary, verb) in
        [("osmt-doctor", &["check", "--live"] as &[&str]), ("osmt-bootstrap", &["plan", "--with", "account"])]
    {
        let mut command = support::osmt(binary);
        command.args(verb).arg("--dir").arg(folder.path());
        command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "y").env("AWS_MAX_ATTEMPTS", "1");
        command.env("HTTPS_PROXY", format!("http://{}", proxy.address));
        command.env("AWS_CA_BUNDLE", place.path().join("root.pem"));
        prepare(&mut command);
        said += &run(&mut command).stderr;
    }
    let heads = proxy.heads.lock().unwrap().clone();
    let host = |head: &String| head.strip_prefix("CONNECT ")?.split(':').next().map(str::to_owned);
    (heads.iter().filter_map(host).collect(), said)
}

/// By the endpoint rules that AWS publishes with its SDKs (botocore 1.44.5).
#[test]
fn fips_and_dualstack_endpoints_are_asked_where_they_are_set() {
    let fips = &["AWS_USE_FIPS_ENDPOINT"] as &[&str];
    let dual = &["AWS_USE_DUALSTACK_ENDPOINT"];
    let both = &["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"];
    for (region, variables, expected) in [
        (
            "us-west-2",
            fips,
            [
                "sts-fips.us-west-2.amazonaws.com",
                "iam-fips.amazonaws.com",
                "osmt-test-123456789012-us-west-2.s3-fips.us-west-2.amazonaws.com",
                "123456789012.s3-control-fips.us-west-2.amazonaws.com",
                "ec2-fips.us-west-2.amazonaws.com",
                "cloudtrail-fips.us-west-2.amazonaws.com",
                "access-analyzer-fips.us-west-2.amazonaws.com",
            ],
        ),
        (
            "us-gov-west-1",
            fips,
            [
                "sts.us-gov-west-1.amazonaws.com",
                "iam.us-gov.amazonaws.com",
                "osmt-test-123456789012-us-gov-west-1.s3-fips.us-gov-west-1.amazonaws.com",
                "123456789012.s3-control-fips.us-gov-west-1.amazonaws.com",
                "ec2.us-gov-west-1.amazonaws.com",
                "cloudtrail.us-gov-west-1.amazonaws.com",
                "access-analyzer.us-gov-west-1.amazonaws.com",
            ],
        ),
        (
            "eu-west-1",
            dual,
            [
                "sts.eu-west-1.api.aws",
                "iam.global.api.aws",
                "osmt-test-123456789012-eu-west-1.s3.dualstack.eu-west-1.amazonaws.com",
                "123456789012.s3-control.dualstack.eu-west-1.amazonaws.com",
                "ec2.eu-west-1.api.aws",
                "cloudtrail.eu-west-1.api.aws",
                "access-analyzer.eu-west-1.api.aws",
            ],
        ),
        (
            "us-west-2",
            both,
            [
                "sts-fips.us-west-2.api.aws",
                "iam-fips.global.api.aws",
                "osmt-test-123456789012-us-west-2.s3-fips.dualstack.us-west-2.amazonaws.com",
                "123456789012.s3-control-fips.dualstack.us-west-2.amazonaws.com",
                "ec2-fips.us-west-2.api.aws",
                "cloudtrail-fips.us-west-2.api.aws",
                "access-analyzer-fips.us-west-2.api.aws",
            ],
        ),
    ] {
        // Each of the two ways twice.
        let by_profile = region == "eu-west-1" || variables.len() == 2;
        let file = tempfile::NamedTempFile::new().unwrap();
        let setting = |name: &&str| format!("{} = True\n", name.trim_start_matches("AWS_").to_lowercase());
        let settings = variables.iter().map(setting).collect::<Vec<_>>().concat();
        support::write(file.path(), &format!("[default]\n{settings}"));
        let (hosts, stderr) = hosts(region, |command| {
            if by_profile {
                command.env("AWS_CONFIG_FILE", file.path());
            } else {
                command.envs(variables.iter().map(|name| (name, "true")));
            }
        });
        for host in expected {
            assert!(hosts.iter().any(|asked| asked == host), "{variables:?} {host}: {hosts:?}: {stderr}");
        }
    }
}

#[test]
fn an_endpoint_that_does_not_exist_is_refused_before_anything_is_sent() {
    let proxy = Server::start(|_| answer(502, "", ""));
    let address = format!("http://{}", proxy.address);
    let folder = Folder::of("test");
    let config = support::config("test").replace("us-west-2", "eu-west-1");
    let european = Folder::empty();
    support::write(&european.path().join("config.auto.tfvars.json"), &config);
    let fips = ("AWS_USE_FIPS_ENDPOINT", "true");
    let mut all = String::new();
    for (folder, variables) in [
        (&european, &[fips] as &[(&str, &str)]),
        (&folder, &[fips, ("AWS_ENDPOINT_URL", "https://example.org")]),
        (&folder, &[fips, ("AWS_ENDPOINT_URL_S3", "https://example.org")]),
        (&folder, &[("AWS_USE_DUALSTACK_ENDPOINT", "true"), ("AWS_ENDPOINT_URL", "https://example.org")]),
        (&folder, &[("AWS_USE_FIPS_ENDPOINT", "yes")]),
    ] {
        let mut command = status(folder);
        command.env("HTTPS_PROXY", &address).envs(variables.iter().copied());
        let ran = run(&mut command).exits(2);
        assert_eq!(proxy.requests(), Vec::<String>::new(), "{variables:?}");
        let set = variables.iter().map(|(name, value)| format!("{name}={value}"));
        let heading = set.collect::<Vec<_>>().join(" ");
        all += &ran.transcript(&format!("{} {heading}", folder.get("/config/region")));
    }
    all += &run(status(&folder).env("HTTPS_PROXY", &address).envs([fips])).exits(3).transcript("us-west-2");
    snapshot(
        "network/endpoints",
        &all,
        &[folder.own(), [(european.path().to_str().unwrap(), "FOLDER")]].concat(),
    );
}

#[test]
fn no_proxy_exempts_a_host_and_http_proxy_is_for_plain_endpoints() {
    let aws = Server::start(|_| answer(200, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", IDENTITY));
    let folder = Folder::of("test");
    let endpoint = format!("http://{}", aws.address);
    for exempt in ["127.0.0.1", "*", "example.org,127.0.0.0/8", &aws.address] {
        let before = aws.requests().len();
        let mut command = status(&folder);
        command.env("AWS_ENDPOINT_URL", &endpoint).env("NO_PROXY", exempt);
        run(command.env("HTTP_PROXY", "http://127.0.0.1:1").env("HTTPS_PROXY", "http://127.0.0.1:1"));
        assert!(aws.requests().len() > before, "{exempt}");
    }
    let proxy = Server::start(|_| answer(200, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", IDENTITY));
    for exempt in ["", "example.org", "127.0.0.1:1", ".0.0.1"] {
        let before = proxy.requests().len();
        let mut command = status(&folder);
        command.env("AWS_ENDPOINT_URL", &endpoint).env("NO_PROXY", exempt);
        run(command.env("HTTP_PROXY", format!("http://ann:a%40b@{}", proxy.address)));
        // The sign-in is one of several requests, which may come in any order.
        let requests = proxy.requests().split_off(before);
        let sign_in = format!("POST {endpoint}/ HTTP/1.1");
        assert!(requests.iter().any(|request| request.starts_with(&sign_in)), "{exempt}: {requests:?}");
        // ann:a@b
        assert!(requests.iter().all(|request| request.contains("Basic YW5uOmFAYg==")), "{requests:?}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_named() {
    let folder = Folder::of("test");
    let mut all = String::new();
    for value in ["socks5://127.0.0.1:1", "http://"] {
        all += &run(status(&folder).env("HTTPS_PROXY", value)).exits(3).transcript(value);
    }
    snapshot("network/proxy-unusable", &all, &folder.own());
}

#[test]
fn a_host_that_cannot_be_resolved_is_named() {
    let folder = Folder::of("test");
    let mut command = status(&folder);
    run(command.args(["--endpoint-url", "https://no-such-host.invalid"]))
        .exits(3)
        .says("no-such-host.invalid");
}

#[test]
fn an_empty_variable_is_unset() {
    let aws = Server::start(|_| answer(200, "x-amzn-requestid: 1\r\nContent-Type: text/xml\r\n", IDENTITY));
    let folder = Folder::of("test");
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
    let Ran { stderr, .. } = run(command.args(["--endpoint-url", &format!("http://{}", aws.address)]));
    assert!(!aws.requests().is_empty(), "{stderr}");
}
