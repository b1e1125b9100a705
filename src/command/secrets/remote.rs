//! The verbs that go to Secrets Manager: diff, push, pull, and the removal of what push made.

use futures_util::future::try_join_all;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::local::{Step, carry};
use super::rotate::none_unfinished;
use super::{Context, held};
use crate::aws::Session;
use crate::command::{block_on, carry_out};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::report::VERSION;
use crate::secrets::catalog::CATALOG;
use crate::secrets::push::Action;
use crate::secrets::{Seen, State, catalog, ours, push, remote, state};

impl Context<'_> {
    /// Opens a session with the config's account and no other.
    pub(super) async fn open(&self) -> Result<Session, Failure> {
        let session = self.common.sign_in(&self.config, self.ui).await?;
        if session.is_in_clear("Secrets Manager") {
            return Err(Failure::new(
                Exit::Refused,
                "the endpoint is neither on this machine nor encrypted; nothing was read or written",
            )
            .help("give `--endpoint-url` or AWS_ENDPOINT_URL an https URL"));
        }
        Ok(session)
    }

    /// What Secrets Manager holds.
    pub(super) async fn observe(&self, session: &Session) -> Result<Seen, Failure> {
        let client = session.secretsmanager();
        let reads = catalog::remotes().into_iter().map(async |remote| {
            let held = remote::observe(&client, &self.remote_name(remote)).await;
            held.map(|held| held.map(|held| (remote, held)))
        });
        let reading = try_join_all(reads);
        let held = self.ui.during("reading Secrets Manager", reading).await?;
        Ok(Seen(held.into_iter().flatten().collect()))
    }
}

/// Compares keyring and AWS, key by key.
pub(super) fn diff(context: &Context<'_>) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Report<'a> {
        version: u32,
        tool: &'a str,
        keyring: &'a str,
        secrets: Vec<Row>,
    }
    #[derive(Serialize)]
    struct Row {
        name: &'static str,
        remote: String,
        state: State,
    }
    let keyring = context.keyring()?;
    let local = held(&keyring)?;
    let rows = block_on(context.ui, async {
        let session = context.open().await?;
        let seen = context.observe(&session).await?;
        for (remote, held) in &seen.0 {
            ours(&context.remote_name(remote), held)?;
        }
        let rows = CATALOG.iter().map(|secret| Row {
            name: secret.name,
            remote: context.remote_name(secret.remote),
            state: state(secret, &local, &seen),
        });
        Ok(rows.collect::<Vec<_>>())
    })?;
    for row in &rows {
        context.ui.result(format_args!("  {:<24} {:<28} {}", row.name, row.state.words(), row.remote))?;
    }
    let same = rows.iter().all(|row| row.state == State::Same);
    context.ui.json(&Report {
        version: VERSION,
        tool: &context.ui.tool,
        keyring: keyring.kind.flag(),
        secrets: rows,
    })?;
    Ok(if same { Exit::Done } else { Exit::Pending })
}

/// Writes the keyring's values to AWS, where they differ.
pub(super) fn push(context: &Context<'_>) -> Result<Exit, Failure> {
    let keyring = context.keyring()?;
    none_unfinished(&keyring)?;
    let local = held(&keyring)?;
    block_on(context.ui, async {
        let session = context.open().await?;
        let seen = context.observe(&session).await?;
        let plan = push::plan_push(&context.config.env, &local, &seen)?;
        let client = session.secretsmanager();
        let exit = carry_out(
            context.ui,
            &plan,
            &format!("Write to Secrets Manager of account {} in {}?", session.account_id, session.region),
            async |action: &Action| remote::apply(&client, &context.config.env, action, &local).await,
        )
        .await?;
        let rewritten =
            plan.actions.iter().any(|action| matches!(action, Action::Write { base: Some(_), .. }));
        if rewritten && exit == Exit::Done {
            context.ui.say(
                "what runs keeps the old values until `secrets_revision` in the config grows and Terraform applies it",
            );
        }
        Ok(exit)
    })
}

/// Writes AWS's values to the keyring, where they differ.
pub(super) fn pull(context: &Context<'_>) -> Result<Exit, Failure> {
    let keyring = context.keyring()?;
    let local = held(&keyring)?;
    let seen = block_on(context.ui, async {
        let session = context.open().await?;
        context.observe(&session).await
    })?;
    let mut steps = Vec::new();
    let mut empty = true;
    for secret in &CATALOG {
        if let Some(held) = seen.0.get(secret.remote) {
            ours(&context.remote_name(secret.remote), held)?;
        }
        if let Some(value) = seen.get(secret) {
            empty = false;
            secret.check(&value).map_err(|malformed| {
                let mut failure =
                    Failure::new(Exit::Refused, format!("in AWS {malformed}; nothing was written"));
                failure.help = Some(malformed.remedy);
                failure
            })?;
            let have = local.get(secret);
            if have.is_none_or(|have| have.expose_secret() != value.expose_secret()) {
                steps.extend(Step::set(&keyring, secret.name, value)?);
            }
        }
    }
    if empty {
        context.ui.warn(format_args!("Secrets Manager holds no values under {}", context.remote_name("")));
    }
    let plan: Plan<_> = steps.into_iter().collect();
    carry(context.ui, &keyring, &plan, Some("Replace these entries?"))
}

/// Removes the secrets from AWS.
pub(super) fn rm(context: &Context<'_>, recovery: bool) -> Result<Exit, Failure> {
    block_on(context.ui, async {
        let session = context.open().await?;
        let seen = context.observe(&session).await?;
        let plan = push::plan_removal(&context.config.env, &seen, recovery)?;
        let client = session.secretsmanager();
        let nothing = crate::secrets::Local::default();
        carry_out(
            context.ui,
            &plan,
            &format!("Remove them from account {} in {}?", session.account_id, session.region),
            async |action: &Action| remote::apply(&client, &context.config.env, action, &nothing).await,
        )
        .await
    })
}
