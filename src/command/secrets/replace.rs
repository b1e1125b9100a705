//! Replaces a value that is in use, for `rotate` and `rollback`.

use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret as _, SecretString};

use super::deployment::Deployment;
use super::entries::{put, read, read_all, record_agreement, refuse_unreadable, remove};
use super::generate::new_value;
use super::input;
use crate::command::{block_on, carry_out};
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::keyring::Keyring;
use crate::secrets::base::Base;
use crate::secrets::catalog::{Origin, Secret};
use crate::secrets::object::Object;
use crate::secrets::remote::{RemoteSecret, Value};
use crate::secrets::revision::with_revision;
use crate::secrets::rotation::{Journal, Kind, Observed, Refusal, Step};
use crate::secrets::{Local, Remote, State, newer, remote, rotation, state, writable};

/// An interrupted rotation or rollback.
pub(super) enum Unfinished {
    Journal(Journal),
    /// The journal cannot be read.
    Damaged,
}

/// The interrupted rotation or rollback of a secret in Secrets Manager, if there is one.
pub(super) fn unfinished(keyring: &Keyring, remote: &str) -> Result<Option<Unfinished>, Failure> {
    let read = |text: SecretString| Journal::parse(&text).map_or(Unfinished::Damaged, Unfinished::Journal);
    Ok(match keyring.try_get(&Journal::entry(remote))? {
        Ok(text) => text.map(read),
        Err(_) => Some(Unfinished::Damaged),
    })
}

fn journal(keyring: &Keyring, remote: &str) -> Result<Option<Journal>, Failure> {
    match unfinished(keyring, remote)? {
        None => Ok(None),
        Some(Unfinished::Journal(journal)) => Ok(Some(journal)),
        Some(Unfinished::Damaged) => {
            let message = format!("the keyring entry {} is damaged", Journal::entry(remote));
            Err(Failure::new(Exit::Failed, message).help(
                "remove it with `osmt-secrets rotate NAME --abandon`, then check with `osmt-secrets diff`",
            ))
        }
    }
}

/// Refuses if a rotation was interrupted: the keyring may then be older than AWS.
pub(super) fn refuse_unfinished(deployment: &Deployment<'_>, keyring: &Keyring) -> Result<(), Failure> {
    for remote in deployment.catalog.remotes() {
        if let Some(Journal { kind, name, .. }) = journal(keyring, remote)? {
            return Err(Refusal::Unfinished { kind, name }.into());
        }
    }
    Ok(())
}

/// Rotates or rolls back: read the keyring, get the new value, read AWS, plan the remaining steps, apply them.
pub(super) fn replace(
    deployment: &Deployment<'_>,
    secret: &Secret,
    kind: Kind,
    to: Option<&str>,
) -> Result<Exit, Failure> {
    let keyring = deployment.keyring()?;
    let local = read_all(&keyring, &deployment.catalog)?;
    refuse_unreadable(&local, &[secret])?;
    let begun = journal(&keyring, secret.remote)?;
    if let Some(Journal { kind: other, name, .. }) = &begun
        && (*other != kind || *name != secret.name)
    {
        return Err(Refusal::Unfinished { kind: *other, name: name.clone() }.into());
    }
    if begun.is_some() {
        deployment.ui.say(format_args!("continuing the interrupted {}", kind.verb()));
    }
    if !deployment.ui.flags.dry_run {
        // Checked first: the last step writes the config, after the others have changed AWS.
        files::writable(&deployment.shared.config_path())?;
    }
    // Before AWS is called, because the prompt and the keyring may wait for the user.
    let new = match (&begun, kind) {
        (None, Kind::Rotate) => Some(value_for(deployment, secret)?),
        (Some(_), _) | (None, Kind::Rollback) => None,
    };
    if let Some(effect) = secret.effect {
        deployment.ui.warn(format_args!("after `terraform apply` this {effect}"));
    }
    let exit = block_on(deployment.ui, async {
        let session = deployment.open().await?;
        let seen = deployment.observe(&session).await?;
        let rotation = Rotation {
            deployment,
            keyring: &keyring,
            client: session.secretsmanager(),
            name: deployment.remote_name(secret.remote),
            secret,
            local,
            seen,
        };
        let was_begun = begun.is_some();
        let (journal, values) = match (begun, new) {
            (Some(journal), _) if kind == Kind::Rotate => {
                let values = vec![(secret.name.clone(), journal.value.clone())];
                (journal, values)
            }
            (None, Some(value)) => rotation.begin_rotation(value)?,
            (begun, _) => rotation.begin_rollback(begun, to).await?,
        };
        let plan = rotation::plan(
            &journal,
            secret,
            &values,
            &Observed {
                secret: &rotation.name,
                begun: was_begun,
                current: rotation.held()?.version.as_deref(),
                local: &rotation.local,
                config: &shown(&deployment.shared.config_path()),
                revision: deployment.config.secrets_revision,
            },
        )?;
        let question = format!(
            "Replace the value that is in use in account {} in {}?",
            session.account_id, session.region
        );
        let apply = async |step: &Step| rotation.apply(&journal, &values, step).await;
        carry_out(deployment.ui, &plan, &question, apply).await
    })?;
    if exit == Exit::Done {
        deployment.ui.say(format_args!(
            "next: `terraform -chdir={} apply` updates the database and the app; then check with `osmt-secrets verify` and `osmt-secrets rotate {} --verify`",
            shown(&deployment.shared.dir),
            secret.name
        ));
    }
    Ok(exit)
}

