//! Reads a value from the user: at a prompt without echo on a terminal, otherwise one line from stdin.

use std::io::{self, IsTerminal as _, Read as _};

use secrecy::{ExposeSecret as _, SecretString};

use super::deployment::Deployment;
use crate::explain::{Exit, Failure};

/// The maximum size of stdin, the limit of a secret value in Secrets Manager.
const MAX_BYTES: u64 = 65_536;

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

    /// Disables the terminal's echo, also between the prompts, where pasted text would be shown otherwise. Dropping it restores the
    /// terminal, also after a signal.
    struct NoEcho {
        before: Option<Termios>,
        answered: bool,
    }

    impl NoEcho {
        fn new() -> Self {
            let stdin = rustix::stdio::stdin();
            let before = termios::tcgetattr(stdin).ok();
            if let Some(mut quiet) = before.clone() {
                quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
                let _ = termios::tcsetattr(stdin, OptionalActions::Now, &quiet);
            }
            Self { before, answered: true }
        }

        /// Asks for one line, and prints the line break that was not echoed.
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

    impl Drop for NoEcho {
        fn drop(&mut self) {
            if let Some(before) = &self.before {
                let _ = termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, before);
            }
            if !self.answered {
                let _ = writeln!(io::stderr());
            }
        }
    }

    /// Asks twice for the same value. Ctrl-C, SIGTERM and SIGHUP restore the terminal.
    pub(super) fn twice(deployment: &Deployment<'_>, name: &str) -> Result<SecretString, Failure> {
        block_on(deployment.ui, async {
            let mut terminal = NoEcho::new();
            let first = terminal.ask(deployment, &format!("{name} (not shown): ")).await?;
            let again = terminal.ask(deployment, &format!("{name}, once more: ")).await?;
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

/// Reads stdin, which must be one line; the line break is not part of the value.
fn line(deployment: &Deployment<'_>) -> Result<SecretString, Failure> {
    let text = SecretString::from(read_stdin(deployment)?);
    let line = text.expose_secret();
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains(['\n', '\r']) {
        return Err(deployment.unusable("stdin has more than one line"));
    }
    Ok(SecretString::from(line))
}

/// Reads stdin as UTF-8 text, without a byte order mark.
pub(super) fn read_stdin(deployment: &Deployment<'_>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(Exit::Failed, format!("could not read stdin: {}", error.kind())))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(deployment.unusable(&format!("stdin has more than {MAX_BYTES} bytes")));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(deployment.unusable("stdin is UTF-16").help("save it as UTF-8"));
    }
    let text = String::from_utf8(bytes).map_err(|_| deployment.unusable("stdin is not UTF-8 text"))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
