//! `osmt-doctor facts`: the facts of the account, for `check --facts`.

use clap::Args;

use super::live::observed;
use crate::command::Context;
use crate::explain::{Exit, Failure};

/// Record the facts of the account, as JSON, for `check --facts`; no secret's value is read.
#[derive(Args, Clone, Debug)]
pub(super) struct Facts {
    /// Exit 1 where a fact could not be read.
    #[arg(long)]
    strict: bool,
}

impl Facts {
    /// Prints the facts; what could not be read is listed on stderr.
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let (_, config) = cx.shared.load_config()?;
        let backend = cx.shared.backend(&config)?;
        let facts = observed(&config, &backend, cx)?;
        let text = serde_json::to_string_pretty(&facts)
            .map_err(|error| Failure::new(Exit::Failed, format!("could not write JSON: {error}")))?;
        ui.write(|out| writeln!(out, "{text}"))?;
        let unknown = facts.unknown();
        for (fact, reason) in &unknown {
            ui.warn(format_args!("{fact} is not known: {reason}"));
        }
        Ok(if self.strict && !unknown.is_empty() { Exit::Pending } else { Exit::Done })
    }
}
