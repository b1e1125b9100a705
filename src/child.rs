//! Starts other programs, and does not leave them behind when this process is asked to end.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error as ThisError;

/// How long a program has to end by itself after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// The direct children that run.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Whether this process was asked to end.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// A program did not run to its end.
#[derive(Debug, ThisError)]
pub enum Error {
    /// It could not be started.
    #[error(transparent)]
    Start(io::Error),
    /// A signal to this process stopped it.
    #[error("interrupted")]
    Interrupted,
    /// It did not end in time, and was stopped.
    #[error("it did not end within {} s and was stopped", .0.as_secs())]
    TooLong(Duration),
}

impl Error {
    /// Whether there is no such program.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Start(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// How a program ended, and what it printed.
#[derive(Debug)]
pub struct Output {
    /// The exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

/// A child that runs.
#[derive(Debug)]
pub struct Running(Child);

impl Deref for Running {
    type Target = Child;
    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        running().remove(&self.0.id());
    }
}

/// Starts a program; from now on a signal to this process reaches it too.
pub fn spawn(command: &mut Command) -> Result<Running, Error> {
    // Held until the child is known: a signal that comes meanwhile waits for it.
    let mut running = running();
    if STOPPING.load(Ordering::SeqCst) {
        return Err(Error::Interrupted);
    }
    let child = command.spawn().map_err(Error::Start)?;
    running.insert(child.id());
    Ok(Running(child))
}

/// Runs a program to its end; with a limit it is stopped after that time.
pub fn run(command: &mut Command, input: &[u8], limit: Option<Duration>) -> Result<Output, Error> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(command)?;
    let id = child.id();
    let stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (report, ended) = mpsc::channel();
    thread::scope(|scope| {
        // In threads of their own: the program may print before it has read everything.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let errors = scope.spawn(move || read(stderr));
        scope.spawn(move || {
            let stdout = read(stdout);
            let status = child.wait();
            // The other end waits for as long as this thread runs.
            let _ = report.send((status, stdout));
        });
        let first = match limit {
            Some(limit) => ended.recv_timeout(limit),
            None => ended.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
        };
        let (status, stdout) = match (first, limit) {
            (Ok(ended), _) => ended,
            (Err(mpsc::RecvTimeoutError::Timeout), Some(limit)) => {
                end(&family(id));
                return Err(Error::TooLong(limit));
            }
            (Err(_), _) => return Err(Error::Start(io::Error::other("its end was not seen"))),
        };
        let stderr = errors.join().unwrap_or_default();
        if STOPPING.load(Ordering::SeqCst) {
            return Err(Error::Interrupted);
        }
        Ok(Output { status: status.map_err(Error::Start)?, stdout, stderr })
    })
}

/// How long a program may take that may ask a person something: short where no person can answer.
pub fn limit_of_question() -> Duration {
    Duration::from_secs(if io::stdin().is_terminal() { 600 } else { 60 })
}

/// Passes a signal on to the direct children.
#[cfg(unix)]
pub fn pass_on(signal: i32) {
    let children: Vec<u32> = running().iter().copied().collect();
    send(&children, signal);
}

/// Passes a signal on to everything that this process started, and starts nothing more. Gives what it reached.
#[cfg(unix)]
pub fn stop(signal: i32) -> Vec<u32> {
    let running = running();
    STOPPING.store(true, Ordering::SeqCst);
    let mut everything = family(std::process::id());
    everything.retain(|id| *id != std::process::id());
    everything.extend(running.iter());
    send(&everything, signal);
    everything
}

/// Waits a little for processes to end, and kills what still runs.
#[cfg(unix)]
pub fn finish(processes: &[u32]) {
    wait_and_kill(processes);
}

/// Whether this process was asked to end.
pub fn is_stopping() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

fn running() -> MutexGuard<'static, BTreeSet<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(from: Option<impl io::Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before a pipe broke is kept.
    let _ = from.map(|mut from| from.read_to_end(&mut bytes));
    bytes
}

#[cfg(unix)]
fn end(processes: &[u32]) {
    send(processes, rustix::process::Signal::TERM.as_raw());
    wait_and_kill(processes);
}

#[cfg(not(unix))]
fn end(_processes: &[u32]) {}

#[cfg(unix)]
fn wait_and_kill(processes: &[u32]) {
    let begin = Instant::now();
    while processes.iter().any(|id| is_alive(*id)) {
        if begin.elapsed() > GRACE {
            send(processes, rustix::process::Signal::KILL.as_raw());
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(unix)]
fn send(processes: &[u32], signal: i32) {
    let Some(signal) = rustix::process::Signal::from_named_raw(signal) else { return };
    for id in processes {
        if let Some(id) = i32::try_from(*id).ok().and_then(rustix::process::Pid::from_raw) {
            // One that has ended meanwhile is what is wanted.
            let _ = rustix::process::kill_process(id, signal);
        }
    }
}

/// Whether a process runs; one that has ended and was not waited for does not.
#[cfg(unix)]
fn is_alive(id: u32) -> bool {
    if let Some((_, state)) = parent_and_state(id) {
        return !matches!(state, 'Z' | 'X');
    }
    if cfg!(target_os = "linux") {
        return false;
    }
    let id = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw);
    id.is_some_and(|id| rustix::process::test_kill_process(id).is_ok())
}

/// A process and everything it started, as far as the system lists it (Linux: `/proc`).
fn family(root: u32) -> Vec<u32> {
    let mut all = Vec::new();
    if let Ok(processes) = std::fs::read_dir("/proc") {
        let ids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        all.extend(ids.filter_map(|id| Some((id, parent_and_state(id)?.0))));
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(all.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        next += 1;
    }
    family
}

/// Fields 3 and 4 of `/proc/ID/stat`; the second is a name in brackets, which may hold anything.
fn parent_and_state(id: u32) -> Option<(u32, char)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests start programs")]

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_is_read_to_its_end() {
        let output = run(&mut shell("cat; echo said >&2; exit 7"), b"given", None);
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(7));
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"given"[..], &b"said\n"[..]));
    }

    #[test]
    fn a_program_that_hangs_is_stopped_with_what_it_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("id");
        let script = format!("sleep 600 & echo $! > {}; wait", file.display());
        let result = run(&mut shell(&script), b"", Some(Duration::from_millis(500)));
        assert!(matches!(result, Err(Error::TooLong(_))), "{result:?}");
        let id = std::fs::read_to_string(&file).expect("the script began");
        assert!(!is_alive(id.trim().parse().expect("a process id")));
    }

    #[test]
    fn a_missing_program_is_known_as_missing() {
        let result = run(&mut Command::new("osmt-no-such-program"), b"", None);
        assert!(result.expect_err("there is none").is_missing());
    }
}
