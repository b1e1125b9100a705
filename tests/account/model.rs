//! For whatever is there: applying the plan to a model of it leaves nothing to do, and so does taking it away.

use std::collections::{BTreeMap, BTreeSet};

use osmt::account::iam::{Policy, Role};
use osmt::bootstrap::admin_role::{Change, Options, Seen};
use osmt::bootstrap::{Target, admin_role};
use osmt::deployment::{Deployment, StateBackend};
use proptest::option;
use proptest::prelude::*;

fn target() -> Target {
    let deployment =
        Deployment { account_id: "123456789012".into(), region: "us-west-2".into(), env: "test".into() };
    Target { backend: StateBackend::standard(&deployment), deployment, region_in_names: false }
}

fn arn() -> impl Strategy<Value = String> {
    "arn:aws:iam::[0-9]{12}:(user|role)/[a-z]{1,8}"
}

fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
    let key = prop_oneof!["Application", "Environment", "ManagedBy", "[A-Z][a-z]{3}"];
    let value = prop_oneof!["osmt", "test", "osmt-bootstrap", "[a-z]{3}"];
    prop_oneof![Just(target().deployment.tags()), proptest::collection::btree_map(key, value, 0..5)]
}

fn policy(part: &'static str) -> impl Strategy<Value = Policy> {
    let ours = admin_role::policy::document(&target(), Some("Z1"), part).to_string();
    let document = prop_oneof![Just(ours), Just("{}".to_owned()), Just("not JSON".to_owned())];
    (document, tags(), 0..5_usize).prop_map(|(document, tags, others)| Policy {
        version: "v9".into(),
        document,
        others: (0..others).map(|number| format!("v{number}")).collect(),
        tags,
    })
}

fn role() -> impl Strategy<Value = Role> {
    let trust = proptest::collection::vec((arn(), any::<bool>()), 0..3).prop_map(|statements| {
        let statements: Vec<String> = statements
            .iter()
            .map(|(arn, ours)| {
                let sid = if *ours { admin_role::policy::SID } else { "Other" };
                format!(r#"{{"Sid":"{sid}","Effect":"Allow","Principal":{{"AWS":["{arn}"]}},"Action":["sts:AssumeRole"]}}"#)
            })
            .collect();
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
    });
    let arns: Vec<String> =
        admin_role::policy::parts().map(|part| admin_role::policy::arn(&target(), part)).collect();
    let attached = proptest::collection::btree_set(prop_oneof![proptest::sample::select(arns), arn()], 0..7);
    let names = || proptest::collection::btree_set("[a-z]{2}", 0..3);
    (trust, 1..13_i32, option::of(arn()), tags(), attached, names(), names()).prop_map(
        |(trust, hours, boundary, tags, attached, inline, profiles)| Role {
            trust,
            session_seconds: hours * 3600,
            boundary,
            tags,
            attached,
            inline,
            profiles,
        },
    )
}

fn seen() -> impl Strategy<Value = Seen> {
    let policies: Vec<_> = admin_role::policy::parts()
        .map(|part| option::of(policy(part)).prop_map(move |policy| (part, policy)))
        .collect();
    (option::of(role()), policies).prop_map(|(role, policies)| Seen {
        role,
        policies: policies
            .into_iter()
            .filter_map(|(part, policy)| Some((part.to_owned(), policy?)))
            .collect(),
    })
}

fn options() -> impl Strategy<Value = Options> {
    let trust = proptest::collection::btree_set(arn(), 0..3);
    (trust, any::<bool>(), option::of(arn()), option::of(1..13_i32)).prop_map(
        |(trust, mfa, boundary, session_hours)| Options {
            zone: Some("Z1".into()),
            trust,
            mfa,
            boundary,
            session_hours,
        },
    )
}

/// IAM, as far as the plan knows it.
fn carry_out(seen: &mut Seen, change: &Change) {
    let target = target();
    let arn = |part: &str| admin_role::policy::arn(&target, part);
    match change {
        Change::CreatePolicy(part, document) => {
            let policy = Policy {
                version: "v1".into(),
                document: document.clone(),
                others: Vec::new(),
                tags: target.deployment.tags(),
            };
            assert!(seen.policies.insert((*part).to_owned(), policy).is_none(), "{part} was there");
        }
        Change::UpdatePolicy(part, document) => {
            seen.policies.get_mut(*part).unwrap().document.clone_from(document);
        }
        Change::TagPolicy(part) => {
            seen.policies.get_mut(*part).unwrap().tags.extend(target.deployment.tags());
        }
        Change::Create(trust, seconds, boundary) => {
            assert!(seen.role.is_none(), "the role was there");
            seen.role = Some(Role {
                trust: trust.clone(),
                session_seconds: *seconds,
                boundary: boundary.clone(),
                tags: target.deployment.tags(),
                ..Role::default()
            });
        }
        Change::Delete => {
            let role = seen.role.take().unwrap();
            let holds: Vec<&BTreeSet<String>> = vec![&role.attached, &role.inline, &role.profiles];
            assert!(holds.iter().all(|held| held.is_empty()), "IAM refuses: {role:?}");
        }
        Change::DeletePolicy(part) => {
            let role = seen.role.as_ref();
            assert!(role.is_none_or(|role| !role.attached.contains(&arn(part))), "IAM refuses: {part}");
            assert!(seen.policies.remove(*part).is_some());
        }
        on_role => {
            let role = seen.role.as_mut().unwrap();
            match on_role {
                Change::Trust(trust) => role.trust.clone_from(trust),
                Change::SessionDuration(seconds) => role.session_seconds = *seconds,
                Change::Boundary(arn) => role.boundary = Some(arn.clone()),
                Change::Tags => role.tags.extend(target.deployment.tags()),
                Change::Attach(part) => {
                    assert!(seen.policies.contains_key(*part), "IAM refuses: there is no {part}");
                    role.attached.insert(arn(part));
                }
                Change::Detach(arn) => assert!(role.attached.remove(arn)),
                Change::DeleteInline(name) => assert!(role.inline.remove(name)),
                Change::RemoveFromInstanceProfile(profile) => assert!(role.profiles.remove(profile)),
                other => panic!("{other:?}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_is_left_to_do(before in seen(), options in options()) {
        let target = target();
        let mut after = before.clone();
        for judged in admin_role::judge(&target, &options, &before) {
            if let Some(change) = judged.change {
                carry_out(&mut after, &change);
            }
        }
        let left: Vec<_> = admin_role::judge(&target, &options, &after)
            .into_iter()
            .filter(|judged| judged.change.is_some())
            .collect();
        prop_assert!(left.is_empty(), "{left:?}");
        // What others did to a role that was there stays.
        if let (Some(before), Some(after)) = (&before.role, &after.role) {
            prop_assert!(before.attached.is_subset(&after.attached));
            prop_assert_eq!(&before.inline, &after.inline);
            prop_assert!(options.boundary.is_some() || before.boundary == after.boundary);
            prop_assert!(!options.trust.is_empty() || before.trust == after.trust);
        }
    }

    #[test]
    fn nothing_of_ours_is_left(before in seen(), whose in any::<bool>()) {
        let target = target();
        let mut after = before;
        if let Some(role) = after.role.as_mut().filter(|_| whose) {
            role.tags.extend(target.deployment.tags());
        }
        let steps = admin_role::removal(&target, &after);
        for judged in steps {
            carry_out(&mut after, &judged.change.unwrap());
        }
        prop_assert!(admin_role::removal(&target, &after).is_empty());
        prop_assert!(!whose || after.role.is_none());
    }
}
