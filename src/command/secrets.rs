//! `osmt-secrets`: flags in, text and exit out.

use clap::Parser;
use clap::Subcommand;

use super::Common;
use super::Shared;
use super::Tool;
use super::Ui;
use crate::explain::Exit;
use crate::explain::Failure;

/// Carry OSMT's secrets from the keyring to AWS Secrets Manager; compare, rotate, verify.
#[derive(Clone, Debug, Parser)]
#[command(name = "osmt-secrets", version)]
pub struct Secrets {
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

impl Tool for Secrets {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self, ui: &Ui) -> Result<Exit, Failure> {
        match self.verb {
            Verb::Shared(shared) => shared.run::<Self>(ui),
        }
    }
}
