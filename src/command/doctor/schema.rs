//! `osmt-doctor schema`: print a JSON Schema.

use clap::{Args, ValueEnum};

use crate::command::Context;
use crate::doctor;
use crate::explain::{Exit, Failure};

/// Print a JSON Schema, for editors.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-doctor schema > config.schema.json")]
pub(super) struct Schema {
    /// Which schema.
    #[arg(value_enum, default_value = "config")]
    of: Of,
}

/// The schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The config.
    Config,
    /// A policy file.
    Policy,
    /// `doctor.ignore.json`.
    Ignore,
    /// The report of `check --format json`.
    Report,
}

impl Schema {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let text = match self.of {
            Of::Config => doctor::keys::CONFIG,
            Of::Policy => doctor::policy::SCHEMA,
            Of::Ignore => doctor::ignore::SCHEMA,
            Of::Report => include_str!("../../../schemas/report.schema.json"),
        };
        cx.ui.write(|out| out.write_all(text.as_bytes()))?;
        Ok(Exit::Done)
    }
}
