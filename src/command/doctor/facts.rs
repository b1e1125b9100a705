//! `osmt-doctor facts`: record the facts of the account.

use clap::Args;

use super::live::read_account;
use crate::command::{Context, pretty_json};
use crate::explain::{Exit, Failure};

/// Record the facts of the account as JSON, for `check --facts`; no value of a secret is read.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-doctor facts > facts.json\n  osmt-doctor check --facts facts.json")]
pub(super) struct Facts {
    /// Exit 1 if a fact could not be read.
    #[arg(long)]
    strict: bool,
}

impl Facts {
    /// Prints the facts; facts that could not be read are listed on stderr.
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let (_, config) = cx.shared.load_config()?;
        let backend = cx.shared.backend(&config)?;
        let facts = read_account(&config, &backend, cx)?;
        let text = pretty_json(&facts)?;
        ui.write(|out| writeln!(out, "{text}"))?;
        let unknown = facts.unknown();
        for (fact, reason) in &unknown {
            ui.warn(format_args!("{fact} is not known: {reason}"));
        }
        Ok(if self.strict && !unknown.is_empty() { Exit::Pending } else { Exit::Done })
    }
}
