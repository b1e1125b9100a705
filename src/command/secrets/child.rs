//! A command whose output is masked and which otherwise behaves as if it were started alone.
//!
//! Signals are passed on. On a terminal the command is in our process group, so the terminal's Ctrl-C reaches it by itself
//! and is not passed on twice; elsewhere it gets a group of its own, and a signal to our group reaches it through us. We
//! outlive it, copy its output to the end and end with its exit code, or 128 + n where signal n ended it.

use std::io;
#[cfg(not(unix))]
use std::process::Command;

use crate::explain::{Exit, Failure};
#[cfg(not(unix))]
use crate::secrets::redact::Redactor;

/// Why a command has no exit code.
pub(super) enum Error {
    /// It could not be started.
    Start(io::Error),
    /// Its output could not be written.
    Output(io::Error),
}

/// Ends this process with the command's exit code, which is not one of ours.
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

    /// How long a pipe that nothing comes from is kept open after the command has ended: a process that it left in the
    /// background may hold it for ever.
    const IDLE: u32 = 10;
    const LOOK: Duration = Duration::from_millis(50);

    /// Runs a command to its end.
    pub(in super::super) fn run(mut command: Command, redactor: Redactor) -> Result<i32, Error> {
        let on_terminal = is_in_foreground();
        if !on_terminal {
            command.process_group(0);
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
        runtime.block_on(async {
            // Heard before the command starts, so that none ends us alone.
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
                tokio::time::sleep(LOOK).await;
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

    /// Whether we are what the terminal's keys reach.
    fn is_in_foreground() -> bool {
        let terminal = File::open("/dev/tty").ok();
        let group = terminal.and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
        group == Some(rustix::process::getpgrp())
    }

    /// One stream of the command on its way to ours.
    struct Copy {
        thread: JoinHandle<io::Result<()>>,
        reading: Arc<AtomicBool>,
    }

    /// Says while it waits for bytes.
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
            // Where we can no longer write, the pipe is closed, and the command gets its SIGPIPE.
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

    struct One {
        signal: Signal,
        on_terminal: bool,
    }

    impl Signals {
        fn new(on_terminal: bool) -> io::Result<Self> {
            let mut heard = Vec::new();
            // What was ignored from the start stays ignored, for the command too: `nohup`.
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

        async fn next(&mut self) -> One {
            let waiting = self.heard.iter_mut().map(|(heard, own)| {
                Box::pin(async move {
                    // Never ends: a closed stream of signals says nothing any more.
                    if heard.recv().await.is_none() {
                        std::future::pending::<()>().await;
                    }
                    *own
                })
            });
            let (signal, ..) = futures_util::future::select_all(waiting).await;
            One { signal, on_terminal: self.on_terminal }
        }
    }

    impl One {
        fn pass_on(&self, pid: Pid) {
            // The process may have ended meanwhile.
            let _ = match self.signal {
                // Keys of the terminal reach its whole foreground group.
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
