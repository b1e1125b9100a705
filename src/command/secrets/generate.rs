//! `generate`: a random value goes to the keyring.

use std::io::{self, IsTerminal as _};

use clap::Args;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use secrecy::SecretString;

use super::entries::{Step, carry};
use super::{Context, Name};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::secrets::catalog::{Origin, Secret};

#[derive(Args, Clone, Debug)]
pub(super) struct Generate {
    #[command(flatten)]
    name: Name,
    /// Replace the value that the keyring holds.
    #[arg(long)]
    force: bool,
}

impl Generate {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let secret = self.name.secret(context)?;
        let value = new_value(secret)?;
        let keyring = context.keyring()?;
        let exists = !matches!(keyring.try_get(&secret.name)?, Ok(None));
        let fixed = matches!(secret.origin, Origin::Fixed(_));
        let asks = io::stdin().is_terminal() && !context.ui.yes;
        if exists && !fixed && !self.force && !asks && !context.ui.dry_run {
            return Err(Failure::new(
                Exit::Refused,
                format!("{} has a value in {}; nothing was written", secret.name, keyring.kind),
            )
            .help("`--force` replaces it; `osmt-secrets rotate` replaces one that is in use"));
        }
        let question = Some("Replace the entry?").filter(|_| !self.force);
        let plan: Plan<_> = Step::set(&keyring, secret, value)?.into_iter().collect();
        carry(context, &keyring, &plan, question)
    }
}

/// A random value, or an error that names who issues it.
pub(super) fn new_value(secret: &Secret) -> Result<SecretString, Failure> {
    secret.generate(&mut UnwrapErr(SysRng)).ok_or_else(|| {
        let by = if let Origin::Issued(by) = secret.origin { by } else { "another party" };
        Failure::new(Exit::Usage, format!("{} is issued by {by} and cannot be generated", secret.name))
            .help(format!("`osmt-secrets set {}` takes it", secret.name))
    })
}
