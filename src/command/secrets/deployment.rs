//! The deployment whose secrets a verb works on: its config, its keyring, its account.

use std::time::Duration;

use clap::{Args, ValueEnum};
use futures_util::future::try_join_all;

use crate::aws::Session;
use crate::command::{Context, SharedArgs, Ui, block_on};
use crate::config::Config;
use crate::deployment::secret_name;
use crate::explain::{Exit, Failure};
use crate::files;
use crate::keyring::{Choice, Keyring};
use crate::secrets::base::Base;
use crate::secrets::catalog::{Catalog, Secret, Wanted};
use crate::secrets::rotation::Journal;
use crate::secrets::{Seen, remote};

/// How long the keyring is waited for after the message.
const UNLOCK: Duration = Duration::from_secs(27);
/// After this time a message says that the keyring is waited for.
const SILENCE: Duration = Duration::from_secs(3);

/// Which keyring; of the binary and of each verb, so that the flag may be given before the verb and after it.
#[derive(Args, Clone, Debug)]
pub(super) struct KeyringArg {
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
pub(super) enum KeyringFlag {
    /// The desktop's where there is one, else the kernel's.
    Auto,
    /// Secret Service, Keychain, Credential Manager.
    Os,
    /// The Linux kernel's: no desktop needed, gone at reboot.
    Kernel,
}

/// The secrets of the config's deployment, and the way to their keyring and their account.
pub(super) struct Deployment<'a> {
    pub(super) common: &'a SharedArgs,
    pub(super) choice: Choice,
    pub(super) config: Config,
    text: String,
    pub(super) catalog: Catalog,
    pub(super) ui: &'a Ui,
}

impl KeyringArg {
    /// Reads the config, and with it which secrets this deployment has.
    pub(super) fn deployment<'a>(&self, cx: &'a Context) -> Result<Deployment<'a>, Failure> {
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
        let text = document.text().to_owned();
        Ok(Deployment { common: &cx.shared, choice, config, text, catalog, ui: &cx.ui })
    }
}

impl Deployment<'_> {
    /// Refuses a config that changed while a question was open: the answer was about what it said before.
    pub(super) fn config_is_unchanged(&self) -> Result<(), Failure> {
        Ok(files::unchanged(&self.common.config_path(), Some(self.text.as_bytes()))?)
    }

    /// `osmt/<env>/<remote>`
    pub(super) fn remote_name(&self, remote: &str) -> String {
        secret_name(&self.config.env, remote)
    }

    /// The secret of a name. A name that does not exist is not shown: it may be a value.
    pub(super) fn row(&self, name: &str) -> Result<&Secret, Failure> {
        self.catalog.find(name).ok_or_else(|| {
            let length = name.chars().count();
            let message = format!("this is not the name of a secret ({length} characters)");
            self.unusable(&message).help(format!("the secrets are {}", self.catalog.names()))
        })
    }

    /// Input that cannot be used, with what was written before it was read.
    pub(super) fn unusable(&self, what: &str) -> Failure {
        Failure::new(Exit::Usage, format!("{what}; {}", self.ui.already()))
    }

    /// Opens the keyring and says which, where `auto` chose. Bounded, and ended by Ctrl-C.
    pub(super) fn keyring(&self) -> Result<Keyring, Failure> {
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
    pub(super) fn moved(&self, keyring: Keyring) -> Result<Keyring, Failure> {
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
    pub(super) async fn open(&self) -> Result<Session, Failure> {
        self.common.sign_in(&self.config, self.ui).await
    }

    /// What Secrets Manager holds.
    pub(super) async fn observe(&self, session: &Session) -> Result<Seen, Failure> {
        let client = session.secretsmanager();
        let reads = self.catalog.remotes().into_iter().map(async |remote| {
            let held = remote::observe(&client, &self.remote_name(remote)).await;
            held.map(|held| held.map(|held| (remote, held)))
        });
        let held = self.ui.during("reading Secrets Manager", try_join_all(reads)).await?;
        Ok(Seen(held.into_iter().flatten().collect()))
    }
}
