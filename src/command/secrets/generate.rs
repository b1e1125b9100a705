//! `osmt-secrets generate`: put a new random value into the keyring.

use std::io::{self, IsTerminal as _};

use clap::Args;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use secrecy::SecretString;

use super::deployment::KeyringArg;
use super::entries::{Step, carry_out_plan};
use super::names::Name;
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::secrets::catalog::{Origin, Secret};

/// Put a new random value into the keyring.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets generate rds/password")]
pub(super) struct Generate {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    name: Name,
    /// Replace the value in the keyring.
    #[arg(long)]
    force: bool,
}

impl Generate {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let secret = self.name.secret(deployment)?;
        let value = new_value(secret)?;
        let keyring = deployment.keyring()?;
        let exists = !matches!(keyring.try_get(&secret.name)?, Ok(None));
        let fixed = matches!(secret.origin, Origin::Fixed(_));
        let asks = io::stdin().is_terminal() && !deployment.ui.flags.yes;
        if exists && !fixed && !self.force && !asks && !deployment.ui.flags.dry_run {
            return Err(Failure::new(
                Exit::Refused,
                format!("{} has a value in {}", secret.name, keyring.kind),
            )
            .help("`--force` replaces it; `osmt-secrets rotate` replaces one that is in use"));
        }
        let question = Some("Replace the entry?").filter(|_| !self.force);
        let plan: Plan<_> = Step::set(&keyring, secret, value)?.into_iter().collect();
        carry_out_plan(deployment, &keyring, &plan, question)
    }
}

/// A random value, or an error that names the issuer of the secret.
pub(super) fn new_value(secret: &Secret) -> Result<SecretString, Failure> {
    secret.generate(&mut UnwrapErr(SysRng)).ok_or_else(|| {
        let by = if let Origin::Issued(by) = secret.origin { by } else { "another party" };
        Failure::new(Exit::Usage, format!("{} is issued by {by} and cannot be generated", secret.name))
            .help(format!("put it into the keyring with `osmt-secrets set {}`", secret.name))
    })
}
