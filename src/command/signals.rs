//! What happens when this process is asked to end: Ctrl-C, SIGTERM, SIGHUP.
//!
//! Every program that was started gets the signal too. Work that waits for AWS stops at once and says what was done; work
//! that cannot be stopped gets a moment to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;

use super::Ui;
use crate::explain::{Exit, Failure};

/// Notified when this process is asked to end.
static STOP: Notify = Notify::const_new();

/// Whether a child decides what a signal means.
static HANDED_OVER: AtomicBool = AtomicBool::new(false);

/// Whether the children have ended.
static FINISHED: AtomicBool = AtomicBool::new(false);

/// Who says how a run ended whose work did not stop by itself.
static VOICE: OnceLock<Arc<Ui>> = OnceLock::new();

/// How long the rest of this process may take after its children have ended.
const MOMENT: Duration = Duration::from_millis(500);

/// From now on what a signal interrupts is said through this.
pub(super) fn speak_through(ui: &Arc<Ui>) {
    // There is one for each process.
    let _ = VOICE.set(Arc::clone(ui));
}

/// Waits until this process is asked to end.
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

/// From now on signals are only passed on to the direct children: this process ends when its child does.
pub(super) fn leave_to_children() {
    HANDED_OVER.store(true, Ordering::SeqCst);
}

/// After a signal: waits until no child runs any more.
pub(super) fn settle() {
    while crate::child::is_stopping() && !FINISHED.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Begins to listen.
#[cfg(unix)]
pub(super) fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    // `nohup` ignores SIGHUP for its program, and so it stays.
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
            std::thread::sleep(MOMENT);
            end();
        }
    });
}

/// Signals are a thing of Unix.
#[cfg(not(unix))]
pub(super) fn watch() {}

/// Ends a process whose work did not stop by itself, as where it waits for a keyring.
#[cfg(unix)]
#[expect(clippy::exit, clippy::disallowed_methods, clippy::print_stderr, reason = "the work does not end")]
fn end() {
    // In a thread: the work may be waiting for a reader of the same stream.
    let said = std::thread::spawn(|| match VOICE.get() {
        Some(ui) => ui.end(&interruption(ui)),
        None => eprintln!("error: interrupted"),
    });
    let begin = std::time::Instant::now();
    while !said.is_finished() && begin.elapsed() < MOMENT {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::process::exit(i32::from(crate::explain::Exit::Interrupted.code()));
}

/// The signals that are ignored, as bits (Linux).
#[cfg(unix)]
pub(super) fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or_default()
}

/// The failure of a run that a signal ended.
pub(super) fn interruption(ui: &Ui) -> Failure {
    let failure = Failure::new(Exit::Interrupted, "interrupted");
    match ui.resumption() {
        Some(help) => failure.help(help),
        None if ui.has_begun() => failure.help("run it again: it checks what is done and plans the rest"),
        None => failure,
    }
}
