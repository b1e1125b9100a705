//! Reads and writes keyring entries: the value, and in a second entry (the base) the version in AWS that the value came from.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::deployment::Deployment;
use crate::command::{block_on, carry_out, carry_out_unasked};
use crate::explain::{Exit, Failure};
use crate::keyring::{self, Keyring};
use crate::plan::{Action, Line, Plan, Verb};
use crate::secrets::Local;
use crate::secrets::base::Base;
use crate::secrets::catalog::{Catalog, Secret};

/// One write to the keyring.
pub(super) struct Step {
    verb: Verb,
    user: String,
    place: String,
    /// The value when the plan was made; `Err` if it could not be read.
    before: Result<Option<SecretString>, String>,
    value: Option<SecretString>,
    base: Option<Base>,
    note: Option<String>,
}

impl Step {
    /// Sets a value that the user gave; `None` if the entry has it already.
    pub(super) fn set(
        keyring: &Keyring,
        secret: &Secret,
        value: SecretString,
    ) -> Result<Option<Self>, Failure> {
        let before = keyring.try_get(&secret.name)?;
        if let Ok(have) = &before
            && same(have.as_ref(), Some(&value))
        {
            return Ok(None);
        }
        let base = base_of(keyring, &secret.name)?.set_at(Timestamp::now());
        Ok(Some(Self { base: Some(base), ..Self::new(keyring, &secret.name, before, Some(value)) }))
    }

    /// Sets the value of AWS.
    pub(super) fn set_from_aws(
        keyring: &Keyring,
        secret: &Secret,
        value: SecretString,
        version: &str,
        local: &Local,
    ) -> Self {
        let before = match local.unreadable.get(&secret.name) {
            Some(reason) => Err(reason.clone()),
            None => Ok(local.values.get(&secret.name).cloned()),
        };
        let base = Base::agreed(secret, version, &value, Some(Timestamp::now()));
        Self { base: Some(base), ..Self::new(keyring, &secret.name, before, Some(value)) }
    }

    /// Removes an entry and its base; `None` if there is none.
    pub(super) fn remove(keyring: &Keyring, user: &str) -> Result<Option<Self>, Failure> {
        let before = keyring.try_get(user)?;
        let exists = !matches!(before, Ok(None));
        Ok(exists.then(|| Self::new(keyring, user, before, None)))
    }

    /// Adds a note to the line of the plan.
    #[must_use]
    pub(super) fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    fn new(
        keyring: &Keyring,
        user: &str,
        before: Result<Option<SecretString>, String>,
        value: Option<SecretString>,
    ) -> Self {
        let verb = match (&before, &value) {
            (_, None) => Verb::Delete,
            (Ok(None), Some(_)) => Verb::Create,
            (Ok(Some(_)) | Err(_), Some(_)) => Verb::Update,
        };
        let place = format!("{} in {}", keyring.service, keyring.kind);
        Self { verb, user: user.to_owned(), place, before, value, base: None, note: None }
    }

    /// Writes the entry, unless it changed while the question was open.
    async fn apply(&self, keyring: &Keyring) -> Result<(), Failure> {
        if let Ok(before) = &self.before
            && !same(before.as_ref(), read(keyring, &self.user).await?.as_ref())
        {
            let message = format!("the keyring entry {} changed while the question was open", self.user);
            return Err(
                Failure::new(Exit::Refused, message).help("run this again: it starts from the present entry")
            );
        }
        match &self.value {
            Some(value) => put(keyring, &self.user, value, self.base.as_ref()).await,
            None => remove(keyring, &self.user).await,
        }
    }
}

impl Action for Step {
    fn line(&self) -> Line {
        let note = self.note.as_ref().map_or(String::new(), |note| format!("; {note}"));
        Line::new(self.verb, format!("entry {} of {}{note}", self.user, self.place))
    }
}

fn same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(SecretString::expose_secret) == other.map(SecretString::expose_secret)
}

/// Runs blocking work on the keyring in a thread, so that Ctrl-C works while the keyring waits for the user.
async fn in_thread<T: Send + 'static>(
    keyring: &Keyring,
    work: impl FnOnce(&Keyring) -> Result<T, keyring::Error> + Send + 'static,
) -> Result<T, Failure> {
    let keyring = keyring.clone();
    let done = tokio::task::spawn_blocking(move || work(&keyring));
    let done = done.await.map_err(|_| Failure::new(Exit::Failed, "the keyring's thread ended early"))?;
    Ok(done?)
}

