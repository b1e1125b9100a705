//! The checks of `verify`: whether keyring and AWS agree, and whether OSMT and AWS accept each value.

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::catalog::{Catalog, Origin};
use super::db_uri::DbUri;
use super::remote::{RemoteSecret, Value};
use super::rotation::Journal;
use super::{Local, Refusal, Remote, State, db_uri, newer, readable, state};
use crate::account::policy_document::{Effect, PolicyDocument};
use crate::aws::CallError;
use crate::deployment;
use crate::deployment::secret_name;
use crate::explain;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is right.
    Ok,
    /// It is wrong.
    Ng,
    /// It could not be checked.
    Skip,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// `osmt/test/rds` or `rds/password`
    pub item: String,
    /// The result.
    pub verdict: Verdict,
    /// Why, in words; never a value.
    pub detail: String,
}

impl Item {
    /// An item.
    pub fn new(item: impl Into<String>, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { item: item.into(), verdict, detail: detail.into() }
    }

    /// A rotation that was started and not finished.
    pub fn unfinished(journal: &Journal) -> Self {
        let verb = journal.kind.verb();
        let detail =
            format!("`osmt-secrets {verb} {}` did not finish; run it again to finish it", journal.name);
        Self::new(journal.name.clone(), Verdict::Ng, detail)
    }

    /// A journal that cannot be read.
    pub fn damaged(entry: &str) -> Self {
        let detail = "the keyring entry is damaged; `osmt-secrets rotate NAME --abandon` removes it";
        Self::new(entry, Verdict::Ng, detail)
    }
}

/// The state of a deployment's secrets.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The environment.
    pub env: &'a str,
    /// The secrets of this deployment.
    pub catalog: &'a Catalog,
    /// The keyring.
    pub local: &'a Local,
    /// Secrets Manager.
    pub in_aws: &'a Remote,
    /// `DB_URI`, which Terraform writes.
    pub db_uri: Option<&'a RemoteSecret>,
    /// The current time, and the maximum age of a value.
    pub age: Option<(Timestamp, SignedDuration)>,
}

/// Checks the secrets, their values, and the `DB_URI` that Terraform wrote.
pub fn verify(subject: Subject<'_>) -> Vec<Item> {
    let Subject { env, catalog, local, in_aws, .. } = subject;
    let mut items = Vec::new();
    for remote in catalog.remotes() {
        let name = secret_name(env, remote);
        items.push(match in_aws.0.get(remote) {
            None => Item::new(name, Verdict::Ng, "does not exist; `osmt-secrets push` creates it"),
            Some(found) => of_secret(env, name, found),
        });
    }
    for secret in &catalog.0 {
        if let Some(reason) = local.unreadable.get(&secret.name) {
            items.push(Item::new(&secret.name, Verdict::Ng, format!("in the keyring: {reason}")));
            continue;
        }
        let state = state(secret, local, in_aws);
        let wrong =
            in_aws.get(secret).or_else(|| local.get(secret)).and_then(|value| secret.check(&value).err());
        let item = |verdict, detail: String| Item::new(&secret.name, verdict, detail);
        items.push(match (state, wrong) {
            (_, Some(malformed)) => item(Verdict::Ng, malformed.problem),
            (State::Same, None) => {
                item(Verdict::Ok, "keyring and AWS have the same value, and it is well-formed".into())
            }
            (State::Differs, None) => {
                let newer = newer(env, secret, local, in_aws).map(|newer| format!("; {}", newer.words()));
                item(Verdict::Ng, format!("{}{}", State::Differs.words(), newer.unwrap_or_default()))
            }
            (other, None) => item(Verdict::Ng, other.words().into()),
        });
    }
    items.extend(ages(subject));
    items.push(of_db_uri(subject));
    items
}

fn of_secret(env: &str, name: String, found: &RemoteSecret) -> Item {
    if let Err(Refusal::NotObject { encoded_twice, .. }) = readable(&name, found) {
        let detail =
            if encoded_twice { "is a JSON string that contains JSON" } else { "is not a JSON object" };
        return Item::new(name, Verdict::Ng, detail);
    }
    if let Some(why) = &found.managed {
        return Item::new(name, Verdict::Ng, why.clone());
    }
    match &found.value {
        Value::Scheduled => {
            return Item::new(name, Verdict::Ng, "scheduled for deletion; `osmt-secrets push` restores it");
        }
        Value::Nothing => {
            return Item::new(name, Verdict::Ng, "has no AWSCURRENT value; `osmt-secrets push` writes one");
        }
        Value::Object(_) | Value::Binary | Value::Text { .. } => {}
    }
    let wrong: Vec<_> = deployment::tags::of(env)
        .into_iter()
        .filter(|(key, value)| found.tags.get(*key) != Some(value))
        .map(|(key, _)| key)
        .collect();
    if wrong.is_empty() {
        Item::new(name, Verdict::Ok, "exists, has a value and the right tags")
    } else {
        let detail = format!("the tag {} is missing or wrong; `osmt-secrets push` sets it", wrong.join(", "));
        Item::new(name, Verdict::Ng, detail)
    }
}

