//! A wire between the binary and the account that can be cut, bent or answered for at any one call.

use std::io;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request never arrives.
    LostRequest,
    /// It arrives and is done, the answer never comes back.
    LostAnswer,
    /// From here on every answer is lost: the network is gone.
    Offline,
    /// AWS has a fault.
    ServerError,
    /// AWS asks to slow down.
    Throttled,
    /// IAM says no.
    Denied,
    /// The process is killed before the call is done.
    KilledBefore,
    /// The process is killed after the call is done.
    KilledAfter,
}

impl Fault {
    pub(crate) const ALL: [Self; 8] = [
        Self::LostRequest,
        Self::LostAnswer,
        Self::Offline,
        Self::ServerError,
        Self::Throttled,
        Self::Denied,
        Self::KilledBefore,
        Self::KilledAfter,
    ];
}

/// What all connections of a proxy share.
#[derive(Default)]
struct Shared {
    calls: Vec<String>,
    fault: Option<(usize, Fault)>,
    process: Option<u32>,
    /// A bucket's encryption as the proxy answers it, until the binary sets another one.
    encryption: Option<&'static str>,
    /// The last encryption that the binary set.
    encrypted: Option<String>,
}

/// A proxy before an endpoint, gone with the value.
pub(crate) struct Proxy {
    pub(crate) endpoint: String,
    shared: Arc<Mutex<Shared>>,
    ended: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) fn before(endpoint: &str, fault: Option<(usize, Fault)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared { fault, ..Shared::default() }));
        let ended = Arc::new(AtomicBool::new(false));
        let upstream = endpoint.trim_start_matches("http://").to_owned();
        let (state, end) = (Arc::clone(&shared), Arc::clone(&ended));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (state, upstream) = (Arc::clone(&state), upstream.clone());
                std::thread::spawn(move || {
                    // A connection that breaks is what this is about.
                    let _ = serve(client, &upstream, &state);
                });
            }
        });
        Self { endpoint: format!("http://{own}"), shared, ended }
    }

    /// Answers what the emulator cannot: a bucket's encryption, until the binary sets another one.
    pub(crate) fn answers_encryption(&self, xml: &'static str) {
        self.shared.lock().unwrap().encryption = Some(xml);
    }

    /// The last encryption that the binary set, as XML.
    pub(crate) fn encrypted(&self) -> String {
        self.shared.lock().unwrap().encrypted.clone().unwrap_or_default()
    }

    /// The process to kill where the fault says so.
    pub(crate) fn watch(&self, process: u32) {
        self.shared.lock().unwrap().process = Some(process);
    }

    /// The calls so far, as their first lines.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.shared.lock().unwrap().calls.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.endpoint.trim_start_matches("http://"));
    }
}

fn serve(client: TcpStream, upstream: &str, shared: &Mutex<Shared>) -> io::Result<()> {
    let mut answers = client.try_clone()?;
    let mut requests = BufReader::new(client);
    while let Some((head, body)) = read_message(&mut requests)? {
        let fault = {
            let mut shared = shared.lock().unwrap();
            let number = shared.calls.len();
            shared.calls.push(name(&head, &body));
            shared
                .fault
                .filter(|(at, fault)| number == *at || (*fault == Fault::Offline && number > *at))
                .map(|(_, fault)| fault)
        };
        match fault {
            Some(Fault::LostRequest) => return Ok(()),
            Some(Fault::ServerError) => answers.write_all(&error(&head, 500, "InternalError"))?,
            Some(Fault::Throttled) => answers.write_all(&throttled(&head))?,
            Some(Fault::Denied) => answers.write_all(&error(&head, 403, "AccessDenied"))?,
            Some(Fault::KilledBefore) => return kill(shared),
            Some(Fault::LostAnswer | Fault::Offline) => {
                forward(upstream, &head, &body)?;
                return Ok(());
            }
            Some(Fault::KilledAfter) => {
                forward(upstream, &head, &body)?;
                return kill(shared);
            }
            None => {
                let encryption = encryption(shared, &head, &body);
                let answer = encryption.map_or_else(|| forward(upstream, &head, &body), Ok)?;
                answers.write_all(&answer)?;
            }
        }
    }
    Ok(())
}

/// The proxy's own answer to a question about a bucket's encryption.
fn encryption(shared: &Mutex<Shared>, head: &str, body: &[u8]) -> Option<Vec<u8>> {
    let first = head.lines().next().unwrap_or_default();
    if !first.contains("?encryption") {
        return None;
    }
    let mut shared = shared.lock().unwrap();
    if first.starts_with("PUT ") {
        shared.encrypted = Some(String::from_utf8_lossy(body).into_owned());
        shared.encryption = None;
    }
    let body = shared.encryption?;
    let length = body.len();
    Some(
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\r\n{body}")
            .into(),
    )
}

#[expect(clippy::unnecessary_wraps, reason = "ends a connection like its siblings")]
fn kill(shared: &Mutex<Shared>) -> io::Result<()> {
    if let Some(process) = shared.lock().unwrap().process {
        let _ = std::process::Command::new("kill").args(["-9", &process.to_string()]).status();
    }
    Ok(())
}

/// One message: its head with the empty line, and its body.
pub(crate) fn read_message(stream: &mut BufReader<TcpStream>) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let before = head.len();
        if stream.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        let line = head[before..].trim();
        if line.is_empty() {
            break;
        }
        if let Some((key, value)) = line.split_once(':')
            && key.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some((head, body)))
}

/// Passes a call on, on a connection of its own, and gives the whole answer.
pub(crate) fn forward(upstream: &str, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream)?;
    let (first, rest) = head.split_once("\r\n").unwrap_or((head, "\r\n"));
    let rest: String =
        rest.split_inclusive("\r\n").filter(|line| !line.to_lowercase().starts_with("connection:")).collect();
    server.write_all(format!("{first}\r\nConnection: close\r\n{rest}").as_bytes())?;
    server.write_all(body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// What is asked: the target, the action of a form, or the first line.
pub(crate) fn name(head: &str, body: &[u8]) -> String {
    let first = head.lines().next().unwrap_or_default();
    let first = first.rsplit_once(' ').map_or(first, |(call, _)| call);
    if let Some(target) = header(head, "x-amz-target") {
        return target.to_owned();
    }
    let form = String::from_utf8_lossy(body);
    let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
    action.unwrap_or(first).to_owned()
}

fn throttled(head: &str) -> Vec<u8> {
    if header(head, "x-amz-target").is_some() {
        error(head, 400, "ThrottlingException")
    } else {
        error(head, 503, "SlowDown")
    }
}

/// An error in the form of the protocol that the call speaks.
fn error(head: &str, status: u16, code: &str) -> Vec<u8> {
    let (kind, body) = if header(head, "x-amz-target").is_some() {
        let code = if code == "AccessDenied" { "AccessDeniedException" } else { code };
        (
            "application/x-amz-json-1.1",
            format!("{{\"__type\":\"{code}\",\"message\":\"as the test wants it\"}}"),
        )
    } else {
        let error = format!("<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>");
        // S3 alone does without the envelope.
        let body = if header(head, "x-amz-expected-bucket-owner").is_some() || head.contains("-us-west-2") {
            error
        } else {
            format!("<ErrorResponse>{error}</ErrorResponse>")
        };
        ("application/xml", body)
    };
    // An answer to HEAD has no body.
    let body = if head.starts_with("HEAD") { String::new() } else { body };
    format!("HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}
