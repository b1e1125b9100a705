//! What goes and does not come back, and the protections that are taken away.

use serde_json::Value;

use crate::doctor::planned::{Action, Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Data, and what guards it.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN001",
            name: "stateful-resource-replaced",
            severity: Severity::Error,
            summary: "A resource that holds data is destroyed and made anew, empty",
            explain: include_str!("../../../../docs/rules/PLAN001.md"),
        },
        run: replaced,
    },
    Check {
        rule: Rule {
            code: "PLAN002",
            name: "stateful-resource-destroyed",
            severity: Severity::Error,
            summary: "A resource that holds data is destroyed",
            explain: include_str!("../../../../docs/rules/PLAN002.md"),
        },
        run: destroyed,
    },
    Check {
        rule: Rule {
            code: "PLAN003",
            name: "database-destroyed-without-snapshot",
            severity: Severity::Error,
            summary: "The database goes, and no final snapshot is taken",
            explain: include_str!("../../../../docs/rules/PLAN003.md"),
        },
        run: without_snapshot,
    },
    Check {
        rule: Rule {
            code: "PLAN004",
            name: "protection-turned-off",
            severity: Severity::Warning,
            summary: "Something that protects data is turned off",
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
            summary: "Logs are kept for less time than now",
            explain: include_str!("../../../../docs/rules/PLAN006.md"),
        },
        run: shortened,
    },
    Check {
        rule: Rule {
            code: "PLAN007",
            name: "traffic-interrupted",
            severity: Severity::Warning,
            summary: "Something that every request passes through is destroyed or made anew",
            explain: include_str!("../../../../docs/rules/PLAN007.md"),
        },
        run: interrupted,
    },
];

/// What a type of resource holds, and whether it can be made again.
fn holds(change: &Change) -> Option<(&'static str, Severity)> {
    let holds = match change.kind.as_str() {
        "aws_db_instance" | "aws_rds_cluster" => "all skills, collections and users",
        "aws_kms_key" => "the key without which its data cannot be read",
        "aws_route53_zone" => "the domain's records, and name servers that the parent names",
        "aws_s3_bucket" => "files",
        "aws_dynamodb_table" => "items",
        "aws_db_snapshot" | "aws_backup_vault" => "backups",
        // The toolkit's own secrets are not Terraform's; the one that is composed has a version that is written again.
        "aws_secretsmanager_secret" => match change.before("recovery_window_in_days").as_u64() {
            Some(0) => return Some(("a value that is composed again", Severity::Note)),
            _ => "a value that exists nowhere else",
        },
        "aws_elasticache_replication_group" | "aws_elasticache_cluster" => {
            return Some(("sessions and queued tasks", Severity::Warning));
        }
        "aws_efs_file_system" => {
            return Some(("the search index; `osmt-release migrate` builds it again", Severity::Warning));
        }
        "aws_cloudwatch_log_group" => return Some(("logs", Severity::Warning)),
        _ => return None,
    };
    Some((holds, Severity::Error))
}

fn replaced(plan: &Planned, sink: &mut Sink<'_>) {
    let all = plan.changes.iter();
    for change in all.filter(|change| change.action == Action::Replace) {
        let Some((holds, severity)) = holds(change) else {
            continue;
        };
        let by: Vec<_> = change.forced_by.iter().map(|name| change.told(name)).collect();
        let why = if by.is_empty() { String::new() } else { format!(", forced by {}", by.join(", ")) };
        let at = match change.forced_by.first() {
            Some(name) => change.at(name.split('.').next().unwrap_or(name)),
            None => format!("{}/actions", change.pointer),
        };
        let address = &change.address;
        sink.value(at, format!("{address} is replaced{why}; it holds {holds}")).severity(severity).help(
            if by.is_empty() {
                "leave `-replace` out, or take a snapshot and move the data first"
            } else {
                "undo the change of that attribute, or take a snapshot and move the data first"
            },
        );
    }
}

fn destroyed(plan: &Planned, sink: &mut Sink<'_>) {
    let all = plan.changes.iter();
    for change in all.filter(|change| change.action == Action::Delete) {
        if let Some((holds, severity)) = holds(change) {
            let protected = ["deletion_protection", "deletion_protection_enabled"]
                .iter()
                .any(|name| change.before(name) == &Value::Bool(true));
            let but =
                if protected { "; AWS will refuse, as it is protected, after others are gone" } else { "" };
            let address = &change.address;
            let message = format!("{address} is destroyed; it holds {holds}{but}");
            sink.value(format!("{}/actions", change.pointer), message)
                .severity(severity)
                .help("apply only if the environment is to be taken down, and its data saved");
        }
    }
}