/// The new value of a secret: from the user if another party issues it, otherwise random.
fn value_for(deployment: &Deployment<'_>, secret: &Secret) -> Result<SecretString, Failure> {
    let value = match secret.origin {
        Origin::Issued(_) => input::value(deployment, &secret.name)?,
        Origin::Random | Origin::RandomBytes | Origin::Fixed(_) => new_value(secret)?,
    };
    secret.check(&value)?;
    Ok(value)
}

/// The journal, and the final values of the keyring.
type Goal = (Journal, Vec<(String, SecretString)>);

/// One rotation or rollback, with everything that was read for it.
struct Rotation<'a> {
    deployment: &'a Deployment<'a>,
    keyring: &'a Keyring,
    client: Client,
    /// `osmt/test/rds`
    name: String,
    secret: &'a Secret,
    local: Local,
    seen: Remote,
}

impl Rotation<'_> {
    fn differs(&self, state: &str) -> Failure {
        let newer = newer(&self.deployment.config.env, self.secret, &self.local, &self.seen);
        let state = newer.map_or(state.to_owned(), |newer| format!("{state}: {}", newer.words()));
        Refusal::NotSame { name: self.secret.name.clone(), state, newer }.into()
    }

    /// The secret in AWS; it must have a value, and osmt-secrets must manage it.
    fn held(&self) -> Result<&RemoteSecret, Failure> {
        let held = self.seen.0.get(self.secret.remote);
        let held = held.ok_or_else(|| self.differs("is not in AWS yet"))?;
        writable(&self.name, held)?;
        match held.value {
            Value::Scheduled => Err(self.differs("is scheduled for deletion in AWS")),
            _ => Ok(held),
        }
    }

    /// Begins a rotation. The keyring must have the same value as AWS, or none.
    fn begin_rotation(&self, value: SecretString) -> Result<Goal, Failure> {
        let secret = self.secret;
        let held = self.held()?;
        match state(secret, &self.local, &self.seen) {
            State::Same | State::RemoteOnly => {}
            State::Differs => return Err(self.differs("is not the same in keyring and AWS")),
            State::NotText => return Err(self.differs("is not a string in AWS")),
            State::LocalOnly | State::Missing | State::Scheduled | State::NotObject => {
                return Err(self.differs("is not in AWS yet"));
            }
        }
        if same(self.seen.get(secret).as_ref(), &value) {
            return Err(Failure::new(Exit::Refused, format!("{} has this value already", secret.name)));
        }
        let journal = Journal {
            kind: Kind::Rotate,
            name: secret.name.clone(),
            base: held.version.clone().ok_or_else(|| self.differs("is not in AWS yet"))?,
            target: remote::token(),
            revision: self.deployment.config.secrets_revision,
            value: value.clone(),
        };
        Ok((journal, vec![(secret.name.clone(), value)]))
    }

    /// Begins a rollback to the values of an earlier version, or continues one.
    async fn begin_rollback(&self, begun: Option<Journal>, to: Option<&str>) -> Result<Goal, Failure> {
        let none = || Failure::from(Refusal::NoPrevious { secret: self.name.clone() });
        let held = self.held()?;
        let target = match (&begun, to) {
            (Some(journal), _) => journal.target.clone(),
            (None, Some(to)) => self.version(to).await?,
            (None, None) => held.previous.clone().ok_or_else(none)?,
        };
        let (_, before, _) = remote::read(&self.client, &self.name, Some(&target)).await?;
        let Value::Object(before) = before else {
            return Err(none());
        };
        let values = self.earlier(&before)?;
        if let Some(journal) = begun {
            return Ok((journal, values));
        }
        let differs = values.iter().any(|(name, value)| {
            let now = self.deployment.catalog.find(name).and_then(|row| self.seen.get(row));
            !same(now.as_ref(), value)
        });
        let journal = Journal {
            kind: Kind::Rollback,
            name: self.secret.name.clone(),
            base: held.version.clone().filter(|_| differs).ok_or_else(none)?,
            target,
            revision: self.deployment.config.secrets_revision,
            value: SecretString::default(),
        };
        Ok((journal, values))
    }

    /// The id of the version whose id begins with these characters.
    async fn version(&self, wanted: &str) -> Result<String, Failure> {
        let versions = remote::versions(&self.client, &self.name).await?;
        let mut found = versions.into_iter().filter(|version| version.id.starts_with(wanted));
        match (found.next(), found.next()) {
            (Some(version), None) if !wanted.is_empty() => Ok(version.id),
            (None, _) => {
                Err(Failure::new(Exit::Refused, format!("{} has no version with this id", self.name))
                    .help(format!("`osmt-secrets history {}` shows the versions", self.secret.name)))
            }
            _ => Err(Failure::new(
                Exit::Refused,
                format!("more than one version of {} begins with these characters", self.name),
            )),
        }
    }

    /// The values of an earlier version, checked.
    fn earlier(&self, before: &Object) -> Result<Vec<(String, SecretString)>, Failure> {
        let mut values = Vec::new();
        for row in self.deployment.catalog.of_remote(self.secret.remote) {
            let Some(value) = before.get(&row.key) else {
                return Err(Failure::new(Exit::Refused, format!("the earlier version has no {}", row.name)));
            };
            row.check(&value).map_err(|malformed| {
                Failure::new(Exit::Refused, format!("in the earlier version {malformed}"))
                    .help(malformed.remedy)
            })?;
            if !matches!(row.origin, Origin::Fixed(_)) {
                values.push((row.name.clone(), value));
            }
        }
        Ok(values)
    }

    async fn apply(
        &self,
        journal: &Journal,
        values: &[(String, SecretString)],
        step: &Step,
    ) -> Result<(), Failure> {
        match step {
            Step::WriteJournal { entry } => {
                self.deployment.config_is_unchanged()?;
                if read(self.keyring, entry).await?.is_some() {
                    return Err(self.other_process());
                }
                put(self.keyring, entry, &journal.text(), None).await
            }
            Step::PutVersion { secret, key } => {
                self.refuse_other_journal(journal).await?;
                let values = [(key.clone(), journal.value.clone())];
                let (base, target) = (Some(journal.base.as_str()), &journal.target);
                remote::write(&self.client, secret, base, target, &values).await?;
                Ok(())
            }
            Step::MoveLabel { secret, from, to } => {
                self.refuse_other_journal(journal).await?;
                Ok(remote::make_current(&self.client, secret, from, to).await?)
            }
            Step::UpdateKeyring { name, value } => {
                let row = self.deployment.secret(name)?;
                let base = Base::agreed(row, &journal.target, value, Some(jiff::Timestamp::now()));
                put(self.keyring, name, value, Some(&base)).await
            }
            Step::UpdateConfig { from, to, .. } => set_revision(self.deployment, *from, *to).await,
            Step::RemoveJournal { entry } => {
                for (name, value) in values {
                    record_agreement(
                        self.keyring,
                        self.deployment.secret(name)?,
                        value,
                        Some(&journal.target),
                    )?;
                }
                remove(self.keyring, entry).await
            }
        }
    }

    /// Refuses if the journal in the keyring is not ours: another process may have begun a rotation. Called immediately before a write.
    async fn refuse_other_journal(&self, journal: &Journal) -> Result<(), Failure> {
        self.deployment.config_is_unchanged()?;
        let text = read(self.keyring, &Journal::entry(self.secret.remote)).await?;
        match text.as_ref().and_then(Journal::parse) {
            Some(now) if now.target == journal.target => Ok(()),
            _ => Err(self.other_process()),
        }
    }

    fn other_process(&self) -> Failure {
        let message = format!("another process is rotating {}", self.name);
        Failure::new(Exit::Refused, message).help("check with `osmt-secrets verify`, then run this again")
    }
}

fn same(have: Option<&SecretString>, value: &SecretString) -> bool {
    have.is_some_and(|have| have.expose_secret() == value.expose_secret())
}

/// Sets `secrets_revision` in the config; refused if it changed since the plan was made.
pub(super) async fn set_revision(deployment: &Deployment<'_>, from: u64, to: u64) -> Result<(), Failure> {
    let (document, config) = deployment.shared.load_config()?;
    let path = deployment.shared.config_path();
    if config.secrets_revision != from {
        let message = format!(
            "`secrets_revision` in {} changed from {from} to {}",
            files::shown(&path),
            config.secrets_revision
        );
        return Err(
            Failure::new(Exit::Refused, message).help("run this again: it starts from the present config")
        );
    }
    let text = with_revision(&document, to)
        .ok_or_else(|| Failure::new(Exit::Failed, "could not set `secrets_revision` in the config"))?;
    deployment.ui.rewrite(&path, Some(document.text()), &text).await
}
