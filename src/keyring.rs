//! Reads and writes entries of a keyring: the desktop's or the Linux kernel's.
//!
//! An entry is identified by service (`osmt/<account_id>/<env>`) and user (`rds/password`). Errors never contain a value: this
//! module removes it from the errors of the keyring libraries.

use std::fmt;
use std::sync::Arc;

use keyring_core::{CredentialStore, Error as StoreError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::explain::Explain;

/// The keyring that the user chose (`--keyring`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The desktop's if it is usable, otherwise the kernel's.
    Auto,
    /// The desktop's.
    Os,
    /// The Linux kernel's.
    Kernel,
}

/// A keyring of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Secret Service, Keychain or Credential Manager: permanent.
    Os,
    /// The user's session and persistent keyring of the Linux kernel: lost at reboot or after some days without use.
    Kernel,
}

impl Kind {
    /// The value of `--keyring`.
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
    /// The desktop's or the kernel's.
    pub kind: Kind,
    /// `osmt/<account_id>/<env>`
    pub service: String,
    /// The service name of earlier versions, `osmt/<env>`: its entries are read if this service has none.
    old_service: Option<String>,
    /// Why `auto` did not choose the desktop's keyring, if it did not.
    pub os_problem: Option<String>,
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
    /// It does not exist or denies access.
    #[error("could not open {kind}")]
    Closed {
        /// Which.
        kind: Kind,
        /// The error of the keyring library.
        #[source]
        cause: Cause,
    },
    /// It is locked. `auto` does not use another keyring instead, because that has other entries.
    #[error("{kind} is locked")]
    Locked {
        /// Which.
        kind: Kind,
    },
    /// Neither the desktop's keyring nor the kernel's works.
    #[error("no usable keyring found")]
    None {
        /// The errors of both.
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
        /// The error of the keyring library.
        #[source]
        cause: Cause,
    },
}

