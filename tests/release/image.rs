//! The image is looked for in a real registry on this machine, and through fakes where a registry would refuse.

use std::net::TcpListener;
use std::process::{Command as Program, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::checkout::Checkout;
use crate::server::Server;
use crate::support::{Folder, Ran, run, snapshot};
use crate::{server, support};

/// Debian's `docker-registry`, empty, on a port of its own; gone with the value.
struct Registry {
    /// Ends with the value.
    _server: Server,
    folder: Folder,
    /// `127.0.0.1:…`
    host: String,
}

impl Registry {
    /// Starts one; with `user:password` it asks for that. `None` where the program is not installed, which CI does not accept.
    fn start(password: Option<&str>) -> Option<Self> {
        let there = Program::new("docker-registry")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if there.is_err() {
            assert!(
                std::env::var_os("CI").is_none(),
                "docker-registry is missing: apt install docker-registry"
            );
            return None;
        }
        let folder = Folder::empty();
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{host}'}}\n",
            folder.path().join("data").display()
        );
        if let Some(hash) = password {
            let file = folder.path().join("htpasswd");
            support::write(&file, &format!("ada:{hash}\n"));
            let auth = format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", file.display());
            config.push_str(&auth);
        }
        let file = folder.path().join("config.yml");
        support::write(&file, &config);
        let child = Program::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Self { _server: Server(child), folder, host };
        wait(&registry.host);
        Some(registry)
    }

    /// Pushes images of `osmt` as a build would; what the script assigns to `answer` comes back.
    fn push(&self, script: &str) -> Value {
        python(&format!(
            r"
import base64, hashlib, http.client, json
OCI = 'application/vnd.oci.image.'
def call(method, path, body=b'', kind='application/octet-stream'):
    connection = http.client.HTTPConnection('{host}')
    authorization = 'Basic ' + base64.b64encode(b'ada:secret').decode()
    connection.request(method, path, body, {{'Content-Type': kind, 'Authorization': authorization}})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, (answer.status, text)
    return answer
def blob(value):
    body = json.dumps(value).encode()
    digest = 'sha256:' + hashlib.sha256(body).hexdigest()
    place = call('POST', '/v2/osmt/blobs/uploads/').getheader('Location')
    path = place.split('{host}', 1)[-1]
    call('PUT', path + ('&' if '?' in path else '?') + 'digest=' + digest, body)
    return dict(mediaType=OCI + 'config.v1+json', size=len(body), digest=digest)
def put(name, kind, value):
    body = json.dumps(dict(schemaVersion=2, mediaType=OCI + kind, **value)).encode()
    digest = 'sha256:' + hashlib.sha256(body).hexdigest()
    call('PUT', '/v2/osmt/manifests/' + (name or digest), body, OCI + kind)
    return dict(mediaType=OCI + kind, size=len(body), digest=digest)
def image(name, architecture, revision=None):
    labels = {{'org.opencontainers.image.revision': revision}} if revision else {{}}
    config = blob(dict(os='linux', architecture=architecture, config=dict(Labels=labels), rootfs=dict(type='layers', diff_ids=[])))
    return put(name, 'manifest.v1+json', dict(config=config, layers=[]))
def index(name, *entries):
    listed = [dict(made, platform=dict(os=os, architecture=architecture)) for made, os, architecture in entries]
    return put(name, 'index.v1+json', dict(manifests=listed))
{script}",
            host = self.host
        ))
    }
}

fn wait(host: &str) {
    let began = Instant::now();
    while std::net::TcpStream::connect(host).is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "{host} does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn python(script: &str) -> Value {
    let program = format!("answer = None\n{script}\nimport json\nprint(json.dumps(answer))");
    run(Program::new("python3").args(["-c", &program])).exits(0).json()
}

/// The config's image, in another repository.
fn in_repository(checkout: &Checkout, repository: &str) {
    let text = checkout.config_text();
    support::write(&checkout.config(), &text.replace("wguopensource/osmt-app", repository));
}

/// `check` with the registry; the codes of its findings and of what is unknown.
fn check(checkout: &Checkout, args: &[&str], docker: Option<&str>) -> (i32, Vec<String>, Value) {
    let mut tool = checkout.release_tool();
    let folder = Folder::empty();
    if let Some(text) = docker {
        support::write(&folder.path().join("config.json"), text);
    }
    tool.env_remove("OSMT_OFFLINE").env("DOCKER_CONFIG", folder.path());
    let Ran { exit, stdout, stderr } = run(tool.args(["check", "--format", "json"]).args(args));
    let printed: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
    let codes = |list: &str| {
        let entries = printed[list].as_array().unwrap().iter();
        entries
            .map(|entry| entry["code"].as_str().unwrap().to_owned())
            .filter(|code| code.starts_with("REL03"))
            .collect::<Vec<_>>()
    };
    let mut found = codes("findings");
    found.extend(codes("unknown").into_iter().map(|code| format!("{code}?")));
    (exit, found, printed)
}

