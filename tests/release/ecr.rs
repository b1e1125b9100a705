//! A private registry of Amazon ECR, asked with a token of the AWS session. What answers in its place is a proxy on loopback.

use serde_json::Value;

use crate::checkout::Checkout;
use crate::support::{Emulator, Folder, Ran, run};
use crate::{server, support};

const HOST: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com";

/// Ends the tunnel to the registry, and answers as it would: to `AWS` and a password only.
const REGISTRY: &str = r#"
import base64, hashlib, http.server, json, ssl, urllib.parse
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('FOLDER/leaf.pem', 'FOLDER/key.pem')
digest = lambda text: 'sha256:' + hashlib.sha256(text).hexdigest()
image = json.dumps(dict(architecture='amd64', os='linux', config={})).encode()
kind = 'application/vnd.oci.image.manifest.v1+json'
part = dict(mediaType='application/vnd.oci.image.config.v1+json', digest=digest(image), size=len(image))
manifest = json.dumps(dict(schemaVersion=2, mediaType=kind, config=part, layers=[])).encode()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *_): pass
    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile('rb'), self.connection.makefile('wb', 0)
        self.close_connection = False
    def reply(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items(): self.send_header(name.replace('_', '-'), value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD': self.wfile.write(body)
    def do_GET(self):
        given = base64.b64decode(self.headers.get('Authorization', '').removeprefix('Basic ')).decode()
        name, _, password = given.partition(':')
        if name != 'AWS' or not password:
            return self.reply(401, b'{}', WWW_Authenticate='Basic realm="https://HOST/",service="ecr.amazonaws.com"')
        # Through a proxy the client sends the whole address.
        path = urllib.parse.urlsplit(self.path).path
        if path == '/v2/osmt-app/manifests/3.0.0':
            return self.reply(200, manifest, Content_Type=kind, Docker_Content_Digest=digest(manifest))
        if path == '/v2/osmt-app/blobs/' + digest(image):
            return self.reply(200, image)
        self.reply(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
    do_HEAD = do_GET
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

#[test]
fn its_token_comes_from_the_session() {
    let folder = Folder::empty();
    let openssl = |arguments: &str| support::openssl(folder.path(), arguments);
    support::write(
        &folder.path().join("names"),
        &format!("subjectAltName=DNS:{HOST}\nbasicConstraints=CA:FALSE\n"),
    );
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 2 -subj /CN=root -addext basicConstraints=critical,CA:TRUE",
    );
    openssl("req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=registry");
    openssl(
        "x509 -req -in request.pem -CA root.pem -CAkey root.key -CAcreateserial -out leaf.pem -days 2 -extfile names",
    );
    let script = REGISTRY.replace("FOLDER", &folder.path().display().to_string()).replace("HOST", HOST);
    let (_server, port) = server::start(&script);

    let checkout = Checkout::osmt();
    let text = checkout.config_text().replace("wguopensource/osmt-app", &format!("{HOST}/osmt-app"));
    support::write(&checkout.config(), &text);
    let account = Emulator::start();
    let check = |tag: &str| {
        let mut tool = checkout.on(account.osmt("osmt-release"));
        tool.env_remove("OSMT_OFFLINE")
            .env("DOCKER_CONFIG", folder.path())
            .env("HTTPS_PROXY", format!("http://127.0.0.1:{port}"))
            .env("AWS_CA_BUNDLE", folder.path().join("root.pem"));
        let Ran { exit, stdout, stderr } =
            run(tool.args(["check", "3.0.0", "--tag", tag, "--format", "json"]));
        let printed: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
        (exit, printed)
    };
    let (exit, printed) = check("3.0.0");
    assert_eq!(exit, 0, "{printed}");
    let unknown = printed["unknown"].as_array().unwrap();
    assert!(!unknown.iter().any(|one| one["code"] == "REL030"), "the image was seen: {printed}");
    let (exit, printed) = check("absent");
    assert_eq!(exit, 1, "{printed}");
    assert!(printed["findings"].as_array().unwrap().iter().any(|one| one["code"] == "REL030"), "{printed}");
    assert!(account.calls().contains(&"ecr:GetAuthorizationToken".to_owned()));
}
