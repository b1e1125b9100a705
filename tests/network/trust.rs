//! Certificates of a private CA.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command as Program, Stdio};

use crate::server::{IDENTITY, status};
use crate::support::{Folder, openssl, run, snapshot};

/// A TLS server whose certificate a CA of the test's own signed; it answers who the caller is.
pub(crate) struct Tls(Child, pub(crate) String);

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves these names (`IP:127.0.0.1,DNS:example.org`); the file `requests` of the folder gets the request lines, and the file
/// `refusal.json` can name a request that is refused: the text in it, status, code and body of the answer.
pub(crate) fn serve(folder: &Path, names: &str) -> Tls {
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 2 -subj /CN=root -addext basicConstraints=critical,CA:TRUE",
    );
    openssl(folder, "req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=127.0.0.1");
    let names = format!("subjectAltName={names}\nbasicConstraints=CA:FALSE\n");
    std::fs::write(folder.join("names"), names).unwrap();
    openssl(
        folder,
        "x509 -req -in request.pem -CA root.pem -CAkey root.key -CAcreateserial -out leaf.pem -days 2 -extfile names",
    );
    let script = "
import http.server, json, os, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def parse_request(self):
        parsed = super().parse_request()
        with open('requests', 'a') as file:
            file.write(self.requestline + ' ' + self.headers.get('host', '') + '\\n')
        return parsed
    def refused(self, sent):
        if not os.path.exists('refusal.json'):
            return False
        with open('refusal.json') as file:
            said = json.load(file)
        if said['to'] not in sent:
            return False
        self.send_response(said['status'])
        self.send_header('x-amzn-requestid', '1')
        self.send_header('x-amzn-errortype', said['code'])
        self.send_header('content-length', str(len(said['body'])))
        self.end_headers()
        self.wfile.write(said['body'].encode())
        return True
    def do_POST(self):
        sent = self.rfile.read(int(self.headers.get('content-length', 0))).decode()
        if self.refused(sent):
            return
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header('x-amzn-requestid', '1')
        self.send_header('content-type', 'text/xml')
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_HEAD(self):
        self.send_response(404)
        self.send_header('x-amz-request-id', '1')
        self.end_headers()
    def do_GET(self):
        if not self.refused(self.path):
            self.do_HEAD()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('leaf.pem', 'key.pem')
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
";
    let mut child = Program::new("python3")
        .args(["-c", script, IDENTITY])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let endpoint = format!("https://127.0.0.1:{}", port.trim());
    Tls(child, endpoint)
}

#[test]
fn a_private_ca_is_trusted_where_the_user_names_it_and_named_where_not() {
    let place = Folder::empty();
    let server = serve(place.path(), "IP:127.0.0.1");
    let folder = Folder::of("test");
    let root = place.path().join("root.pem");
    let run = |set: &[(&str, &Path)]| {
        let mut command = status(&folder);
        for (name, value) in set {
            command.env(name, value);
        }
        run(command.args(["--endpoint-url", &server.1]))
    };
    let mut all = run(&[]).exits(3).transcript("not named");
    run(&[("AWS_CA_BUNDLE", &root)]).lacks("not trusted").lacks("GetCallerIdentity");
    let config = place.path().join("config");
    std::fs::write(&config, format!("[default]\nca_bundle = {}\n", root.display())).unwrap();
    run(&[("AWS_CONFIG_FILE", &config)]).lacks("not trusted").lacks("GetCallerIdentity");
    run(&[("SSL_CERT_FILE", &root)]).lacks("not trusted").lacks("GetCallerIdentity");
    let empty = place.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for (name, file) in
        [("AWS_CA_BUNDLE", "missing.pem"), ("SSL_CERT_FILE", "missing.pem"), ("AWS_CA_BUNDLE", "empty.pem")]
    {
        all += &run(&[(name, &place.path().join(file))]).exits(3).transcript(&format!("{name}={file}"));
    }
    snapshot(
        "network/private-ca",
        &all,
        &[folder.own(), [(place.path().to_str().unwrap(), "PLACE")]].concat(),
    );
}