/// Writes an entry, then its base: if the process is killed between the two, the old base does not match the new value and is ignored.
pub(super) async fn put(
    keyring: &Keyring,
    user: &str,
    value: &SecretString,
    base: Option<&Base>,
) -> Result<(), Failure> {
    let (user, value, base) = (user.to_owned(), value.clone(), base.cloned());
    in_thread(keyring, move |keyring| {
        keyring.set(&user, &value).or_else(|error| {
            // An entry that cannot be read, or exists more than once, is replaced.
            if keyring.try_get(&user)?.is_err() {
                keyring.remove(&user)?;
                return keyring.set(&user, &value);
            }
            Err(error)
        })?;
        base.map_or(Ok(()), |base| keyring.set(&Base::entry(&user), &base.text()))
    })
    .await
}

/// Removes an entry and its base.
pub(super) async fn remove(keyring: &Keyring, user: &str) -> Result<(), Failure> {
    let user = user.to_owned();
    in_thread(keyring, move |keyring| {
        keyring.remove(&user)?;
        keyring.remove(&Base::entry(&user)).map(drop)
    })
    .await
}

/// Reads an entry.
pub(super) async fn read(keyring: &Keyring, user: &str) -> Result<Option<SecretString>, Failure> {
    let user = user.to_owned();
    in_thread(keyring, move |keyring| keyring.get(&user)).await
}

fn base_of(keyring: &Keyring, name: &str) -> Result<Base, Failure> {
    let text = keyring.try_get(&Base::entry(name))?.ok().flatten();
    Ok(text.map(|text| Base::parse(&text)).unwrap_or_default())
}

/// Records in the base that the keyring and AWS have the same value, unless it is recorded already.
pub(super) fn record_agreement(
    keyring: &Keyring,
    secret: &Secret,
    value: &SecretString,
    version: Option<&str>,
) -> Result<(), Failure> {
    let base = base_of(keyring, &secret.name)?;
    let version = version.unwrap_or_default();
    if base.agreed_on(secret, value) != Some(true) || base.version() != Some(version) {
        let base = Base::agreed(secret, version, value, base.set);
        keyring.set(&Base::entry(&secret.name), &base.text())?;
    }
    Ok(())
}

/// Reads all entries.
pub(super) fn read_all(keyring: &Keyring, catalog: &Catalog) -> Result<Local, Failure> {
    let mut local = Local::default();
    for secret in &catalog.0 {
        match keyring.try_get(&secret.name)? {
            Ok(Some(value)) => drop(local.values.insert(secret.name.clone(), value)),
            Ok(None) => {}
            Err(reason) => drop(local.unreadable.insert(secret.name.clone(), reason)),
        }
        local.bases.insert(secret.name.clone(), base_of(keyring, &secret.name)?);
    }
    Ok(local)
}

/// Refuses entries that cannot be read.
pub(super) fn refuse_unreadable(local: &Local, rows: &[&Secret]) -> Result<(), Failure> {
    let unreadable = rows.iter().find_map(|secret| local.unreadable.get_key_value(&secret.name));
    match unreadable {
        None => Ok(()),
        Some((name, reason)) => {
            Err(Failure::new(Exit::Refused, format!("the keyring entry {name} cannot be used: {reason}"))
                .help(format!(
                    "remove it with `osmt-secrets rm {name}`, then `set`, `generate` or `pull` it"
                )))
        }
    }
}

/// Shows the plan, asks, writes. It does not ask if the plan only adds entries, or without a question, because a flag
/// allowed the write.
pub(super) fn carry_out_plan(
    deployment: &Deployment<'_>,
    keyring: &Keyring,
    plan: &Plan<Step>,
    question: Option<&str>,
) -> Result<Exit, Failure> {
    let adds_only = plan.actions.iter().all(|step| step.verb == Verb::Create);
    let apply = async |step: &Step| step.apply(keyring).await;
    block_on(deployment.ui, async {
        match question.filter(|_| !adds_only) {
            Some(question) => carry_out(deployment.ui, plan, question, apply).await,
            None => carry_out_unasked(deployment.ui, plan, apply).await,
        }
    })
}
