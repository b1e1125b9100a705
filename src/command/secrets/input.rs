//! A value from the user: a prompt without echo on a terminal, one line from stdin elsewhere.

use std::io::{self, IsTerminal as _, Read as _};

use secrecy::{ExposeSecret as _, SecretString};

use super::deployment::Deployment;
use crate::explain::{Exit, Failure};

/// More than any value may have; RDS and Secrets Manager stop far below.
const MOST: u64 = 65_536;

/// Reads the value of a secret.
pub(super) fn value(deployment: &Deployment<'_>, name: &str) -> Result<SecretString, Failure> {
    let value =
        if io::stdin().is_terminal() { terminal::twice(deployment, name)? } else { line(deployment)? };
    if value.expose_secret().is_empty() {
        return Err(deployment
            .unusable("the value is empty")
            .help("type it at the prompt, or give it as one line on stdin"));
    }
    Ok(value)
}

#[cfg(unix)]
mod terminal {
    use std::io::{self, BufRead as _, Write as _};

    use rustix::termios::{self, LocalModes, OptionalActions, Termios};
    use secrecy::{ExposeSecret as _, SecretString};

    use crate::command::block_on;
    use crate::command::secrets::deployment::Deployment;
    use crate::explain::{Exit, Failure};

    /// Keeps the terminal from echoing while a value is asked for, between the prompts too: what is pasted in one go would
    /// else show. Dropped on every way out, so that the terminal is as it was also after a signal.
    struct Quiet {
        before: Option<Termios>,
        answered: bool,
    }

    impl Quiet {
        fn new() -> Self {
            let stdin = rustix::stdio::stdin();
            let before = termios::tcgetattr(stdin).ok();
            if let Some(mut quiet) = before.clone() {
                quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
                let _ = termios::tcsetattr(stdin, OptionalActions::Now, &quiet);
            }
            Self { before, answered: true }
        }

        /// Asks for one line. Its end was not echoed either.
        async fn ask(&mut self, deployment: &Deployment<'_>, prompt: &str) -> Result<SecretString, Failure> {
            let _ = write!(io::stderr(), "{prompt}");
            let _ = io::stderr().flush();
            self.answered = false;
            let read = tokio::task::spawn_blocking(|| {
                let mut line = String::new();
                io::stdin().lock().read_line(&mut line).map(|_| SecretString::from(line))
            });
            let line = match read.await {
                Ok(Ok(line)) => line,
                Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(deployment.unusable("the value is not UTF-8 text"));
                }
                _ => return Err(Failure::new(Exit::Failed, "could not read from the terminal")),
            };
            let _ = writeln!(io::stderr());
            self.answered = true;
            let text = line.expose_secret();
            if text.is_empty() {
                return Err(deployment.unusable("no value was given"));
            }
            Ok(text.trim_end_matches(['\r', '\n']).into())
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            if let Some(before) = &self.before {
                let _ = termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, before);
            }
            if !self.answered {
                let _ = writeln!(io::stderr());
            }
        }
    }

    /// Asks twice for the same value. Ctrl-C, SIGTERM and SIGHUP end it with the terminal restored.
    pub(super) fn twice(deployment: &Deployment<'_>, name: &str) -> Result<SecretString, Failure> {
        block_on(deployment.ui, async {
            let mut quiet = Quiet::new();
            let first = quiet.ask(deployment, &format!("{name} (not shown): ")).await?;
            let again = quiet.ask(deployment, &format!("{name}, once more: ")).await?;
            if first.expose_secret() == again.expose_secret() {
                Ok(first)
            } else {
                Err(deployment.unusable("the two values are not the same"))
            }
        })
    }
}

#[cfg(not(unix))]
mod terminal {
    use std::io;

    use secrecy::{ExposeSecret as _, SecretString};

    use crate::command::secrets::deployment::Deployment;
    use crate::explain::{Exit, Failure};

    /// Asks twice for the same value.
    pub(super) fn twice(deployment: &Deployment<'_>, name: &str) -> Result<SecretString, Failure> {
        let first = ask(deployment, &format!("{name} (not shown): "))?;
        let again = ask(deployment, &format!("{name}, once more: "))?;
        if first.expose_secret() == again.expose_secret() {
            Ok(first)
        } else {
            Err(deployment.unusable("the two values are not the same"))
        }
    }

    fn ask(deployment: &Deployment<'_>, prompt: &str) -> Result<SecretString, Failure> {
        rpassword::prompt_password(prompt).map(SecretString::from).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Failure::new(Exit::Interrupted, "interrupted"),
            io::ErrorKind::UnexpectedEof => deployment.unusable("no value was given"),
            kind => Failure::new(Exit::Failed, format!("could not read from the terminal: {kind}")),
        })
    }
}

/// All of stdin, which must be one line; its line end is not part of the value.
fn line(deployment: &Deployment<'_>) -> Result<SecretString, Failure> {
    let text = SecretString::from(everything(deployment)?);
    let line = text.expose_secret();
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains(['\n', '\r']) {
        return Err(deployment.unusable("stdin holds more than one line"));
    }
    Ok(SecretString::from(line))
}

/// All of stdin as text, without a byte order mark.
pub(super) fn everything(deployment: &Deployment<'_>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(Exit::Failed, format!("could not read stdin: {}", error.kind())))?;
    if bytes.len() as u64 > MOST {
        return Err(deployment.unusable("stdin holds more than 65536 bytes"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(deployment.unusable("stdin is UTF-16").help("save it as UTF-8"));
    }
    let text = String::from_utf8(bytes).map_err(|_| deployment.unusable("stdin is not UTF-8 text"))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
