//! Plans and applies `push` and `rm --all`: the writes to Secrets Manager. Planning is pure.

use aws_sdk_secretsmanager::Client;
use secrecy::SecretString;

use super::catalog::{Catalog, Origin, Secret};
use super::remote::{RECOVERY_DAYS, RemoteSecret, Value};
use super::{Local, Newer, Refusal, Remote, State, newer, readable, remote, selected, state, writable};
use crate::deployment;
use crate::deployment::secret_name;
use crate::plan::{Line, Plan, Verb};

/// One write to Secrets Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Cancel the scheduled deletion.
    Restore {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
    },
    /// Create it.
    Create {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
        /// The catalog's names of the values that it gets.
        names: Vec<String>,
    },
    /// Set some keys to the keyring's values.
    Write {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
        /// The version that the plan was made on.
        base: Option<String>,
        /// The catalog's names of the values that change.
        names: Vec<String>,
        /// AWS does not show the values until the deletion is cancelled, so `apply` checks which side is newer.
        hidden: bool,
    },
    /// Set a tag.
    Tag {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
        /// The tag.
        key: &'static str,
        /// The value now.
        from: Option<String>,
        /// The value afterwards.
        to: String,
    },
    /// Delete it.
    Delete {
        /// Its full name.
        name: String,
        /// `rds`
        remote: &'static str,
        /// Whether it can be restored for [`RECOVERY_DAYS`].
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
            Self::Create { name, names, .. } => {
                Line::new(Verb::Create, format!("{} with {}", thing(name), keys(names)))
            }
            Self::Write { name, hidden: true, .. } => Line::new(Verb::Update, thing(name)).setting(
                "values",
                None,
                some("the keyring's, where they differ"),
            ),
            Self::Write { name, names, .. } => {
                Line::new(Verb::Update, thing(name)).setting(keys(names), None, some("the keyring's"))
            }
            Self::Tag { name, key, from, to, .. } => Line::new(Verb::Update, thing(name)).setting(
                format!("tag {key}"),
                from.clone(),
                Some(to.clone()),
            ),
            Self::Delete { name, recovery: true, .. } => Line::new(
                Verb::Delete,
                format!("{}; it can be restored for {RECOVERY_DAYS} days", thing(name)),
            ),
            Self::Delete { name, .. } => {
                Line::new(Verb::Delete, format!("{}, immediately; it cannot be restored", thing(name)))
            }
        }
    }
}

fn keys(names: &[String]) -> String {
    let keys: Vec<_> = names.iter().map(|name| name.rsplit('/').next().unwrap_or(name)).collect();
    keys.join(", ")
}

/// What to push.
#[derive(Clone, Copy, Debug)]
pub struct Push<'a> {
    /// The secrets of this deployment.
    pub catalog: &'a Catalog,
    /// The names to push; all secrets if there are none.
    pub names: &'a [String],
    /// Overwrite values that are newer in AWS.
    pub force: bool,
}

/// Plans the writes of `push`.
pub fn plan_push(env: &str, push: Push<'_>, local: &Local, in_aws: &Remote) -> Result<Plan<Action>, Refusal> {
    let rows = selected(push.catalog, push.names);
    for (remote, found) in &in_aws.0 {
        if rows.iter().any(|secret| secret.remote == *remote) {
            writable(&secret_name(env, remote), found)?;
        }
    }
    for secret in &rows {
        check_push(env, push.force, secret, local, in_aws)?;
    }
    let mut actions = Vec::new();
    for remote in push.catalog.remotes() {
        let of_remote = || rows.iter().filter(|secret| secret.remote == remote);
        if of_remote().next().is_none() {
            continue;
        }
        let name = secret_name(env, remote);
        let Some(found) = in_aws.0.get(remote) else {
            // A new secret also gets the fixed values, whether they were named or not.
            let fixed = |secret: &&Secret| matches!(secret.origin, Origin::Fixed(_));
            let also = push.catalog.of_remote(remote).filter(fixed);
            let mut names: Vec<_> = also.map(|secret| secret.name.clone()).collect();
            names.extend(of_remote().map(|secret| secret.name.clone()));
            names.sort_by_key(|name| push.catalog.0.iter().position(|secret| secret.name == *name));
            names.dedup();
            actions.push(Action::Create { name, remote, names });
            continue;
        };
        let hidden = matches!(found.value, Value::Scheduled);
        if hidden {
            actions.push(Action::Restore { name: name.clone(), remote });
        }
        let changes = |secret: &&&Secret| match state(secret, local, in_aws) {
            State::Differs | State::LocalOnly | State::NotText => true,
            State::Scheduled => local.get(secret).is_some(),
            State::Same | State::RemoteOnly | State::Missing | State::NotObject => false,
        };
        let names: Vec<_> = of_remote().filter(changes).map(|secret| secret.name.clone()).collect();
        if !names.is_empty() {
            let (base, hidden) = (found.version.clone(), hidden && !push.force);
            actions.push(Action::Write { name: name.clone(), remote, base, names, hidden });
        }
        for (key, to) in deployment::tags::of(env) {
            let from = found.tags.get(key).cloned();
            if from.as_ref() != Some(&to) {
                actions.push(Action::Tag { name: name.clone(), remote, key, from, to });
            }
        }
    }
    Ok(actions.into_iter().collect())
}

