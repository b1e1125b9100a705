//! Data that a plan destroys, replaces or stops managing.

use crate::doctor::planned::{Action, Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Loss of data.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN001",
            name: "stateful-resource-replaced",
            severity: Severity::Error,
            summary: "A resource with data is replaced by an empty one",
            explain: include_str!("../../../../docs/rules/PLAN001.md"),
        },
        run: replaced,
    },
    Check {
        rule: Rule {
            code: "PLAN002",
            name: "stateful-resource-destroyed",
            severity: Severity::Error,
            summary: "A resource with data is destroyed",
            explain: include_str!("../../../../docs/rules/PLAN002.md"),
        },
        run: destroyed,
    },
    Check {
        rule: Rule {
            code: "PLAN003",
            name: "database-destroyed-without-snapshot",
            severity: Severity::Error,
            summary: "The database is destroyed without a final snapshot",
            explain: include_str!("../../../../docs/rules/PLAN003.md"),
        },
        run: without_snapshot,
    },
    Check {
        rule: Rule {
            code: "PLAN009",
            name: "stateful-resource-forgotten",
            severity: Severity::Warning,
            summary: "Terraform stops managing a resource with data",
            explain: include_str!("../../../../docs/rules/PLAN009.md"),
        },
        run: forgotten,
    },
];

/// What a resource contains, and the severity of losing it; `None` for resources without data.
fn contents(change: &Change) -> Option<(&'static str, Severity)> {
    let contents = match change.kind.as_str() {
        "aws_db_instance" | "aws_rds_cluster" => "all skills, collections and users",
        "aws_kms_key" => "the key without which its data cannot be read",
        "aws_route53_zone" => "the domain's records, and the name servers that the parent zone names",
        "aws_s3_bucket" | "aws_ebs_volume" => "files",
        "aws_dynamodb_table" => "items",
        "aws_cognito_user_pool" => "users",
        "aws_ecr_repository" => "images",
        "aws_db_snapshot" | "aws_db_cluster_snapshot" | "aws_backup_vault" => "backups",
        // Terraform manages only the secret with the composed DB_URI, and writes its value again.
        "aws_secretsmanager_secret" => match change.before("recovery_window_in_days").as_u64() {
            Some(0) => return Some(("a value that Terraform composes again", Severity::Note)),
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
    Some((contents, Severity::Error))
}

fn replaced(plan: &Planned, sink: &mut Sink<'_>) {
    for change in &plan.changes {
        let what = match change.action {
            Action::Replace => "is replaced",
            Action::ReplaceAndForget => {
                "is replaced by an empty one, and the present one stays in AWS outside of Terraform"
            }
            Action::Nothing
            | Action::Read
            | Action::Create
            | Action::Update
            | Action::Delete
            | Action::Forget
            | Action::Unknown => continue,
        };
        let Some((contents, severity)) = contents(change) else {
            continue;
        };
        let why = change.reason(", forced by ");
        let at = match change.forced_by.first() {
            Some(name) => change.at(name.split('.').next().unwrap_or(name)),
            None => change.at_actions(),
        };
        let address = &change.address;
        sink.value(at, format!("{address} {what}{why}; it contains {contents}")).severity(severity).help(
            if why.is_empty() {
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
        if let Some((contents, severity)) = contents(change) {
            let protected = ["deletion_protection", "deletion_protection_enabled"]
                .iter()
                .any(|name| change.before(name) == true);
            let but = if protected {
                "; AWS refuses because of its deletion protection, after other resources are destroyed"
            } else {
                ""
            };
            let deposed = match &change.deposed {
                Some(key) => format!(" (object {key}, left from an earlier replacement)"),
                None => String::new(),
            };
            let address = &change.address;
            let message = format!("{address}{deposed} is destroyed; it contains {contents}{but}");
            sink.value(change.at_actions(), message)
                .severity(severity)
                .help("apply only if you want to take the environment down and its data is saved");
        }
    }
}

fn without_snapshot(plan: &Planned, sink: &mut Sink<'_>) {
    for change in plan.of("aws_db_instance").chain(plan.of("aws_rds_cluster")) {
        if change.destroys() && change.before("skip_final_snapshot") == true {
            let message = format!("{} is destroyed without a final snapshot", change.address);
            sink.value(format!("{}/before/skip_final_snapshot", change.pointer), message)
                .help("set `rds.skip_final_snapshot` to false and apply before you destroy");
        }
    }
}

fn forgotten(plan: &Planned, sink: &mut Sink<'_>) {
    let all = plan.changes.iter();
    for change in all.filter(|change| change.action == Action::Forget) {
        if let Some((contents, _)) = contents(change) {
            let message = format!(
                "Terraform stops managing {}, which contains {contents}; it stays in AWS and is billed, and no later plan shows it",
                change.address
            );
            sink.value(change.at_actions(), message)
                .help("delete the `removed` block, or import the resource into the directory that manages it from now on");
        }
    }
}