/// Why the image is not known, below a heading.
fn reason(heading: &str, printed: &Value) -> String {
    format!("==> {heading}\n{}\n", printed["unknown"][0]["reason"].as_str().unwrap())
}

#[test]
fn an_image_that_cannot_run_is_refused_and_a_good_one_is_pinned() {
    let Some(registry) = Registry::start(None) else { return };
    let checkout = Checkout::osmt();
    in_repository(&checkout, &format!("{}/osmt", registry.host));
    let commit = checkout.id("2.5.0");
    let pushed = registry.push(&format!(
        r"
commit = '{commit}'
good, arm = image(None, 'amd64', commit), image(None, 'arm64', commit)
answer = index('2.5.0', (good, 'linux', 'amd64'), (arm, 'linux', 'arm64'), (arm, 'unknown', 'unknown'))
image('arm', 'arm64', commit)
index('empty', (arm, 'unknown', 'unknown'))
image('foreign', 'amd64', 'd' * 40)
image('short', 'amd64', commit[:12])
image('silent', 'amd64')
"
    ));
    for (tag, expected, exit) in [
        ("2.5.0", &[][..], 0),
        ("short", &[], 0),
        ("silent", &[], 0),
        ("foreign", &["REL032"], 0),
        ("arm", &["REL031"], 1),
        ("empty", &["REL031"], 1),
        ("absent", &["REL030"], 1),
    ] {
        let (exited, found, printed) = check(&checkout, &["2.5.0", "--tag", tag, "--from", "2.5.0"], None);
        assert_eq!(
            (exited, found.as_slice()),
            (exit, &expected.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>()[..]),
            "{tag}: {printed}"
        );
    }

    let digest = pushed["digest"].as_str().unwrap();
    let mut tool = checkout.release_tool();
    tool.env_remove("OSMT_OFFLINE").env("DOCKER_CONFIG", registry.folder.path());
    run(tool.args(["select", "2.5.0", "--from", "2.5.0", "--pin", "--yes"])).exits(0).shows(digest);
    assert_eq!(checkout.folder().get("/config/ecs/task/app/docker_tag"), digest);
    let (_, found, printed) = check(&checkout, &["2.5.0", "--tag", digest, "--from", "2.5.0"], None);
    assert!(found.is_empty(), "a digest is found as well: {printed}");
}

