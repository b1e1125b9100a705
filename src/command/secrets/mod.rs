//! `osmt-secrets`: flags in, text and exit out.

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
/// A value comes from a prompt without echo, from stdin or from the system's randomness, is kept in the keyring, and goes
/// to Secrets Manager. It is never shown, never an argument and never in a file.
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
  osmt-secrets generate rds/password            make a database password
  osmt-secrets set app/oauth_client_secret      type the client secret at a prompt
  osmt-secrets push                             write both to Secrets Manager
  osmt-secrets verify --max-age 90d             check everything, and that no value is older than 90 days
  osmt-secrets rotate rds/password              replace the password that is in use
  osmt-secrets exec -- ./gradlew bootRun        run a command with the values in its environment";

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    /// Show which secrets there are and which of them the keyring holds.
    List(list::List),
    /// Put a value into the keyring: a prompt without echo, or one line from stdin.
    Set(set::Set),
    /// Put a new random value into the keyring.
    Generate(generate::Generate),
    /// Put several values into the keyring, from stdin: a JSON object {"rds": {"password": …}, "app": {…}} or a dotenv file.
    Import(import::Import),
    /// Remove entries from the keyring, or the secrets from Secrets Manager.
    Rm(rm::Rm),
    /// Compare the keyring and Secrets Manager, key by key, and show which side is newer; exit 1 where they differ.
    Diff(diff::Diff),
    /// Write the keyring's values to Secrets Manager, where they differ and the keyring is newer.
    Push(push::Push),
    /// Write Secrets Manager's values to the keyring, where they differ.
    Pull(pull::Pull),
    /// Replace a value that is in use: a new version in AWS, the keyring, the config's revision.
    Rotate(rotate::Rotate),
    /// Go back to an earlier value: AWS, the keyring, the config's revision.
    Rollback(rollback::Rollback),
    /// Show the versions of a secret in AWS.
    History(history::History),
    /// Check that keyring, Secrets Manager and `DB_URI` agree and can work; exit 1 where not.
    Verify(verify::Verify),
    /// Run a command with the secrets in its environment and out of its output.
    ///
    /// The names are the container's: `DB_USER`, `DB_PASSWORD`, `OAUTH_CLIENTSECRET`. Standard output and error are copied
    /// with every value masked, also in base64, hexadecimal, percent-encoded, quoted for shells, as JSON and as HTML. The
    /// exit code is the command's (128 + n where signal n ended it); signals are passed on.
    Exec(exec::Exec),
    /// Search files and folders for the keyring's values, also encoded; exit 1 where one is found.
    Scan(scan::Scan),
    #[command(flatten)]
    Shared(Shared),
}

impl Tool for Secrets {
    const HIDES_ARGUMENTS: bool = true;
    const WRITES: &[&str] = &["set", "generate", "import", "rm", "push", "pull", "rotate", "rollback"];
    const EXAMPLES: &[(&str, &str)] = &[
        ("list", "  osmt-secrets list\n  osmt-secrets list --format json"),
        (
            "set",
            "  osmt-secrets set app/oauth_client_secret
  pass show osmt/oauth | osmt-secrets set app/oauth_client_secret",
        ),
        ("generate", "  osmt-secrets generate rds/password"),
        ("import", "  osmt-secrets import < secrets.env"),
        ("rm", "  osmt-secrets rm rds/password"),
        ("diff", "  osmt-secrets diff"),
        ("push", "  osmt-secrets push --dry-run\n  osmt-secrets push"),
        ("pull", "  osmt-secrets pull"),
        ("rotate", "  osmt-secrets rotate rds/password"),
        ("rollback", "  osmt-secrets rollback rds/password"),
        ("history", "  osmt-secrets history rds/password"),
        ("verify", "  osmt-secrets verify\n  osmt-secrets verify --max-age 90d"),
        ("exec", "  osmt-secrets exec -- ./gradlew bootRun"),
        ("scan", "  osmt-secrets scan .\n  osmt-secrets scan build/logs"),
    ];

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
