//! Secrets Manager: what is there, and the writes of a plan.
//!
//! A write is refused where somebody else wrote since the plan was made; keys that are not ours are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::Tag;
use rand::TryRng as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::object::Object;
use super::push::Action;
use super::{Local, catalog};
use crate::aws::{CallError, call};
use crate::config::secret_name;
use crate::deployment;
use crate::explain::{Exit, Explain};

/// The staging label of the version that readers get.
const CURRENT: &str = "AWSCURRENT";
/// The staging label of the version before it.
const PREVIOUS: &str = "AWSPREVIOUS";
/// Days in which a deleted secret can be restored.
pub const RECOVERY_DAYS: i64 = 30;

/// A secret that exists.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it holds.
    pub value: Value,
    /// The version that is AWSCURRENT.
    pub version: Option<String>,
    /// The version that is AWSPREVIOUS.
    pub previous: Option<String>,
    /// Who else manages it, in words; it is then not ours to write.
    pub managed: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What a secret holds.
#[derive(Clone, Debug)]
pub enum Value {
    /// It exists and never got a value.
    Nothing,
    /// It is scheduled for deletion: AWS shows no value.
    Scheduled,
    /// A JSON object.
    Object(Object),
    /// Bytes.
    Binary,
    /// Text that is not a JSON object.
    Other,
}

/// A write that must not be done, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Another version came in between.
    #[error("{secret} was changed by somebody else meanwhile")]
    Conflict {
        /// `osmt/test/rds`
        secret: String,
        /// Whether our value was written before that was seen.
        written: bool,
    },
    /// The value is not a JSON object.
    #[error("{secret} does not hold a JSON object; it was left as it is")]
    NotObject {
        /// `osmt/test/rds`
        secret: String,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Call(error) => error.exit(),
            Self::Conflict { .. } | Self::NotObject { .. } => Exit::Refused,
            Self::NoRandomness => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Call(error) => error.help(),
            Self::Conflict { written: false, .. } => Some(
                "their value stands and nothing was overwritten; look with `osmt-secrets diff`, then `pull` theirs or `push` yours"
                    .into(),
            ),
            Self::Conflict { written: true, .. } => Some(
                "both values are kept, as AWSCURRENT and AWSPREVIOUS; look with `osmt-secrets diff`, then `pull` or `push`"
                    .into(),
            ),
            Self::NotObject { .. } => Some(
                "look at it in the AWS console; if nobody needs it, delete it there and run this again"
                    .into(),
            ),
            Self::NoRandomness => None,
        }
    }
}

/// Reads a secret: `None` where there is none of that name.
pub async fn observe(client: &Client, name: &str) -> Result<Option<Held>, CallError> {
    let described =
        call("secretsmanager:DescribeSecret", client.describe_secret().secret_id(name).send().await);
    let described = match described {
        Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
        other => other?,
    };
    let labelled = |label: &str| {
        described.version_ids_to_stages().and_then(|versions| {
            versions
                .iter()
                .find(|(_, labels)| labels.iter().any(|have| have == label))
                .map(|(id, _)| id.clone())
        })
    };
    let mut held = Held {
        value: Value::Scheduled,
        version: labelled(CURRENT),
        previous: labelled(PREVIOUS),
        managed: if described.rotation_enabled().unwrap_or_default() {
            Some("Secrets Manager rotates it".to_owned())
        } else if let Some(service) = described.owning_service() {
            Some(format!("the AWS service {service} owns it"))
        } else {
            described
                .primary_region()
                .filter(|_| described.replication_status().is_empty())
                .filter(|primary| !described.arn().is_some_and(|arn| arn.contains(&format!(":{primary}:"))))
                .map(|primary| format!("it is a replica of the one in {primary}"))
        },
        tags: described
            .tags()
            .iter()
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
            .collect(),
    };
    if described.deleted_date().is_none() {
        (held.version, held.value) = read(client, name, None).await?;
    }
    Ok(Some(held))
}

/// Reads a version's id and value; without an id the current one's.
pub async fn read(
    client: &Client,
    name: &str,
    version: Option<&str>,
) -> Result<(Option<String>, Value), CallError> {
    let got = call(
        "secretsmanager:GetSecretValue",
        client
            .get_secret_value()
            .secret_id(name)
            .set_version_id(version.map(str::to_owned))
            .set_version_stage(version.is_none().then(|| CURRENT.to_owned()))
            .send()
            .await,
    );
    let got = match got {
        Err(error) if error.is("ResourceNotFoundException") => return Ok((None, Value::Nothing)),
        other => other?,
    };
    let value = match (got.secret_string, got.secret_binary) {
        (Some(text), _) => Object::parse(text.into()).map_or(Value::Other, Value::Object),
        (None, Some(_)) => Value::Binary,
        (None, None) => Value::Nothing,
    };
    Ok((got.version_id, value))
}

