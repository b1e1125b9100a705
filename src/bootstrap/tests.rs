//! After a plan is applied, nothing is left to change, and what others configured is kept.

use std::collections::BTreeMap;

use proptest::option;
use proptest::prelude::*;

use super::selection::Selection;
use super::*;
use crate::account::{Bucket, LifecycleRule, PublicAccessBlock, Table};
use crate::deployment::{Deployment, Lock, StateBackend};
use crate::explain::{Exit, Explain as _};

pub(super) fn target() -> Target {
    Target {
        deployment: Deployment {
            account_id: "123456789012".into(),
            region: "us-west-2".into(),
            env: "test".into(),
        },
        backend: StateBackend {
            bucket: "osmt-test".into(),
            key: "osmt/test/terraform.tfstate".into(),
            lock: Lock::Table("osmt-test".into()),
        },
        region_in_names: false,
    }
}

/// Applies a change to the observed state, as AWS would.
fn simulate(target: &Target, seen: &mut Seen, change: &Change) {
    match change {
        Change::Bucket(change) => simulate_bucket(target, &mut seen.bucket, change),
        Change::Table(change) => simulate_table(target, &mut seen.table, change),
        Change::Admin(_) | Change::Account(_) | Change::Ci(_) => unreachable!("only `state` is selected"),
    }
}

fn simulate_bucket(target: &Target, seen: &mut Option<Bucket>, change: &state_bucket::Change) {
    use state_bucket::Change as C;
    if *change == C::Create {
        assert!(seen.is_none());
        *seen = Some(Bucket {
            name: target.backend.bucket.clone(),
            object_ownership: Some("BucketOwnerEnforced".into()),
            // AWS encrypts every new bucket and blocks public access to it.
            encryption: Some("AES256".into()),
            public_access_block: PublicAccessBlock::ALL,
            tags: target.deployment.tags(),
            ..Bucket::default()
        });
        return;
    }
    let bucket = seen.as_mut().expect("created before it is changed");
    match change {
        C::Create => {}
        C::BlockPublicAccess => bucket.public_access_block = PublicAccessBlock::ALL,
        C::DisableAcls => bucket.object_ownership = Some("BucketOwnerEnforced".into()),
        C::Encrypt(key, _) => {
            bucket.encryption = Some("aws:kms".into());
            bucket.kms_key.clone_from(key);
            bucket.bucket_key = true;
        }
        C::Policy(document) => bucket.policy = Some(document.clone()),
        C::EnableVersioning => bucket.versioning = Some("Enabled".into()),
        C::Lifecycle(rule, _) => {
            bucket.lifecycle.insert(state_bucket::RULE.into(), rule.clone());
        }
        C::Tags(tags) => bucket.tags.clone_from(tags),
    }
}

fn simulate_table(target: &Target, seen: &mut Option<Table>, change: &lock_table::Change) {
    use lock_table::Change as C;
    if *change == C::Create {
        assert!(seen.is_none());
        *seen = Some(Table {
            status: "ACTIVE".into(),
            partition_key: Some(("LockID".into(), "S".into())),
            billing: "PAY_PER_REQUEST".into(),
            kms: true,
            deletion_protection: true,
            tags: target.deployment.tags(),
            ..Table::default()
        });
        return;
    }
    let table = seen.as_mut().expect("created before it is changed");
    match change {
        C::Create => {}
        C::EnableDeletionProtection => table.deletion_protection = true,
        C::Encrypt => table.kms = true,
        C::EnablePointInTimeRecovery => table.point_in_time_recovery = true,
        C::BillOnDemand => table.billing = "PAY_PER_REQUEST".into(),
        C::Tags(tags) => table.tags.extend(tags.clone()),
    }
}

fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
    let key = prop_oneof![Just("Application"), Just("ManagedBy"), Just("Environment"), Just("Owner")];
    let value = prop_oneof![Just("osmt"), Just("test"), Just("osmt-bootstrap"), Just("x")];
    proptest::collection::btree_map(key.prop_map(str::to_owned), value.prop_map(str::to_owned), 0..4)
}

