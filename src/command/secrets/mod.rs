//! `osmt-secrets`: flags in, text and exit out.

mod exec;
mod import;
mod input;
mod local;
mod remote;
mod rotate;
mod verify;

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{Common, Shared, SharedArgs, Tool, Ui};
use crate::config::{Config, secret_name};
use crate::explain::{Exit, Failure};
use crate::keyring::{Choice, Keyring};
use crate::secrets::catalog::{CATALOG, Secret};
use crate::secrets::{Local, catalog};

/// Carry OSMT's secrets from the keyring to AWS Secrets Manager; compare, rotate, verify.
///
/// A value comes from a prompt without echo, from stdin or from the system's randomness, lies in the keyring, and goes
/// to Secrets Manager. It is never shown, never an argument and never in a file.
#[derive(Clone, Debug, Parser)]
#[command(name = "osmt-secrets", version)]
pub struct Secrets {
    #[command(flatten)]
    shared: SharedArgs,
    #[command(flatten)]
    keyring: KeyringArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Args, Clone, Debug)]
struct KeyringArgs {
    /// The desktop's keyring or the Linux kernel's; auto takes the first that works.
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
    /// The first that works.
    Auto,
    /// Secret Service, Keychain, Credential Manager.
    Os,
    /// The Linux kernel's: no desktop needed, gone at reboot.
    Kernel,
}

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    /// Say which secrets there are and which of them the keyring holds.
    List,
    /// Put a value into the keyring: a prompt without echo, or one line from stdin.
    Set {
        /// Which secret.
        #[arg(value_name = "NAME", value_parser = names())]
        name: String,
        #[arg(hide = true, value_name = "VALUE")]
        stray: Option<String>,
    },
    /// Put a new random value into the keyring.
    Generate {
        /// Which secret.
        #[arg(value_name = "NAME", value_parser = names())]
        name: String,
        /// Replace the value that the keyring holds.
        #[arg(long)]
        force: bool,
    },
    /// Put several values into the keyring, from a JSON object on stdin: {"rds": {"password": …}, "app": {…}}.
    Import,
    /// Remove entries from the keyring, or the secrets from Secrets Manager.
    Rm {
        /// Which secret's entry.
        #[arg(value_name = "NAME", value_parser = names(), required_unless_present = "all", conflicts_with = "all")]
        name: Option<String>,
        /// All of them.
        #[arg(long)]
        all: bool,
        /// In Secrets Manager instead of the keyring; they can be restored for 30 days.
        #[arg(long, requires = "all")]
        remote: bool,
        /// With --remote: at once and for ever, which also frees the names.
        #[arg(long, requires = "remote")]
        no_recovery: bool,
    },
    /// Compare keyring and Secrets Manager, key by key; exit 1 where they differ.
    Diff,
    /// Write the keyring's values to Secrets Manager, where they differ.
    Push,
    /// Write Secrets Manager's values to the keyring, where they differ.
    Pull,
    /// Replace a value that is in use: a new version in AWS, the keyring, the config's revision.
    Rotate {
        /// Which secret.
        #[arg(value_name = "NAME", value_parser = names(), default_value = "rds/password")]
        name: String,
        /// Forget a rotation or rollback that was interrupted.
        #[arg(long)]
        abandon: bool,
    },
    /// Go back to the value before the last one: AWS, the keyring, the config's revision.
    Rollback {
        /// Which secret.
        #[arg(value_name = "NAME", value_parser = names(), default_value = "rds/password")]
        name: String,
    },
    /// Check that keyring, Secrets Manager and `DB_URI` agree and can work; exit 1 where not.
    Verify,
    /// Run a command with the secrets in its environment and out of its output.
    ///
    /// The names are the container's: `DB_USER`, `DB_PASSWORD`, `OAUTH_CLIENTSECRET`. Standard output and error are copied
    /// with every value masked, also in base64, percent-encoded and as JSON.
    Exec {
        /// Give the command the terminal itself; nothing is masked.
        #[arg(long)]
        raw: bool,
        /// The command and its arguments.
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    #[command(flatten)]
    Shared(Shared),
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(CATALOG.iter().map(|secret| secret.name))
}

/// What every verb needs: flags, config, voice.
struct Context<'a> {
    common: &'a Common,
    choice: Choice,
    config: Config,
    ui: &'a Ui,
}

impl Tool for Secrets {
    fn shared(&self) -> &SharedArgs {
        &self.shared
    }

    fn run(self, cx: &super::Context) -> Result<Exit, Failure> {
        let (common, ui) = (&cx.shared, &cx.ui);
        if let Verb::Shared(shared) = &self.verb {
            return shared.run::<Self>(ui);
        }
        // Values will lie in memory: no core file may keep them, no other process of the user look in.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
        if let Verb::Set { stray: Some(_), .. } = self.verb {
            return Err(Failure::new(
                Exit::Usage,
                "a value on the command line can be read by others; nothing was written",
            )
            .help("leave it away and type it at the prompt, or give it on stdin; treat the one you just typed as known"));
        }
        let (_, config) = common.load_config()?;
        let context = Context {
            common,
            choice: match self.keyring.keyring {
                KeyringFlag::Auto => Choice::Auto,
                KeyringFlag::Os => Choice::Os,
                KeyringFlag::Kernel => Choice::Kernel,
            },
            config,
            ui,
        };
        match self.verb {
            Verb::List => local::list(&context),
            Verb::Set { name, .. } => local::set(&context, row(&name)?),
            Verb::Generate { name, force } => local::generate(&context, row(&name)?, force),
            Verb::Import => import::import(&context),
            Verb::Exec { raw, command } => exec::exec(&context, &command, raw),
            Verb::Rm { remote: true, no_recovery, .. } => remote::rm(&context, !no_recovery),
            Verb::Rm { name, .. } => local::rm(&context, name.as_deref()),
            Verb::Diff => remote::diff(&context),
            Verb::Push => remote::push(&context),
            Verb::Pull => remote::pull(&context),
            Verb::Rotate { name, abandon: true } => rotate::abandon(&context, row(&name)?),
            Verb::Rotate { name, .. } => rotate::rotate(&context, row(&name)?),
            Verb::Rollback { name } => rotate::rollback(&context, row(&name)?),
            Verb::Verify => verify::verify(&context),
            Verb::Shared(shared) => shared.run::<Self>(ui),
        }
    }
}

fn row(name: &str) -> Result<&'static Secret, Failure> {
    catalog::find(name).ok_or_else(|| Failure::new(Exit::Usage, "there is no secret of this name"))
}

impl Context<'_> {
    /// `osmt/<env>/<remote>`
    fn remote_name(&self, remote: &str) -> String {
        secret_name(&self.config.env, remote)
    }

    /// Opens the keyring and says which, where `auto` chose.
    fn keyring(&self) -> Result<Keyring, Failure> {
        let service = self.remote_name("");
        let keyring = Keyring::open(self.choice, service.trim_end_matches('/'))?;
        if self.choice == Choice::Auto {
            let why = keyring.passed_over.as_ref();
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            self.ui.say(format_args!("using {}{why}", keyring.kind));
        }
        Ok(keyring)
    }
}

/// What the keyring holds.
fn held(keyring: &Keyring) -> Result<Local, Failure> {
    let mut local = Local::default();
    for secret in &CATALOG {
        if let Some(value) = keyring.get(secret.name)? {
            local.0.insert(secret.name, value);
        }
    }
    Ok(local)
}
