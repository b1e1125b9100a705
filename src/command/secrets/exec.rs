//! `exec`: a command with the secrets in its environment, and without them in its output.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::{io, thread};

use secrecy::{ExposeSecret as _, SecretString};

use super::{Context, held};
use crate::explain::{Exit, Failure};
use crate::plan::{Line, Verb};
use crate::secrets::catalog::{CATALOG, Origin};
use crate::secrets::redact::Redactor;

/// Runs a command. Its failure is the outside world's.
#[expect(clippy::disallowed_methods, reason = "starting a program is what this verb is for")]
pub(super) fn exec(context: &Context<'_>, command: &[OsString], raw: bool) -> Result<Exit, Failure> {
    let [program, arguments @ ..] = command else {
        return Err(Failure::new(Exit::Usage, "no command was given"));
    };
    let keyring = context.keyring()?;
    let local = held(&keyring)?;
    let mut values: Vec<(&str, SecretString)> = Vec::new();
    for secret in &CATALOG {
        let value = local.get(secret).ok_or_else(|| {
            Failure::new(
                Exit::Refused,
                format!("{} is not in {}; nothing was run", secret.name, keyring.kind),
            )
            .help("`osmt-secrets list` shows what is missing, `pull` brings it from AWS")
        })?;
        secret.check(&value)?;
        values.push((secret.variable, value));
    }
    let shown = program.to_string_lossy();
    if context.ui.dry_run {
        let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
        let what = format!("{shown} with {} in its environment", names.join(", "));
        let lines = [Line::new(Verb::Run, what)];
        context.ui.show_plan(&lines)?;
        context.ui.plan_json("pending", &lines)?;
        return Ok(Exit::Pending);
    }
    let could_not = |error: &io::Error| Failure::new(Exit::Failed, format!("could not run {shown}: {error}"));
    let mut child = Command::new(program);
    child.args(arguments);
    for (name, value) in &values {
        child.env(name, value.expose_secret());
    }
    if raw {
        return ended(&shown, child.status().map_err(|error| could_not(&error))?);
    }
    let redactor = Redactor::new(
        CATALOG
            .iter()
            .zip(&values)
            .filter(|(secret, _)| !matches!(secret.origin, Origin::Fixed(_)))
            .map(|(_, (_, value))| value),
    );
    let mut child =
        child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| could_not(&error))?;
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        // A closed pipe behind us ends the copy, and with it the command.
        let copy = scope.spawn(|| err.take().map(|mut from| redactor.copy(&mut from, &mut io::stderr())));
        let _ = out.take().map(|mut from| redactor.copy(&mut from, &mut io::stdout()));
        let _ = copy.join();
    });
    ended(&shown, child.wait().map_err(|error| could_not(&error))?)
}

fn ended(program: &str, status: std::process::ExitStatus) -> Result<Exit, Failure> {
    if status.success() {
        Ok(Exit::Done)
    } else {
        Err(Failure::new(Exit::Failed, format!("{program} ended with {status}")))
    }
}
