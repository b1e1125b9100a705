//! The deployment that a verb works on: its config, keyring and account.

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
use crate::secrets::{Remote, remote};

/// How long to wait for the keyring after the message.
const WAIT_AFTER_MESSAGE: Duration = Duration::from_secs(27);
/// How long to wait for the keyring before the message.
const WAIT_BEFORE_MESSAGE: Duration = Duration::from_secs(3);

/// Which keyring. The binary and each verb have this flag, so that it can be given before or after the verb.
#[derive(Args, Clone, Debug)]
pub(super) struct KeyringArg {
    /// The desktop's keyring or the Linux kernel's; auto uses the desktop's if there is one.
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
    /// The desktop's if there is one, else the kernel's.
    Auto,
    /// Secret Service, Keychain, Credential Manager.
    Os,
    /// The Linux kernel's: no desktop needed, deleted at reboot.
    Kernel,
}

/// The config's deployment, its secrets, and access to their keyring and account.
pub(super) struct Deployment<'a> {
    pub(super) shared: &'a SharedArgs,
    pub(super) choice: Choice,
    pub(super) config: Config,
    text: String,
    pub(super) catalog: Catalog,
    pub(super) ui: &'a Ui,
}

impl KeyringArg {
    /// Reads the config, which determines the secrets of the deployment.
    pub(super) fn deployment<'a>(&self, cx: &'a Context) -> Result<Deployment<'a>, Failure> {
        // Values will be in memory: no core file, and no access for other processes of the user.
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
        Ok(Deployment { shared: &cx.shared, choice, config, text, catalog, ui: &cx.ui })
    }
}

impl Deployment<'_> {
    /// Refuses a config that changed while a question was open: the answer was about the previous one.
    pub(super) fn config_is_unchanged(&self) -> Result<(), Failure> {
        Ok(files::check_unchanged(&self.shared.config_path(), Some(self.text.as_bytes()))?)
    }

    /// `osmt/<env>/<remote>`
    pub(super) fn remote_name(&self, remote: &str) -> String {
        secret_name(&self.config.env, remote)
    }

    /// The secret with a name. A name that does not exist is not shown, because it may be a value.
    pub(super) fn secret(&self, name: &str) -> Result<&Secret, Failure> {
        self.catalog.find(name).ok_or_else(|| {
            let length = name.chars().count();
            let message = format!("this is not the name of a secret ({length} characters)");
            self.unusable(&message).help(format!("the secrets are {}", self.catalog.names()))
        })
    }

    /// A usage error about input; the message lists what was written before.
    pub(super) fn unusable(&self, what: &str) -> Failure {
        Failure::new(Exit::Usage, format!("{what}; {}", self.ui.progress_text()))
    }

    /// Opens the keyring, with a timeout. If `auto` chose it, its kind is printed.
    pub(super) fn keyring(&self) -> Result<Keyring, Failure> {
        let service = format!("osmt/{}/{}", self.config.account_id, self.config.env);
        let choice = self.choice;
        let keyring = block_on(self.ui, async {
            let (send, mut opened) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || send.send(Keyring::open(choice, &service)));
            let opened = if let Ok(opened) = tokio::time::timeout(WAIT_BEFORE_MESSAGE, &mut opened).await {
                Ok(opened)
            } else {
                self.ui.say("waiting until the desktop's keyring is unlocked (press Ctrl-C to stop)");
                tokio::time::timeout(WAIT_AFTER_MESSAGE, &mut opened).await
            };
            let opened = opened.map_err(|_| {
                let message = format!("the desktop's keyring was not unlocked within {} seconds", (WAIT_BEFORE_MESSAGE + WAIT_AFTER_MESSAGE).as_secs());
                Failure::new(Exit::Failed, message)
                    .help("unlock it and run this again; `--keyring kernel` uses the other keyring, which has its own entries")
            })?;
            let opened =
                opened.map_err(|_| Failure::new(Exit::Failed, "the keyring's thread ended early"))?;
            Ok(opened?)
        })?;
        if self.choice == Choice::Auto {
            let why = keyring.os_problem.as_ref();
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            self.ui.say(format_args!("using {}{why}", keyring.kind));
        }
        self.move_former_entries(keyring.with_old_service(format!("osmt/{}", self.config.env)))
    }

    /// Moves entries from the service name of earlier versions, which two accounts with the same environment shared.
    pub(super) fn move_former_entries(&self, keyring: Keyring) -> Result<Keyring, Failure> {
        if self.ui.flags.dry_run {
            return Ok(keyring);
        }
        let mut users: Vec<String> = Vec::new();
        for secret in &self.catalog.0 {
            users.push(secret.name.clone());
            users.push(Base::entry(&secret.name));
        }
        users.extend(self.catalog.remotes().into_iter().map(Journal::entry));
        let mut moved = 0;
        for user in &users {
            // An entry that cannot be read is not moved: `list` reports it and `rm` removes it.
            if keyring.try_get(user)?.is_ok() && keyring.move_from_old_service(user)? {
                moved += 1;
                self.ui.done(&format!("moving keyring entry {user} to {}", keyring.service));
            }
        }
        if moved > 0 {
            let entries = if moved == 1 { "entry" } else { "entries" };
            self.ui.say(format_args!(
                "moved {moved} keyring {entries} from osmt/{} to {}, which contains the account",
                self.config.env, keyring.service
            ));
        }
        Ok(keyring)
    }

    /// Signs in to the config's account; another account is refused.
    pub(super) async fn open(&self) -> Result<Session, Failure> {
        self.shared.sign_in(&self.config, self.ui).await
    }

    /// Reads the secrets from Secrets Manager.
    pub(super) async fn observe(&self, session: &Session) -> Result<Remote, Failure> {
        let client = session.secretsmanager();
        let reads = self.catalog.remotes().into_iter().map(async |remote| {
            let held = remote::observe(&client, &self.remote_name(remote)).await;
            held.map(|held| held.map(|held| (remote, held)))
        });
        let held = self.ui.during("reading Secrets Manager", try_join_all(reads)).await?;
        Ok(Remote(held.into_iter().flatten().collect()))
    }
}
