//! Runs the command of `exec` and masks its output.
//!
//! Signals are passed on to the command. On a terminal the command is in this process group, so that the terminal's Ctrl-C reaches it
//! directly and is not passed on; elsewhere it gets its own process group, and this process passes every signal on. This process
//! copies the output to its end and exits with the command's exit code, or with 128 + n if signal n ended the command.

use std::io;
#[cfg(not(unix))]
use std::process::Command;

use crate::explain::{Exit, Failure};
#[cfg(not(unix))]
use crate::secrets::redact::Redactor;

/// Why there is no exit code.
pub(super) enum Error {
    /// The command could not be started.
    Start(io::Error),
    /// Its output could not be written.
    Output(io::Error),
}

/// Ends this process with the command's exit code.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the code is the command's own; everything that was written has been flushed, and no value is left in memory"
)]
pub(super) fn end_with(code: i32) -> Result<Exit, Failure> {
    std::process::exit(code)
}

#[cfg(unix)]
pub(super) use unix::run;

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, Read};
    use std::os::fd::AsFd as _;
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::{Command, ExitStatus};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    use rustix::process::{Pid, Signal, kill_process, kill_process_group};
    use tokio::signal::unix::{Signal as Heard, SignalKind, signal};

    use crate::command::secrets::child::Error;
    use crate::command::signals;
    use crate::secrets::redact::Redactor;

    /// After the command has ended, its output is copied until it is idle for `IDLE` times `POLL`: a background process of the command
    /// could keep the pipe open forever.
    const IDLE: u32 = 10;
    const POLL: Duration = Duration::from_millis(50);

    /// Runs a command to its end.
    pub(in super::super) fn run(mut command: Command, redactor: Redactor) -> Result<i32, Error> {
        let on_terminal = is_in_foreground();
        if !on_terminal {
            command.process_group(0);
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
        runtime.block_on(async {
            // Installed before the command starts, so that no signal ends this process alone.
            signals::leave_to_children();
            let mut signals = Signals::new(on_terminal).map_err(Error::Start)?;
            let mut child = command.spawn().map_err(Error::Start)?;
            drop(command);
            let pid = Pid::from_child(&child);
            let redactor = Arc::new(redactor);
            let copies = [
                child
                    .stdout
                    .take()
                    .map(|from| Copy::begin(from, io::stdout().as_fd().try_clone_to_owned(), &redactor)),
                child
                    .stderr
                    .take()
                    .map(|from| Copy::begin(from, io::stderr().as_fd().try_clone_to_owned(), &redactor)),
            ];
            let mut ended = tokio::task::spawn_blocking(move || child.wait());
            let status = loop {
                tokio::select! {
                    status = &mut ended => break status,
                    signal = signals.next() => signal.pass_on(pid),
                }
            };
            let status = status.map_err(|_| Error::Start(io::Error::other("its thread ended early")))?;
            let status = status.map_err(Error::Start)?;
            let mut idle = 0;
            while copies.iter().flatten().any(Copy::is_running) && idle < IDLE {
                tokio::time::sleep(POLL).await;
                let reading = copies.iter().flatten().all(Copy::waits);
                idle = if reading { idle + 1 } else { 0 };
            }
            for copy in copies.into_iter().flatten() {
                copy.end()?;
            }
            Ok(code(status))
        })
    }

    fn code(status: ExitStatus) -> i32 {
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
    }

    /// Whether this process is in the terminal's foreground process group, which gets the signals of its keys.
    fn is_in_foreground() -> bool {
        let terminal = File::open("/dev/tty").ok();
        let group = terminal.and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
        group == Some(rustix::process::getpgrp())
    }

    /// Copies one output stream of the command to ours.
    struct Copy {
        thread: JoinHandle<io::Result<()>>,
        reading: Arc<AtomicBool>,
    }

    /// A reader that records whether it is waiting for bytes.
    struct Watched<R>(R, Arc<AtomicBool>);

    impl<R: Read> Read for Watched<R> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.1.store(true, Ordering::SeqCst);
            let read = self.0.read(into);
            self.1.store(false, Ordering::SeqCst);
            read
        }
    }

    impl Copy {
        fn begin(
            from: impl Read + Send + 'static,
            to: io::Result<std::os::fd::OwnedFd>,
            redactor: &Arc<Redactor>,
        ) -> Self {
            let reading = Arc::new(AtomicBool::new(false));
            let (redactor, watched) = (Arc::clone(redactor), Arc::clone(&reading));
            // If our stream is closed, this pipe is closed, too, and the command gets SIGPIPE.
            let thread =
                thread::spawn(move || redactor.copy(&mut Watched(from, watched), &mut File::from(to?)));
            Self { thread, reading }
        }

        fn is_running(&self) -> bool {
            !self.thread.is_finished()
        }

        fn waits(&self) -> bool {
            self.thread.is_finished() || self.reading.load(Ordering::SeqCst)
        }

        fn end(self) -> Result<(), Error> {
            if !self.thread.is_finished() {
                return Ok(());
            }
            match self.thread.join() {
                Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
                _ => Ok(()),
            }
        }
    }

    /// The signals that are passed on.
    struct Signals {
        heard: Vec<(Heard, Signal)>,
        on_terminal: bool,
    }

    struct ReceivedSignal {
        signal: Signal,
        on_terminal: bool,
    }

    impl Signals {
        fn new(on_terminal: bool) -> io::Result<Self> {
            let mut heard = Vec::new();
            // A signal that was ignored at the start (`nohup`) remains ignored, for the command, too.
            let ignored = signals::ignored();
            for (kind, own) in [
                (SignalKind::interrupt(), Signal::INT),
                (SignalKind::quit(), Signal::QUIT),
                (SignalKind::terminate(), Signal::TERM),
                (SignalKind::hangup(), Signal::HUP),
                (SignalKind::user_defined1(), Signal::USR1),
                (SignalKind::user_defined2(), Signal::USR2),
            ] {
                if ignored & (1 << (kind.as_raw_value() - 1)) == 0 {
                    heard.push((signal(kind)?, own));
                }
            }
            Ok(Self { heard, on_terminal })
        }

        async fn next(&mut self) -> ReceivedSignal {
            let waiting = self.heard.iter_mut().map(|(heard, own)| {
                Box::pin(async move {
                    // A closed stream has no more signals: wait for the others.
                    if heard.recv().await.is_none() {
                        std::future::pending::<()>().await;
                    }
                    *own
                })
            });
            let (signal, ..) = futures_util::future::select_all(waiting).await;
            ReceivedSignal { signal, on_terminal: self.on_terminal }
        }
    }

    impl ReceivedSignal {
        fn pass_on(&self, pid: Pid) {
            // The process may have ended.
            let _ = match self.signal {
                // The terminal sends these to its whole foreground process group.
                Signal::INT | Signal::QUIT if self.on_terminal => Ok(()),
                Signal::INT | Signal::QUIT => kill_process_group(pid, self.signal),
                other => kill_process(pid, other),
            };
        }
    }
}

/// Runs a command to its end.
#[cfg(not(unix))]
pub(super) fn run(mut command: Command, redactor: Redactor) -> Result<i32, Error> {
    let mut child = command.spawn().map_err(Error::Start)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let copy = scope.spawn(|| err.map(|mut from| redactor.copy(&mut from, &mut io::stderr())));
        let copied = out.map(|mut from| redactor.copy(&mut from, &mut io::stdout()));
        let other = copy.join().ok().flatten();
        for result in copied.into_iter().chain(other) {
            match result {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(Error::Output(error)),
                _ => {}
            }
        }
        Ok(())
    })?;
    Ok(child.wait().map_err(Error::Start)?.code().unwrap_or(1))
}
