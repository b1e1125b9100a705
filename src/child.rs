//! Starts other programs, and ends them when this process is asked to end.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error as ThisError;

/// The time between the termination signal and the kill signal.
const GRACE_PERIOD: Duration = Duration::from_secs(5);

/// The ids of the running direct children.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Whether this process was asked to end.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// A program was not started, or did not end by itself.
#[derive(Debug, ThisError)]
pub enum Error {
    /// It could not be started.
    #[error(transparent)]
    Start(io::Error),
    /// A signal to this process stopped it.
    #[error("interrupted")]
    Interrupted,
    /// It exceeded its time limit and was stopped.
    #[error("it did not end within {} s and was stopped", .0.as_secs())]
    TooLong(Duration),
}

impl Error {
    /// Whether the program does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Start(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// The exit status and output of a program.
#[derive(Debug)]
pub struct Output {
    /// The exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

/// A running child process.
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

/// Starts a program. A signal to this process is passed on to it.
pub fn spawn(command: &mut Command) -> Result<Running, Error> {
    // The lock is kept until the child's id is recorded, so that a signal in the meantime also reaches it.
    let mut running = running();
    if STOPPING.load(Ordering::SeqCst) {
        return Err(Error::Interrupted);
    }
    let child = command.spawn().map_err(Error::Start)?;
    running.insert(child.id());
    Ok(Running(child))
}

/// Runs a program to its end, or stops it after the time limit.
pub fn run(command: &mut Command, input: &[u8], limit: Option<Duration>) -> Result<Output, Error> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(command)?;
    let id = child.id();
    let stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (report, ended) = mpsc::channel();
    thread::scope(|scope| {
        // In threads, because the program may print before it has read all input.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let errors = scope.spawn(move || read(stderr));
        scope.spawn(move || {
            let stdout = read(stdout);
            let status = child.wait();
            // After a timeout the receiver no longer exists.
            let _ = report.send((status, stdout));
        });
        let first = match limit {
            Some(limit) => ended.recv_timeout(limit),
            None => ended.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
        };
        let (status, stdout) = match (first, limit) {
            (Ok(ended), _) => ended,
            (Err(mpsc::RecvTimeoutError::Timeout), Some(limit)) => {
                end(&with_descendants(id));
                return Err(Error::TooLong(limit));
            }
            (Err(_), _) => return Err(Error::Start(io::Error::other("waiting for it failed"))),
        };
        let stderr = errors.join().unwrap_or_default();
        if STOPPING.load(Ordering::SeqCst) {
            return Err(Error::Interrupted);
        }
        Ok(Output { status: status.map_err(Error::Start)?, stdout, stderr })
    })
}

/// The time limit of a program that may ask the user something. It is short if no user can answer.
pub fn interactive_limit() -> Duration {
    Duration::from_secs(if io::stdin().is_terminal() { 600 } else { 60 })
}

/// Passes a signal on to the direct children.
#[cfg(unix)]
pub fn pass_on(signal: i32) {
    let children: Vec<u32> = running().iter().copied().collect();
    send(&children, signal);
}

/// Passes a signal on to all descendants of this process, and prevents new ones. Returns their ids.
#[cfg(unix)]
pub fn stop(signal: i32) -> Vec<u32> {
    let running = running();
    STOPPING.store(true, Ordering::SeqCst);
    let mut descendants = with_descendants(std::process::id());
    descendants.retain(|id| *id != std::process::id());
    descendants.extend(running.iter());
    send(&descendants, signal);
    descendants
}

/// Waits for processes to end, and kills them after the grace period.
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
    // After an error the bytes read so far are kept.
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
        if begin.elapsed() > GRACE_PERIOD {
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
            // The process may have ended in the meantime.
            let _ = rustix::process::kill_process(id, signal);
        }
    }
}

/// Whether a process is running. A zombie is not.
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

/// A process and its descendants. Only Linux lists the descendants (`/proc`).
fn with_descendants(root: u32) -> Vec<u32> {
    let mut all = Vec::new();
    if let Ok(processes) = std::fs::read_dir("/proc") {
        let ids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        all.extend(ids.filter_map(|id| Some((id, parent_and_state(id)?.0))));
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        next += 1;
    }
    found
}

/// Fields 4 and 3 of `/proc/ID/stat`. Field 2 is a name in parentheses, which may contain any character (`proc_pid_stat(5)`).
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
    fn input_output_and_exit_status_are_passed() {
        let output = run(&mut shell("cat; echo said >&2; exit 7"), b"given", None);
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(7));
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"given"[..], &b"said\n"[..]));
    }

    #[test]
    fn a_program_that_hangs_is_stopped_with_its_children() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("id");
        let script = format!("sleep 600 & echo $! > {}; wait", file.display());
        let result = run(&mut shell(&script), b"", Some(Duration::from_millis(500)));
        assert!(matches!(result, Err(Error::TooLong(_))), "{result:?}");
        let id = std::fs::read_to_string(&file).expect("the script began");
        assert!(!is_alive(id.trim().parse().expect("a process id")));
    }

    #[test]
    fn a_missing_program_is_recognised() {
        let result = run(&mut Command::new("osmt-no-such-program"), b"", None);
        assert!(result.expect_err("there is none").is_missing());
    }
}