/// Secrets whose rotation is due. AWS records the age of a version, which is the age of all its keys.
fn ages(subject: Subject<'_>) -> Vec<Item> {
    let Some((now, most)) = subject.age else { return Vec::new() };
    let days = |age: SignedDuration| explain::count(age.as_hours() / 24, "day");
    let mut items = Vec::new();
    for (remote, found) in &subject.in_aws.0 {
        let name = secret_name(subject.env, remote);
        let Some(created) = found.created else {
            items.push(Item::new(name, Verdict::Skip, "AWS does not report when its version was created"));
            continue;
        };
        let age = now.duration_since(created);
        if age <= most {
            let detail = format!("last changed {} ago; the maximum is {}", days(age), days(most));
            items.push(Item::new(name, Verdict::Ok, detail));
            continue;
        }
        let rotatable = subject.catalog.of_remote(remote);
        let rotatable: Vec<_> = rotatable
            .filter(|secret| !matches!(secret.origin, Origin::Fixed(_)))
            .map(|secret| format!("`osmt-secrets rotate {}`", secret.name))
            .collect();
        let detail = format!(
            "last changed {} ago; the maximum is {}; run {}",
            days(age),
            days(most),
            rotatable.join(", ")
        );
        items.push(Item::new(name, Verdict::Ng, detail));
    }
    items
}

fn of_db_uri(subject: Subject<'_>) -> Item {
    let name = secret_name(subject.env, db_uri::REMOTE);
    let text = match subject.db_uri.map(|found| &found.value) {
        None | Some(Value::Nothing) => {
            return Item::new(name, Verdict::Skip, "Terraform has not written it yet");
        }
        Some(Value::Object(object)) => object.get(db_uri::KEY),
        Some(Value::Scheduled) => {
            return Item::new(name, Verdict::Skip, "scheduled for deletion; Terraform creates it again");
        }
        Some(Value::Binary | Value::Text { .. }) => None,
    };
    let Some(uri) = text.as_ref().and_then(DbUri::parse) else {
        return Item::new(name, Verdict::Ng, "has no DB_URI of the form user:password@host:port");
    };
    let agrees = |name: &str, value: &secrecy::SecretString| {
        let have = subject.catalog.find(name).and_then(|secret| subject.in_aws.get(secret));
        have.is_some_and(|have| have.expose_secret() == value.expose_secret())
    };
    if agrees("rds/username", &uri.user) && agrees("rds/password", &uri.password) {
        Item::new(name, Verdict::Ok, "matches the database's secret")
    } else {
        Item::new(name, Verdict::Ng, "is older than the database's secret; `terraform apply` writes it again")
    }
}

/// Whether a secret's resource policy denies access to the tasks that must read it.
///
/// "Policy evaluation logic" (IAM User Guide): an explicit deny in a resource policy overrides every allow.
pub fn policy(name: &str, policy: Result<Option<String>, CallError>) -> Option<Item> {
    let text = match policy {
        Ok(None) => return None,
        Ok(Some(text)) => text,
        Err(error) => {
            let detail = format!("its resource policy could not be read: {}", error.reason());
            return Some(Item::new(name, Verdict::Skip, detail));
        }
    };
    let Ok(document) = PolicyDocument::parse(&text) else {
        return Some(Item::new(name, Verdict::Skip, "its resource policy is not a policy document"));
    };
    let mut unknown = None;
    for statement in &document.statements {
        if statement.effect != Effect::Deny || !statement.actions.includes("secretsmanager:GetSecretValue") {
            continue;
        }
        let sid = statement.name();
        if statement.is_for_everyone() && !statement.is_conditional() {
            let detail =
                format!("its resource policy ({sid}) denies secretsmanager:GetSecretValue to the tasks");
            return Some(Item::new(name, Verdict::Ng, detail));
        }
        let detail = format!(
            "its resource policy ({sid}) denies secretsmanager:GetSecretValue to some callers: check that the tasks' execution role is not among them"
        );
        unknown = Some(Item::new(name, Verdict::Skip, detail));
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_denies_reading_is_reported() {
        let judged = |statement: &str| {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
            policy("osmt/test/rds", Ok(Some(text))).map(|item| item.verdict)
        };
        let everyone = r#""Effect":"Deny","Principal":"*","Resource":"*""#;
        for (statement, verdict) in [
            (format!(r#"[{{{everyone},"Action":"secretsmanager:GetSecretValue"}}]"#), Some(Verdict::Ng)),
            (format!(r#"{{{everyone},"Action":["secretsmanager:Get*"]}}"#), Some(Verdict::Ng)),
            (format!(r#"{{{everyone},"NotAction":"secretsmanager:DescribeSecret"}}"#), Some(Verdict::Ng)),
            (format!(r#"{{{everyone},"Action":"secretsmanager:DeleteSecret"}}"#), None),
            (
                format!(r#"{{{everyone},"Action":"*","Condition":{{"StringNotEquals":{{"aws:SourceVpce":"x"}}}}}}"#),
                Some(Verdict::Skip),
            ),
            (
                r#"{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::123456789012:role/x"},"Action":"*","Resource":"*"}"#
                    .to_owned(),
                Some(Verdict::Skip),
            ),
            (r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#.to_owned(), None),
        ] {
            assert_eq!(judged(&statement), verdict, "{statement}");
        }
        assert_eq!(policy("x", Ok(None)), None);
    }
}
