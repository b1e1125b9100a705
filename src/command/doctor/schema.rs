//! `osmt-doctor schema`: JSON Schemas, for editors.

use clap::{Args, ValueEnum};

use crate::command::Context;
use crate::doctor;
use crate::explain::{Exit, Failure};

/// Print a JSON Schema, for editors.
#[derive(Args, Clone, Debug)]
pub(super) struct Schema {
    /// Of what.
    #[arg(value_enum, default_value = "config")]
    of: Of,
}

/// What there are schemas of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The config.
    Config,
    /// A policy file.
    Policy,
    /// `doctor.ignore.json`.
    Ignore,
    /// What `check --format json` prints.
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
