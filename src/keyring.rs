//! Reads and writes named secrets: the desktop's keyring or the Linux kernel's.
//!
//! Does not know which secrets there are. An entry is addressed by service (`osmt/<account_id>/<env>`) and user
//! (`rds/password`). No error carries a value: what a store reports about one is dropped here.

use std::fmt;
use std::sync::Arc;

use keyring_core::{CredentialStore, Error as StoreError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::explain::Explain;

/// Which keyring the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The desktop's where there is one, else the kernel's.
    Auto,
    /// The desktop's.
    Os,
    /// The Linux kernel's.
    Kernel,
}

/// A keyring of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Secret Service, Keychain or Credential Manager: survives a reboot.
    Os,
    /// Linux: session and persistent keyring of the user; gone at reboot or after some days without use.
    Kernel,
}

impl Kind {
    /// The word of `--keyring`.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Kernel => "kernel",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Os if cfg!(target_os = "macos") => "the Keychain",
            Self::Os if cfg!(windows) => "the Credential Manager",
            Self::Os => "the desktop's keyring (Secret Service)",
            Self::Kernel => "the kernel's keyring",
        })
    }
}

/// The entries of one service in an open keyring.
#[derive(Clone)]
pub struct Keyring {
    store: Arc<CredentialStore>,
    /// Which keyring it is.
    pub kind: Kind,
    /// `osmt/<account_id>/<env>`
    pub service: String,
    /// The service of earlier versions, whose entries are read where this one has none: `osmt/<env>`.
    former: Option<String>,
    /// Why `auto` did not take the desktop's keyring, if it did not.
    pub passed_over: Option<String>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("kind", &self.kind)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// A keyring that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not there, or does not let us in.
    #[error("could not open {kind}")]
    Closed {
        /// Which.
        kind: Kind,
        /// What the store says.
        #[source]
        cause: Cause,
    },
    /// It is there and was not unlocked. Another keyring is no replacement: its entries are others.
    #[error("{kind} is locked")]
    Locked {
        /// Which.
        kind: Kind,
    },
    /// Neither the desktop's keyring nor the kernel's works.
    #[error("no usable keyring found")]
    None {
        /// What both say.
        #[source]
        cause: Cause,
    },
    /// An entry could not be read, written or removed.
    #[error("could not {verb} the entry {user} of {service} in {kind}")]
    Entry {
        /// `read`, `write` or `remove`.
        verb: &'static str,
        /// Which keyring.
        kind: Kind,
        /// `osmt/<env>`
        service: String,
        /// `rds/password`
        user: String,
        /// What the store says.
        #[source]
        cause: Cause,
    },
}

/// What a store says, without any value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Cause {
    text: String,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// An entry's content cannot be read; the entry itself can be removed.
    Content,
    /// The user's quota of keys in the kernel is used up.
    Quota,
    Other,
}

impl Cause {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), why: Why::Other }
    }
}

impl Explain for Error {
    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::Closed { kind: Kind::Os, .. } => {
                    "start one (`dbus-run-session -- …` with gnome-keyring); without a desktop use `--keyring kernel`"
                }
                Self::Closed { kind: Kind::Kernel, .. } => {
                    "containers often forbid it: allow the `keyctl` and `add_key` system calls, or use `--keyring os`"
                }
                Self::Locked { .. } => {
                    "unlock it (log in to the desktop, or open its password manager) and run this again; `--keyring kernel` uses the other keyring, which has its own entries"
                }
                Self::None { .. } => {
                    "start a desktop keyring, or allow the kernel's (`keyctl` and `add_key` system calls)"
                }
                Self::Entry { cause: Cause { why: Why::Quota, .. }, .. } => {
                    "remove keys (`osmt-secrets rm`, `keyctl show @us`), or raise /proc/sys/kernel/keys/maxkeys and maxbytes (root: root_maxkeys, root_maxbytes); /proc/key-users shows what is used"
                }
                Self::Entry { user, cause: Cause { why: Why::Content, .. }, .. } => {
                    return Some(format!("`osmt-secrets rm {user}` removes the entry"));
                }
                Self::Entry { .. } => {
                    "check that the keyring is unlocked and has a default collection, or choose another with `--keyring`"
                }
            }
            .to_owned(),
        )
    }
}

