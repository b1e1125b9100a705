//! `rotate` and `rollback`: the value that is in use is replaced, step by step.

use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret as _, SecretString};

use super::local::carry;
use super::{Context, held, input, local};
use crate::command::{block_on, carry_out};
use crate::explain::{Exit, Failure};
use crate::files;
use crate::keyring::Keyring;
use crate::plan::Plan;
use crate::secrets::catalog::{Origin, Secret};
use crate::secrets::object::Object;
use crate::secrets::remote::{Held, Value};
use crate::secrets::revision::with_revision;
use crate::secrets::rotation::{Journal, Kind, Now, Refusal, Step};
use crate::secrets::{Local, Seen, State, catalog, ours, remote, rotation, state};

/// What must be true in the end: the journal, and the keyring's values.
type Aim = (Journal, Vec<(&'static str, SecretString)>);

/// The rotation of a secret that was begun and not ended.
pub(super) fn unfinished(keyring: &Keyring, remote: &str) -> Result<Option<Journal>, Failure> {
    let text = keyring.get(&Journal::entry(remote))?;
    text.map(|text| {
        Journal::parse(&text).ok_or_else(|| {
            Failure::new(Exit::Failed, format!("the keyring entry {} is damaged", Journal::entry(remote)))
                .help("`osmt-secrets rotate --abandon` forgets it; then look with `osmt-secrets diff`")
        })
    })
    .transpose()
}

/// Refuses where a rotation waits to be finished: the keyring is then behind AWS.
pub(super) fn none_unfinished(keyring: &Keyring) -> Result<(), Failure> {
    for remote in catalog::remotes() {
        if let Some(Journal { kind, name, .. }) = unfinished(keyring, remote)? {
            return Err(Refusal::Unfinished { kind, name }.into());
        }
    }
    Ok(())
}

/// Replaces a value by a new one.
pub(super) fn rotate(context: &Context<'_>, secret: &'static Secret) -> Result<Exit, Failure> {
    if let Origin::Fixed(_) = secret.origin {
        return Err(Refusal::Fixed { name: secret.name, why: secret.purpose }.into());
    }
    go(context, secret, Kind::Rotate)
}

/// Goes back to the version before.
pub(super) fn rollback(context: &Context<'_>, secret: &'static Secret) -> Result<Exit, Failure> {
    go(context, secret, Kind::Rollback)
}

/// Forgets an unfinished rotation.
pub(super) fn abandon(context: &Context<'_>, secret: &Secret) -> Result<Exit, Failure> {
    let keyring = context.keyring()?;
    let entry = Journal::entry(secret.remote);
    let plan: Plan<_> = local::Step::remove(&keyring, &entry)?.into_iter().collect();
    carry(context.ui, &keyring, &plan, Some("Forget it? If its value was not written to AWS, it is gone"))
}

fn go(context: &Context<'_>, secret: &'static Secret, kind: Kind) -> Result<Exit, Failure> {
    let keyring = context.keyring()?;
    let mine = held(&keyring)?;
    let journal = unfinished(&keyring, secret.remote)?;
    if let Some(Journal { kind: other, name, .. }) = &journal
        && (*other != kind || name != secret.name)
    {
        return Err(Refusal::Unfinished { kind: *other, name: name.clone() }.into());
    }
    let begun = journal.is_some();
    if begun {
        context.ui.say(format_args!("going on with the {} that was begun", kind.verb()));
    }
    // Before anything is asked of AWS: the prompt and the keyring may wait for a person.
    let fresh = match (&journal, kind, &secret.origin) {
        (None, Kind::Rotate, Origin::Issued(_)) => Some(input::value(secret.name)?),
        (None, Kind::Rotate, _) => Some(local::new_value(secret)?),
        _ => None,
    };
    if let Some(value) = &fresh {
        secret.check(value)?;
    }
    let shown = context.common.config_path().display().to_string();
    let exit = block_on(context.ui, async {
        let session = context.open().await?;
        let work = Work {
            context,
            keyring: &keyring,
            client: session.secretsmanager(),
            name: context.remote_name(secret.remote),
            secret,
            mine,
            seen: context.observe(&session).await?,
        };
        let held = work.held()?;
        let (journal, values) = match (kind, journal, fresh) {
            (Kind::Rotate, Some(journal), _) => {
                let values = vec![(secret.name, journal.value.clone())];
                (journal, values)
            }
            (_, None, Some(value)) => work.forward(value)?,
            (_, journal, _) => work.back(journal).await?,
        };
        let now = Now {
            secret: &work.name,
            begun,
            current: held.version.as_deref(),
            local: &work.mine,
            config: &shown,
            revision: context.config.secrets_revision,
        };
        let plan = rotation::plan(&journal, secret, &values, &now)?;
        let question =
            format!("Replace what is in use in account {} in {}?", session.account_id, session.region);
        carry_out(context.ui, &plan, &question, async |step: &Step| work.apply(&journal, step).await).await
    })?;
    if exit == Exit::Done {
        context.ui.say(format_args!(
            "next: `terraform -chdir={} apply` brings it to the database and the app; then `osmt-secrets verify`",
            context.common.dir.display()
        ));
    }
    Ok(exit)
}

/// One rotation or rollback, with everything it looks at.
struct Work<'a> {
    context: &'a Context<'a>,
    keyring: &'a Keyring,
    client: Client,
    /// `osmt/test/rds`
    name: String,
    secret: &'static Secret,
    mine: Local,
    seen: Seen,
}

impl Work<'_> {
    fn apart(&self, state: &'static str) -> Failure {
        Refusal::Apart { name: self.secret.name, state }.into()
    }

    /// The secret in AWS, which must be ours and have a value.
    fn held(&self) -> Result<&Held, Failure> {
        let held = self.seen.0.get(self.secret.remote);
        let held = held.ok_or_else(|| self.apart("is not in AWS yet"))?;
        ours(&self.name, held)?;
        match held.value {
            Value::Scheduled => Err(self.apart("is scheduled for deletion in AWS")),
            _ => Ok(held),
        }
    }

    /// Begins a rotation: keyring and AWS must agree, or only AWS know the value.
    fn forward(&self, value: SecretString) -> Result<Aim, Failure> {
        let secret = self.secret;
        match state(secret, &self.mine, &self.seen) {
            State::Same | State::RemoteOnly => {}
            State::Differs => return Err(self.apart("is not the same in keyring and AWS")),
            State::LocalOnly | State::Missing | State::Scheduled => {
                return Err(self.apart("is not in AWS yet"));
            }
        }
        if same(self.seen.get(secret).as_ref(), &value) {
            return Err(Failure::new(
                Exit::Refused,
                format!("{} has this value already; nothing was written", secret.name),
            ));
        }
        let base = self.held()?.version.clone();
        let journal = Journal {
            kind: Kind::Rotate,
            name: secret.name.to_owned(),
            base: base.ok_or_else(|| self.apart("is not in AWS yet"))?,
            target: remote::token()?,
            revision: self.context.config.secrets_revision,
            value: value.clone(),
        };
        Ok((journal, vec![(secret.name, value)]))
    }

    /// Begins a rollback, or goes on with one: what the earlier version held.
    async fn back(&self, journal: Option<Journal>) -> Result<Aim, Failure> {
        let none = || Failure::from(Refusal::NoPrevious { secret: self.name.clone() });
        let held = self.held()?;
        let target = match &journal {
            Some(journal) => journal.target.clone(),
            None => held.previous.clone().ok_or_else(none)?,
        };
        let (_, before) = remote::read(&self.client, &self.name, Some(&target)).await?;
        let Value::Object(before) = before else {
            return Err(none());
        };
        let values = earlier(self.secret, &before)?;
        if let Some(journal) = journal {
            return Ok((journal, values));
        }
        let differs = values.iter().any(|(name, value)| {
            let now = catalog::find(name).and_then(|row| self.seen.get(row));
            !same(now.as_ref(), value)
        });
        let journal = Journal {
            kind: Kind::Rollback,
            name: self.secret.name.to_owned(),
            base: held.version.clone().filter(|_| differs).ok_or_else(none)?,
            target,
            revision: self.context.config.secrets_revision,
            value: SecretString::default(),
        };
        Ok((journal, values))
    }

    async fn apply(&self, journal: &Journal, step: &Step) -> Result<(), Failure> {
        let (keyring, client) = (self.keyring, &self.client);
        let entry = match step {
            Step::Put { secret, key } => {
                let values = [(*key, &journal.value)];
                let (base, target) = (Some(journal.base.as_str()), &journal.target);
                return Ok(remote::write(client, secret, base, target, &values).await?);
            }
            Step::Move { secret } => {
                let (from, to) = (&journal.base, &journal.target);
                return Ok(remote::make_current(client, secret, from, to).await?);
            }
            Step::Bump { to, .. } => return bump(self.context, *to),
            Step::Begin { entry } => local::Step::put(keyring, entry, journal.text()),
            Step::Keep { name, value } => local::Step::put(keyring, name, value.clone()),
            Step::End { entry } => local::Step::delete(keyring, entry),
        };
        entry.apply(keyring).await
    }
}

