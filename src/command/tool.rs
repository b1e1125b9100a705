//! What a binary is, and what its verbs are given.

use std::sync::Arc;

use clap::Parser;

use super::{SharedArgs, Ui};
use crate::explain::{Exit, Failure};

/// What a verb is given in addition to its own arguments: the shared flags, and the only way to talk to people.
pub struct Context {
    /// The flags that mean the same in all four binaries.
    pub shared: SharedArgs,
    /// Text, questions and progress.
    pub ui: Arc<Ui>,
}

/// One of the four binaries.
pub trait Tool: Parser {
    /// The shared flags.
    fn shared(&self) -> &SharedArgs;
    /// Whether an argument may be a secret's value, so that no error shows one.
    const HIDES_ARGUMENTS: bool = false;
    /// The verbs that write, and so know `--yes` and `--dry-run`.
    const WRITES: &[&str];
    /// The verbs that never ask AWS.
    const OFFLINE: &[&str] = &[];
    /// The verbs that print findings.
    const FINDINGS: &[&str] = &[];
    /// Examples for the help of each verb.
    const EXAMPLES: &[(&str, &str)];
    /// Whether this verb prints findings, and so knows SARIF and annotations.
    fn reports_findings(&self) -> bool {
        false
    }
    /// Does what was asked.
    fn run(self, cx: &Context) -> Result<Exit, Failure>;
}
