//! `osmt-doctor`, one file for each verb.

mod change;
mod check;
mod draw;
mod explain;
mod facts;
mod fix;
mod inputs;
mod live;
mod lsp;
mod organisation;
mod output;
mod plan;
mod rules;
mod schema;
mod surroundings;
mod verdict;

use clap::{Parser, Subcommand};

use super::{Context, Shared, SharedArgs, Tool};
use crate::explain::{Exit, Failure};

/// Find every mistake in an OSMT configuration before Terraform does.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "osmt-doctor",
    version,
    after_help = "Examples:\n  \
        osmt-doctor check                              the config of terraform/invocation\n  \
        osmt-doctor check environments                 every *.tfvars.json below a folder\n  \
        osmt-doctor check --live                       also check the account (it only reads)\n  \
        osmt-doctor check --format sarif > out.sarif   for GitHub code scanning\n  \
        osmt-doctor plan osmt.tfplan                   check a saved plan\n  \
        osmt-doctor plan osmt.tfplan --report x.html   also write a page for reviewers\n  \
        osmt-doctor draw -o stack.svg                  the stack as a picture\n  \
        osmt-doctor explain NET003                     what a rule is about"
)]
pub struct Doctor {
    #[command(flatten)]
    shared: SharedArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    Check(check::Check),
    Plan(plan::Plan),
    Draw(draw::Draw),
    Lsp(lsp::Lsp),
    Facts(facts::Facts),
    Fix(fix::Fix),
    Rules(rules::Rules),
    Explain(explain::Explain),
    Schema(schema::Schema),
    #[command(flatten)]
    Shared(Shared),
}

impl Tool for Doctor {
    const WRITES: &[&str] = &["draw", "fix"];
    const OFFLINE: &[&str] = &["draw", "explain", "fix", "lsp", "plan", "rules", "schema"];
    const FINDINGS: &[&str] = &["check", "plan"];

    fn shared(&self) -> &SharedArgs {
        &self.shared
    }

    fn reports_findings(&self) -> bool {
        matches!(self.verb, Verb::Check(_) | Verb::Plan(_))
    }

    fn run(self, cx: &Context) -> Result<Exit, Failure> {
        match self.verb {
            Verb::Check(verb) => verb.run(cx),
            Verb::Plan(verb) => verb.run(cx),
            Verb::Draw(verb) => verb.run(cx),
            Verb::Lsp(verb) => verb.run(cx),
            Verb::Facts(verb) => verb.run(cx),
            Verb::Fix(verb) => verb.run(cx),
            Verb::Rules(verb) => verb.run(cx),
            Verb::Explain(verb) => verb.run(cx),
            Verb::Schema(verb) => verb.run(cx),
            Verb::Shared(shared) => shared.run::<Self>(&cx.ui),
        }
    }
}