impl Keyring {
    /// Opens a keyring and tries it with a read.
    ///
    /// May wait for the user where the desktop asks to unlock it.
    pub fn open(choice: Choice, service: &str) -> Result<Self, Error> {
        match choice {
            Choice::Os => Self::try_open(Kind::Os, service),
            Choice::Kernel => Self::try_open(Kind::Kernel, service),
            Choice::Auto => match Self::try_open(Kind::Os, service).and_then(Self::that_writes) {
                Ok(keyring) => Ok(keyring),
                Err(locked @ Error::Locked { .. }) => Err(locked),
                Err(os) => match Self::try_open(Kind::Kernel, service) {
                    Ok(keyring) => Ok(Self { passed_over: Some(reason(&os)), ..keyring }),
                    Err(kernel) => Err(Error::None {
                        cause: Cause::new(format!("{}; {}", reason(&os), reason(&kernel))),
                    }),
                },
            },
        }
    }

    /// Also reads the entries of a former service, where this one has none.
    #[must_use]
    pub fn with_former(self, service: String) -> Self {
        Self { former: Some(service), ..self }
    }

    fn try_open(kind: Kind, service: &str) -> Result<Self, Error> {
        let closed = |cause| Error::Closed { kind, cause };
        if kind == Kind::Os {
            unlock()?;
        }
        let keyring = Self {
            store: store(kind).map_err(|error| closed(masked(&error)))?,
            kind,
            service: service.to_owned(),
            former: None,
            passed_over: None,
        };
        match keyring.get("osmt/probe") {
            Ok(_) if keyring.outlives_us() => Ok(keyring),
            Ok(_) => Err(closed(Cause::new(
                "this kernel has no persistent keyrings, so entries would end with this command",
            ))),
            Err(Error::Entry { cause, .. }) => Err(closed(cause)),
            Err(other) => Err(other),
        }
    }

    /// Tries a write: a Secret Service without a default collection answers, and cannot keep anything.
    fn that_writes(self) -> Result<Self, Error> {
        let user = format!("osmt/probe-{}", std::process::id());
        let tried = self.set(&user, &SecretString::from("probe")).and_then(|()| self.remove(&user));
        match tried {
            Ok(_) => Ok(self),
            Err(Error::Entry { cause, .. }) => Err(Error::Closed { kind: self.kind, cause }),
            Err(other) => Err(other),
        }
    }

    /// The value of an entry, `None` where there is none.
    pub fn get(&self, user: &str) -> Result<Option<SecretString>, Error> {
        let value = self.get_from(&self.service, user)?;
        match (&value, &self.former) {
            (None, Some(former)) => self.get_from(former, user),
            _ => Ok(value),
        }
    }

    fn get_from(&self, service: &str, user: &str) -> Result<Option<SecretString>, Error> {
        match self.store.build(service, user, None).and_then(|entry| entry.get_password()) {
            Ok(value) => Ok(Some(SecretString::from(value))),
            Err(StoreError::NoEntry) => Ok(None),
            Err(error) => Err(self.entry("read", user, &error)),
        }
    }

    /// Why an entry exists and cannot be read, if so; other failures are errors.
    pub fn try_get(&self, user: &str) -> Result<Result<Option<SecretString>, String>, Error> {
        match self.get(user) {
            Err(Error::Entry { cause: Cause { text, why: Why::Content }, .. }) => Ok(Err(text)),
            other => other.map(Ok),
        }
    }

    /// Writes an entry, new or not.
    pub fn set(&self, user: &str, value: &SecretString) -> Result<(), Error> {
        self.store
            .build(&self.service, user, None)
            .and_then(|entry| entry.set_password(value.expose_secret()))
            .map_err(|error| self.entry("write", user, &error))
    }

    /// Removes an entry, also one that cannot be read and all of several; says whether there was one.
    pub fn remove(&self, user: &str) -> Result<bool, Error> {
        let mut existed = self.remove_from(&self.service, user)?;
        if let Some(former) = &self.former {
            existed |= self.remove_from(former, user)?;
        }
        Ok(existed)
    }

    fn remove_from(&self, service: &str, user: &str) -> Result<bool, Error> {
        let removed = self.store.build(service, user, None).and_then(|entry| entry.delete_credential());
        let removed = match removed {
            Err(StoreError::Ambiguous(entries)) => {
                entries.iter().try_for_each(keyring_core::Entry::delete_credential)
            }
            other => other,
        };
        match removed {
            Ok(()) => Ok(true),
            Err(StoreError::NoEntry) => Ok(false),
            Err(error) => Err(self.entry("remove", user, &error)),
        }
    }

