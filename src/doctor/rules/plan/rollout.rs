//! Whether the running app gets what the plan changes, and whether a rollback stays possible.

use serde_json::Value;

use super::names::report_unknown;
use crate::doctor::planned::{Action, Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Rollout and rollback.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN030",
            name: "task-definition-never-deployed",
            severity: Severity::Error,
            summary: "A task definition changes, but the service that runs it does not",
            explain: include_str!("../../../../docs/rules/PLAN030.md"),
        },
        run: never_deployed,
    },
    Check {
        rule: Rule {
            code: "PLAN031",
            name: "rollback-impossible",
            severity: Severity::Warning,
            summary: "The revision that runs now is deregistered",
            explain: include_str!("../../../../docs/rules/PLAN031.md"),
        },
        run: deregistered,
    },
    Check {
        rule: Rule {
            code: "PLAN032",
            name: "rotation-stops-half-way",
            severity: Severity::Error,
            summary: "The database gets a new password, but the app keeps the old one",
            explain: include_str!("../../../../docs/rules/PLAN032.md"),
        },
        run: incomplete_rotation,
    },
    Check {
        rule: Rule {
            code: "PLAN034",
            name: "service-without-tasks",
            severity: Severity::Warning,
            summary: "A service is scaled to 0 tasks",
            explain: include_str!("../../../../docs/rules/PLAN034.md"),
        },
        run: no_tasks,
    },
    Check {
        rule: Rule {
            code: "PLAN035",
            name: "database-restarts-now",
            severity: Severity::Warning,
            summary: "The database restarts during apply",
            explain: include_str!("../../../../docs/rules/PLAN035.md"),
        },
        run: restarts,
    },
];

/// The family in a task definition's ARN or name: `osmt-test-app`.
fn family(definition: &Value) -> Option<&str> {
    let name = definition.as_str()?.rsplit('/').next()?;
    name.split(':').next()
}

/// Whether a task definition gets a new revision in place of one that exists.
fn revised(change: &Change) -> bool {
    matches!(change.action, Action::Replace | Action::ReplaceAndForget | Action::Update)
}

fn never_deployed(plan: &Planned, sink: &mut Sink<'_>) {
    for change in plan.of("aws_ecs_task_definition").filter(|c| revised(c)) {
        let services = plan.of("aws_ecs_service");
        for service in services.filter(|service| service.action == Action::Nothing) {
            let runs = family(service.before("task_definition"));
            if runs.is_some() && runs == change.before("family").as_str() {
                let message = format!(
                    "{} gets a new revision, but {} does not run it",
                    change.address, service.address
                );
                sink.value(service.at_actions(), message)
                    .help("remove `task_definition` from the service's `ignore_changes`");
            }
        }
    }
}

fn deregistered(plan: &Planned, sink: &mut Sink<'_>) {
    let definitions = plan.of("aws_ecs_task_definition");
    for change in definitions.filter(|change| change.action == Action::Replace) {
        if change.before("skip_destroy") != &Value::Bool(true) {
            let message = format!("{}: the revision that runs now is deregistered", change.address);
            sink.value(change.at("skip_destroy"), message)
                .help("set `skip_destroy = true` and apply that first");
        }
    }
}

fn incomplete_rotation(plan: &Planned, sink: &mut Sink<'_>) {
    const REVISION: &str = "password_wo_version";
    for change in plan.of("aws_db_instance") {
        let is_rotated = change.before(REVISION) != change.after(REVISION);
        if change.action != Action::Update || !is_rotated {
            continue;
        }
        let is_unchanged = |kind: &'static str| {
            let mut all = plan.of(kind).peekable();
            all.peek().is_some() && all.all(|one| one.action == Action::Nothing)
        };
        let missing = if is_unchanged("aws_secretsmanager_secret_version") {
            "the secret that the app reads does not change"
        } else if is_unchanged("aws_ecs_task_definition") {
            "no task is restarted"
        } else {
            continue;
        };
        let message = format!("{} gets a new password, but {missing}", change.address);
        sink.value(change.at(REVISION), message)
            .help("raise `secrets_revision`, which changes all of them together");
    }
}

fn no_tasks(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    for change in plan.written() {
        let name = match change.kind.as_str() {
            "aws_ecs_service" => "desired_count",
            "aws_appautoscaling_target" => "min_capacity",
            _ => continue,
        };
        if plan.is_set_but_unknown(change, name) {
            undecided.push(format!("{name} of {}", change.address));
        }
        if change.after(name).as_u64() == Some(0) && change.before(name).as_u64() != Some(0) {
            sink.value(change.at(name), format!("{} runs no task", change.address)).help("set at least 1");
        }
    }
    report_unknown(undecided, sink);
}

fn restarts(plan: &Planned, sink: &mut Sink<'_>) {
    let databases = plan.of("aws_db_instance");
    for change in databases.filter(|change| change.action == Action::Update) {
        let now = change.after("apply_immediately") == &Value::Bool(true);
        let names = ["instance_class", "engine_version", "parameter_group_name"];
        let changed = names.iter().find(|name| change.before(name) != change.after(name));
        if let Some(name) = changed.filter(|_| now) {
            let message = format!("{} restarts during apply: {}", change.address, change.difference(name));
            sink.value(change.at(name), message)
                .help("apply it at an hour when that is acceptable, or leave it to the maintenance window");
        }
    }
}
