//! `osmt-secrets set`: put a value from the user into the keyring.

use clap::Args;

use super::deployment::KeyringArg;
use super::entries::{Step, carry_out_plan};
use super::input;
use super::names::Name;
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::plan::Plan;

/// Put a value into the keyring: a prompt without echo, or one line from stdin.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-secrets set app/oauth_client_secret\n  \
    pass show osmt/oauth | osmt-secrets set app/oauth_client_secret")]
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
        carry_out_plan(deployment, &keyring, &plan, Some("Replace the entry?"))
    }
}
