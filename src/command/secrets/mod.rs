//! `osmt-secrets`: flags in, text and exit out.

mod child;
mod diff;
mod entries;
mod exec;
mod generate;
mod history;
mod import;
mod input;
mod list;
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

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::{Context, Shared, SharedArgs, Tool, Ui, block_on};
use crate::aws::Session;
use crate::config::Config;
use crate::deployment::secret_name;
use crate::explain::{Exit, Failure};
use crate::keyring::{Choice, Keyring};
use crate::plan::{self, Plan};
use crate::secrets::base::Base;
use crate::secrets::catalog::{Catalog, Secret, Wanted};
use crate::secrets::rotation::Journal;
use crate::secrets::{Seen, remote, selected};

/// How long the keyring is waited for after the message.
const UNLOCK: Duration = Duration::from_secs(27);
/// After this time a message says that the keyring is waited for.
const SILENCE: Duration = Duration::from_secs(3);

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

/// Which keyring; of the binary and of each verb, so that the flag may be given before the verb and after it.
#[derive(Args, Clone, Debug)]
struct KeyringArg {
    /// The desktop's keyring or the Linux kernel's; auto takes the desktop's where there is one.
    #[arg(
        long,
        global = true,
        value_name = "KEYRING",
        env = "OSMT_KEYRING",
        default_value = "auto",
        help_heading = "Shared"
    )]
    keyring: KeyringFlag,
}

/// The values of `--keyring`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KeyringFlag {
    /// The desktop's where there is one, else the kernel's.
    Auto,
    /// Secret Service, Keychain, Credential Manager.
    Os,
    /// The Linux kernel's: no desktop needed, gone at reboot.
    Kernel,
}

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

/// The secrets of the config's deployment, and the way to their keyring and their account.
struct Deployment<'a> {
    common: &'a SharedArgs,
    choice: Choice,
    config: Config,
    catalog: Catalog,
    ui: &'a Ui,
}

impl KeyringArg {
    /// Reads the config, and with it which secrets this deployment has.
    fn deployment<'a>(&self, cx: &'a Context) -> Result<Deployment<'a>, Failure> {
        // Values will be in memory: no core file may keep them, no other process of the user look in.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
        let (document, config) = cx.shared.load_config()?;
        let choice = match self.keyring {
            KeyringFlag::Auto => Choice::Auto,
            KeyringFlag::Os => Choice::Os,
            KeyringFlag::Kernel => Choice::Kernel,
        };
        let catalog = Catalog::of(&Wanted::of(&document));
        Ok(Deployment { common: &cx.shared, choice, config, catalog, ui: &cx.ui })
    }
}

/// Arguments that no verb takes: a value that was typed there is refused and not shown.
#[derive(Args, Clone, Debug)]
struct Stray {
    #[arg(hide = true, value_name = "NOTHING")]
    stray: Vec<OsString>,
}

impl Stray {
    fn refuse(&self, deployment: &Deployment<'_>) -> Result<(), Failure> {
        if self.stray.is_empty() {
            return Ok(());
        }
        Err(deployment.unusable("too many arguments; a value on the command line can be read by others").help(
            "type the value at the prompt, or give it on stdin; where it was a value, treat it as known to others",
        ))
    }
}

/// The name of one secret.
#[derive(Args, Clone, Debug)]
struct Name {
    /// The secret, such as rds/password; `list` shows the names.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    stray: Stray,
}

impl Name {
    fn secret<'a>(&self, deployment: &'a Deployment<'_>) -> Result<&'a Secret, Failure> {
        self.stray.refuse(deployment)?;
        deployment.row(&self.name)
    }
}

/// The name of one secret that has a default.
#[derive(Args, Clone, Debug)]
struct NameOr {
    /// The secret [default: rds/password].
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    stray: Stray,
}

impl NameOr {
    fn secret<'a>(&self, deployment: &'a Deployment<'_>, default: &str) -> Result<&'a Secret, Failure> {
        self.stray.refuse(deployment)?;
        deployment.row(self.name.as_deref().unwrap_or(default))
    }
}

