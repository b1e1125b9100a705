//! Reads and writes secrets in Secrets Manager.
//!
//! A write is refused if another user or process changed the secret since it was read. Keys that are not in the catalog are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::Tag;
use futures_util::future::try_join;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Builder;

use super::Refusal;
use super::object::{Object, is_encoded_twice};
use crate::aws::{CallError, Policy, Why, call, retry};
use crate::deployment;
use crate::explain::{Exit, Explain};

/// The staging label of the current version.
pub const CURRENT: &str = "AWSCURRENT";
/// The staging label of the previous version.
pub const PREVIOUS: &str = "AWSPREVIOUS";
/// Days in which a deleted secret can be restored.
pub const RECOVERY_DAYS: i64 = 30;

/// An existing secret in Secrets Manager.
#[derive(Clone, Debug, Default)]
pub struct RemoteSecret {
    /// Its content.
    pub value: Value,
    /// The version that is AWSCURRENT.
    pub version: Option<String>,
    /// When that version was created.
    pub created: Option<Timestamp>,
    /// The version that is AWSPREVIOUS.
    pub previous: Option<String>,
    /// Why another service writes it, if one does.
    pub managed: Option<String>,
    /// The regions of its replicas.
    pub replicas: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl RemoteSecret {
    /// Whether it has the toolkit's tags.
    pub fn has_tags(&self, env: &str) -> bool {
        deployment::tags::are_complete(
            env,
            self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())),
        )
    }
}

/// The content of a secret.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// It has no value.
    #[default]
    Nothing,
    /// It is scheduled for deletion, so AWS does not show the value.
    Scheduled,
    /// A JSON object.
    Object(Object),
    /// Bytes.
    Binary,
    /// Text that is not a JSON object.
    Text {
        /// It is a JSON string that contains a JSON object.
        encoded_twice: bool,
    },
}

/// One version of a secret.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its id.
    pub id: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Its staging labels.
    pub labels: Vec<String>,
}

/// A read or write that failed or was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call failed.
    #[error("could not {verb} the secret {secret}")]
    Call {
        /// `read` or `write`.
        verb: &'static str,
        /// `osmt/test/rds`
        secret: String,
        /// Why.
        #[source]
        source: CallError,
    },
    /// The caller may not use the key that encrypts it.
    #[error("could not read the secret {secret}, which is encrypted with the KMS key {key}")]
    Encrypted {
        /// `osmt/test/rds`
        secret: String,
        /// Its ARN, id or alias.
        key: String,
        /// Why.
        #[source]
        source: CallError,
    },
    /// Another writer changed it.
    #[error("another user or process changed {secret} in the meantime")]
    Conflict {
        /// `osmt/test/rds`
        secret: String,
        /// Whether our value was written before the conflict was detected.
        written: bool,
    },
    /// A guard refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// AWS refused to create it for two minutes, as it does while a secret with this name is being deleted.
    #[error("could not create the secret {secret}")]
    NotFree {
        /// `osmt/test/rds`
        secret: String,
        /// The last error.
        #[source]
        source: CallError,
    },
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Call { source, .. } | Self::Encrypted { source, .. } => source.exit(),
            Self::Conflict { .. } => Exit::Refused,
            Self::Refused(refusal) => refusal.exit(),
            Self::NotFree { .. } => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Call { source, .. } => source.help(),
            Self::Encrypted { key, .. } => Some(format!(
                "the caller needs `kms:Decrypt` on {key}, in the key's policy too (where another account owns the key, in both)"
            )),
            Self::Conflict { written: false, .. } => Some(
                "nothing was written; compare with `osmt-secrets diff`, then `pull` the value in AWS or `push` the keyring's"
                    .into(),
            ),
            Self::Conflict { written: true, .. } => Some(
                "both values exist, as AWSCURRENT and AWSPREVIOUS; compare with `osmt-secrets diff`, then `pull` or `push`"
                    .into(),
            ),
            Self::Refused(refusal) => refusal.help(),
            Self::NotFree { .. } => Some(
                "if a secret with this name was just deleted without recovery, AWS releases the name after some minutes; then run this again"
                    .into(),
            ),
        }
    }
}

/// Adds the secret's name to a call's error.
fn reading(secret: &str) -> impl Fn(CallError) -> Error + '_ {
    move |source| Error::Call { verb: "read", secret: secret.to_owned(), source }
}

