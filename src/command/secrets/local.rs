//! The verbs that stay on this machine: list, set, generate, rm.

use std::io;
use std::io::IsTerminal as _;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::{Context, held, input};
use crate::command::{Ui, block_on, carry_out};
use crate::explain::{Exit, Failure};
use crate::keyring;
use crate::keyring::Keyring;
use crate::plan::{Action, Line, Plan, Verb};
use crate::report::VERSION;
use crate::secrets::catalog;
use crate::secrets::catalog::{CATALOG, Origin, Secret};
use crate::secrets::rotation::Journal;

/// One write to the keyring.
pub(super) struct Step {
    verb: Verb,
    user: String,
    place: String,
    value: Option<SecretString>,
}

impl Step {
    /// Gives an entry a value; `None` where it has it already.
    pub(super) fn set(keyring: &Keyring, user: &str, value: SecretString) -> Result<Option<Self>, Failure> {
        let verb = match keyring.get(user)? {
            Some(have) if have.expose_secret() == value.expose_secret() => return Ok(None),
            Some(_) => Verb::Update,
            None => Verb::Create,
        };
        Ok(Some(Self::new(keyring, verb, user, Some(value))))
    }

    /// Gives an entry a value, whatever it has.
    pub(super) fn put(keyring: &Keyring, user: &str, value: SecretString) -> Self {
        Self::new(keyring, Verb::Update, user, Some(value))
    }

    /// Removes an entry; `None` where there is none.
    pub(super) fn remove(keyring: &Keyring, user: &str) -> Result<Option<Self>, Failure> {
        let exists = keyring.get(user)?.is_some();
        Ok(exists.then(|| Self::delete(keyring, user)))
    }

    /// Removes an entry, if there is one.
    pub(super) fn delete(keyring: &Keyring, user: &str) -> Self {
        Self::new(keyring, Verb::Delete, user, None)
    }

    fn new(keyring: &Keyring, verb: Verb, user: &str, value: Option<SecretString>) -> Self {
        Self { verb, user: user.to_owned(), place: format!("{} in {}", keyring.service, keyring.kind), value }
    }

    /// Does it, without holding up Ctrl-C while the keyring waits for a person.
    pub(super) async fn apply(&self, keyring: &Keyring) -> Result<(), Failure> {
        let (keyring, user, value) = (keyring.clone(), self.user.clone(), self.value.clone());
        let done = tokio::task::spawn_blocking(move || -> Result<(), keyring::Error> {
            match value {
                Some(value) => keyring.set(&user, &value),
                None => keyring.remove(&user).map(drop),
            }
        });
        done.await
            .map_err(|_| Failure::new(Exit::Failed, "the keyring's thread ended early"))?
            .map_err(Failure::from)
    }
}

impl Action for Step {
    fn line(&self) -> Line {
        Line::new(self.verb, format!("entry {} of {}", self.user, self.place))
    }
}

/// Shows, asks, writes. What only adds an entry takes nothing from anybody and is not asked about, nor is what a flag
/// allowed (no question).
pub(super) fn carry(
    ui: &Ui,
    keyring: &Keyring,
    plan: &Plan<Step>,
    question: Option<&str>,
) -> Result<Exit, Failure> {
    let adds_only = plan.actions.iter().all(|step| step.verb == Verb::Create);
    let ui = &Ui::new(
        ui.tool.clone(),
        ui.format,
        ui.color,
        (ui.quiet, ui.verbose),
        (ui.yes || adds_only || question.is_none(), ui.dry_run),
    );
    block_on(
        ui,
        carry_out(ui, plan, question.unwrap_or_default(), async |step: &Step| step.apply(keyring).await),
    )
}