/// An error of a keyring library, without the entry's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Cause {
    text: String,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The content of the entry cannot be read, but the entry can be removed.
    Content,
    /// The user has reached the kernel's quota of keys.
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
                    "start a keyring (`dbus-run-session -- …` with gnome-keyring); without a desktop use `--keyring kernel`"
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
    /// Opens a keyring and reads an entry, to see that it works.
    ///
    /// It waits for the user if the desktop asks to unlock the keyring.
    pub fn open(choice: Choice, service: &str) -> Result<Self, Error> {
        match choice {
            Choice::Os => Self::try_open(Kind::Os, service),
            Choice::Kernel => Self::try_open(Kind::Kernel, service),
            Choice::Auto => match Self::try_open(Kind::Os, service).and_then(Self::if_writable) {
                Ok(keyring) => Ok(keyring),
                Err(locked @ Error::Locked { .. }) => Err(locked),
                Err(os) => match Self::try_open(Kind::Kernel, service) {
                    Ok(keyring) => Ok(Self { os_problem: Some(reason(&os)), ..keyring }),
                    Err(kernel) => Err(Error::None {
                        cause: Cause::new(format!("{}; {}", reason(&os), reason(&kernel))),
                    }),
                },
            },
        }
    }

    /// Also reads the entries of an old service name, if this service has none.
    #[must_use]
    pub fn with_old_service(self, service: String) -> Self {
        Self { old_service: Some(service), ..self }
    }

    fn try_open(kind: Kind, service: &str) -> Result<Self, Error> {
        let closed = |cause| Error::Closed { kind, cause };
        if kind == Kind::Os {
            unlock()?;
        }
        let keyring = Self {
            store: store(kind).map_err(|error| closed(without_value(&error)))?,
            kind,
            service: service.to_owned(),
            old_service: None,
            os_problem: None,
        };
        match keyring.get("osmt/probe") {
            Ok(_) if keyring.is_persistent() => Ok(keyring),
            Ok(_) => Err(closed(Cause::new(
                "this kernel has no persistent keyrings, so the entries would be lost when this command ends",
            ))),
            Err(Error::Entry { cause, .. }) => Err(closed(cause)),
            Err(other) => Err(other),
        }
    }

    /// Writes and removes a test entry: a Secret Service without a default collection can be opened but not written.
    fn if_writable(self) -> Result<Self, Error> {
        let user = format!("osmt/probe-{}", std::process::id());
        let result = self.set(&user, &SecretString::from("probe")).and_then(|()| self.remove(&user));
        match result {
            Ok(_) => Ok(self),
            Err(Error::Entry { cause, .. }) => Err(Error::Closed { kind: self.kind, cause }),
            Err(other) => Err(other),
        }
    }

    /// The value of an entry; `None` if it does not exist.
    pub fn get(&self, user: &str) -> Result<Option<SecretString>, Error> {
        let value = self.get_from(&self.service, user)?;
        match (&value, &self.old_service) {
            (None, Some(old_service)) => self.get_from(old_service, user),
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

    /// As [`Self::get`], but the inner error is the reason why an existing entry cannot be read.
    pub fn try_get(&self, user: &str) -> Result<Result<Option<SecretString>, String>, Error> {
        match self.get(user) {
            Err(Error::Entry { cause: Cause { text, why: Why::Content }, .. }) => Ok(Err(text)),
            other => other.map(Ok),
        }
    }

    /// Creates or replaces an entry.
    pub fn set(&self, user: &str, value: &SecretString) -> Result<(), Error> {
        self.store
            .build(&self.service, user, None)
            .and_then(|entry| entry.set_password(value.expose_secret()))
            .map_err(|error| self.entry("write", user, &error))
    }

    /// Removes an entry, even if it cannot be read or exists several times. Returns whether it existed.
    pub fn remove(&self, user: &str) -> Result<bool, Error> {
        let mut existed = self.remove_from(&self.service, user)?;
        if let Some(old_service) = &self.old_service {
            existed |= self.remove_from(old_service, user)?;
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

    /// Moves an entry of the old service to this one. Returns whether it was moved.
    ///
    /// The new entry is read back before the old one is removed.
    pub fn move_from_old_service(&self, user: &str) -> Result<bool, Error> {
        let Some(old_service) = &self.old_service else { return Ok(false) };
        let Some(value) = self.get_from(old_service, user)? else { return Ok(false) };
        if self.get_from(&self.service, user)?.is_none() {
            self.set(user, &value)?;
            let written = self.get_from(&self.service, user)?;
            if written.is_none_or(|written| written.expose_secret() != value.expose_secret()) {
                return Ok(false);
            }
            self.remove_from(old_service, user)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether entries remain after this process ends. The kernel may remove a session keyring with the session.
    #[cfg(target_os = "linux")]
    fn is_persistent(&self) -> bool {
        self.kind == Kind::Os
            || self.store.build(&self.service, "osmt/probe", None).is_ok_and(|entry| {
                entry
                    .as_any()
                    .downcast_ref::<linux_keyutils_keyring_store::Cred>()
                    .is_some_and(|entry| entry.persistent.is_some())
            })
    }

    #[cfg(not(target_os = "linux"))]
    fn is_persistent(&self) -> bool {
        self.kind == Kind::Os
    }

    fn entry(&self, verb: &'static str, user: &str, error: &StoreError) -> Error {
        Error::Entry {
            verb,
            kind: self.kind,
            service: self.service.clone(),
            user: user.to_owned(),
            cause: without_value(error),
        }
    }
}

/// The text of a library's error. The text of errors that contain the entry's bytes is replaced.
fn without_value(error: &StoreError) -> Cause {
    let content = |text: String| Cause { text, why: Why::Content };
    match error {
        StoreError::BadEncoding(_) => content("its value is not UTF-8".to_owned()),
        StoreError::BadDataFormat(..) => content("its value is not in the store's own format".to_owned()),
        StoreError::Ambiguous(entries) => content(format!("{} entries have this name", entries.len())),
        StoreError::PlatformFailure(cause) | StoreError::NoStorageAccess(cause) => {
            if is_quota(cause.as_ref()) {
                Cause {
                    text: "the user's quota of keys in the kernel is reached".to_owned(),
                    why: Why::Quota,
                }
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

/// Unlocks the default collection; waits for the user if the desktop asks.
///
/// If there is no Secret Service or no default collection, opening the keyring reports that.
#[cfg(target_os = "linux")]
fn unlock() -> Result<(), Error> {
    use secret_service::EncryptionType;
    use secret_service::blocking::SecretService;

    let Ok(service) = SecretService::connect(EncryptionType::Plain) else { return Ok(()) };
    let Ok(collection) = service.get_default_collection() else { return Ok(()) };
    let is_locked = || collection.is_locked().unwrap_or_default();
    if is_locked() {
        // The result of `unlock` does not show whether the user answered the prompt; the collection does.
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
        Error::Closed { kind, cause } => format!("{kind} is not usable: {cause}"),
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
    StoreError::NotSupportedByStore("only the Linux kernel has a keyring".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_contains_a_value() {
        let canary = "canary-8f3a".to_owned();
        for error in [
            StoreError::BadEncoding(canary.clone().into_bytes()),
            StoreError::BadDataFormat(canary.clone().into_bytes(), canary.clone().into()),
        ] {
            let cause = without_value(&error);
            assert!(!format!("{cause} {cause:?}").contains(&canary));
        }
    }
}
