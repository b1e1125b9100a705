//! `osmt-release`: flags in, text and exit out.

use clap::Parser;
use clap::Subcommand;

use super::Common;
use super::Shared;
use super::Tool;
use super::Ui;
use crate::explain::Exit;
use crate::explain::Failure;

/// Select which commit of OSMT to deploy, write it into the config, tag it, tell what runs.
#[derive(Clone, Debug, Parser)]
#[command(name = "osmt-release", version)]
pub struct Release {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    #[command(flatten)]
    Shared(Shared),
}

impl Tool for Release {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, ui: &Ui) -> Result<Exit, Failure> {
        match self.verb {
            Verb::Shared(shared) => shared.run::<Self>(ui),
        }
    }
}