fn writing(secret: &str) -> impl Fn(CallError) -> Error + '_ {
    move |source| Error::Call { verb: "write", secret: secret.to_owned(), source }
}

fn timestamp(at: Option<&DateTime>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::from_second(at.secs()).ok())
}

/// Reads a secret; `None` if it does not exist.
pub async fn observe(client: &Client, name: &str) -> Result<Option<RemoteSecret>, Error> {
    let describing = async {
        let answer = client.describe_secret().secret_id(name).send().await;
        Ok::<_, Error>(call("secretsmanager:DescribeSecret", answer))
    };
    let (described, got) = try_join(describing, read_or_why(client, name, None)).await?;
    let described = match described {
        Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
        other => other.map_err(reading(name))?,
    };
    let labelled = |label: &str| {
        let versions = described.version_ids_to_stages()?;
        let mut versions = versions.iter();
        let found = versions.find(|(_, labels)| labels.iter().any(|have| have == label));
        found.map(|(id, _)| id.clone())
    };
    let replicas = described.replication_status();
    let arn = described.arn().unwrap_or_default();
    let mut found = RemoteSecret {
        value: Value::Scheduled,
        version: labelled(CURRENT),
        created: None,
        previous: labelled(PREVIOUS),
        managed: if described.rotation_enabled().unwrap_or_default() {
            Some("Secrets Manager rotates it".to_owned())
        } else if let Some(service) = described.owning_service() {
            Some(format!("the AWS service {service} owns it"))
        } else {
            let primary = described.primary_region().filter(|_| replicas.is_empty());
            primary
                .filter(|primary| !arn.contains(&format!(":{primary}:")))
                .map(|primary| format!("it is a replica of the one in {primary}"))
        },
        replicas: replicas.iter().filter_map(|replica| replica.region().map(str::to_owned)).collect(),
        tags: described
            .tags()
            .iter()
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
            .collect(),
    };
    if described.deleted_date().is_none() {
        (found.version, found.value, found.created) = got.map_err(|source| match source.why {
            // Secrets Manager's message does not name the key. A secret without KmsKeyId uses the AWS managed key
            // ("DescribeSecret", Secrets Manager API Reference).
            Why::DeniedByKey | Why::KeyUnusable => Error::Encrypted {
                secret: name.to_owned(),
                key: described.kms_key_id().unwrap_or("alias/aws/secretsmanager").to_owned(),
                source,
            },
            _ => reading(name)(source),
        })?;
    }
    Ok(Some(found))
}

type Read = (Option<String>, Value, Option<Timestamp>);

async fn read_or_why(
    client: &Client,
    name: &str,
    version: Option<&str>,
) -> Result<Result<Read, CallError>, Error> {
    let request = client
        .get_secret_value()
        .secret_id(name)
        .set_version_id(version.map(str::to_owned))
        .set_version_stage(version.is_none().then(|| CURRENT.to_owned()));
    let got = match call("secretsmanager:GetSecretValue", request.send().await) {
        Err(error) if error.is("ResourceNotFoundException") => return Ok(Ok((None, Value::Nothing, None))),
        Err(error) => return Ok(Err(error)),
        Ok(got) => got,
    };
    let created = timestamp(got.created_date());
    let value = match (got.secret_string.map(SecretString::from), got.secret_binary) {
        (Some(text), _) => {
            let encoded_twice = is_encoded_twice(&text);
            Object::parse(text).map_or(Value::Text { encoded_twice }, Value::Object)
        }
        (None, Some(_)) => Value::Binary,
        (None, None) => Value::Nothing,
    };
    Ok(Ok((got.version_id, value, created)))
}

/// Reads id, value and date of a version; of the current version if no id is given.
pub async fn read(client: &Client, name: &str, version: Option<&str>) -> Result<Read, Error> {
    read_or_why(client, name, version).await?.map_err(reading(name))
}