/// Says which secrets there are and which of them the keyring holds.
pub(super) fn list(context: &Context<'_>) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Report<'a> {
        version: u32,
        tool: &'a str,
        keyring: &'a str,
        service: &'a str,
        secrets: Vec<Row>,
    }
    #[derive(Serialize)]
    struct Row {
        name: &'static str,
        state: &'static str,
        purpose: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    }
    let keyring = context.keyring()?;
    let local = held(&keyring)?;
    let rows: Vec<_> = CATALOG
        .iter()
        .map(|secret| {
            let problem = local
                .get(secret)
                .and_then(|value| secret.check(&value).err())
                .map(|malformed| malformed.problem);
            Row {
                name: secret.name,
                state: match (&problem, local.0.get(secret.name), &secret.origin) {
                    (Some(_), ..) => "unusable",
                    (None, Some(_), _) => "set",
                    (None, None, Origin::Fixed(_)) => "fixed",
                    (None, None, _) => "missing",
                },
                purpose: secret.purpose,
                problem,
            }
        })
        .collect();
    let service = &keyring.service;
    context.ui.result(format_args!("{service} in {}", keyring.kind))?;
    for row in &rows {
        let problem = row.problem.as_deref().map(|text| format!(" ({text})"));
        context.ui.result(format_args!(
            "  {:<24} {:<9} {}{}",
            row.name,
            row.state,
            row.purpose,
            problem.unwrap_or_default()
        ))?;
    }
    context.ui.json(&Report {
        version: VERSION,
        tool: &context.ui.tool,
        keyring: keyring.kind.flag(),
        service,
        secrets: rows,
    })?;
    Ok(Exit::Done)
}

/// Puts a value from the person into the keyring.
pub(super) fn set(context: &Context<'_>, secret: &Secret) -> Result<Exit, Failure> {
    let keyring = context.keyring()?;
    let value = input::value(secret.name)?;
    secret.check(&value)?;
    put(context, &keyring, secret, value, Some("Replace the entry?"))
}

/// Puts a random value into the keyring.
pub(super) fn generate(context: &Context<'_>, secret: &Secret, force: bool) -> Result<Exit, Failure> {
    let value = new_value(secret)?;
    let keyring = context.keyring()?;
    let exists = keyring.get(secret.name)?.is_some();
    let fixed = matches!(secret.origin, Origin::Fixed(_));
    let asks = io::stdin().is_terminal() && !context.ui.yes;
    if exists && !fixed && !force && !asks && !context.ui.dry_run {
        return Err(Failure::new(
            Exit::Refused,
            format!("{} has a value in {}; nothing was written", secret.name, keyring.kind),
        )
        .help("`--force` replaces it; `osmt-secrets rotate` replaces one that is in use"));
    }
    let question = Some("Replace the entry?").filter(|_| !force);
    put(context, &keyring, secret, value, question)
}

/// Draws a value, or says who issues it.
pub(super) fn new_value(secret: &Secret) -> Result<SecretString, Failure> {
    secret.generate(&mut UnwrapErr(SysRng)).ok_or_else(|| match secret.origin {
        Origin::Issued(by) => {
            Failure::new(Exit::Usage, format!("{} is issued by {by} and cannot be made up", secret.name))
                .help(format!("`osmt-secrets set {}` takes it", secret.name))
        }
        _ => Failure::new(Exit::Failed, "could not make a value"),
    })
}

fn put(
    context: &Context<'_>,
    keyring: &Keyring,
    secret: &Secret,
    value: SecretString,
    question: Option<&str>,
) -> Result<Exit, Failure> {
    let plan: Plan<_> = Step::set(keyring, secret.name, value)?.into_iter().collect();
    carry(context.ui, keyring, &plan, question)
}

/// Removes an entry, or all.
pub(super) fn rm(context: &Context<'_>, name: Option<&str>) -> Result<Exit, Failure> {
    let keyring = context.keyring()?;
    let mut steps = Vec::new();
    for secret in &CATALOG {
        let chosen = name.is_none_or(|name| name == secret.name);
        if chosen {
            steps.extend(Step::remove(&keyring, secret.name)?);
        }
    }
    if name.is_none() {
        for remote in catalog::remotes() {
            steps.extend(Step::remove(&keyring, &Journal::entry(remote))?);
        }
    }
    let plan: Plan<_> = steps.into_iter().collect();
    carry(context.ui, &keyring, &plan, Some("Remove it? It cannot be brought back from here"))
}
