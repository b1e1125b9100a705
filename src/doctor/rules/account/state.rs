//! The state bucket and the lock table: whether they exist, are protected and have the form that Terraform needs.

use super::Audit;
use crate::account::{Bucket, Known, Lock, Table};
use crate::deployment::Deployment;
use crate::finding::{Check, Rule, Severity, Sink};

const CREATE: &str = "`osmt-bootstrap apply` creates it";
const REMEDY: &str = "`osmt-bootstrap apply` sets it";

/// State bucket, lock table, and the lock itself.
pub(super) const CHECKS: &[Check<Audit>] = &[
    Check {
        rule: Rule {
            code: "STA001",
            name: "state-bucket-missing",
            severity: Severity::Error,
            summary: "The state bucket does not exist",
            explain: include_str!("../../../../docs/rules/STA001.md"),
        },
        run: |audit, sink| {
            if let Ok(None) = fact(&audit.facts.state_bucket, sink) {
                sink.elsewhere("the state bucket does not exist").help(CREATE);
            }
        },
    },
    Check {
        rule: Rule {
            code: "STA002",
            name: "state-bucket-elsewhere",
            severity: Severity::Error,
            summary: "The state bucket is in another region",
            explain: include_str!("../../../../docs/rules/STA002.md"),
        },
        run: |audit, sink| {
            if let Some(bucket) = bucket(audit, sink)
                && bucket.region != audit.config.region
            {
                let message = format!("the state bucket {} is in {}", bucket.name, bucket.region);
                sink.value("/config/region", message)
                    .help("create a bucket in the config's region and move the state");
            }
        },
    },
    Check {
        rule: Rule {
            code: "STA003",
            name: "state-bucket-public",
            severity: Severity::Error,
            summary: "The state bucket can be made public",
            explain: include_str!("../../../../docs/rules/STA003.md"),
        },
        run: |audit, sink| {
            setting(
                audit,
                sink,
                "public_access_block",
                "not all four settings that block public access are on",
                Bucket::blocks_public_access,
            );
        },
    },
    Check {
        rule: Rule {
            code: "STA004",
            name: "state-bucket-unversioned",
            severity: Severity::Error,
            summary: "The state bucket does not keep old versions",
            explain: include_str!("../../../../docs/rules/STA004.md"),
        },
        run: |audit, sink| {
            setting(audit, sink, "versioning", "versioning is off", Bucket::is_versioned);
        },
    },
    Check {
        rule: Rule {
            code: "STA005",
            name: "state-bucket-without-kms",
            severity: Severity::Warning,
            summary: "The state bucket is not encrypted with a KMS key",
            explain: include_str!("../../../../docs/rules/STA005.md"),
        },
        run: |audit, sink| {
            setting(
                audit,
                sink,
                "encryption",
                "it is not encrypted with KMS and a bucket key",
                Bucket::is_encrypted_with_kms,
            );
        },
    },
    Check {
        rule: Rule {
            code: "STA006",
            name: "state-bucket-with-acls",
            severity: Severity::Warning,
            summary: "ACLs are enabled for the state bucket",
            explain: include_str!("../../../../docs/rules/STA006.md"),
        },
        run: |audit, sink| {
            setting(audit, sink, "object_ownership", "ACLs are enabled", Bucket::has_no_access_lists);
        },
    },
    Check {
        rule: Rule {
            code: "STA007",
            name: "state-bucket-without-tls",
            severity: Severity::Warning,
            summary: "The state bucket accepts plain HTTP",
            explain: include_str!("../../../../docs/rules/STA007.md"),
        },
        run: |audit, sink| {
            setting(audit, sink, "policy", "its policy allows plain HTTP", Bucket::denies_plain_http);
        },
    },
    Check {
        rule: Rule {
            code: "STA008",
            name: "state-history-short",
            severity: Severity::Warning,
            summary: "Old versions of the state are deleted in less than 90 days",
            explain: include_str!("../../../../docs/rules/STA008.md"),
        },
        run: |audit, sink| {
            let state = Deployment::from(&audit.config).state_key();
            setting(
                audit,
                sink,
                "lifecycle",
                "a lifecycle rule deletes the state, or old versions of it in less than 90 days",
                |bucket| bucket.keeps_history(&state),
            );
        },
    },
    Check {
        rule: Rule {
            code: "LCK001",
            name: "lock-table-missing",
            severity: Severity::Error,
            summary: "The lock table does not exist",
            explain: include_str!("../../../../docs/rules/LCK001.md"),
        },
        run: |audit, sink| {
            if audit.lock_table
                && let Ok(None) = fact(&audit.facts.lock_table, sink)
            {
                sink.elsewhere("the lock table does not exist").help(CREATE);
            }
        },
    },
    Check {
        rule: Rule {
            code: "LCK002",
            name: "lock-table-misshaped",
            severity: Severity::Error,
            summary: "The lock table's key is not LockID (S)",
            explain: include_str!("../../../../docs/rules/LCK002.md"),
        },
        run: |audit, sink| {
            table(
                audit,
                sink,
                "its key is not LockID (S) alone",
                "use another table in main.tf: the key of a table cannot be changed",
                |table| {
                    let key = table.partition_key.as_ref().map(|(name, of)| (name.as_str(), of.as_str()));
                    key == Some(("LockID", "S")) && !table.sort_key
                },
            );
        },
    },
    Check {
        rule: Rule {
            code: "LCK003",
            name: "lock-table-not-ready",
            severity: Severity::Error,
            summary: "The lock table is not ready",
            explain: include_str!("../../../../docs/rules/LCK003.md"),
        },
        run: |audit, sink| {
            table(audit, sink, "it is not ready", "wait a minute and check again", |table| {
                matches!(table.status.as_str(), "ACTIVE" | "UPDATING")
            });
        },
    },
    Check {
        rule: Rule {
            code: "LCK004",
            name: "lock-table-unprotected",
            severity: Severity::Warning,
            summary: "The lock table can be deleted by mistake",
            explain: include_str!("../../../../docs/rules/LCK004.md"),
        },
        run: |audit, sink| {
            table(audit, sink, "deletion protection is off", REMEDY, |table| table.deletion_protection);
        },
    },
    Check {
        rule: Rule {
            code: "LCK005",
            name: "lock-table-without-recovery",
            severity: Severity::Warning,
            summary: "The lock table cannot be restored to a point in time",
            explain: include_str!("../../../../docs/rules/LCK005.md"),
        },
        run: |audit, sink| {
            if unread(audit.lock_table, &audit.facts.lock_table, "point_in_time_recovery", sink) {
                return;
            }
            table(audit, sink, "point-in-time recovery is off", REMEDY, |table| table.point_in_time_recovery);
        },
    },
    Check {
        rule: Rule {
            code: "LCK006",
            name: "lock-table-without-kms",
            severity: Severity::Warning,
            summary: "The lock table is not encrypted with a KMS key",
            explain: include_str!("../../../../docs/rules/LCK006.md"),
        },
        run: |audit, sink| {
            table(audit, sink, "it is not encrypted with a KMS key", REMEDY, |table| table.kms);
        },
    },
    Check {
        rule: Rule {
            code: "LCK007",
            name: "state-locked",
            severity: Severity::Warning,
            summary: "The state is locked",
            explain: include_str!("../../../../docs/rules/LCK007.md"),
        },
        run: locked,
    },
];

