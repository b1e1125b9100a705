//! `osmt-secrets rollback`: go back to an earlier value.

use clap::Args;

use super::deployment::KeyringArg;
use super::names::Name;
use super::replace::replace;
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::secrets::rotation::Kind;

#[derive(Args, Clone, Debug)]
pub(super) struct Rollback {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    name: Name,
    /// The version to go back to, as `history` shows it [default: the one before the current].
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
}

impl Rollback {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        replace(deployment, self.name.secret(deployment)?, Kind::Rollback, self.to.as_deref())
    }
}
