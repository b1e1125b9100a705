//! `osmt-secrets rotate`: replace a value that is in use.

use clap::Args;

use super::deployment::{Deployment, KeyringArg};
use super::entries::{Step, carry_out_plan};
use super::names::NameOrDefault;
use super::replace::replace;
use super::tasks;
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::secrets::catalog::{Origin, Secret};
use crate::secrets::rotation::{Journal, Kind, Refusal};

/// Replace a value that is in use: a new version in AWS, the keyring, the config's revision.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets rotate rds/password")]
pub(super) struct Rotate {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    name: NameOrDefault,
    /// Discard an interrupted rotation or rollback.
    #[arg(long, conflicts_with = "verify")]
    abandon: bool,
    /// After `terraform apply`: wait until all running tasks were started with the new value.
    #[arg(long)]
    verify: bool,
}

impl Rotate {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let secret = self.name.secret(deployment, "rds/password")?;
        if self.abandon {
            return abandon(deployment, secret);
        }
        if self.verify {
            return tasks::watch(deployment, secret);
        }
        if let Origin::Fixed(_) = secret.origin {
            let (name, why) = (secret.name.clone(), secret.purpose.to_owned());
            return Err(Refusal::Fixed { name, why }.into());
        }
        replace(deployment, secret, Kind::Rotate, None)
    }
}

/// Discards an interrupted rotation.
fn abandon(deployment: &Deployment<'_>, secret: &Secret) -> Result<Exit, Failure> {
    let keyring = deployment.keyring()?;
    let step = Step::remove(&keyring, &Journal::entry(secret.remote))?;
    let plan: Plan<_> = step.into_iter().collect();
    let question = "Discard it? If its value was not written to AWS yet, the value is lost.";
    carry_out_plan(deployment, &keyring, &plan, Some(question))
}
