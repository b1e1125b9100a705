//! Arguments that are names of secrets.

use std::ffi::OsString;

use clap::Args;

use super::deployment::Deployment;
use crate::explain::Failure;
use crate::secrets::catalog::Secret;
use crate::secrets::selected;

/// Catches additional arguments: they may be values, so they are refused and not shown.
#[derive(Args, Clone, Debug)]
pub(super) struct ExtraArguments {
    #[arg(hide = true, value_name = "NOTHING")]
    pub(super) extra: Vec<OsString>,
}

impl ExtraArguments {
    pub(super) fn refuse(&self, deployment: &Deployment<'_>) -> Result<(), Failure> {
        if self.extra.is_empty() {
            return Ok(());
        }
        Err(deployment.unusable("too many arguments; a value on the command line can be read by others").help(
            "type the value at the prompt, or give it on stdin; if you typed a value here, treat it as disclosed and replace it",
        ))
    }
}

/// The name of one secret.
#[derive(Args, Clone, Debug)]
pub(super) struct Name {
    /// The secret, such as rds/password; `list` shows the names.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) extra: ExtraArguments,
}

impl Name {
    pub(super) fn secret<'a>(&self, deployment: &'a Deployment<'_>) -> Result<&'a Secret, Failure> {
        self.extra.refuse(deployment)?;
        deployment.secret(&self.name)
    }
}

/// The name of one secret, with a default.
#[derive(Args, Clone, Debug)]
pub(super) struct NameOrDefault {
    /// The secret [default: rds/password].
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,
    #[command(flatten)]
    pub(super) extra: ExtraArguments,
}

impl NameOrDefault {
    pub(super) fn secret<'a>(
        &self,
        deployment: &'a Deployment<'_>,
        default: &str,
    ) -> Result<&'a Secret, Failure> {
        self.extra.refuse(deployment)?;
        deployment.secret(self.name.as_deref().unwrap_or(default))
    }
}

/// The names of some secrets.
#[derive(Args, Clone, Debug)]
pub(super) struct Names {
    /// The secrets [default: all].
    #[arg(value_name = "NAME")]
    pub(super) names: Vec<String>,
}

impl Names {
    pub(super) fn secrets<'a>(&self, deployment: &'a Deployment<'_>) -> Result<Vec<&'a Secret>, Failure> {
        for name in &self.names {
            deployment.secret(name)?;
        }
        Ok(selected(&deployment.catalog, &self.names))
    }
}
