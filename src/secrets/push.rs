//! What a push would write to Secrets Manager, and a removal take away: pure decisions.

use super::catalog::{CATALOG, Origin};
use super::remote::Value;
use super::{Local, Refusal, Seen, State, catalog, ours, remote, state};
use crate::config::secret_name;
use crate::deployment;
use crate::plan::{Line, Plan, Verb};

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
            Self::Write { name, keys, .. } if keys.is_empty() => Line::new(Verb::Update, thing(name))
                .setting("values", None, some("the keyring's, where they differ")),
            Self::Write { name, keys, .. } => {
                Line::new(Verb::Update, thing(name)).setting(keys.join(", "), None, some("the keyring's"))
            }
            Self::Tag { name, key, from, to, .. } => Line::new(Verb::Update, thing(name)).setting(
                format!("tag {key}"),
                from.clone(),
                Some(to.clone()),
            ),
            Self::Delete { name, recovery: true, .. } => Line::new(
                Verb::Delete,
                format!("{}; it can be restored for {} days", thing(name), remote::RECOVERY_DAYS),
            ),
            Self::Delete { name, .. } => {
                Line::new(Verb::Delete, format!("{}, at once and for ever", thing(name)))
            }
        }
    }
}

/// What `push` would write.
pub fn plan_push(env: &str, local: &Local, seen: &Seen) -> Result<Plan<Action>, Refusal> {
    for secret in &CATALOG {
        match local.get(secret) {
            Some(value) => secret.check(&value).map_err(Refusal::Malformed)?,
            None if matches!(state(secret, local, seen), State::RemoteOnly | State::Scheduled) => {}
            None => {
                return Err(Refusal::Missing {
                    name: secret.name,
                    remedy: match secret.origin {
                        Origin::Issued(by) => {
                            format!("`osmt-secrets set {}` takes the one that {by} issued", secret.name)
                        }
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
            actions.push(Action::Restore { name: name.clone(), remote });
        }
        let keys: Vec<_> = catalog::of_remote(remote)
            .filter(|secret| matches!(state(secret, local, seen), State::Differs | State::LocalOnly))
            .map(|secret| secret.key)
            .collect();
        if scheduled || !keys.is_empty() {
            actions.push(Action::Write { name: name.clone(), remote, base: held.version.clone(), keys });
        }
        for (key, to) in deployment::tags(env) {
            let from = held.tags.get(key).cloned();
            if from.as_ref() != Some(&to) {
                actions.push(Action::Tag { name: name.clone(), remote, key, from, to });
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
                return Err(Refusal::Foreign { name, keys: foreign.join(", ") });
            }
        }
        actions.push(Action::Delete { name, remote, recovery });
    }
    Ok(actions.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;
    use crate::secrets::object::Object;
    use crate::secrets::remote::Held;

    fn held(value: Value, tagged: bool) -> Held {
        let tags = deployment::tags("test").map(|(key, value)| (key.to_owned(), value));
        Held {
            value,
            version: Some("base".into()),
            previous: None,
            managed: None,
            tags: if tagged { tags.into() } else { BTreeMap::new() },
        }
    }

    fn object(text: &str) -> Value {
        Value::Object(Object::parse(text.into()).unwrap())
    }

    fn any_held() -> impl Strategy<Value = Option<Held>> {
        let text = prop_oneof![
            Just("{}"),
            Just(r#"{"foreign": 1e400}"#),
            Just(r#"{"password": 5, "username": "root", "oauth_client_secret": "old"}"#),
            Just(r#"{"username": "osmt_admin", "password": "same-same"}"#),
        ];
        let value = prop_oneof![Just(Value::Nothing), Just(Value::Scheduled), text.prop_map(object),];
        proptest::option::of((value, any::<bool>()).prop_map(|(value, tagged)| held(value, tagged)))
    }

    /// What AWS would make of an action; a hidden value turns out to be anything.
    fn apply(seen: &mut Seen, local: &Local, action: &Action, hidden: &str) {
        let entry = seen.0.entry(action.remote());
        let held = entry.or_insert_with(|| held(Value::Nothing, true));
        match action {
            Action::Restore { .. } => held.value = object(hidden),
            Action::Create { remote, .. } | Action::Write { remote, .. } => {
                let values: Vec<(&str, SecretString)> = catalog::of_remote(remote)
                    .filter_map(|secret| Some((secret.key, local.get(secret)?)))
                    .collect();
                let values: Vec<_> = values.iter().map(|(key, value)| (*key, value)).collect();
                held.value = Value::Object(match &held.value {
                    Value::Object(object) => object.with(&values),
                    _ => Object::of(&values),
                });
            }
            Action::Tag { key, to, .. } => drop(held.tags.insert((*key).to_owned(), to.clone())),
            Action::Delete { remote, .. } => drop(seen.0.remove(remote)),
        }
    }

    proptest! {
        #[test]
        fn after_a_push_there_is_nothing_to_push_and_after_a_removal_nothing_to_remove(
            rds in any_held(),
            app in any_held(),
            hidden in prop_oneof![Just("{}"), Just(r#"{"password": "hidden-one"}"#)],
        ) {
            let mut local = Local::default();
            local.0.insert("rds/password", "same-same".into());
            local.0.insert("app/oauth_client_secret", "issued".into());
            let mut seen = Seen::default();
            seen.0.extend(rds.map(|held| ("rds", held)));
            seen.0.extend(app.map(|held| ("app", held)));
            for action in plan_push("test", &local, &seen).unwrap().actions {
                apply(&mut seen, &local, &action, hidden);
            }
            prop_assert!(CATALOG.iter().all(|secret| state(secret, &local, &seen) == State::Same));
            prop_assert!(plan_push("test", &local, &seen).unwrap().is_empty());
            // Somebody's own keys are never removed with ours.
            if let Ok(plan) = plan_removal("test", &seen, false) {
                for action in plan.actions {
                    apply(&mut seen, &local, &action, hidden);
                }
                prop_assert!(seen.0.is_empty());
            }
        }
    }

    #[test]
    fn what_is_nowhere_or_cannot_work_or_is_managed_is_refused() {
        let refused = plan_push("test", &Local::default(), &Seen::default()).unwrap_err();
        assert!(matches!(refused, Refusal::Missing { name: "rds/password", .. }));
        let mut local = Local::default();
        local.0.insert("rds/password", "bad one".into());
        let refused = plan_push("test", &local, &Seen::default()).unwrap_err();
        assert!(matches!(refused, Refusal::Malformed(_)));
        local.0.insert("rds/password", "good-one".into());
        local.0.insert("app/oauth_client_secret", "issued".into());
        let mut seen = Seen::default();
        let managed = Some("Secrets Manager rotates it".to_owned());
        seen.0.insert("rds", Held { managed, ..held(object("{}"), true) });
        let refused = plan_push("test", &local, &seen).unwrap_err();
        assert!(matches!(refused, Refusal::Managed { .. }));
    }
}
