//! `rm`: removes entries from the keyring, or the secrets from Secrets Manager.

use clap::Args;

use super::deployment::{Deployment, KeyringArg};
use super::entries::{Step, carry};
use super::names::Stray;
use crate::command::{Context, block_on, carry_out};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::secrets::Local;
use crate::secrets::base::Base;
use crate::secrets::push::{Action, apply, plan_removal};
use crate::secrets::rotation::Journal;

#[derive(Args, Clone, Debug)]
pub(super) struct Rm {
    #[command(flatten)]
    keyring: KeyringArg,
    /// The secret's entry.
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
    /// In Secrets Manager instead of the keyring; they can be restored for 30 days.
    #[arg(long, requires = "all")]
    remote: bool,
    /// With --remote: delete at once, without a way to restore; this also frees the names.
    #[arg(long, requires = "remote")]
    no_recovery: bool,
    #[command(flatten)]
    stray: Stray,
}

impl Rm {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        self.stray.refuse(deployment)?;
        if self.remote { self.in_aws(deployment) } else { self.in_keyring(deployment) }
    }

    fn in_keyring(self, deployment: &Deployment<'_>) -> Result<Exit, Failure> {
        let chosen = self.name.as_deref().map(|name| deployment.row(name)).transpose()?;
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
            // Left by a removal that was interrupted.
            for secret in &deployment.catalog.0 {
                if matches!(keyring.try_get(&secret.name)?, Ok(None)) {
                    steps.extend(Step::remove(&keyring, &Base::entry(&secret.name))?);
                }
            }
        }
        let plan: Plan<_> = steps.into_iter().collect();
        carry(deployment, &keyring, &plan, Some("Remove it? This machine cannot bring it back."))
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
