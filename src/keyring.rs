//! Reads and writes named secrets: the desktop's keyring or the Linux kernel's.
//!
//! Knows no secret by name. An entry is addressed by service (`osmt/<env>`) and user (`rds/password`). No error
//! carries a value: what a store reports about one is dropped here.

use std::fmt;
use std::sync::Arc;

use keyring_core::{CredentialStore, Error as StoreError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::explain::Explain;

/// Which keyring the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The first that works: the desktop's, then the kernel's.
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

/// An open keyring, seen through one service.
#[derive(Clone)]
pub struct Keyring {
    store: Arc<CredentialStore>,
    /// Which keyring it is.
    pub kind: Kind,
    /// `osmt/<env>`
    pub service: String,
    /// Why `auto` passed over the desktop's keyring, if it did.
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
    /// Neither the desktop's keyring nor the kernel's works.
    #[error("found no keyring that works")]
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
#[error("{0}")]
pub struct Cause(String);

impl Explain for Error {
    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::Closed {
                    kind: Kind::Os, ..
                } => {
                    "unlock it, or start one (`dbus-run-session -- …` with gnome-keyring); without a desktop use `--keyring kernel`"
                }
                Self::Closed {
                    kind: Kind::Kernel, ..
                } => {
                    "containers often forbid it: allow the `keyctl` and `add_key` system calls, or use `--keyring os`"
                }
                Self::None { .. } => {
                    "unlock the desktop's keyring, or allow the kernel's (`keyctl` and `add_key` system calls)"
                }
                Self::Entry { .. } => {
                    "see that the keyring is unlocked, has a default collection and has room, or choose another with `--keyring`"
                }
            }
            .to_owned(),
        )
    }
}

impl Keyring {
    /// Opens a keyring and tries it with a read.
    ///
    /// May wait for a person where the desktop asks to unlock it.
    pub fn open(choice: Choice, service: &str) -> Result<Self, Error> {
        match choice {
            Choice::Os => Self::try_open(Kind::Os, service),
            Choice::Kernel => Self::try_open(Kind::Kernel, service),
            Choice::Auto => match Self::try_open(Kind::Os, service).and_then(Self::that_writes) {
                Ok(keyring) => Ok(keyring),
                Err(os) => match Self::try_open(Kind::Kernel, service) {
                    Ok(keyring) => Ok(Self { passed_over: Some(reason(&os)), ..keyring }),
                    Err(kernel) => {
                        Err(Error::None { cause: Cause(format!("{}; {}", reason(&os), reason(&kernel))) })
                    }
                },
            },
        }
    }

    fn try_open(kind: Kind, service: &str) -> Result<Self, Error> {
        let closed = |cause| Error::Closed { kind, cause };
        let keyring = Self {
            store: store(kind).map_err(|error| closed(masked(&error)))?,
            kind,
            service: service.to_owned(),
            passed_over: None,
        };
        match keyring.get("osmt/probe") {
            Ok(_) if keyring.outlives_us() => Ok(keyring),
            Ok(_) => Err(closed(Cause(
                "this kernel has no persistent keyrings, so entries would end with this command".to_owned(),
            ))),
            Err(Error::Entry { cause, .. }) => Err(closed(cause)),
            Err(other) => Err(other),
        }
    }

    /// Tries a write: a Secret Service that nobody ever logged in to answers, and can keep nothing.
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
        let secret = self.store.build(&self.service, user, None).and_then(|entry| entry.get_password());
        match secret {
            Ok(value) => Ok(Some(SecretString::from(value))),
            Err(StoreError::NoEntry) => Ok(None),
            Err(error) => Err(self.entry("read", user, &error)),
        }
    }

    /// Writes an entry, new or not.
    pub fn set(&self, user: &str, value: &SecretString) -> Result<(), Error> {
        self.store
            .build(&self.service, user, None)
            .and_then(|entry| entry.set_password(value.expose_secret()))
            .map_err(|error| self.entry("write", user, &error))
    }

    /// Removes an entry; tells whether there was one.
    pub fn remove(&self, user: &str) -> Result<bool, Error> {
        let removed = self.store.build(&self.service, user, None).and_then(|entry| entry.delete_credential());
        match removed {
            Ok(()) => Ok(true),
            Err(StoreError::NoEntry) => Ok(false),
            Err(error) => Err(self.entry("remove", user, &error)),
        }
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

/// The text of a store's error. Those that carry the entry's bytes are told in our own words.
fn masked(error: &StoreError) -> Cause {
    Cause(match error {
        StoreError::BadEncoding(_) => "its value is not UTF-8".to_owned(),
        StoreError::BadDataFormat(..) => "its value is not in the store's own format".to_owned(),
        StoreError::Ambiguous(entries) => {
            format!("{} entries have this name; remove all but one", entries.len())
        }
        StoreError::PlatformFailure(cause) | StoreError::NoStorageAccess(cause) => innermost(cause.as_ref()),
        other => other.to_string(),
    })
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
