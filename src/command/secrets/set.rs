//! `set`: a value from the user goes to the keyring.

use clap::Args;

use super::entries::{Step, carry};
use super::{Context, Name, input};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;

#[derive(Args, Clone, Debug)]
pub(super) struct Set {
    #[command(flatten)]
    name: Name,
}

impl Set {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let secret = self.name.secret(context)?;
        let keyring = context.keyring()?;
        let value = input::value(context, &secret.name)?;
        secret.check(&value)?;
        let plan: Plan<_> = Step::set(&keyring, secret, value)?.into_iter().collect();
        carry(context, &keyring, &plan, Some("Replace the entry?"))
    }
}
