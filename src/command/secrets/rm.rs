//! `osmt-secrets rm`: remove entries from the keyring, or secrets from Secrets Manager.

use clap::Args;

use super::deployment::{Deployment, KeyringArg};
use super::entries::{Step, carry_out_plan};
use super::names::ExtraArguments;
use crate::command::{Context, block_on, carry_out};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::secrets::Local;
use crate::secrets::base::Base;
use crate::secrets::push::{Action, apply, plan_removal};
use crate::secrets::rotation::Journal;

/// Remove entries from the keyring, or the secrets from Secrets Manager.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets rm rds/password")]
pub(super) struct Rm {
    #[command(flatten)]
    keyring: KeyringArg,
    /// The secret.
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// All secrets.
    #[arg(long)]
    all: bool,
    /// Delete the secrets in Secrets Manager instead of the keyring; they can be restored for 30 days.
    #[arg(long, requires = "all")]
    remote: bool,
    /// With --remote: delete immediately, without recovery; the names can be used again at once.
    #[arg(long, requires = "remote")]
    no_recovery: bool,
    #[command(flatten)]
    extra: ExtraArguments,
}

impl Rm {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        self.extra.refuse(deployment)?;
        if self.remote { self.in_aws(deployment) } else { self.in_keyring(deployment) }
    }

    fn in_keyring(self, deployment: &Deployment<'_>) -> Result<Exit, Failure> {
        let chosen = self.name.as_deref().map(|name| deployment.secret(name)).transpose()?;
        let keyring = deployment.keyring()?;
        let mut steps = Vec::new();
        for secret in &deployment.catalog.0 {
            if chosen.is_none_or(|chosen| chosen.name == secret.name) {
                steps.extend(Step::remove(&keyring, &secret.name)?);
            }
        }
        if self.all {
            for remote in deployment.catalog.remotes() {
                steps.extend(Step::remove(&keyring, &Journal::entry(remote))?);
            }
            // Bases that an interrupted removal left.
            for secret in &deployment.catalog.0 {
                if matches!(keyring.try_get(&secret.name)?, Ok(None)) {
                    steps.extend(Step::remove(&keyring, &Base::entry(&secret.name))?);
                }
            }
        }
        let plan: Plan<_> = steps.into_iter().collect();
        carry_out_plan(deployment, &keyring, &plan, Some("Remove it? It cannot be restored on this machine."))
    }

    fn in_aws(self, deployment: &Deployment<'_>) -> Result<Exit, Failure> {
        block_on(deployment.ui, async {
            let session = deployment.open().await?;
            let seen = deployment.observe(&session).await?;
            let env = &deployment.config.env;
            let plan = plan_removal(env, &deployment.catalog, &seen, !self.no_recovery)?;
            let client = session.secretsmanager();
            let nothing = Local::default();
            carry_out(
                deployment.ui,
                &plan,
                &format!("Remove them from account {} in {}?", session.account_id, session.region),
                async |action: &Action| {
                    deployment.config_is_unchanged()?;
                    apply(&client, env, &deployment.catalog, action, &nothing).await?;
                    Ok::<_, Failure>(())
                },
            )
            .await
        })
    }
}
