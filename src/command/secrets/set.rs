//! `set`: a value from the user goes to the keyring.

use clap::Args;

use super::deployment::KeyringArg;
use super::entries::{Step, carry};
use super::input;
use super::names::Name;
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::plan::Plan;

#[derive(Args, Clone, Debug)]
pub(super) struct Set {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    name: Name,
}

impl Set {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let secret = self.name.secret(deployment)?;
        let keyring = deployment.keyring()?;
        let value = input::value(deployment, &secret.name)?;
        secret.check(&value)?;
        let plan: Plan<_> = Step::set(&keyring, secret, value)?.into_iter().collect();
        carry(deployment, &keyring, &plan, Some("Replace the entry?"))
    }
}
