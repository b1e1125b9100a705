//! Protections and backups that the plan, or someone outside of Terraform, turns off, shortens or removes.

use serde_json::Value;

use super::exposure;
use super::names::report_unknown;
use super::weakness::Weakness;
use crate::doctor::planned::{Action, Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Protections and backups.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN004",
            name: "protection-turned-off",
            severity: Severity::Warning,
            summary: "A protection of data or of the service is turned off",
            explain: include_str!("../../../../docs/rules/PLAN004.md"),
        },
        run: unprotected,
    },
    Check {
        rule: Rule {
            code: "PLAN005",
            name: "backups-turned-off",
            severity: Severity::Error,
            summary: "The database's automated backups are turned off",
            explain: include_str!("../../../../docs/rules/PLAN005.md"),
        },
        run: no_backups,
    },
    Check {
        rule: Rule {
            code: "PLAN006",
            name: "logs-shortened",
            severity: Severity::Warning,
            summary: "The retention of logs is shortened",
            explain: include_str!("../../../../docs/rules/PLAN006.md"),
        },
        run: shortened,
    },
    Check {
        rule: Rule {
            code: "PLAN008",
            name: "backups-shortened",
            severity: Severity::Warning,
            summary: "The retention of backups is shortened",
            explain: include_str!("../../../../docs/rules/PLAN008.md"),
        },
        run: fewer_backups,
    },
    Check {
        rule: Rule {
            code: "PLAN027",
            name: "weakened-outside-terraform",
            severity: Severity::Warning,
            summary: "A protection was turned off outside of Terraform",
            explain: include_str!("../../../../docs/rules/PLAN027.md"),
        },
        run: outside_terraform,
    },
];

const RETENTION: &str = "backup_retention_period";
const LOG_DAYS: &str = "retention_in_days";

/// Attributes that protect while they are true.
const GUARDS: [(&str, &str, Severity); 8] = [
    ("deletion_protection", "deletion protection is turned off", Severity::Warning),
    ("enable_deletion_protection", "deletion protection is turned off", Severity::Warning),
    ("deletion_protection_enabled", "deletion protection is turned off", Severity::Warning),
    ("enable_key_rotation", "the key is no longer rotated", Severity::Warning),
    ("is_enabled", "the key is disabled: data encrypted with it cannot be read", Severity::Error),
    ("multi_az", "it no longer has a standby in a second zone", Severity::Warning),
    ("automatic_failover_enabled", "no replica takes over when the primary fails", Severity::Warning),
    ("multi_az_enabled", "its replicas are no longer kept in several zones", Severity::Warning),
];

/// Attributes that protect while they are false.
const DANGERS: [(&str, &str); 3] = [
    ("skip_final_snapshot", "it may be destroyed without a final snapshot"),
    ("force_destroy", "it may be deleted with all its content"),
    ("delete_automated_backups", "its backups are deleted with it"),
];

/// Attributes in nested blocks: pointer, the value that protects, and the message when it changes.
const NESTED: [(&str, &str, &str); 4] = [
    ("/deployment_circuit_breaker/0/enable", "true", "a deployment that fails is no longer stopped"),
    ("/deployment_circuit_breaker/0/rollback", "true", "a deployment that fails is no longer rolled back"),
    ("/versioning_configuration/0/status", "Enabled", "old versions are no longer kept"),
    ("/point_in_time_recovery/0/enabled", "true", "it can no longer be restored to a point in time"),
];