/// Does one action of a push or a removal.
pub async fn apply(client: &Client, env: &str, action: &Action, local: &Local) -> Result<(), Error> {
    let name = secret_name(env, action.remote());
    match action {
        Action::Restore { .. } => {
            call("secretsmanager:RestoreSecret", client.restore_secret().secret_id(name).send().await)?;
        }
        Action::Create { remote, .. } => create(client, env, remote, local).await?,
        Action::Write { remote, base, .. } => {
            let token = token()?;
            let values: Vec<_> = catalog::of_remote(remote)
                .filter_map(|secret| Some((secret.key, local.get(secret)?)))
                .collect();
            let values: Vec<_> = values.iter().map(|(key, value)| (*key, value)).collect();
            write(client, &name, base.as_deref(), &token, &values).await?;
        }
        Action::Tag { key, to, .. } => {
            let tag = Tag::builder().key(*key).value(to).build();
            call("secretsmanager:TagResource", client.tag_resource().secret_id(name).tags(tag).send().await)?;
        }
        Action::Delete { recovery, .. } => {
            let request = client.delete_secret().secret_id(name);
            let request = if *recovery {
                request.recovery_window_in_days(RECOVERY_DAYS)
            } else {
                request.force_delete_without_recovery(true)
            };
            call("secretsmanager:DeleteSecret", request.send().await)?;
        }
    }
    Ok(())
}

async fn create(client: &Client, env: &str, remote: &str, local: &Local) -> Result<(), Error> {
    let name = secret_name(env, remote);
    let values: Vec<_> =
        catalog::of_remote(remote).filter_map(|secret| Some((secret.key, local.get(secret)?))).collect();
    let values: Vec<_> = values.iter().map(|(key, value)| (*key, value)).collect();
    let mut request = client
        .create_secret()
        .name(&name)
        .description(catalog::description(remote))
        .client_request_token(token()?)
        .secret_string(Object::of(&values).text().expose_secret());
    for (key, value) in deployment::tags(env) {
        request = request.tags(Tag::builder().key(key).value(value).build());
    }
    match call("secretsmanager:CreateSecret", request.send().await) {
        Err(error) if error.is("ResourceExistsException") => {
            Err(Error::Conflict { secret: name, written: false })
        }
        other => Ok(other.map(|_| ())?),
    }
}

/// Writes a new version on top of a known one; any other version in between is a conflict.
///
/// With the same token a second try after an interruption changes nothing.
pub async fn write(
    client: &Client,
    name: &str,
    base: Option<&str>,
    token: &str,
    values: &[(&str, &SecretString)],
) -> Result<(), Error> {
    let conflict = |written| Error::Conflict { secret: name.to_owned(), written };
    let (version, value) = read(client, name, None).await?;
    if version.as_deref() != base {
        return Err(conflict(false));
    }
    let object = match value {
        Value::Object(object) => {
            let changed: Vec<_> = values
                .iter()
                .filter(|(key, value)| {
                    object.get(key).is_none_or(|have| have.expose_secret() != value.expose_secret())
                })
                .copied()
                .collect();
            if changed.is_empty() {
                return Ok(());
            }
            object.with(&changed)
        }
        Value::Nothing => Object::of(values),
        Value::Scheduled | Value::Binary | Value::Other => {
            return Err(Error::NotObject { secret: name.to_owned() });
        }
    };
    call(
        "secretsmanager:PutSecretValue",
        client
            .put_secret_value()
            .secret_id(name)
            .client_request_token(token)
            .secret_string(object.text().expose_secret())
            .send()
            .await,
    )?;
    // Between the look and the write somebody may have written: the labels tell.
    let mut wait = Duration::from_millis(100);
    loop {
        let held = observe(client, name).await?;
        let (now, before) = held.map_or((None, None), |held| (held.version, held.previous));
        let stale = now.as_deref() == base && wait < Duration::from_secs(2);
        if now.as_deref() == Some(token) && (base.is_none() || before.as_deref() == base) {
            return Ok(());
        }
        if !stale {
            return Err(conflict(true));
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}

/// Moves AWSCURRENT from one version to another; refused where it is no longer at the first.
pub async fn make_current(client: &Client, name: &str, from: &str, to: &str) -> Result<(), Error> {
    let conflict = Error::Conflict { secret: name.to_owned(), written: false };
    if read(client, name, None).await?.0.as_deref() != Some(from) {
        return Err(conflict);
    }
    let moved = call(
        "secretsmanager:UpdateSecretVersionStage",
        client
            .update_secret_version_stage()
            .secret_id(name)
            .version_stage(CURRENT)
            .remove_from_version_id(from)
            .move_to_version_id(to)
            .send()
            .await,
    );
    match moved {
        Err(error) if error.is("InvalidParameterException") => Err(conflict),
        other => Ok(other.map(|_| ())?),
    }
}

/// A new client request token, which becomes the version's id: 32 random hexadecimal digits.
pub fn token() -> Result<String, Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = [0u8; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes).map_err(|_| Error::NoRandomness)?;
    Ok(bytes.iter().map(|byte| char::from(DIGITS[usize::from(byte % 16)])).collect())
}