    /// Moves an entry of the former service to this one; says whether there was one to move.
    ///
    /// The new entry is read back before the old one is removed.
    pub fn move_former(&self, user: &str) -> Result<bool, Error> {
        let Some(former) = &self.former else { return Ok(false) };
        let Some(value) = self.get_from(former, user)? else { return Ok(false) };
        if self.get_from(&self.service, user)?.is_none() {
            self.set(user, &value)?;
            let kept = self.get_from(&self.service, user)?;
            if kept.is_none_or(|kept| kept.expose_secret() != value.expose_secret()) {
                return Ok(false);
            }
            self.remove_from(former, user)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether what is written is there for the next command: a session's keyring alone may end with the process.
    #[cfg(target_os = "linux")]
    fn outlives_us(&self) -> bool {
        self.kind == Kind::Os
            || self.store.build(&self.service, "osmt/probe", None).is_ok_and(|entry| {
                entry
                    .as_any()
                    .downcast_ref::<linux_keyutils_keyring_store::Cred>()
                    .is_some_and(|entry| entry.persistent.is_some())
            })
    }

    #[cfg(not(target_os = "linux"))]
    fn outlives_us(&self) -> bool {
        self.kind == Kind::Os
    }

    fn entry(&self, verb: &'static str, user: &str, error: &StoreError) -> Error {
        Error::Entry {
            verb,
            kind: self.kind,
            service: self.service.clone(),
            user: user.to_owned(),
            cause: masked(error),
        }
    }
}

/// The text of a store's error. Errors that carry the entry's bytes get our own words.
fn masked(error: &StoreError) -> Cause {
    let content = |text: String| Cause { text, why: Why::Content };
    match error {
        StoreError::BadEncoding(_) => content("its value is not UTF-8".to_owned()),
        StoreError::BadDataFormat(..) => content("its value is not in the store's own format".to_owned()),
        StoreError::Ambiguous(entries) => content(format!("{} entries have this name", entries.len())),
        StoreError::PlatformFailure(cause) | StoreError::NoStorageAccess(cause) => {
            if is_quota(cause.as_ref()) {
                Cause { text: "the quota of keys in the kernel is used up".to_owned(), why: Why::Quota }
            } else {
                Cause::new(innermost(cause.as_ref()))
            }
        }
        other => Cause::new(other.to_string()),
    }
}

#[cfg(target_os = "linux")]
fn is_quota(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(linux_keyutils::KeyError::QuotaExceeded))
}

#[cfg(not(target_os = "linux"))]
fn is_quota(_: &(dyn std::error::Error + 'static)) -> bool {
    false
}

/// Unlocks the default collection; waits for the user where the desktop asks.
///
/// Where there is no Secret Service or no default collection, the store itself says so later.
#[cfg(target_os = "linux")]
fn unlock() -> Result<(), Error> {
    use secret_service::EncryptionType;
    use secret_service::blocking::SecretService;

    let Ok(service) = SecretService::connect(EncryptionType::Plain) else { return Ok(()) };
    let Ok(collection) = service.get_default_collection() else { return Ok(()) };
    let is_locked = || collection.is_locked().unwrap_or_default();
    if is_locked() {
        // Whether it was unlocked is asked of the collection, not of the answer to the prompt.
        let _ = collection.unlock();
        if is_locked() {
            return Err(Error::Locked { kind: Kind::Os });
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn unlock() -> Result<(), Error> {
    Ok(())
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn reason(error: &Error) -> String {
    match error {
        Error::Closed { kind, cause } => format!("{kind} does not work: {cause}"),
        other => other.to_string(),
    }
}

#[cfg(target_os = "linux")]
fn store(kind: Kind) -> Result<Arc<CredentialStore>, StoreError> {
    Ok(match kind {
        Kind::Os => zbus_secret_service_keyring_store::Store::new()?,
        Kind::Kernel => linux_keyutils_keyring_store::Store::new()?,
    })
}

#[cfg(target_os = "macos")]
fn store(kind: Kind) -> Result<Arc<CredentialStore>, StoreError> {
    match kind {
        Kind::Os => Ok(apple_native_keyring_store::keychain::Store::new()?),
        Kind::Kernel => Err(only_linux()),
    }
}

#[cfg(windows)]
fn store(kind: Kind) -> Result<Arc<CredentialStore>, StoreError> {
    match kind {
        Kind::Os => Ok(windows_native_keyring_store::Store::new()?),
        Kind::Kernel => Err(only_linux()),
    }
}

#[cfg(not(target_os = "linux"))]
fn only_linux() -> StoreError {
    StoreError::NotSupportedByStore("only Linux has a keyring in its kernel".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_carries_a_value() {
        let canary = "canary-8f3a".to_owned();
        for error in [
            StoreError::BadEncoding(canary.clone().into_bytes()),
            StoreError::BadDataFormat(canary.clone().into_bytes(), canary.clone().into()),
        ] {
            let cause = masked(&error);
            assert!(!format!("{cause} {cause:?}").contains(&canary));
        }
    }
}
