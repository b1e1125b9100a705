//! Secrets Manager: what a secret holds, and each write to it.
//!
//! A write is refused where another writer came in between since the plan was made; keys that are not in the catalog stay.

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
use super::object::{Object, is_doubled};
use crate::aws::{CallError, Policy, Why, call, retry};
use crate::deployment;
use crate::explain::{Exit, Explain};

/// The staging label of the version that readers get.
pub const CURRENT: &str = "AWSCURRENT";
/// The staging label of the version before it.
pub const PREVIOUS: &str = "AWSPREVIOUS";
/// Days in which a deleted secret can be restored.
pub const RECOVERY_DAYS: i64 = 30;

/// A secret that exists.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// What it holds.
    pub value: Value,
    /// The version that is AWSCURRENT.
    pub version: Option<String>,
    /// When that version was made.
    pub created: Option<Timestamp>,
    /// The version that is AWSPREVIOUS.
    pub previous: Option<String>,
    /// What else writes it, in words.
    pub managed: Option<String>,
    /// The regions of its replicas.
    pub replicas: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Held {
    /// Whether it has the toolkit's tags.
    pub fn has_tags(&self, env: &str) -> bool {
        deployment::tags::are_complete(
            env,
            self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())),
        )
    }
}

/// What a secret holds.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// It exists and never got a value.
    #[default]
    Nothing,
    /// It is scheduled for deletion: AWS shows no value.
    Scheduled,
    /// A JSON object.
    Object(Object),
    /// Bytes.
    Binary,
    /// Text that is not a JSON object.
    Text {
        /// It is a JSON string that holds a JSON object.
        doubled: bool,
    },
}

/// One version of a secret.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its staging labels.
    pub labels: Vec<String>,
}

/// A read or write that failed, or must not be done.
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
    /// The key that encrypts it may not be used.
    #[error("could not read the secret {secret}, which the KMS key {key} encrypts")]
    Encrypted {
        /// `osmt/test/rds`
        secret: String,
        /// Its ARN, id or alias.
        key: String,
        /// Why.
        #[source]
        source: CallError,
    },
    /// Another version came in between.
    #[error("{secret} was changed by another user or process meanwhile")]
    Conflict {
        /// `osmt/test/rds`
        secret: String,
        /// Whether our value was written before that was seen.
        written: bool,
    },
    /// A guard.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// AWS refused to create it for two minutes, as it does while a secret of the name is being deleted.
    #[error("could not create the secret {secret}")]
    NotFree {
        /// `osmt/test/rds`
        secret: String,
        /// The last answer.
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
                "the other value was kept; look with `osmt-secrets diff`, then `pull` the value in AWS or `push` the keyring's"
                    .into(),
            ),
            Self::Conflict { written: true, .. } => Some(
                "both values are kept, as AWSCURRENT and AWSPREVIOUS; look with `osmt-secrets diff`, then `pull` or `push`"
                    .into(),
            ),
            Self::Refused(refusal) => refusal.help(),
            Self::NotFree { .. } => Some(
                "where a secret of this name was deleted for good, the name is free again after some minutes: run it again then"
                    .into(),
            ),
        }
    }
}

/// Names the secret in a call's error.
fn reading(secret: &str) -> impl Fn(CallError) -> Error + '_ {
    move |source| Error::Call { verb: "read", secret: secret.to_owned(), source }
}

fn writing(secret: &str) -> impl Fn(CallError) -> Error + '_ {
    move |source| Error::Call { verb: "write", secret: secret.to_owned(), source }
}

fn timestamp(at: Option<&DateTime>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::from_second(at.secs()).ok())
}

/// Reads a secret: `None` where none has the name.
pub async fn observe(client: &Client, name: &str) -> Result<Option<Held>, Error> {
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
    let mut held = Held {
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
        (held.version, held.value, held.created) = got.map_err(|source| match source.why {
            // Secrets Manager's message does not say which key. Without one of its own it is AWS's ("DescribeSecret",
            // Secrets Manager API Reference: KmsKeyId).
            Why::DeniedByKey | Why::KeyUnusable => Error::Encrypted {
                secret: name.to_owned(),
                key: described.kms_key_id().unwrap_or("alias/aws/secretsmanager").to_owned(),
                source,
            },
            _ => reading(name)(source),
        })?;
    }
    Ok(Some(held))
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
            let doubled = is_doubled(&text);
            Object::parse(text).map_or(Value::Text { doubled }, Value::Object)
        }
        (None, Some(_)) => Value::Binary,
        (None, None) => Value::Nothing,
    };
    Ok(Ok((got.version_id, value, created)))
}