/// Every version of a secret, newest first; empty if the secret does not exist.
pub async fn versions(client: &Client, name: &str) -> Result<Vec<Version>, Error> {
    let mut versions = Vec::new();
    let mut next = None;
    loop {
        let request =
            client.list_secret_version_ids().secret_id(name).include_deprecated(true).set_next_token(next);
        let page = match call("secretsmanager:ListSecretVersionIds", request.send().await) {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(Vec::new()),
            other => other.map_err(reading(name))?,
        };
        for version in page.versions() {
            versions.extend(version.version_id().map(|id| Version {
                id: id.to_owned(),
                created: timestamp(version.created_date()),
                labels: version.version_stages().to_vec(),
            }));
        }
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    versions.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    // Of two versions of the same second, the labels show which is newer.
    let rank = |version: &Version| {
        let has = |label: &str| version.labels.iter().any(|have| have == label);
        if has(CURRENT) { 0 } else { 2 - u8::from(has(PREVIOUS)) }
    };
    versions.sort_by_key(rank);
    Ok(versions)
}

/// The resource policy of a secret, as JSON text.
pub async fn policy(client: &Client, name: &str) -> Result<Option<String>, CallError> {
    let answer = client.get_resource_policy().secret_id(name).send().await;
    match call("secretsmanager:GetResourcePolicy", answer) {
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        other => Ok(other?.resource_policy),
    }
}

/// Cancels the deletion of a secret.
pub async fn restore(client: &Client, name: &str) -> Result<(), Error> {
    let answer = client.restore_secret().secret_id(name).send().await;
    call("secretsmanager:RestoreSecret", answer).map(drop).map_err(writing(name))
}

/// Sets a tag.
pub async fn tag(client: &Client, name: &str, key: &str, value: &str) -> Result<(), Error> {
    let tag = Tag::builder().key(key).value(value).build();
    let answer = client.tag_resource().secret_id(name).tags(tag).send().await;
    call("secretsmanager:TagResource", answer).map(drop).map_err(writing(name))
}

/// Deletes a secret, immediately or with a recovery window.
pub async fn delete(client: &Client, name: &str, recovery: bool) -> Result<(), Error> {
    let request = client.delete_secret().secret_id(name);
    let request = if recovery {
        request.recovery_window_in_days(RECOVERY_DAYS)
    } else {
        request.force_delete_without_recovery(true)
    };
    match call("secretsmanager:DeleteSecret", request.send().await) {
        // After a lost response the SDK's second attempt fails, although the first one deleted the secret.
        Err(error) => match observe(client, name).await? {
            None => Ok(()),
            Some(found) if recovery && matches!(found.value, Value::Scheduled) => Ok(()),
            Some(_) => Err(writing(name)(error)),
        },
        Ok(_) => Ok(()),
    }
}

/// Creates a secret with its tags. Returns its version.
pub async fn create(
    client: &Client,
    env: &str,
    name: &str,
    description: &str,
    values: &[(String, SecretString)],
) -> Result<String, Error> {
    let token = token();
    let object = Object::of(&pairs(values));
    let send = async || {
        let mut request = client
            .create_secret()
            .name(name)
            .description(description)
            .client_request_token(&token)
            .secret_string(object.text().expose_secret());
        for (key, value) in deployment::tags::of(env) {
            request = request.tags(Tag::builder().key(key).value(value).build());
        }
        call("secretsmanager:CreateSecret", request.send().await)
    };
    // AWS answers `InvalidRequestException` for up to two minutes after a secret with this name was deleted without recovery.
    let policy = Policy::new(Duration::from_secs(1), Duration::from_secs(16), 120);
    let is_taken = |error: &CallError| error.is("InvalidRequestException");
    match retry(policy, |result| result.as_ref().is_err_and(is_taken), send).await {
        Ok(created) => Ok(created.version_id.unwrap_or(token)),
        Err(error) if error.is("ResourceExistsException") => {
            // After a lost response, or if another process wrote the same values, the secret is as it should be.
            let (version, value, _) = read(client, name, None).await?;
            let has_all = matches!(&value, Value::Object(object) if has(object, values));
            let conflict = Error::Conflict { secret: name.to_owned(), written: false };
            version.filter(|_| has_all).ok_or(conflict)
        }
        Err(error) if is_taken(&error) => Err(Error::NotFree { secret: name.to_owned(), source: error }),
        Err(error) => Err(writing(name)(error)),
    }
}

fn pairs(values: &[(String, SecretString)]) -> Vec<(&str, &SecretString)> {
    values.iter().map(|(key, value)| (key.as_str(), value)).collect()
}

fn has(object: &Object, values: &[(String, SecretString)]) -> bool {
    values
        .iter()
        .all(|(key, value)| object.get(key).is_some_and(|have| have.expose_secret() == value.expose_secret()))
}

/// Writes a new version based on a known one. Another version in between is a conflict, unless it has the same values.
///
/// The same token makes a second attempt after an interruption change nothing. Returns the version that has the values.
pub async fn write(
    client: &Client,
    name: &str,
    base: Option<&str>,
    token: &str,
    values: &[(String, SecretString)],
) -> Result<String, Error> {
    let conflict = |written| Error::Conflict { secret: name.to_owned(), written };
    let (version, value, _) = read(client, name, None).await?;
    if let (Some(version), Value::Object(object)) = (&version, &value)
        && has(object, values)
    {
        return Ok(version.clone());
    }
    if version.as_deref() != base {
        return Err(conflict(false));
    }
    let object = match value {
        Value::Object(object) => {
            let changed: Vec<_> = values
                .iter()
                .filter(|value| !has(&object, std::slice::from_ref(*value)))
                .map(|(key, value)| (key.as_str(), value))
                .collect();
            object.with(&changed)
        }
        Value::Nothing => Object::of(&pairs(values)),
        Value::Scheduled | Value::Binary => {
            return Err(Refusal::NotObject { name: name.to_owned(), encoded_twice: false }.into());
        }
        Value::Text { encoded_twice } => {
            return Err(Refusal::NotObject { name: name.to_owned(), encoded_twice }.into());
        }
    };
    let put = client
        .put_secret_value()
        .secret_id(name)
        .client_request_token(token)
        .secret_string(object.text().expose_secret());
    call("secretsmanager:PutSecretValue", put.send().await).map_err(writing(name))?;
    // Another process may have written a version between the read and the write. The labels show it, as soon as AWS shows the
    // new labels.
    let policy = Policy::new(Duration::from_millis(100), Duration::from_millis(800), 4);
    let is_stale = |result: &Result<Option<RemoteSecret>, Error>| matches!(result, Ok(Some(found)) if found.version.as_deref() == base);
    let found = retry(policy, is_stale, async || observe(client, name).await).await?.unwrap_or_default();
    match (found.version.as_deref(), &found.value) {
        (Some(now), _) if now == token && (base.is_none() || found.previous.as_deref() == base) => {
            Ok(token.to_owned())
        }
        (Some(now), Value::Object(object)) if now != token && has(object, values) => Ok(now.to_owned()),
        // Another process wrote the same content at the same time.
        (Some(now), _)
            if now == token && is_equal(client, name, found.previous.as_deref(), &object).await? =>
        {
            Ok(token.to_owned())
        }
        _ => Err(conflict(true)),
    }
}

/// Whether a version has this content.
async fn is_equal(
    client: &Client,
    name: &str,
    version: Option<&str>,
    object: &Object,
) -> Result<bool, Error> {
    let Some(version) = version else { return Ok(false) };
    let (_, value, _) = read(client, name, Some(version)).await?;
    let Value::Object(other) = value else { return Ok(false) };
    Ok(other.text().expose_secret() == object.text().expose_secret())
}

/// Moves AWSCURRENT from one version to another; a conflict if it is no longer on the first.
pub async fn make_current(client: &Client, name: &str, from: &str, to: &str) -> Result<(), Error> {
    let conflict = Error::Conflict { secret: name.to_owned(), written: false };
    match read(client, name, None).await?.0.as_deref() {
        Some(current) if current == to => return Ok(()),
        Some(current) if current == from => {}
        _ => return Err(conflict),
    }
    let request = client
        .update_secret_version_stage()
        .secret_id(name)
        .version_stage(CURRENT)
        .remove_from_version_id(from)
        .move_to_version_id(to);
    match call("secretsmanager:UpdateSecretVersionStage", request.send().await) {
        // The label is no longer on `from`: either our request moved it and the response was lost, or another user moved it.
        Err(error) if error.is("InvalidParameterException") => {
            match read(client, name, None).await?.0.as_deref() {
                Some(current) if current == to => Ok(()),
                Some(current) if current == from => Err(writing(name)(error)),
                _ => Err(conflict),
            }
        }
        other => other.map(drop).map_err(writing(name)),
    }
}

/// A new client request token, which becomes the version's id.
pub fn token() -> String {
    Builder::from_random_bytes(rand::random()).into_uuid().to_string()
}
