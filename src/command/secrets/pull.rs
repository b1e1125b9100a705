//! `osmt-secrets pull`: copy values from Secrets Manager to the keyring.

use clap::Args;

use super::deployment::KeyringArg;
use super::entries::{Step, carry_out_plan, read_all, record_agreement};
use super::names::Names;
use super::replace::refuse_unfinished;
use crate::command::{Context, block_on};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::secrets::{Newer, State, newer, readable, state};

/// Write Secrets Manager's values to the keyring, where they differ.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets pull")]
pub(super) struct Pull {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    names: Names,
}

impl Pull {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let rows = self.names.secrets(deployment)?;
        let keyring = deployment.keyring()?;
        refuse_unfinished(deployment, &keyring)?;
        let local = read_all(&keyring, &deployment.catalog)?;
        let seen = block_on(deployment.ui, async {
            let session = deployment.open().await?;
            deployment.observe(&session).await
        })?;
        let mut steps = Vec::new();
        let mut empty = true;
        for secret in rows {
            let Some(held) = seen.0.get(secret.remote) else { continue };
            readable(&deployment.remote_name(secret.remote), held)?;
            if state(secret, &local, &seen) == State::NotText {
                let message = format!("{} in AWS is not a string", secret.name);
                return Err(Failure::new(Exit::Refused, message)
                    .help(format!("`osmt-secrets push {}` writes the keyring's value", secret.name)));
            }
            let Some(value) = seen.get(secret) else { continue };
            empty = false;
            secret.check(&value).map_err(|malformed| {
                Failure::new(Exit::Refused, format!("in AWS {malformed}")).help(malformed.remedy)
            })?;
            let version = held.version.clone().unwrap_or_default();
            match state(secret, &local, &seen) {
                State::Same if local.values.contains_key(&secret.name) => {
                    if !deployment.ui.flags.dry_run {
                        record_agreement(&keyring, secret, &value, Some(&version))?;
                    }
                }
                State::Same => {}
                _ => {
                    let step = Step::set_from_aws(&keyring, secret, value, &version, &local);
                    steps.push(match newer(&deployment.config.env, secret, &local, &seen) {
                        Some(Newer::Keyring | Newer::Both) => {
                            step.with_note("the keyring's value was never written to AWS and will be lost")
                        }
                        Some(Newer::Aws | Newer::Unknown) | None => step,
                    });
                }
            }
        }
        if empty {
            deployment
                .ui
                .warn(format_args!("Secrets Manager has no values under {}", deployment.remote_name("")));
        }
        let plan: Plan<_> = steps.into_iter().collect();
        carry_out_plan(deployment, &keyring, &plan, Some("Replace these entries?"))
    }
}
