//! `osmt-secrets diff`: compare the keyring and Secrets Manager.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::deployment::KeyringArg;
use super::entries::{read_all, refuse_unreadable};
use super::names::Names;
use super::replace::{Unfinished, unfinished};
use super::when::when;
use crate::command::{Context, block_on};
use crate::explain::{Exit, Failure};
use crate::report::VERSION;
use crate::secrets::{Newer, State, newer, readable, state};

/// Compare the keyring and Secrets Manager, key by key, and show which side is newer; exit 1 where they differ.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets diff")]
pub(super) struct Diff {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    names: Names,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    keyring: &'a str,
    secrets: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    remote: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    newer: Option<Newer>,
    /// When this machine set the keyring's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    keyring_set: Option<Timestamp>,
    /// When the version in AWS was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_changed: Option<Timestamp>,
    /// The verb of an interrupted rotation or rollback.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<&'static str>,
}

impl Diff {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let rows = self.names.secrets(deployment)?;
        let keyring = deployment.keyring()?;
        let local = read_all(&keyring, &deployment.catalog)?;
        refuse_unreadable(&local, &rows)?;
        let rows = block_on(deployment.ui, async {
            let session = deployment.open().await?;
            let seen = deployment.observe(&session).await?;
            let mut compared = Vec::new();
            for secret in rows {
                let held = seen.0.get(secret.remote);
                if let Some(held) = held {
                    readable(&deployment.remote_name(secret.remote), held)?;
                }
                let unfinished = match unfinished(&keyring, secret.remote)? {
                    Some(Unfinished::Journal(journal)) if journal.name == secret.name => {
                        Some(journal.kind.verb())
                    }
                    Some(Unfinished::Journal(_)) | None => None,
                    Some(Unfinished::Damaged) => Some("rotate"),
                };
                compared.push(Row {
                    name: &secret.name,
                    remote: deployment.remote_name(secret.remote),
                    state: state(secret, &local, &seen),
                    newer: newer(&deployment.config.env, secret, &local, &seen),
                    keyring_set: local.base(secret).set.filter(|_| local.values.contains_key(&secret.name)),
                    aws_changed: held.and_then(|held| held.created),
                    unfinished,
                });
            }
            Ok(compared)
        })?;
        for row in &rows {
            let mut text = row.state.words().to_owned();
            if let Some(newer) = row.newer {
                let shown = |at: Option<Timestamp>| at.map_or("unknown".to_owned(), when);
                text = format!(
                    "{text}: {} (keyring set {}, AWS changed {})",
                    newer.words(),
                    shown(row.keyring_set),
                    shown(row.aws_changed)
                );
            }
            if let Some(verb) = row.unfinished {
                text = format!("{text}; a {verb} is unfinished");
            }
            deployment.ui.result(format_args!("  {:<24} {:<28} {text}", row.name, row.remote))?;
        }
        let same = rows.iter().all(|row| row.state == State::Same && row.unfinished.is_none());
        deployment.ui.json(&Report {
            version: VERSION,
            tool: &deployment.ui.tool,
            keyring: keyring.kind.flag(),
            secrets: rows,
        })?;
        Ok(if same { Exit::Done } else { Exit::Pending })
    }
}
