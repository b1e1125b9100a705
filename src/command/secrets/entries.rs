//! Writes to the keyring: an entry, and in a second one where its value came from.

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
    /// What the entry held when the plan was made; `Err` where that could not be read.
    before: Result<Option<SecretString>, String>,
    value: Option<SecretString>,
    base: Option<Base>,
    note: Option<String>,
}

impl Step {
    /// Gives a secret's entry a value that was set here; `None` where it has it already.
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

    /// Gives a secret's entry the value that AWS has.
    pub(super) fn take(
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

    /// Removes an entry and what belongs to it; `None` where there is none.
    pub(super) fn remove(keyring: &Keyring, user: &str) -> Result<Option<Self>, Failure> {
        let before = keyring.try_get(user)?;
        let exists = !matches!(before, Ok(None));
        Ok(exists.then(|| Self::new(keyring, user, before, None)))
    }

    /// Adds what the user should know before the answer.
    #[must_use]
    pub(super) fn noting(self, note: impl Into<String>) -> Self {
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

    /// Writes, unless the entry changed while the question was open: what others put there would be lost.
    async fn apply(&self, keyring: &Keyring) -> Result<(), Failure> {
        if let Ok(before) = &self.before
            && !same(before.as_ref(), now(keyring, &self.user).await?.as_ref())
        {
            let message = format!("{} changed in the keyring in the meantime; it was not written", self.user);
            return Err(Failure::new(Exit::Refused, message)
                .help("run it again; it then starts from the entry as it is now"));
        }
        match &self.value {
            Some(value) => put(keyring, &self.user, value, self.base.as_ref()).await,
            None => remove(keyring, &self.user).await,
        }
    }
}

impl Action for Step {
    fn line(&self) -> Line {
        let note = self.note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
        Line::new(self.verb, format!("entry {} of {}{note}", self.user, self.place))
    }
}

fn same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(SecretString::expose_secret) == other.map(SecretString::expose_secret)
}

/// Works on the keyring without holding up Ctrl-C while the keyring waits for the user.
async fn at<T: Send + 'static>(
    keyring: &Keyring,
    work: impl FnOnce(&Keyring) -> Result<T, keyring::Error> + Send + 'static,
) -> Result<T, Failure> {
    let keyring = keyring.clone();
    let done = tokio::task::spawn_blocking(move || work(&keyring));
    let done = done.await.map_err(|_| Failure::new(Exit::Failed, "the keyring's thread ended early"))?;
    Ok(done?)
}

/// Writes an entry, then where its value came from: a kill between the two leaves nothing that misleads.
pub(super) async fn put(
    keyring: &Keyring,
    user: &str,
    value: &SecretString,
    base: Option<&Base>,
) -> Result<(), Failure> {
    let (user, value, base) = (user.to_owned(), value.clone(), base.cloned());
    at(keyring, move |keyring| {
        keyring.set(&user, &value).or_else(|error| {
            // An entry that cannot be read, or is there more than once, is replaced.
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

/// Removes an entry, and where its value came from.
pub(super) async fn remove(keyring: &Keyring, user: &str) -> Result<(), Failure> {
    let user = user.to_owned();
    at(keyring, move |keyring| {
        keyring.remove(&user)?;
        keyring.remove(&Base::entry(&user)).map(drop)
    })
    .await
}

/// An entry as it is now.
pub(super) async fn now(keyring: &Keyring, user: &str) -> Result<Option<SecretString>, Failure> {
    let user = user.to_owned();
    at(keyring, move |keyring| keyring.get(&user)).await
}

fn base_of(keyring: &Keyring, name: &str) -> Result<Base, Failure> {
    let text = keyring.try_get(&Base::entry(name))?.ok().flatten();
    Ok(text.map(|text| Base::parse(&text)).unwrap_or_default())
}

/// Remembers that keyring and AWS have the same value, where that is not known yet.
pub(super) fn note_agreement(
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

/// What the keyring holds.
pub(super) fn held(keyring: &Keyring, catalog: &Catalog) -> Result<Local, Failure> {
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
pub(super) fn sound(local: &Local, rows: &[&Secret]) -> Result<(), Failure> {
    let broken = rows.iter().find_map(|secret| local.unreadable.get_key_value(&secret.name));
    match broken {
        None => Ok(()),
        Some((name, reason)) => {
            Err(Failure::new(Exit::Refused, format!("the keyring entry {name} cannot be used: {reason}"))
                .help(format!("`osmt-secrets rm {name}` removes it; then `set`, `generate` or `pull` it")))
        }
    }
}

/// Shows, asks, writes. A plan that only adds entries takes nothing from the user and is not asked about, nor is one that
/// a flag allowed (no question).
pub(super) fn carry(
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
