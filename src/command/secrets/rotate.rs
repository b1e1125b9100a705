//! `osmt-secrets rotate`: replace a value that is in use.

use clap::Args;

use super::deployment::{Deployment, KeyringArg};
use super::entries::{Step, carry};
use super::names::NameOr;
use super::replace::replace;
use super::tasks;
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::secrets::catalog::{Origin, Secret};
use crate::secrets::rotation::{Journal, Kind, Refusal};

#[derive(Args, Clone, Debug)]
pub(super) struct Rotate {
    #[command(flatten)]
    keyring: KeyringArg,
    /// Which secret [default: rds/password].
    #[command(flatten)]
    name: NameOr,
    /// Drop a rotation or rollback that was interrupted.
    #[arg(long, conflicts_with = "verify")]
    abandon: bool,
    /// After `terraform apply`: watch until all tasks that run were started with the new value.
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

/// Drops an unfinished rotation.
fn abandon(deployment: &Deployment<'_>, secret: &Secret) -> Result<Exit, Failure> {
    let keyring = deployment.keyring()?;
    let step = Step::remove(&keyring, &Journal::entry(secret.remote))?;
    let plan: Plan<_> = step.into_iter().collect();
    let question = "Drop it? If its value was not written to AWS yet, it is lost.";
    carry(deployment, &keyring, &plan, Some(question))
}