/// Refuses a value that is missing, malformed, or older than the one in AWS.
fn check_push(
    env: &str,
    force: bool,
    secret: &Secret,
    local: &Local,
    in_aws: &Remote,
) -> Result<(), Refusal> {
    match local.get(secret) {
        Some(value) => secret.check(&value).map_err(Refusal::Malformed)?,
        None if matches!(state(secret, local, in_aws), State::RemoteOnly | State::Scheduled) => {}
        None => {
            return Err(Refusal::Missing { name: secret.name.clone(), remedy: remedy(secret) });
        }
    }
    match newer(env, secret, local, in_aws) {
        None | Some(Newer::Keyring) => Ok(()),
        Some(_) if force => Ok(()),
        Some(newer) => Err(Refusal::Newer { name: secret.name.clone(), newer }),
    }
}

/// The command that gives the keyring a value.
pub fn remedy(secret: &Secret) -> String {
    match secret.origin {
        Origin::Issued(by) => {
            format!("`osmt-secrets set {}` stores the value that {by} issued", secret.name)
        }
        Origin::Fixed(_) | Origin::Random | Origin::RandomBytes => {
            format!("`osmt-secrets generate {}` generates one", secret.name)
        }
    }
}

/// What `rm --all --remote` would remove. All secrets are looked at before the first is removed.
pub fn plan_removal(
    env: &str,
    catalog: &Catalog,
    in_aws: &Remote,
    recovery: bool,
) -> Result<Plan<Action>, Refusal> {
    let mut actions = Vec::new();
    for (remote, found) in &in_aws.0 {
        let name = secret_name(env, remote);
        if matches!(found.value, Value::Scheduled) {
            if recovery {
                continue;
            }
            return Err(Refusal::Hidden { name });
        }
        writable(&name, found)?;
        readable(&name, found)?;
        if !found.replicas.is_empty() {
            return Err(Refusal::Replicated { name, regions: found.replicas.clone() });
        }
        if let Value::Object(object) = &found.value {
            let known = |key: &String| catalog.of_remote(remote).any(|secret| secret.key == *key);
            let count = object.keys().iter().filter(|key| !known(key)).count();
            if count > 0 {
                return Err(Refusal::Foreign { name, count });
            }
        }
        actions.push(Action::Delete { name, remote, recovery });
    }
    Ok(actions.into_iter().collect())
}

/// Applies one action. Returns the version that now has the values, if the action writes any.
pub async fn apply(
    client: &Client,
    env: &str,
    catalog: &Catalog,
    action: &Action,
    local: &Local,
) -> Result<Option<String>, remote::Error> {
    match action {
        Action::Restore { name, .. } => remote::restore(client, name).await.map(|()| None),
        Action::Create { name, remote: part, names } => {
            let (about, values) = (catalog.description(part), values(catalog, names, local));
            remote::create(client, env, name, &about, &values).await.map(Some)
        }
        Action::Write { name, remote: part, base, names, hidden } => {
            if *hidden {
                let (version, value, created) = remote::read(client, name, None).await?;
                let found = RemoteSecret { value, version, created, ..RemoteSecret::default() };
                let in_aws = Remote([(*part, tagged(found, env))].into());
                for secret in names.iter().filter_map(|name| catalog.find(name)) {
                    match newer(env, secret, local, &in_aws) {
                        None | Some(Newer::Keyring) => {}
                        Some(newer) => {
                            return Err(Refusal::Newer { name: secret.name.clone(), newer }.into());
                        }
                    }
                }
            }
            let values = values(catalog, names, local);
            remote::write(client, name, base.as_deref(), &remote::token(), &values).await.map(Some)
        }
        Action::Tag { name, key, to, .. } => remote::tag(client, name, key, to).await.map(|()| None),
        Action::Delete { name, recovery, .. } => remote::delete(client, name, *recovery).await.map(|()| None),
    }
}

