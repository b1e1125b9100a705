//! `osmt-release`: flags in, text and exit out. One file a verb.

mod check;
mod image;
mod list;
mod migrate;
mod notes;
mod rollback;
mod select;
mod status;
mod tag;
mod verdict;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use super::{Context, Shared, SharedArgs, Tool};
use crate::account::Known;
use crate::explain::{Exit, Failure};
use crate::git::Repository;
use crate::release::{Osmt, Wanted, is_digest, is_docker_tag};

/// Select which commit of OSMT to deploy, migrate the database, show what runs, record it.
///
/// Each code of a guard (REL010) has a page: `osmt-doctor explain REL010`, or docs/rules/REL010.md.
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
    /// Here too, so that these flags may be given before the verb.
    #[command(flatten)]
    repositories: Repositories,
    #[command(subcommand)]
    verb: Verb,
}

/// Where OSMT's commits and the records of deployments are.
#[derive(Args, Clone, Debug)]
struct Repositories {
    /// A checkout of OSMT [default: the repository of the current folder].
    #[arg(long, global = true, value_name = "DIR", help_heading = "Shared")]
    repo: Option<PathBuf>,
    /// The git repository that keeps the records, where it is not the checkout of OSMT: the config's, for example.
    #[arg(long, global = true, value_name = "DIR", env = "OSMT_RECORDS", help_heading = "Shared")]
    records: Option<PathBuf>,
}

impl Repositories {
    /// Opens the checkout of OSMT.
    fn osmt(&self) -> Result<Osmt, Failure> {
        let mut osmt = Osmt::open(self.repo.as_deref().unwrap_or(Path::new(".")))?;
        osmt.ledger = self.records.as_deref().map(Repository::open).transpose()?;
        Ok(osmt)
    }

    /// The checkout of OSMT, if there is one: one that was named must be one.
    fn if_any(&self) -> Result<Known<Osmt>, Failure> {
        match (&self.repo, self.osmt()) {
            (_, Ok(osmt)) => Ok(Known::Known(osmt)),
            (Some(_), Err(failure)) => Err(failure),
            (None, Err(failure)) => {
                Ok(Known::Unknown(format!("{}; `--repo DIR` names a checkout of OSMT", failure.message)))
            }
        }
    }
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
    const EXAMPLES: &[(&str, &str)] = &[];

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

/// Which revision.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
struct Which {
    /// Any git revision: a release tag, a branch, a commit.
    rev: Option<String>,
    /// The commit checked out.
    #[arg(long)]
    head: bool,
    /// The newest release tag.
    #[arg(long)]
    latest: bool,
    /// What was recorded last for another environment, with its image.
    #[arg(long, value_name = "ENV")]
    promote: Option<String>,
}

impl Which {
    fn wanted(&self) -> Wanted {
        match &self.rev {
            Some(rev) => Wanted::Rev(rev.clone()),
            None if self.head => Wanted::Head,
            None => Wanted::Latest,
        }
    }
}

fn tag_or_digest(text: &str) -> Result<String, String> {
    if is_digest(text) || is_docker_tag(text) {
        return Ok(text.to_owned());
    }
    Err("neither a tag (letters, digits, `_`, `.`, `-`; at most 128) nor `sha256:` and 64 hexadecimal digits"
        .into())
}