fn same(have: Option<&SecretString>, value: &SecretString) -> bool {
    have.is_some_and(|have| have.expose_secret() == value.expose_secret())
}

/// The values of an earlier version, which must still be able to work.
fn earlier(secret: &Secret, before: &Object) -> Result<Vec<(&'static str, SecretString)>, Failure> {
    let mut values = Vec::new();
    for row in catalog::of_remote(secret.remote) {
        let Some(value) = before.get(row.key) else {
            return Err(Failure::new(
                Exit::Refused,
                format!("the earlier version has no {}; nothing was written", row.name),
            ));
        };
        row.check(&value).map_err(|malformed| {
            Failure::new(Exit::Refused, format!("in the earlier version {malformed}; nothing was written"))
                .help(malformed.remedy)
        })?;
        if !matches!(row.origin, Origin::Fixed(_)) {
            values.push((row.name, value));
        }
    }
    Ok(values)
}

/// Writes the revision into the config as it is now, which may have been edited meanwhile.
fn bump(context: &Context<'_>, revision: u64) -> Result<(), Failure> {
    let (document, _) = context.common.load_config()?;
    let text = with_revision(&document, revision)
        .ok_or_else(|| Failure::new(Exit::Failed, "the config has no place for the revision"))?;
    files::write(&context.common.config_path(), text.as_bytes())?;
    Ok(())
}
