//! `osmt-secrets`, one file for each verb.

mod child;
mod deployment;
mod diff;
mod entries;
mod exec;
mod generate;
mod history;
mod import;
mod input;
mod list;
mod names;
mod pull;
mod push;
mod replace;
mod rm;
mod rollback;
mod rotate;
mod scan;
mod set;
mod tasks;
mod verify;
mod when;

use clap::{Parser, Subcommand};

use self::deployment::KeyringArg;
use super::{Context, Shared, SharedArgs, Tool};
use crate::explain::{Exit, Failure};

/// Copy OSMT's secrets from the keyring to AWS Secrets Manager; compare, rotate and verify them.
///
/// A value is read from a prompt without echo or from stdin, or is generated. It is stored in the keyring, and copied to Secrets
/// Manager. It is never printed, never an argument and never written to a file.
#[derive(Clone, Debug, Parser)]
#[command(name = "osmt-secrets", version, after_help = EXAMPLES)]
pub struct Secrets {
    #[command(flatten)]
    shared: SharedArgs,
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:
  osmt-secrets generate rds/password            generate a database password
  osmt-secrets set app/oauth_client_secret      enter the client secret at a prompt
  osmt-secrets push                             write both to Secrets Manager
  osmt-secrets verify --max-age 90d             check the secrets; a value that is older than 90 days fails
  osmt-secrets rotate rds/password              replace the password that is in use
  osmt-secrets exec -- ./gradlew bootRun        run a command with the values in its environment";

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    List(list::List),
    Set(set::Set),
    Generate(generate::Generate),
    Import(import::Import),
    Rm(rm::Rm),
    Diff(diff::Diff),
    Push(push::Push),
    Pull(pull::Pull),
    Rotate(rotate::Rotate),
    Rollback(rollback::Rollback),
    History(history::History),
    Verify(verify::Verify),
    Exec(exec::Exec),
    Scan(scan::Scan),
    #[command(flatten)]
    Shared(Shared),
}

impl Tool for Secrets {
    const HIDES_ARGUMENTS: bool = true;
    const WRITES: &[&str] = &["set", "generate", "import", "rm", "push", "pull", "rotate", "rollback"];

    fn shared(&self) -> &SharedArgs {
        &self.shared
    }

    fn run(self, cx: &Context) -> Result<Exit, Failure> {
        match self.verb {
            Verb::List(verb) => verb.run(cx),
            Verb::Set(verb) => verb.run(cx),
            Verb::Generate(verb) => verb.run(cx),
            Verb::Import(verb) => verb.run(cx),
            Verb::Rm(verb) => verb.run(cx),
            Verb::Diff(verb) => verb.run(cx),
            Verb::Push(verb) => verb.run(cx),
            Verb::Pull(verb) => verb.run(cx),
            Verb::Rotate(verb) => verb.run(cx),
            Verb::Rollback(verb) => verb.run(cx),
            Verb::History(verb) => verb.run(cx),
            Verb::Verify(verb) => verb.run(cx),
            Verb::Exec(verb) => verb.run(cx),
            Verb::Scan(verb) => verb.run(cx),
            Verb::Shared(verb) => verb.run::<Self>(&cx.ui),
        }
    }
}
