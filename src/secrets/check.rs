//! What `verify` looks at, item by item: does it agree, and can it work.

use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::catalog::CATALOG;
use super::db_uri::DbUri;
use super::remote::{Held, Value};
use super::rotation::Journal;
use super::{Local, Seen, State, catalog, db_uri, ours, state};
use crate::config::secret_name;
use crate::deployment;

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is right.
    Ok,
    /// It is wrong.
    Ng,
    /// It cannot be judged yet.
    Skip,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// `osmt/test/rds` or `rds/password`
    pub item: String,
    /// How it stands.
    pub verdict: Verdict,
    /// Why, in words; never a value.
    pub detail: String,
}

impl Item {
    fn new(item: impl Into<String>, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { item: item.into(), verdict, detail: detail.into() }
    }
}

impl Item {
    /// A rotation that was begun and not ended.
    pub fn unfinished(journal: &Journal) -> Self {
        let verb = journal.kind.verb();
        let detail = format!("a {verb} is unfinished; `{verb} {}` finishes it", journal.name);
        Self::new(journal.name.clone(), Verdict::Ng, detail)
    }
}

/// Judges everything: the secrets, their values, and the `DB_URI` that Terraform composed of them.
pub fn verify(env: &str, local: &Local, seen: &Seen, composed: Option<&Held>) -> Vec<Item> {
    let mut items = Vec::new();
    for remote in catalog::remotes() {
        let name = secret_name(env, remote);
        items.push(match seen.0.get(remote) {
            None => Item::new(name, Verdict::Ng, "does not exist; `push` makes it"),
            Some(held) => whole(env, name, held),
        });
    }
    for secret in &CATALOG {
        let state = state(secret, local, seen);
        let wrong =
            seen.get(secret).or_else(|| local.get(secret)).and_then(|value| secret.check(&value).err());
        items.push(match (state, wrong) {
            (_, Some(malformed)) => Item::new(secret.name, Verdict::Ng, malformed.problem),
            (State::Same, None) => {
                Item::new(secret.name, Verdict::Ok, "keyring and AWS agree; form is right")
            }
            (other, None) => Item::new(secret.name, Verdict::Ng, other.words()),
        });
    }
    items.push(derived(env, seen, composed));
    items
}

fn whole(env: &str, name: String, held: &Held) -> Item {
    if let Err(refusal) = ours(&name, held) {
        let detail = match refusal {
            super::Refusal::Managed { why, .. } => why,
            _ => "does not hold a JSON object".to_owned(),
        };
        return Item::new(name, Verdict::Ng, detail);
    }
    match &held.value {
        Value::Scheduled => {
            return Item::new(name, Verdict::Ng, "scheduled for deletion; `push` restores it");
        }
        Value::Nothing => {
            return Item::new(name, Verdict::Ng, "has no AWSCURRENT value; `push` writes one");
        }
        Value::Object(_) | Value::Binary | Value::Other => {}
    }
    let wrong: Vec<_> = deployment::tags(env)
        .into_iter()
        .filter(|(key, value)| held.tags.get(*key) != Some(value))
        .map(|(key, _)| key)
        .collect();
    if wrong.is_empty() {
        Item::new(name, Verdict::Ok, "exists, has a value, is tagged")
    } else {
        Item::new(name, Verdict::Ng, format!("lacks the right tag {}; `push` sets it", wrong.join(", ")))
    }
}

fn derived(env: &str, seen: &Seen, composed: Option<&Held>) -> Item {
    let name = secret_name(env, db_uri::REMOTE);
    let text = match composed.map(|held| &held.value) {
        None | Some(Value::Nothing) => {
            return Item::new(name, Verdict::Skip, "Terraform has not composed it yet");
        }
        Some(Value::Object(object)) => object.get(db_uri::KEY),
        Some(Value::Scheduled) => {
            return Item::new(name, Verdict::Skip, "scheduled for deletion; Terraform composes it again");
        }
        Some(Value::Binary | Value::Other) => None,
    };
    let Some(uri) = text.as_ref().and_then(DbUri::parse) else {
        return Item::new(name, Verdict::Ng, "holds no DB_URI of the form user:password@host:port");
    };
    let agrees = |key: &str, value: &secrecy::SecretString| {
        catalog::of_remote("rds")
            .find(|secret| secret.key == key)
            .and_then(|secret| seen.get(secret))
            .is_some_and(|have| have.expose_secret() == value.expose_secret())
    };
    if agrees("username", &uri.user) && agrees("password", &uri.password) {
        Item::new(name, Verdict::Ok, "agrees with the database's secret")
    } else {
        Item::new(
            name,
            Verdict::Ng,
            "is older than the database's secret; `terraform apply` composes it again",
        )
    }
}
