//! Signals that end this process: Ctrl-C, SIGTERM, SIGHUP.
//!
//! The signal is passed to every child process. Work that waits for AWS stops at once, with a message about what is done; work that
//! cannot be stopped gets [`GRACE_PERIOD`] to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;

use super::Ui;
use crate::explain::{Exit, Failure};

/// Notified when a signal arrives.
static STOP: Notify = Notify::const_new();

/// Whether signals are only passed on, because the child process decides what they mean.
static HANDED_OVER: AtomicBool = AtomicBool::new(false);

/// Whether all children have ended after a signal.
static FINISHED: AtomicBool = AtomicBool::new(false);

/// Prints the message about an interruption, if the work does not stop by itself.
static UI: OnceLock<Arc<Ui>> = OnceLock::new();

/// How long this process may take to end after its children have ended.
const GRACE_PERIOD: Duration = Duration::from_millis(500);

/// Sets the UI that prints the message about an interruption.
pub(super) fn report_to(ui: &Arc<Ui>) {
    // Called once in each process.
    let _ = UI.set(Arc::clone(ui));
}

/// Waits for a signal.
#[cfg(unix)]
pub(super) async fn stopped() {
    STOP.notified().await;
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub(super) async fn stopped() {
    if tokio::signal::ctrl_c().await.is_err() {
        STOP.notified().await;
    }
}

/// From now on signals are only passed on to the child processes: this process ends when its child ends.
pub(super) fn leave_to_children() {
    HANDED_OVER.store(true, Ordering::SeqCst);
}

/// After a signal, waits until all children have ended.
pub(super) fn wait_for_children() {
    while crate::child::is_stopping() && !FINISHED.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts the thread that handles signals.
#[cfg(unix)]
pub(super) fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    // `nohup` starts its program with SIGHUP ignored: it remains ignored.
    let ignored = ignored();
    let hangup = (ignored & (1 << (SIGHUP - 1)) == 0).then_some(SIGHUP);
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM].into_iter().chain(hangup)) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if HANDED_OVER.load(Ordering::SeqCst) {
                crate::child::pass_on(signal);
                continue;
            }
            let children = crate::child::stop(signal);
            STOP.notify_one();
            crate::child::finish(&children);
            FINISHED.store(true, Ordering::SeqCst);
            std::thread::sleep(GRACE_PERIOD);
            end();
        }
    });
}

/// Windows has no signals.
#[cfg(not(unix))]
pub(super) fn watch() {}

/// Ends a process whose work did not stop by itself, for example because it waits for a keyring.
#[cfg(unix)]
#[expect(clippy::exit, clippy::disallowed_methods, clippy::print_stderr, reason = "the work does not end")]
fn end() {
    // In a thread, because the work may block the same stream.
    let printed = std::thread::spawn(|| match UI.get() {
        Some(ui) => ui.end(&interruption(ui)),
        None => eprintln!("error: interrupted"),
    });
    let begin = std::time::Instant::now();
    while !printed.is_finished() && begin.elapsed() < GRACE_PERIOD {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::process::exit(i32::from(crate::explain::Exit::Interrupted.code()));
}

/// The ignored signals as bits, from /proc (Linux); 0 elsewhere.
#[cfg(unix)]
pub(super) fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or_default()
}

/// The failure of a run that a signal ended.
pub(super) fn interruption(ui: &Ui) -> Failure {
    let failure = Failure::new(Exit::Interrupted, "interrupted");
    match ui.interruption_help() {
        Some(help) => failure.help(help),
        None if ui.has_begun() => failure.help("run it again: it checks what is done and plans the rest"),
        None => failure,
    }
}