/// The names of some secrets.
#[derive(Args, Clone, Debug)]
struct Names {
    /// The secrets [default: all].
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Names {
    fn secrets<'a>(&self, deployment: &'a Deployment<'_>) -> Result<Vec<&'a Secret>, Failure> {
        for name in &self.names {
            deployment.row(name)?;
        }
        Ok(selected(&deployment.catalog, &self.names))
    }
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

/// A date with its age: `2026-11-26 21:03 UTC, 3 hours ago`.
fn when(at: Timestamp) -> String {
    let seconds = Timestamp::now().duration_since(at).as_secs();
    let (count, unit) = match seconds {
        ..60 => return format!("{}, just now", at.strftime("%Y-%m-%d %H:%M UTC")),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{}, {count} {unit}{plural} ago", at.strftime("%Y-%m-%d %H:%M UTC"))
}

impl Deployment<'_> {
    /// `osmt/<env>/<remote>`
    fn remote_name(&self, remote: &str) -> String {
        secret_name(&self.config.env, remote)
    }

    /// The secret of a name. A name that does not exist is not shown: it may be a value.
    fn row(&self, name: &str) -> Result<&Secret, Failure> {
        self.catalog.find(name).ok_or_else(|| {
            let length = name.chars().count();
            let message = format!("this is not the name of a secret ({length} characters)");
            self.unusable(&message).help(format!("the secrets are {}", self.catalog.names()))
        })
    }

    /// Input that cannot be used, with what was written before it was read.
    fn unusable(&self, what: &str) -> Failure {
        Failure::new(Exit::Usage, format!("{what}; {}", self.ui.already()))
    }

    /// Says what a run has written.
    fn end<A: plan::Action>(&self, exit: Exit, plan: &Plan<A>) -> Result<(), Failure> {
        if exit != Exit::Done || plan.is_empty() {
            return Ok(());
        }
        let count = plan.actions.len();
        let noun = if count == 1 { "change was" } else { "changes were" };
        self.ui.result(format_args!("done: {count} {noun} written"))
    }

    /// Opens the keyring and says which, where `auto` chose. Bounded, and ended by Ctrl-C.
    fn keyring(&self) -> Result<Keyring, Failure> {
        let service = format!("osmt/{}/{}", self.config.account_id, self.config.env);
        let choice = self.choice;
        let keyring = block_on(self.ui, async {
            let (send, mut opened) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || send.send(Keyring::open(choice, &service)));
            let opened = if let Ok(opened) = tokio::time::timeout(SILENCE, &mut opened).await {
                Ok(opened)
            } else {
                self.ui.say("waiting for the desktop's keyring to be unlocked (Ctrl-C ends it)");
                tokio::time::timeout(UNLOCK, &mut opened).await
            };
            let opened = opened.map_err(|_| {
                let message = format!("the desktop's keyring was not unlocked within {} seconds", (SILENCE + UNLOCK).as_secs());
                Failure::new(Exit::Failed, message)
                    .help("unlock it and run this again; `--keyring kernel` uses the other keyring, which has its own entries")
            })?;
            let opened =
                opened.map_err(|_| Failure::new(Exit::Failed, "the keyring's thread ended early"))?;
            Ok(opened?)
        })?;
        if self.choice == Choice::Auto {
            let why = keyring.passed_over.as_ref();
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            self.ui.say(format_args!("using {}{why}", keyring.kind));
        }
        self.moved(keyring.with_former(format!("osmt/{}", self.config.env)))
    }

    /// Moves entries from the service of earlier versions, which two accounts with the same environment shared.
    fn moved(&self, keyring: Keyring) -> Result<Keyring, Failure> {
        if self.ui.flags.dry_run {
            return Ok(keyring);
        }
        let mut users: Vec<String> = Vec::new();
        for secret in &self.catalog.0 {
            users.push(secret.name.clone());
            users.push(Base::entry(&secret.name));
        }
        users.extend(self.catalog.remotes().into_iter().map(Journal::entry));
        let mut count = 0;
        for user in &users {
            // An entry that cannot be read stays for `list` and `rm`.
            if keyring.try_get(user)?.is_ok() && keyring.move_former(user)? {
                count += 1;
                self.ui.done(&format!("moving keyring entry {user} to {}", keyring.service));
            }
        }
        if count > 0 {
            let entries = if count == 1 { "entry" } else { "entries" };
            self.ui.say(format_args!(
                "moved {count} {entries} of osmt/{} to {}: the names now contain the account",
                self.config.env, keyring.service
            ));
        }
        Ok(keyring)
    }

    /// Opens a session with the config's account and no other.
    async fn open(&self) -> Result<Session, Failure> {
        self.common.sign_in(&self.config, self.ui).await
    }

    /// What Secrets Manager holds.
    async fn observe(&self, session: &Session) -> Result<Seen, Failure> {
        let client = session.secretsmanager();
        let reads = self.catalog.remotes().into_iter().map(async |remote| {
            let held = remote::observe(&client, &self.remote_name(remote)).await;
            held.map(|held| held.map(|held| (remote, held)))
        });
        let held = self.ui.during("reading Secrets Manager", try_join_all(reads)).await?;
        Ok(Seen(held.into_iter().flatten().collect()))
    }
}
