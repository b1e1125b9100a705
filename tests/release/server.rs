//! Programs that a test serves from; ended with the value, also where the test fails.

use std::io::BufRead as _;
use std::process::{Child, Command as Program, Stdio};

/// A program that serves.
pub(crate) struct Server(pub(crate) Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves HTTPS on loopback with a certificate and its key, as arguments in Python; gives the port.
pub(crate) fn https(certificate: &str) -> (Server, u16) {
    let script = format!(
        r"
import http.server, ssl
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain({certificate})
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"
    );
    start(&script)
}

/// Serves HTTP on loopback with the body of `do_GET`, in Python; gives the port.
pub(crate) fn http(handler: &str) -> (Server, u16) {
    let script = format!(
        r"
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def reply(self, status, headers={{}}, body=b'{{}}'):
        self.send_response(status)
        for name, value in headers.items(): self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
{handler}
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"
    );
    start(&script)
}

/// Runs a program in Python that prints its port.
pub(crate) fn start(script: &str) -> (Server, u16) {
    let mut python = Program::new("python3");
    python.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Server(python.spawn().unwrap());
    let mut port = String::new();
    std::io::BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    (server, port.trim().parse().unwrap())
}
