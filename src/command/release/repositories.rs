//! The flags for OSMT's checkout and the repository of the records.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::account::Known;
use crate::explain::Failure;
use crate::git::Repository;
use crate::release::Osmt;

/// The repositories with OSMT's commits and with the records of deployments.
#[derive(Args, Clone, Debug)]
pub(super) struct Repositories {
    /// A checkout of OSMT [default: the repository of the current folder].
    #[arg(long, global = true, value_name = "DIR", help_heading = "Shared")]
    repo: Option<PathBuf>,
    /// The git repository for the records, for example that of the config [default: the checkout of OSMT].
    #[arg(long, global = true, value_name = "DIR", env = "OSMT_RECORDS", help_heading = "Shared")]
    records: Option<PathBuf>,
}

impl Repositories {
    /// Opens the checkout of OSMT.
    pub(super) fn osmt(&self) -> Result<Osmt, Failure> {
        let mut osmt = Osmt::open(self.repo.as_deref().unwrap_or(Path::new(".")))?;
        osmt.records_repository = self.records.as_deref().map(Repository::open).transpose()?;
        Ok(osmt)
    }

    /// Opens the checkout of OSMT; unknown if there is none and `--repo` is not given.
    pub(super) fn osmt_if_available(&self) -> Result<Known<Osmt>, Failure> {
        match (&self.repo, self.osmt()) {
            (_, Ok(osmt)) => Ok(Known::Known(osmt)),
            (Some(_), Err(failure)) => Err(failure),
            (None, Err(failure)) => {
                Ok(Known::Unknown(format!("{}; `--repo DIR` names a checkout of OSMT", failure.message)))
            }
        }
    }
}
