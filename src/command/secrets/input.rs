//! A value from the person: a prompt without echo on a terminal, one line from stdin elsewhere.

use std::io;
use std::io::{IsTerminal as _, Read as _};

use secrecy::{ExposeSecret as _, SecretString};

use crate::explain::{Exit, Failure};

/// More than any value may have; RDS and Secrets Manager stop far below.
const MOST: u64 = 65_536;

/// Reads the value of a secret.
pub(super) fn value(name: &str) -> Result<SecretString, Failure> {
    let value = if io::stdin().is_terminal() {
        let _quiet = Quiet::new();
        let first = prompt(&format!("{name} (not shown): "))?;
        let again = prompt(&format!("{name}, once more: "))?;
        if first.expose_secret() != again.expose_secret() {
            return Err(refused("the two values are not the same"));
        }
        first
    } else {
        line()?
    };
    if value.expose_secret().is_empty() {
        return Err(
            refused("the value is empty").help("type it at the prompt, or give it as one line on stdin")
        );
    }
    Ok(value)
}

/// Keeps the terminal from echoing from before the first prompt until after the last: what is pasted in one go, or typed
/// ahead of a prompt, would else show. `rpassword` alone is quiet only while it reads.
#[cfg(unix)]
struct Quiet(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Quiet {
    fn new() -> Self {
        use rustix::termios;
        let terminal = rustix::stdio::stdin();
        let before = termios::tcgetattr(terminal).ok();
        if let Some(mut quiet) = before.clone() {
            quiet.local_modes.remove(termios::LocalModes::ECHO | termios::LocalModes::ECHONL);
            // Where it cannot be quiet for the whole, it still is for each prompt.
            let _ = termios::tcsetattr(terminal, termios::OptionalActions::Now, &quiet);
        }
        Self(before)
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        use rustix::termios;
        if let Some(before) = &self.0 {
            let terminal = rustix::stdio::stdin();
            let _ = termios::tcsetattr(terminal, termios::OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
struct Quiet;

#[cfg(not(unix))]
impl Quiet {
    fn new() -> Self {
        Self
    }
}

fn prompt(text: &str) -> Result<SecretString, Failure> {
    rpassword::prompt_password(text).map(SecretString::from).map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Failure::new(Exit::Interrupted, "interrupted; nothing was written"),
        io::ErrorKind::UnexpectedEof => refused("no value was given"),
        kind => Failure::new(Exit::Failed, format!("could not read from the terminal: {kind}")),
    })
}

/// All of stdin, which must be one line; its line end is no part of the value.
fn line() -> Result<SecretString, Failure> {
    let text = SecretString::from(everything()?);
    let line = text.expose_secret();
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains(['\n', '\r']) {
        return Err(refused("stdin holds more than one line"));
    }
    Ok(SecretString::from(line))
}

/// All of stdin as text.
pub(super) fn everything() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(Exit::Failed, format!("could not read stdin: {}", error.kind())))?;
    if bytes.len() as u64 > MOST {
        return Err(refused("stdin holds more than 65536 bytes"));
    }
    String::from_utf8(bytes).map_err(|_| refused("stdin is not UTF-8 text"))
}

fn refused(what: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{what}; nothing was written"))
}
