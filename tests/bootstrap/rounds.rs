//! How many AWS calls a verb makes one after the other: with a slow network that, and not their number, is how long it takes.
//!
//! A gate before the account holds every call until the binary has nothing left to do but wait, and then lets all of them pass:
//! calls that do not depend on each other pass in the same round. The number of rounds does not depend on how fast this machine
//! is.

use std::io;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::place::Place;
use crate::proxy::{forward, name, read_message};
use crate::support::{Emulator, root};

/// How long the binary must have been waiting before a round begins.
const QUIET: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(5);

#[derive(Default)]
struct Held {
    /// The calls that wait for the next round.
    waiting: Vec<String>,
    /// Calls of this round whose answer has not been passed on.
    passing: usize,
    rounds: Vec<Vec<String>>,
}

/// The gate, gone with the value.
struct Gate {
    endpoint: String,
    held: Arc<(Mutex<Held>, Condvar)>,
    ended: Arc<AtomicBool>,
}

impl Gate {
    fn before(endpoint: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let held = Arc::<(Mutex<Held>, Condvar)>::default();
        let ended = Arc::new(AtomicBool::new(false));
        let upstream = endpoint.trim_start_matches("http://").to_owned();
        let (shared, end) = (Arc::clone(&held), Arc::clone(&ended));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, upstream) = (Arc::clone(&shared), upstream.clone());
                std::thread::spawn(move || {
                    // The binary closes its connections when it ends.
                    let _ = serve(client, &upstream, &shared);
                });
            }
        });
        Self { endpoint: own, held, ended }
    }

    /// Lets round after round pass until the binary ends.
    fn pass(&self, child: &mut Child) -> (Option<i32>, Vec<Vec<String>>) {
        let mut quiet = Duration::ZERO;
        let mut seen = 0;
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                let rounds = std::mem::take(&mut self.held.0.lock().unwrap().rounds);
                return (status.code(), rounds);
            }
            std::thread::sleep(STEP);
            let waits = is_asleep(child.id()) && self.has_read_everything();
            let mut held = self.held.0.lock().unwrap();
            let same = held.waiting.len() == seen && held.passing == 0 && waits && seen > 0;
            seen = held.waiting.len();
            quiet = if same { quiet + STEP } else { Duration::ZERO };
            if quiet >= QUIET {
                quiet = Duration::ZERO;
                held.passing = held.waiting.len();
                let mut round = std::mem::take(&mut held.waiting);
                round.sort();
                held.rounds.push(round);
                self.held.1.notify_all();
            }
        }
    }

    /// Whether the gate has accepted every connection and read every byte: on a busy machine its own threads may be late.
    fn has_read_everything(&self) -> bool {
        let port: u16 = self.endpoint.rsplit_once(':').unwrap().1.parse().unwrap();
        let local = format!(":{port:04X}");
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        sockets.lines().skip(1).all(|socket| {
            let fields: Vec<&str> = socket.split_whitespace().collect();
            !fields[1].ends_with(&local) || fields[4].ends_with(":00000000")
        })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.endpoint.trim_start_matches("http://"));
    }
}

fn serve(client: TcpStream, upstream: &str, (held, opened): &(Mutex<Held>, Condvar)) -> io::Result<()> {
    let mut answers = client.try_clone()?;
    let mut requests = BufReader::new(client);
    while let Some((head, body)) = read_message(&mut requests)? {
        {
            let mut state = held.lock().unwrap();
            let round = state.rounds.len();
            state.waiting.push(name(&head, &body));
            drop(opened.wait_while(state, |state| state.rounds.len() == round).unwrap());
        }
        let answer = forward(upstream, &head, &body);
        let passed = answer.and_then(|answer| answers.write_all(&answer));
        held.lock().unwrap().passing -= 1;
        passed?;
    }
    Ok(())
}

/// Whether every thread of a process sleeps.
fn is_asleep(process: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return false };
    threads.flatten().all(|thread| {
        let status = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        status.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
    })
}

/// The calls of a run, round by round.
fn rounds(emulator: &Emulator, command: &mut Command, wanted: i32) -> Vec<Vec<String>> {
    let gate = Gate::before(&emulator.endpoint);
    command.env("AWS_ENDPOINT_URL", &gate.endpoint).env("AWS_MAX_ATTEMPTS", "1");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (exit, rounds) = gate.pass(&mut child);
    assert_eq!(exit, Some(wanted), "{command:?}: {rounds:#?}");
    rounds
}

/// The rows of the table in `docs/bootstrap.md`: what is run, and its rounds.
fn measured() -> Vec<(&'static str, usize)> {
    let emulator = Emulator::start();
    let place = Place::new(&emulator, "test");
    place.hosted_zone();
    let doctor = |arguments: &[&str]| {
        let mut command = emulator.osmt("osmt-doctor");
        command.arg("--dir").arg(place.folder.path()).args(arguments);
        command
    };
    let runs: [(&str, Command, i32); 6] = [
        ("`osmt-bootstrap apply`, empty account", place.command(&["apply", "--yes"]), 0),
        ("`osmt-bootstrap apply`, second run", place.command(&["apply", "--yes"]), 0),
        ("`osmt-bootstrap status`", place.command(&["status"]), 0),
        ("`osmt-bootstrap certificate`", place.command(&["certificate", "--yes"]), 0),
        ("`osmt-bootstrap certificate`, second run", place.command(&["certificate", "--yes"]), 0),
        ("`osmt-doctor facts`", doctor(&["facts"]), 0),
    ];
    runs.into_iter()
        .map(|(what, mut command, wanted)| {
            let mut rounds = rounds(&emulator, &mut command, wanted);
            println!("{what}: {} rounds\n{rounds:#?}", rounds.len());
            // The same look again: the service is still at work.
            rounds.dedup();
            (what, rounds.len())
        })
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
fn the_documented_round_trips_are_those_of_the_binaries() {
    let rows = measured()
        .into_iter()
        .fold(String::new(), |rows, (what, rounds)| format!("{rows}| {what} | {rounds} |\n"));
    let path: &Path = &root().join("docs/bootstrap.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- round trips: begin -->\n", "<!-- round trips: end -->");
    let table = format!("| | round trips |\n|---|---|\n{rows}");
    let (before, rest) = text.split_once(begin).unwrap();
    let (documented, after) = rest.split_once(end).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(documented, table, "UPDATE_DOCS=1 writes the table");
    }
}