#[test]
fn a_private_registry_takes_what_docker_login_left() {
    // bcrypt of `secret`
    let hash = "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
    let Some(registry) = Registry::start(Some(hash)) else { return };
    let checkout = Checkout::osmt();
    in_repository(&checkout, &format!("{}/osmt", registry.host));
    registry.push("image('2.5.0', 'amd64')");
    let unknown = ["REL030?", "REL031?", "REL032?"];
    let args = ["2.5.0", "--from", "2.5.0"];
    let host = &registry.host;
    let (_, found, printed) = check(&checkout, &args, None);
    assert_eq!(found, unknown);
    let mut all = reason("no credentials", &printed);
    // ada:secret
    let (_, found, printed) = check(
        &checkout,
        &args,
        Some(&format!(r#"{{"auths": {{"{host}": {{"auth": "YWRhOnNlY3JldA=="}}}}}}"#)),
    );
    assert!(found.is_empty(), "{printed}");
    // ada:wrong
    let (_, found, _) =
        check(&checkout, &args, Some(&format!(r#"{{"auths": {{"{host}": {{"auth": "YWRhOndyb25n"}}}}}}"#)));
    assert_eq!(found, unknown);
    let (_, found, printed) =
        check(&checkout, &args, Some(&format!(r#"{{"credHelpers": {{"{host}": "absent"}}}}"#)));
    assert_eq!(found, unknown, "{printed}");
    all += &reason("a helper that is not installed", &printed);
    snapshot("release/private-registry", &all, &[]);
}

#[cfg(unix)]
#[test]
fn credentials_come_from_a_helper_program_too() {
    use std::os::unix::fs::PermissionsExt as _;
    let hash = "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
    let Some(registry) = Registry::start(Some(hash)) else { return };
    let checkout = Checkout::osmt();
    in_repository(&checkout, &format!("{}/osmt", registry.host));
    registry.push("image('2.5.0', 'amd64')");
    let host = &registry.host;
    let folder = Folder::empty();
    let helper = folder.path().join("docker-credential-lab");
    // It is given the registry on stdin and answers for that one alone.
    let script = format!(
        "#!/bin/sh\nread server\n[ \"$1 $server\" = \"get {host}\" ] || {{ echo 'credentials not found in native keychain'; exit 1; }}\n\
         echo '{{\"ServerURL\": \"{host}\", \"Username\": \"ada\", \"Secret\": \"secret\"}}'\n"
    );
    support::write(&helper, &script);
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let look = |docker: &str| {
        support::write(&folder.path().join("config.json"), docker);
        let mut tool = checkout.release_tool();
        tool.env_remove("OSMT_OFFLINE").env("DOCKER_CONFIG", folder.path()).env("PATH", &path);
        let Ran { stdout, stderr, .. } =
            run(tool.args(["check", "2.5.0", "--from", "2.5.0", "--format", "json"]));
        assert!(!format!("{stdout}{stderr}").contains("secret\""), "{stdout}{stderr}");
        let printed: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stderr}"));
        !printed["unknown"].to_string().contains("REL030")
    };
    assert!(look(&format!(r#"{{"credHelpers": {{"{host}": "lab"}}}}"#)));
    assert!(look(r#"{"credsStore": "lab"}"#));
    assert!(look(&format!(r#"{{"credsStore": "absent", "credHelpers": {{"{host}": "lab"}}}}"#)));
    assert!(!look(r#"{"credHelpers": {"elsewhere.example:5000": "lab"}}"#), "of another registry");
}

#[test]
fn what_a_registry_does_not_say_is_unknown() {
    let (server, port) = server::http(
        r"        here = 'http://%s' % self.headers['Host']
        if self.path.startswith('/token'):
            good = 'scope=repository%3Abearer%2Fosmt%3Apull' in self.path and 'service=fake' in self.path
            return self.reply(200 if good else 400, body=json.dumps(dict(token='t0ken')).encode())
        name = self.path.split('/')[2]
        if name == 'bearer':
            if self.headers.get('Authorization') != 'Bearer t0ken':
                return self.reply(401, {'WWW-Authenticate': 'Bearer realm=%s/token%s,service=%sfake%s' % (chr(34) + here, chr(34), chr(34), chr(34))})
            return self.reply(404)
        if name == 'limited': return self.reply(429)
        if name == 'hidden': return self.reply(401, {'WWW-Authenticate': 'Bearer realm=%snowhere%s' % (chr(34), chr(34))})
        if name == 'forbidden': return self.reply(403)
        if name == 'broken': return self.reply(500)
        if name == 'loop': return self.reply(307, {'Location': self.path})
        if name == 'old': return self.reply(200, body=b'{\x22schemaVersion\x22: 1}')
        if name == 'page': return self.reply(200, body=b'<html>')
        if name == 'forged': return self.reply(200, {'Docker-Content-Digest': 'sha256:' + '0' * 64}, b'{\x22config\x22: {\x22digest\x22: \x22sha256:0\x22}}')
",
    );
    let checkout = Checkout::osmt();
    let original = checkout.config_text();
    let unknown = ["REL030?", "REL031?", "REL032?"];
    let mut all = String::new();
    for (name, expected) in [
        ("bearer", &["REL030"][..]),
        ("limited", &unknown),
        ("hidden", &unknown),
        ("forbidden", &unknown),
        ("broken", &unknown),
        ("loop", &unknown),
        ("old", &unknown),
        ("page", &unknown),
        ("forged", &unknown),
    ] {
        support::write(&checkout.config(), &original);
        in_repository(&checkout, &format!("127.0.0.1:{port}/{name}/osmt"));
        let (exit, found, printed) = check(&checkout, &["2.5.0", "--from", "2.5.0"], None);
        assert_eq!(found, expected, "{name}: {printed}");
        if expected == unknown {
            assert_eq!(exit, 0, "{name}");
            all += &reason(name, &printed);
        }
    }
    drop(server);
    support::write(&checkout.config(), &original);
    in_repository(&checkout, "127.0.0.1:9/osmt");
    let (_, found, printed) = check(&checkout, &["2.5.0", "--from", "2.5.0"], None);
    assert_eq!(found, unknown);
    all += &reason("no server", &printed);
    snapshot("release/registry", &all, &[]);
    let mut tool = checkout.release_tool();
    tool.env_remove("OSMT_OFFLINE").args(["select", "2.5.0", "--from", "2.5.0", "--pin", "--yes"]);
    run(&mut tool).exits(4).matches("release/pin-without-registry", &[]);
}
