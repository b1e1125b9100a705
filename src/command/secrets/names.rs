//! Arguments that name secrets.

use std::ffi::OsString;

use clap::Args;

use super::deployment::Deployment;
use crate::explain::Failure;
use crate::secrets::catalog::Secret;
use crate::secrets::selected;

/// Arguments that no verb takes: a value that was typed there is refused and not shown.
#[derive(Args, Clone, Debug)]
pub(super) struct Stray {
    #[arg(hide = true, value_name = "NOTHING")]
    pub(super) stray: Vec<OsString>,
}

impl Stray {
    pub(super) fn refuse(&self, deployment: &Deployment<'_>) -> Result<(), Failure> {
        if self.stray.is_empty() {
            return Ok(());
        }
        Err(deployment.unusable("too many arguments; a value on the command line can be read by others").help(
            "type the value at the prompt, or give it on stdin; where it was a value, treat it as known to others",
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
    pub(super) stray: Stray,
}

impl Name {
    pub(super) fn secret<'a>(&self, deployment: &'a Deployment<'_>) -> Result<&'a Secret, Failure> {
        self.stray.refuse(deployment)?;
        deployment.row(&self.name)
    }
}

/// The name of one secret that has a default.
#[derive(Args, Clone, Debug)]
pub(super) struct NameOr {
    /// The secret [default: rds/password].
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,
    #[command(flatten)]
    pub(super) stray: Stray,
}

impl NameOr {
    pub(super) fn secret<'a>(
        &self,
        deployment: &'a Deployment<'_>,
        default: &str,
    ) -> Result<&'a Secret, Failure> {
        self.stray.refuse(deployment)?;
        deployment.row(self.name.as_deref().unwrap_or(default))
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
            deployment.row(name)?;
        }
        Ok(selected(&deployment.catalog, &self.names))
    }
}
