//! What a push would write to Secrets Manager, and a removal take away: pure decisions.

use super::Local;
use super::Refusal;
use super::Seen;
use super::State;
use super::catalog;
use super::catalog::CATALOG;
use super::catalog::Origin;
use super::ours;
use super::remote;
use super::remote::Value;
use super::state;
use super::tags;
use crate::config::secret_name;
use crate::plan::Line;
use crate::plan::Plan;
use crate::plan::Verb;

/// One write to Secrets Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take it out of deletion.
    Restore {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
    },
    /// It does not exist and will.
    Create {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
    },
    /// Some keys get the keyring's value.
    Write {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
        /// The version that the plan was made on.
        base: Option<String>,
        /// The keys that change.
        keys: Vec<&'static str>,
    },
    /// A tag is missing or another.
    Tag {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
        /// The tag.
        key: &'static str,
        /// What it is.
        from: Option<String>,
        /// What it will be.
        to: String,
    },
    /// It exists and will not.
    Delete {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
        /// Whether it can be restored for some weeks.
        recovery: bool,
    },
}

impl Action {
    /// The last part of the secret's name.
    pub const fn remote(&self) -> &'static str {
        match self {
            Self::Restore { remote, .. }
            | Self::Create { remote, .. }
            | Self::Write { remote, .. }
            | Self::Tag { remote, .. }
            | Self::Delete { remote, .. } => remote,
        }
    }
}

impl crate::plan::Action for Action {
    fn line(&self) -> Line {
        let thing = |name: &str| format!("secret {name}");
        let some = |text: &str| Some(text.to_owned());
        match self {
            Self::Restore { name, .. } => Line::new(Verb::Update, thing(name)).setting(
                "scheduled for deletion",
                some("yes"),
                some("no"),
            ),
            Self::Create { name, remote } => Line::new(Verb::Create, {
                let keys: Vec<_> = catalog::of_remote(remote).map(|row| row.key).collect();
                format!("{} with {}", thing(name), keys.join(", "))
            }),
            Self::Write { name, keys, .. } if keys.is_empty() => Line::new(
                Verb::Update,
                thing(name),
            )
            .setting("values", None, some("the keyring's, where they differ")),
            Self::Write { name, keys, .. } => Line::new(Verb::Update, thing(name)).setting(
                keys.join(", "),
                None,
                some("the keyring's"),
            ),
            Self::Tag {
                name,
                key,
                from,
                to,
                ..
            } => Line::new(Verb::Update, thing(name)).setting(
                format!("tag {key}"),
                from.clone(),
                Some(to.clone()),
            ),
            Self::Delete {
                name,
                recovery: true,
                ..
            } => Line::new(
                Verb::Delete,
                format!(
                    "{}; it can be restored for {} days",
                    thing(name),
                    remote::RECOVERY_DAYS
                ),
            ),
            Self::Delete { name, .. } => Line::new(
                Verb::Delete,
                format!("{}, at once and for ever", thing(name)),
            ),
        }
    }
}

/// What `push` would write.
pub fn plan_push(env: &str, local: &Local, seen: &Seen) -> Result<Plan<Action>, Refusal> {
    for secret in &CATALOG {
        match local.get(secret) {
            Some(value) => secret.check(&value).map_err(Refusal::Malformed)?,
            None if matches!(
                state(secret, local, seen),
                State::RemoteOnly | State::Scheduled
            ) => {}
            None => {
                return Err(Refusal::Missing {
                    name: secret.name,
                    remedy: match secret.origin {
                        Origin::Issued(by) => format!(
                            "`osmt-secrets set {}` takes the one that {by} issued",
                            secret.name
                        ),
                        _ => format!("`osmt-secrets generate {}` makes one", secret.name),
                    },
                });
            }
        }
    }
    let mut actions = Vec::new();
    for remote in catalog::remotes() {
        let name = secret_name(env, remote);
        let Some(held) = seen.0.get(remote) else {
            actions.push(Action::Create { name, remote });
            continue;
        };
        ours(&name, held)?;
        let scheduled = matches!(held.value, Value::Scheduled);
        if scheduled {
            actions.push(Action::Restore {
                name: name.clone(),
                remote,
            });
        }
        let keys: Vec<_> = catalog::of_remote(remote)
            .filter(|secret| {
                matches!(
                    state(secret, local, seen),
                    State::Differs | State::LocalOnly
                )
            })
            .map(|secret| secret.key)
            .collect();
        if scheduled || !keys.is_empty() {
            actions.push(Action::Write {
                name: name.clone(),
                remote,
                base: held.version.clone(),
                keys,
            });
        }
        for (key, to) in tags(env) {
            let from = held.tags.get(key).cloned();
            if from.as_ref() != Some(&to) {
                actions.push(Action::Tag {
                    name: name.clone(),
                    remote,
                    key,
                    from,
                    to,
                });
            }
        }
    }
    Ok(actions.into_iter().collect())
}

/// What `rm --all --remote` would remove.
pub fn plan_removal(env: &str, seen: &Seen, recovery: bool) -> Result<Plan<Action>, Refusal> {
    let mut actions = Vec::new();
    for (remote, held) in &seen.0 {
        let name = secret_name(env, remote);
        if matches!(held.value, Value::Scheduled) && recovery {
            continue;
        }
        ours(&name, held)?;
        if let Value::Object(object) = &held.value {
            let foreign: Vec<_> = object
                .keys()
                .into_iter()
                .filter(|key| !catalog::of_remote(remote).any(|secret| secret.key == key))
                .collect();
            if !foreign.is_empty() {
                return Err(Refusal::Foreign {
                    name,
                    keys: foreign.join(", "),
                });
            }
        }
        actions.push(Action::Delete {
            name,
            remote,
            recovery,
        });
    }
    Ok(actions.into_iter().collect())
}
