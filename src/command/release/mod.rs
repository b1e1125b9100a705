//! `osmt-release`, one file for each verb.

mod check;
mod image;
mod list;
mod migrate;
mod notes;
mod repositories;
mod rollback;
mod select;
mod status;
mod tag;
mod verdict;
mod which;

use clap::{Parser, Subcommand};

use self::repositories::Repositories;
use super::{Context, Shared, SharedArgs, Tool};
use crate::explain::{Exit, Failure};

/// Select the commit of OSMT to deploy, migrate the database, show what is running, record it.
///
/// Each guard has a code, such as REL010, and a page: `osmt-doctor explain REL010`, or docs/rules/REL010.md.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "osmt-release",
    version,
    after_help = "Examples, in the order of a rollout (--repo names a checkout of OSMT):\n  \
        osmt-release --repo ../osmt check 3.0.0\n  \
        osmt-release --repo ../osmt select 3.0.0\n  \
        terraform apply -target=module.osmt.aws_ecs_task_definition.maintenance\n  \
        osmt-release --repo ../osmt migrate\n  \
        terraform apply\n  \
        osmt-release --repo ../osmt status\n  \
        osmt-release --repo ../osmt tag"
)]
pub struct Release {
    #[command(flatten)]
    shared: SharedArgs,
    /// Also in each verb, so that these flags can be given before or after the verb.
    #[command(flatten)]
    repositories: Repositories,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    List(list::List),
    Select(select::Select),
    Check(check::Check),
    Tag(tag::Tag),
    Status(status::Status),
    Notes(notes::Notes),
    Migrate(migrate::Migrate),
    Rollback(rollback::Rollback),
    #[command(flatten)]
    Shared(Shared),
}

impl Tool for Release {
    const WRITES: &[&str] = &["select", "tag", "migrate", "rollback"];
    const FINDINGS: &[&str] = &["check"];

    fn shared(&self) -> &SharedArgs {
        &self.shared
    }

    fn reports_findings(&self) -> bool {
        matches!(self.verb, Verb::Check(_))
    }

    fn run(self, cx: &Context) -> Result<Exit, Failure> {
        match self.verb {
            Verb::List(verb) => verb.run(cx),
            Verb::Select(verb) => verb.run(cx),
            Verb::Check(verb) => verb.run(cx),
            Verb::Tag(verb) => verb.run(cx),
            Verb::Status(verb) => verb.run(cx),
            Verb::Notes(verb) => verb.run(cx),
            Verb::Migrate(verb) => verb.run(cx),
            Verb::Rollback(verb) => verb.run(cx),
            Verb::Shared(shared) => shared.run::<Self>(&cx.ui),
        }
    }
}
