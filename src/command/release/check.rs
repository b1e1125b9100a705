//! `osmt-release check`: run the guards on a revision.

use clap::Args;

use super::verdict::{RevisionArgs, print_findings};
use crate::command::Context;
use crate::explain::{Exit, Failure};

/// Run the guards of `select` on a revision and write nothing. Exit 1 if a guard refuses.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-release --repo ../osmt check 3.0.0 --strict\n  \
    osmt-release --repo ../osmt check --head --format sarif > osmt-release.sarif")]
pub(super) struct Check {
    #[command(flatten)]
    revision: RevisionArgs,
}

impl Check {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let verdict = self.revision.judge(cx)?;
        let printed = print_findings(cx, &verdict, cx.ui.format)?;
        cx.ui.report(|out| out.write_all(&printed))?;
        Ok(if verdict.refuses() { Exit::Pending } else { Exit::Done })
    }
}
