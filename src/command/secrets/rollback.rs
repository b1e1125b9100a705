//! `osmt-secrets rollback`: go back to an earlier value.

use clap::Args;

use super::deployment::KeyringArg;
use super::names::Name;
use super::replace::replace;
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::secrets::rotation::Kind;

/// Go back to an earlier value: AWS, the keyring, the config's revision.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets rollback rds/password")]
pub(super) struct Rollback {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    name: Name,
    /// The version to go back to; `history` shows them [default: the version before the current one].
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
}

impl Rollback {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        replace(deployment, self.name.secret(deployment)?, Kind::Rollback, self.to.as_deref())
    }
}