/// What is lost when a resource that is itself a protection is destroyed; `None` for other types.
fn loss_of_protection(change: &Change) -> Option<&'static str> {
    Some(match change.kind.as_str() {
        "aws_s3_bucket_public_access_block" => "the bucket can be made public",
        "aws_s3_bucket_versioning" => "old versions of its files are no longer kept",
        "aws_s3_bucket_server_side_encryption_configuration" => {
            "its files are no longer encrypted with the chosen key"
        }
        "aws_s3_bucket_ownership_controls" => "ACLs may make its files public",
        "aws_s3_bucket_policy" => "requests that its policy denied are allowed",
        "aws_s3_account_public_access_block" => "every bucket of the account can be made public",
        "aws_efs_file_system_policy" => "every client that reaches the file system can mount it",
        "aws_wafv2_web_acl_association" | "aws_wafv2_web_acl" => "requests are no longer filtered",
        "aws_backup_plan" | "aws_backup_selection" => "no further backup is taken",
        "aws_backup_vault_lock_configuration" => "backups can be deleted before their retention ends",
        "aws_efs_backup_policy" => "the file system is no longer backed up",
        "aws_db_instance_automated_backups_replication" => "backups are no longer copied to the other region",
        "aws_cloudtrail" => "calls to AWS are no longer recorded",
        "aws_flow_log" => "network traffic is no longer recorded",
        "terraform_data"
            if change.block().ends_with(".protection") || change.block() == "terraform_data.protection" =>
        {
            "Terraform no longer refuses to destroy the protected environment"
        }
        _ => return None,
    })
}

/// Each protection that an update turns off.
pub(super) fn weaknesses(change: &Change) -> Vec<Weakness> {
    let mut found = Vec::new();
    if change.action != Action::Update {
        return found;
    }
    let mut say = |name, what: &str, severity| found.push(Weakness { name, what: what.to_owned(), severity });
    for (name, what, severity) in GUARDS {
        if change.turns_off(name) {
            say(name, what, severity);
        }
    }
    for (name, what) in DANGERS {
        if change.turns_on(name) {
            say(name, what, Severity::Warning);
        }
    }
    for (pointer, good, what) in NESTED {
        let is_good = |side: &Value| side.pointer(pointer).is_some_and(|value| is(value, good));
        let name = pointer.split('/').nth(1).unwrap_or_default();
        if is_good(&change.before) && !is_good(&change.after) && !change.is_unknown(name) {
            say(name, what, Severity::Warning);
        }
    }
    let healthy = "deployment_minimum_healthy_percent";
    if change.before(healthy).as_u64() > Some(0) && change.after(healthy).as_u64() == Some(0) {
        say(healthy, "a deployment may stop every task before a new one runs", Severity::Warning);
    }
    found
}

/// Whether a value is the wanted Boolean or string; the provider has some Booleans as strings.
fn is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Bool(value) => value.to_string() == wanted,
        Value::String(value) => value == wanted,
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Those of `names` that are set and that the change sets to a value known only after the apply.
fn undecided_of<'a>(plan: &Planned, change: &Change, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let was_set = |name: &&str| !change.before(name).is_null();
    names
        .filter(was_set)
        .filter(|name| plan.is_set_but_unknown(change, name))
        .map(|name| format!("{name} of {}", change.address))
        .collect()
}

fn unprotected(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    let updates = plan.changes.iter().filter(|change| change.action == Action::Update);
    for change in updates {
        for weakness in weaknesses(change) {
            sink.value(change.at(weakness.name), format!("{}: {}", change.address, weakness.what))
                .severity(weakness.severity)
                .help("keep it on, unless you want to take the environment down");
        }
        let names = GUARDS.iter().map(|guard| guard.0).chain(DANGERS.iter().map(|danger| danger.0));
        undecided.extend(undecided_of(plan, change, names));
    }
    let buckets: Vec<&Value> = plan
        .of("aws_s3_bucket")
        .filter(|bucket| bucket.destroys())
        .map(|bucket| bucket.before("bucket"))
        .collect();
    // A plan that destroys everything destroys the protections too.
    let is_teardown = plan.teardown().is_some();
    for change in plan.changes.iter().filter(|change| change.action == Action::Delete && !is_teardown) {
        // The setting of a bucket that is destroyed too is not needed.
        let bucket_is_destroyed =
            change.kind.starts_with("aws_s3_bucket_") && buckets.contains(&change.before("bucket"));
        if let Some(what) =
            loss_of_protection(change).filter(|_| !bucket_is_destroyed && change.deposed.is_none())
        {
            sink.value(change.at_actions(), format!("{} is destroyed: {what}", change.address))
                .help("keep it, unless you want to take the environment down");
        }
    }
    report_unknown(undecided, sink);
}

