//! A place of its own for each test: a config with an environment that no other test has, and the entries that go with it.

use std::path::PathBuf;
use std::process::Command;

use osmt::keyring::{Choice, Keyring};
use serde_json::Value;

use crate::support;
use crate::support::{Emulator, Folder, Ran, run_with};

/// A config, an environment's name and a keyring.
pub(crate) struct World {
    folder: Folder,
    pub(crate) env: String,
    pub(crate) keyring: Keyring,
}

impl World {
    /// In the kernel's keyring; `None`, said aloud, where this machine forbids it. CI must not skip.
    pub(crate) fn new() -> Option<Self> {
        let folder = Folder::empty();
        let random: String = folder.path().to_string_lossy().chars().rev().take(6).collect();
        let env = format!("t{:04x}-{}", std::process::id() % 0xffff, hex(&random));
        support::write(&folder.config(), &support::config(&env));
        match Keyring::open(Choice::Kernel, &format!("osmt/{}/{env}", support::ACCOUNT)) {
            Ok(keyring) => Some(Self { folder, env, keyring }),
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "{error}");
                eprintln!("skipped: {error}; allow the keyctl and add_key system calls");
                None
            }
        }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.config()
    }

    pub(crate) fn config_text(&self) -> String {
        self.folder.config_text()
    }

    /// This world's names, and what a snapshot has in their place.
    pub(crate) fn own(&self) -> [(&str, &str); 2] {
        let [folder] = self.folder.own();
        [folder, (&self.env, "ENV")]
    }

    /// `osmt/<env>/<remote>`
    pub(crate) fn secret(&self, remote: &str) -> String {
        format!("osmt/{}/{remote}", self.env)
    }

    fn prepared(&self, mut command: Command, arguments: &str) -> Command {
        command.env("OSMT_KEYRING", "kernel");
        self.folder.on(command, arguments)
    }

    /// Runs the binary without AWS.
    pub(crate) fn offline(&self, arguments: &str, stdin: &str) -> Ran {
        let mut command = self.prepared(support::osmt("osmt-secrets"), arguments);
        run_with(&mut command, stdin)
    }

    /// Runs the binary against an account.
    pub(crate) fn run(&self, account: &Emulator, arguments: &str) -> Ran {
        self.feed(account, arguments, "")
    }

    /// Runs the binary against an account with something on stdin.
    pub(crate) fn feed(&self, account: &Emulator, arguments: &str, stdin: &str) -> Ran {
        let mut command = self.prepared(account.osmt("osmt-secrets"), arguments);
        run_with(&mut command, stdin)
    }

    /// Runs the binary on a terminal and does what a script says; see [`support::on_terminal`].
    pub(crate) fn on_terminal(&self, account: &Emulator, arguments: &str, act: &str) -> Value {
        let mut all = vec![support::binary("osmt-secrets"), "--dir", self.folder.path().to_str().unwrap()];
        all.extend(arguments.split_whitespace());
        account.ask(&support::on_terminal(&all, &[("OSMT_KEYRING", "kernel")], act))
    }

    /// The value of an entry in the keyring.
    pub(crate) fn kept(&self, user: &str) -> Option<String> {
        use secrecy::ExposeSecret as _;
        let value = self.keyring.get(user).unwrap();
        value.map(|value| value.expose_secret().to_owned())
    }

    /// What the account holds, read by other means than ours.
    pub(crate) fn held(&self, account: &Emulator, remote: &str) -> Value {
        let name = self.secret(remote);
        account.ask(&format!(
            "m = client('secretsmanager')\nanswer = json.loads(m.get_secret_value(SecretId='{name}', VersionStage='AWSCURRENT')['SecretString'])"
        ))
    }

    /// Keyring and account filled and equal.
    pub(crate) fn pushed(&self, account: &Emulator) {
        self.offline("generate rds/password", "").exits(0);
        self.offline("set app/oauth_client_secret", "issued-elsewhere\n").exits(0);
        self.run(account, "push --yes").exits(0);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.offline("rm --all --yes", "");
    }
}

fn hex(text: &str) -> String {
    let sum = text.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("{sum:08x}")
}

/// The entries of a keyring, to be put back later: the machine of another administrator that has not been used since.
pub(crate) struct Snapshot(Vec<(String, Option<String>)>);

impl World {
    fn users() -> Vec<String> {
        let names = ["rds/password", "app/oauth_client_secret"];
        names.iter().flat_map(|name| [(*name).to_owned(), format!("base/{name}")]).collect()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(Self::users().into_iter().map(|user| (user.clone(), self.kept(&user))).collect())
    }

    /// Puts the entries of a snapshot in place of the present ones.
    pub(crate) fn become_one(&self, snapshot: &Snapshot) {
        for (user, value) in &snapshot.0 {
            match value {
                Some(value) => self.keyring.set(user, &value.as_str().into()).unwrap(),
                None => drop(self.keyring.remove(user).unwrap()),
            }
        }
    }

    /// The binary, ready to be started by the test itself.
    pub(crate) fn program(&self, account: Option<&Emulator>) -> Command {
        let mut command = Command::new(support::binary("osmt-secrets"));
        command.env("OSMT_KEYRING", "kernel").env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(account.iter().flat_map(|account| account.environment.iter().cloned()));
        command.arg("--dir").arg(self.folder.path());
        command
    }
}