/// A fact; reports the reason if it is not known.
pub(super) fn fact<'a, T>(known: &'a crate::account::Known<T>, sink: &mut Sink<'_>) -> Result<&'a T, ()> {
    known.as_result().map_err(|reason| sink.unknown(reason))
}

fn bucket<'a>(audit: &'a Audit, sink: &mut Sink<'_>) -> Option<&'a Bucket> {
    fact(&audit.facts.state_bucket, sink).ok()?.as_ref()
}

fn setting(audit: &Audit, sink: &mut Sink<'_>, name: &str, wrong: &str, is_right: impl Fn(&Bucket) -> bool) {
    let Some(bucket) = bucket(audit, sink) else {
        return;
    };
    if let Some(reason) = bucket.unread.get(name) {
        sink.unknown(reason);
    } else if !is_right(bucket) {
        sink.elsewhere(format!("state bucket {}: {wrong}", bucket.name)).help(REMEDY);
    }
}

/// Whether a setting of the table could not be read; reports the reason.
fn unread(is_used: bool, table: &Known<Option<Table>>, name: &str, sink: &mut Sink<'_>) -> bool {
    let Ok(Some(table)) = table.as_result() else {
        return false;
    };
    let reason = table.unread.get(name).filter(|_| is_used);
    if let Some(reason) = reason {
        sink.unknown(reason);
    }
    reason.is_some()
}

fn table(audit: &Audit, sink: &mut Sink<'_>, wrong: &str, help: &str, is_right: fn(&Table) -> bool) {
    if audit.lock_table
        && let Ok(Some(table)) = fact(&audit.facts.lock_table, sink)
        && !is_right(table)
    {
        sink.elsewhere(format!("lock table {}: {wrong}", table.name)).help(help);
    }
}

fn locked(audit: &Audit, sink: &mut Sink<'_>) {
    let lock = if audit.lock_table {
        if unread(true, &audit.facts.lock_table, "lock", sink) {
            return;
        }
        let table = fact(&audit.facts.lock_table, sink).ok();
        table.and_then(|table| table.as_ref()?.lock.as_ref())
    } else {
        // Without a bucket there is no state and no lock.
        if matches!(audit.facts.state_bucket, Known::Known(None)) {
            return;
        }
        match fact(&audit.facts.state, sink) {
            Ok(state) => fact(&state.lock, sink).ok().and_then(Option::as_ref),
            Err(()) => None,
        }
    };
    if let Some(lock) = lock {
        report_lock(lock, sink);
    }
}

fn report_lock(lock: &Lock, sink: &mut Sink<'_>) {
    let or = |text: &str| {
        if text.is_empty() { "?".to_owned() } else { text.to_owned() }
    };
    let message = format!(
        "the state is locked by {} since {} ({})",
        or(&lock.who),
        or(&lock.created),
        or(&lock.operation)
    );
    sink.elsewhere(message).help(format!(
        "ask who is running Terraform; if no one is, run `terraform force-unlock {}`",
        or(&lock.id)
    ));
}