fn policy() -> impl Strategy<Value = Option<String>> {
    let ours = state_bucket_policy_text();
    option::of(prop_oneof![
        Just(ours.clone()),
        Just(ours.replace("s3:*", "s3:Get*")),
        Just(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned()),
        Just(r#"{"Statement":{"Sid":"Audit","Effect":"Allow","Principal":{"AWS":"1"},"Action":"s3:GetObject","Resource":"*"}}"#.to_owned()),
    ])
}

fn state_bucket_policy_text() -> String {
    state_bucket::policy::with_tls_only(&target(), None).unwrap().unwrap()
}

fn lifecycle() -> impl Strategy<Value = BTreeMap<String, LifecycleRule>> {
    let days = (option::of(1..200), option::of(1..30));
    let prefix = prop_oneof!["", "logs/", "k"];
    let rule = (any::<[bool; 3]>(), days, prefix).prop_map(
        |([enabled, expires, narrowed], (noncurrent_days, abort_upload_days), prefix)| LifecycleRule {
            enabled,
            noncurrent_days,
            abort_upload_days,
            expires,
            prefix,
            narrowed,
        },
    );
    let id = prop_oneof![Just("osmt-state"), Just("theirs")].prop_map(str::to_owned);
    proptest::collection::btree_map(id, rule, 0..3)
}

fn bucket() -> impl Strategy<Value = Bucket> {
    let word =
        |words: &'static [&'static str]| option::of(proptest::sample::select(words).prop_map(str::to_owned));
    (
        (
            word(&["Enabled", "Suspended"]),
            word(&["AES256", "aws:kms", "aws:kms:dsse"]),
            word(&["arn:aws:kms:us-west-2:123456789012:key/theirs"]),
            any::<bool>(),
            any::<[bool; 4]>(),
        ),
        word(&["BucketOwnerEnforced", "ObjectWriter", "BucketOwnerPreferred"]),
        policy(),
        tags(),
        lifecycle(),
    )
        .prop_map(
            |(
                (versioning, encryption, kms_key, bucket_key, block),
                object_ownership,
                policy,
                tags,
                lifecycle,
            )| Bucket {
                versioning,
                encryption,
                kms_key,
                bucket_key,
                public_access_block: PublicAccessBlock {
                    block_public_acls: block[0],
                    ignore_public_acls: block[1],
                    block_public_policy: block[2],
                    restrict_public_buckets: block[3],
                },
                object_ownership,
                policy,
                tags,
                lifecycle,
                ..Bucket::default()
            },
        )
}

fn table() -> impl Strategy<Value = Table> {
    (any::<[bool; 4]>(), tags()).prop_map(|(on, tags)| Table {
        status: "ACTIVE".into(),
        partition_key: Some(("LockID".into(), "S".into())),
        billing: if on[0] { "PAY_PER_REQUEST" } else { "PROVISIONED" }.into(),
        kms: on[1],
        point_in_time_recovery: on[2],
        deletion_protection: on[3],
        tags,
        ..Table::default()
    })
}

proptest! {
    #[test]
    fn an_applied_plan_leaves_nothing_to_change(bucket in option::of(bucket()), table in option::of(table())) {
        let target = target();
        let before = Seen { bucket, table, ..Seen::default() };
        let tags = [before.bucket.as_ref().map(|one| &one.tags), before.table.as_ref().map(|one| &one.tags)];
        let of_others = tags.into_iter().flatten().any(|tags| {
            tags.get("Application").is_some_and(|app| app == "osmt") && tags.get("Environment").is_some_and(|env| env != "test")
        });
        if of_others {
            let refused = judge(&target, &Selection::default(), &before).unwrap_err();
            prop_assert!(matches!(refused, Error::OtherEnvironment { .. }), "{}", refused);
            return Ok(());
        }
        let mut seen = before.clone();
        for step in plan(judge(&target, &Selection::default(), &before).unwrap()).actions {
            simulate(&target, &mut seen, &step.change);
        }
        prop_assert!(plan(judge(&target, &Selection::default(), &seen).unwrap()).is_empty());

        // A run that stops after any action and is repeated ends in the same state.
        let actions = plan(judge(&target, &Selection::default(), &before).unwrap()).actions;
        for stop in 0..actions.len() {
            let mut again = before.clone();
            for step in &actions[..stop] {
                simulate(&target, &mut again, &step.change);
            }
            for step in plan(judge(&target, &Selection::default(), &again).unwrap()).actions {
                simulate(&target, &mut again, &step.change);
            }
            prop_assert_eq!(&again, &seen);
        }

        // What others configured is kept.
        let (Some(old), Some(new)) = (&before.bucket, &seen.bucket) else { return Ok(()) };
        prop_assert_eq!(old.tags.get("Owner"), new.tags.get("Owner"));
        prop_assert_eq!(old.lifecycle.get("theirs"), new.lifecycle.get("theirs"));
        prop_assert!(!old.policy.as_deref().unwrap_or_default().contains("Audit")
            || new.policy.as_deref().unwrap_or_default().contains("Audit"));
        prop_assert_eq!(&old.kms_key, &new.kms_key);
        if old.encryption.as_deref() == Some("aws:kms:dsse") {
            prop_assert_eq!(&old.encryption, &new.encryption);
        }
    }
}

#[test]
fn protective_settings_come_first() {
    let lines = plan(judge(&target(), &Selection::default(), &Seen::default()).unwrap()).lines();
    let settings: Vec<_> = lines
        .iter()
        .filter(|line| line.thing.starts_with("S3"))
        .filter_map(|line| line.setting.as_deref())
        .collect();
    assert_eq!(settings[..4], ["public access", "default encryption", "policy", "versioning"]);
}

#[test]
fn a_table_with_another_key_is_refused() {
    let table =
        Table { status: "ACTIVE".into(), partition_key: Some(("id".into(), "S".into())), ..Table::default() };
    let seen = Seen { table: Some(table), ..Seen::default() };
    let error = judge(&target(), &Selection::default(), &seen).unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("id (S)"));
}