fn tagged(mut found: RemoteSecret, env: &str) -> RemoteSecret {
    found.tags.extend(deployment::tags::of(env).map(|(key, value)| (key.to_owned(), value)));
    found
}

fn values(catalog: &Catalog, names: &[String], local: &Local) -> Vec<(String, SecretString)> {
    let rows = names.iter().filter_map(|name| catalog.find(name));
    rows.filter_map(|secret: &Secret| Some((secret.key.clone(), local.get(secret)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::secrets::base::Base;
    use crate::secrets::catalog::Wanted;
    use crate::secrets::object::Object;

    fn remote_secret(value: Value, tagged: bool) -> RemoteSecret {
        let tags = deployment::tags::of("test").map(|(key, value)| (key.to_owned(), value));
        RemoteSecret {
            value,
            version: Some("base".into()),
            tags: if tagged { tags.into() } else { BTreeMap::new() },
            ..RemoteSecret::default()
        }
    }

    fn object(text: &str) -> Value {
        Value::Object(Object::parse(text.into()).unwrap())
    }

    fn any_held() -> impl Strategy<Value = Option<RemoteSecret>> {
        let text = prop_oneof![
            Just("{}"),
            Just(r#"{"foreign": 1e400}"#),
            Just(r#"{"password": 5, "username": "root", "oauth_client_secret": "old"}"#),
            Just(r#"{"username": "osmt_admin", "password": "same-same"}"#),
        ];
        let value = prop_oneof![Just(Value::Nothing), Just(Value::Scheduled), text.prop_map(object),];
        proptest::option::of((value, any::<bool>()).prop_map(|(value, tagged)| remote_secret(value, tagged)))
    }

    /// Simulates AWS. `hidden` is the content of a secret that is scheduled for deletion.
    fn simulate(in_aws: &mut Remote, local: &Local, action: &Action, hidden: &str) {
        let entry = in_aws.0.entry(action.remote());
        let found = entry.or_insert_with(|| remote_secret(Value::Nothing, true));
        match action {
            Action::Restore { .. } => found.value = object(hidden),
            Action::Create { names, .. } | Action::Write { names, .. } => {
                let catalog = Catalog::all();
                let rows = names.iter().filter_map(|name| catalog.find(name));
                let values: Vec<(String, SecretString)> =
                    rows.filter_map(|secret| Some((secret.key.clone(), local.get(secret)?))).collect();
                let values: Vec<_> = values.iter().map(|(key, value)| (key.as_str(), value)).collect();
                found.value = Value::Object(match &found.value {
                    Value::Object(object) => object.with(&values),
                    _ => Object::of(&values),
                });
            }
            Action::Tag { key, to, .. } => drop(found.tags.insert((*key).to_owned(), to.clone())),
            Action::Delete { remote, .. } => drop(in_aws.0.remove(remote)),
        }
    }

    proptest! {
        #[test]
        fn a_second_push_and_a_second_removal_have_nothing_to_do(
            rds in any_held(),
            app in any_held(),
            hidden in prop_oneof![Just("{}"), Just(r#"{"password": "hidden-one"}"#)],
        ) {
            let catalog = Catalog::of(&Wanted::default());
            let push = Push { catalog: &catalog, names: &[], force: true };
            let local = local();
            let mut in_aws = Remote::default();
            in_aws.0.extend(rds.map(|found| ("rds", found)));
            in_aws.0.extend(app.map(|found| ("app", found)));
            for action in plan_push("test", push, &local, &in_aws).unwrap().actions {
                simulate(&mut in_aws, &local, &action, hidden);
            }
            prop_assert!(catalog.0.iter().all(|secret| state(secret, &local, &in_aws) == State::Same));
            prop_assert!(plan_push("test", push, &local, &in_aws).unwrap().is_empty());
            // Keys that are not in the catalog are never removed.
            if let Ok(plan) = plan_removal("test", &catalog, &in_aws, false) {
                for action in plan.actions {
                    simulate(&mut in_aws, &local, &action, hidden);
                }
                prop_assert!(in_aws.0.is_empty());
            }
        }
    }

    fn local() -> Local {
        let mut local = Local::default();
        local.values.insert("rds/password".into(), "same-same".into());
        local.values.insert("app/oauth_client_secret".into(), "issued".into());
        local
    }

    #[test]
    fn a_value_that_is_missing_or_malformed_or_managed_is_refused() {
        let catalog = Catalog::of(&Wanted::default());
        let push = Push { catalog: &catalog, names: &[], force: false };
        let refused = plan_push("test", push, &Local::default(), &Remote::default()).unwrap_err();
        assert!(matches!(refused, Refusal::Missing { name, .. } if name == "rds/password"));
        let mut local = local();
        local.values.insert("rds/password".into(), "bad one".into());
        let refused = plan_push("test", push, &local, &Remote::default()).unwrap_err();
        assert!(matches!(refused, Refusal::Malformed(_)));
        local.values.insert("rds/password".into(), "good-one".into());
        let mut in_aws = Remote::default();
        let managed = Some("Secrets Manager rotates it".to_owned());
        in_aws.0.insert("rds", RemoteSecret { managed, ..remote_secret(object("{}"), true) });
        let refused = plan_push("test", push, &local, &in_aws).unwrap_err();
        assert!(matches!(refused, Refusal::Managed { .. }));
    }

    #[test]
    fn a_push_with_names_changes_and_requires_only_these() {
        let catalog = Catalog::of(&Wanted::default());
        let names = ["app/oauth_client_secret".to_owned()];
        let push = Push { catalog: &catalog, names: &names, force: false };
        let mut local = local();
        local.values.remove("rds/password");
        let plan = plan_push("test", push, &local, &Remote::default()).unwrap();
        let [Action::Create { remote: "app", names: made, .. }] = &plan.actions[..] else {
            panic!("{plan:?}");
        };
        assert_eq!(made[..], names);
    }

    #[test]
    fn only_force_overwrites_a_newer_value_in_aws() {
        let catalog = Catalog::of(&Wanted::default());
        let mut in_aws = Remote::default();
        let theirs = r#"{"username": "osmt_admin", "password": "theirs-theirs"}"#;
        in_aws.0.insert("rds", remote_secret(object(theirs), true));
        let secret = catalog.find("rds/password").unwrap();
        let mut local = local();
        local.bases.insert(secret.name.clone(), Base::agreed(secret, "v1", &"same-same".into(), None));
        let mut push = Push { catalog: &catalog, names: &[], force: false };
        let refused = plan_push("test", push, &local, &in_aws).unwrap_err();
        assert_eq!(refused, Refusal::Newer { name: "rds/password".into(), newer: Newer::Aws });
        push.force = true;
        assert!(!plan_push("test", push, &local, &in_aws).unwrap().is_empty());
    }

    #[test]
    fn a_removal_refuses_hidden_keys_before_it_removes_anything() {
        let catalog = Catalog::of(&Wanted::default());
        let plan = |rds: RemoteSecret, recovery| {
            let app = remote_secret(object(r#"{"oauth_client_secret":"x"}"#), true);
            plan_removal("test", &catalog, &Remote([("app", app), ("rds", rds)].into()), recovery)
        };
        let replicated =
            RemoteSecret { replicas: vec!["eu-west-1".into()], ..remote_secret(object("{}"), true) };
        assert!(matches!(plan(replicated, true), Err(Refusal::Replicated { .. })));
        assert!(matches!(plan(remote_secret(Value::Scheduled, true), false), Err(Refusal::Hidden { .. })));
        assert_eq!(plan(remote_secret(Value::Scheduled, true), true).unwrap().actions.len(), 1);
        let foreign = plan(remote_secret(object(r#"{"Canary-value":""}"#), true), true).unwrap_err();
        assert!(!format!("{foreign} {foreign:?}").contains("Canary"));
    }
}
