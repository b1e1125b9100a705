//! The trait of a binary, and the context of its verbs.

use std::sync::Arc;

use clap::Parser;

use super::{SharedArgs, Ui};
use crate::explain::{Exit, Failure};

/// What a verb gets in addition to its own arguments.
pub struct Context {
    /// The flags that all four binaries have.
    pub shared: SharedArgs,
    /// Output, questions and progress.
    pub ui: Arc<Ui>,
}

/// One of the four binaries.
pub trait Tool: Parser {
    /// The flags that all four binaries have.
    fn shared(&self) -> &SharedArgs;
    /// Whether an argument may be a secret's value: then no error shows arguments.
    const HIDES_ARGUMENTS: bool = false;
    /// The verbs that write: their help shows `--yes` and `--dry-run`.
    const WRITES: &[&str];
    /// The verbs that never call AWS: their help hides the AWS flags.
    const OFFLINE: &[&str] = &[];
    /// The verbs that print findings: their help shows the formats of findings.
    const FINDINGS: &[&str] = &[];
    /// Whether the given verb prints findings, so that it supports SARIF and the other formats of findings.
    fn reports_findings(&self) -> bool {
        false
    }
    /// Runs the verb.
    fn run(self, cx: &Context) -> Result<Exit, Failure>;
}