fn no_backups(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    for change in
        plan.of("aws_db_instance").chain(plan.of("aws_rds_cluster")).filter(|change| change.writes())
    {
        if change.after(RETENTION).as_u64() == Some(0) && change.before(RETENTION).as_u64() != Some(0) {
            let message = format!("{}: automated backups are off", change.address);
            sink.value(change.at(RETENTION), message).help("set `rds.backup_retention_days` to 7 or more");
        }
        if plan.is_set_but_unknown(change, RETENTION) {
            undecided.push(format!("{RETENTION} of {}", change.address));
        }
    }
    report_unknown(undecided, sink);
}

/// Days of a log group; 0 means for ever.
fn days(value: &Value) -> Option<u64> {
    value.as_u64().map(|days| if days == 0 { u64::MAX } else { days })
}

fn shortened(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    for change in plan.of("aws_cloudwatch_log_group").filter(|change| change.action == Action::Update) {
        let (before, after) = (days(change.before(LOG_DAYS)), days(change.after(LOG_DAYS)));
        if after.is_some() && after < before {
            let message = format!("{}: {}", change.address, change.difference(LOG_DAYS));
            sink.value(change.at(LOG_DAYS), message)
                .help("CloudWatch deletes older logs within days; first export those that must be kept");
        }
        undecided.extend(undecided_of(plan, change, [LOG_DAYS].into_iter()));
    }
    report_unknown(undecided, sink);
}

/// The backup retention that a change lowers.
fn lowered(change: &Change) -> Option<&'static str> {
    [RETENTION, "snapshot_retention_limit"].into_iter().find(|name| {
        let (before, after) = (change.before(name).as_u64(), change.after(name).as_u64());
        // PLAN005 reports a database without backups; no other rule reports a cache without them.
        let is_off = after == Some(0) && *name == RETENTION;
        change.action == Action::Update && after.is_some() && after < before && !is_off
    })
}

fn fewer_backups(plan: &Planned, sink: &mut Sink<'_>) {
    for change in &plan.changes {
        if let Some(name) = lowered(change) {
            let message = format!("{}: {}", change.address, change.difference(name));
            sink.value(change.at(name), message)
                .help("AWS deletes the older backups at once; take a snapshot first if you may need one");
        }
    }
}

fn outside_terraform(plan: &Planned, sink: &mut Sink<'_>) {
    for drift in plan.drift.iter().filter(|drift| !drift.is_data) {
        let mut found = weaknesses(drift);
        if drift.action == Action::Update {
            let off =
                drift.after(RETENTION).as_u64() == Some(0) && drift.before(RETENTION).as_u64() > Some(0);
            if off {
                let what = "automated backups were turned off".to_owned();
                found.push(Weakness { name: RETENTION, what, severity: Severity::Error });
            } else if let Some(name) = lowered(drift) {
                let what = drift.difference(name);
                found.push(Weakness { name, what, severity: Severity::Warning });
            }
            if days(drift.after(LOG_DAYS)) < days(drift.before(LOG_DAYS)) {
                let what = drift.difference(LOG_DAYS);
                found.push(Weakness { name: LOG_DAYS, what, severity: Severity::Warning });
            }
            found.extend(exposure::opened_by_hand(plan, drift));
        }
        for weakness in found {
            let restores = plan.changes.iter().any(|change| {
                change.address == drift.address
                    && change.writes()
                    && change.after(weakness.name) == drift.before(weakness.name)
            });
            let help = if restores {
                "this plan sets it back; find out who changed it"
            } else {
                "this plan does not set it back: set it back by hand, and find out who changed it"
            };
            let message = format!("{} was changed outside of Terraform: {}", drift.address, weakness.what);
            sink.value(drift.at(weakness.name), message).severity(weakness.severity).help(help);
        }
    }
}