/// Reads a version's id, value and date; without an id the current one's.
pub async fn read(client: &Client, name: &str, version: Option<&str>) -> Result<Read, Error> {
    read_or_why(client, name, version).await?.map_err(reading(name))
}

/// Every version of a secret, the newest first; none where there is no such secret.
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
    // The labels know the order where two were made in the same second.
    let rank = |version: &Version| {
        let has = |label: &str| version.labels.iter().any(|have| have == label);
        if has(CURRENT) { 0 } else { 2 - u8::from(has(PREVIOUS)) }
    };
    versions.sort_by_key(rank);
    Ok(versions)
}

/// The resource policy of a secret, as AWS gives it.
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

/// Deletes a secret, at once or so that it can be restored for some weeks.
pub async fn delete(client: &Client, name: &str, recovery: bool) -> Result<(), Error> {
    let request = client.delete_secret().secret_id(name);
    let request = if recovery {
        request.recovery_window_in_days(RECOVERY_DAYS)
    } else {
        request.force_delete_without_recovery(true)
    };
    match call("secretsmanager:DeleteSecret", request.send().await) {
        // Where an answer was lost, the second try finds the work done.
        Err(error) => match observe(client, name).await? {
            None => Ok(()),
            Some(held) if recovery && matches!(held.value, Value::Scheduled) => Ok(()),
            Some(_) => Err(writing(name)(error)),
        },
        Ok(_) => Ok(()),
    }
}

/// Creates a secret with its tags; gives its version.
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
    // A name that was deleted for good is free again after up to two minutes; `InvalidRequestException` is what AWS answers
    // until then.
    let policy = Policy::new(Duration::from_secs(1), Duration::from_secs(16), 120);
    let is_taken = |error: &CallError| error.is("InvalidRequestException");
    match retry(policy, |result| result.as_ref().is_err_and(is_taken), send).await {
        Ok(created) => Ok(created.version_id.unwrap_or(token)),
        Err(error) if error.is("ResourceExistsException") => {
            // A lost answer, or another process that wrote the same.
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

/// Writes a new version on top of a known one; any other version in between is a conflict, unless it holds our values.
///
/// With the same token a second try after an interruption changes nothing. Gives the version that holds the values.
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
            return Err(Refusal::NotObject { name: name.to_owned(), doubled: false }.into());
        }
        Value::Text { doubled } => {
            return Err(Refusal::NotObject { name: name.to_owned(), doubled }.into());
        }
    };
    let put = client
        .put_secret_value()
        .secret_id(name)
        .client_request_token(token)
        .secret_string(object.text().expose_secret());
    call("secretsmanager:PutSecretValue", put.send().await).map_err(writing(name))?;
    // Another version may have come between the look and the write: the labels show it, once AWS shows the new ones.
    let policy = Policy::new(Duration::from_millis(100), Duration::from_millis(800), 4);
    let is_stale = |result: &Result<Option<Held>, Error>| matches!(result, Ok(Some(held)) if held.version.as_deref() == base);
    let held = retry(policy, is_stale, async || observe(client, name).await).await?.unwrap_or_default();
    match (held.version.as_deref(), &held.value) {
        (Some(now), _) if now == token && (base.is_none() || held.previous.as_deref() == base) => {
            Ok(token.to_owned())
        }
        (Some(now), Value::Object(object)) if now != token && has(object, values) => Ok(now.to_owned()),
        // Another version came in between, and holds the very same: two equal writes at once.
        (Some(now), _)
            if now == token && is_equal(client, name, held.previous.as_deref(), &object).await? =>
        {
            Ok(token.to_owned())
        }
        _ => Err(conflict(true)),
    }
}

/// Whether a version holds the very same as another.
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

/// Moves AWSCURRENT from one version to another; refused where it is no longer at the first.
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
        // The label is no longer at the first: moved by us, where an answer was lost, or by another user.
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