fn without_snapshot(plan: &Planned, sink: &mut Sink<'_>) {
    for change in plan.of("aws_db_instance").filter(|change| change.destroys()) {
        if change.before("skip_final_snapshot") == &Value::Bool(true) {
            let message = format!("{} goes without a final snapshot", change.address);
            sink.value(format!("{}/before/skip_final_snapshot", change.pointer), message)
                .help("set `rds.skip_final_snapshot` to false and apply before you destroy");
        }
    }
}

fn unprotected(plan: &Planned, sink: &mut Sink<'_>) {
    for change in plan.changes.iter().filter(|change| change.action == Action::Update) {
        let mut say = |name: &str, what: &str| {
            sink.value(change.at(name), format!("{}: {what}", change.address))
                .help("leave it on, unless the environment is about to be taken down");
        };
        for (name, what) in [
            ("deletion_protection", "deletion protection is turned off"),
            ("enable_deletion_protection", "deletion protection is turned off"),
            ("deletion_protection_enabled", "deletion protection is turned off"),
            ("enable_key_rotation", "the key is no longer rotated"),
        ] {
            if change.turns_off(name) {
                say(name, what);
            }
        }
        for (name, what) in [
            ("skip_final_snapshot", "it may go without a final snapshot"),
            ("force_destroy", "it may be deleted with all its content"),
            ("delete_automated_backups", "its backups go with it"),
        ] {
            if change.turns_on(name) {
                say(name, what);
            }
        }
        let status = |side: &Value| side.pointer("/versioning_configuration/0/status").cloned();
        if change.kind == "aws_s3_bucket_versioning"
            && status(&change.before) == Some("Enabled".into())
            && status(&change.after) != Some("Enabled".into())
        {
            say("versioning_configuration", "old versions are no longer kept");
        }
        let recovery = |side: &Value| side.pointer("/point_in_time_recovery/0/enabled").cloned();
        if recovery(&change.before) == Some(true.into()) && recovery(&change.after) == Some(false.into()) {
            say("point_in_time_recovery", "it can no longer be restored to a point in time");
        }
    }
}

fn no_backups(plan: &Planned, sink: &mut Sink<'_>) {
    const NAME: &str = "backup_retention_period";
    for change in plan.of("aws_db_instance").filter(|change| change.writes()) {
        if change.after(NAME).as_u64() == Some(0) && change.before(NAME).as_u64() != Some(0) {
            let message = format!("{}: automated backups are off", change.address);
            sink.value(change.at(NAME), message).help("set `rds.backup_retention_days` to 7 or more");
        }
    }
}

fn shortened(plan: &Planned, sink: &mut Sink<'_>) {
    const NAME: &str = "retention_in_days";
    // 0 means for ever.
    let days = |value: &Value| value.as_u64().map(|days| if days == 0 { u64::MAX } else { days });
    for change in plan.of("aws_cloudwatch_log_group") {
        let (before, after) = (days(change.before(NAME)), days(change.after(NAME)));
        if change.action == Action::Update && after.is_some() && after < before {
            let message = format!("{}: {}", change.address, change.told(NAME));
            sink.value(change.at(NAME), message)
                .help("what is older goes within days; export what must stay");
        }
    }
}

fn interrupted(plan: &Planned, sink: &mut Sink<'_>) {
    for change in plan.changes.iter().filter(|change| change.destroys()) {
        let what = match change.kind.as_str() {
            "aws_lb" => "no request reaches the app meanwhile, and its address changes",
            "aws_lb_listener" | "aws_lb_target_group" | "aws_ecs_service" | "aws_ecs_cluster" => {
                "no request is answered meanwhile"
            }
            "aws_vpc" | "aws_subnet" => "everything in it goes with it",
            "aws_nat_gateway" => "tasks cannot reach the Internet meanwhile",
            _ => continue,
        };
        let verb = if change.action == Action::Replace { "made anew" } else { "destroyed" };
        let by: Vec<_> = change.forced_by.iter().map(|name| change.told(name)).collect();
        let why = if by.is_empty() { String::new() } else { format!(" because of {}", by.join(", ")) };
        let message = format!("{} is {verb}{why}: {what}", change.address);
        sink.value(format!("{}/actions", change.pointer), message)
            .help("choose an hour in which nobody is hurt, or undo the change");
    }
}
