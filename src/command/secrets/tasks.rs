//! `rotate --verify`: wait until every running task was started with the new value.

use std::time::Duration;

use aws_smithy_types::DateTime;
use jiff::Timestamp;

use super::deployment::Deployment;
use super::when::when;
use crate::aws::Session;
use crate::aws::ecs::{Desired, TasksOf};
use crate::command::block_on;
use crate::deployment::prefix;
use crate::explain::{Exit, Failure};
use crate::secrets::catalog::Secret;

/// How long an ECS deployment may take: health checks, draining, and a second attempt.
const TIMEOUT_MINUTES: u64 = 20;
const PAUSE: Duration = Duration::from_secs(10);

/// Waits until the tasks of the app's service are newer than the secret's version, and the service is stable.
pub(super) fn watch(deployment: &Deployment<'_>, secret: &Secret) -> Result<Exit, Failure> {
    block_on(deployment.ui, async {
        let session = deployment.open().await?;
        let seen = deployment.observe(&session).await?;
        let name = deployment.remote_name(secret.remote);
        let created = seen.0.get(secret.remote).and_then(|held| held.created);
        let created = created
            .ok_or_else(|| Failure::new(Exit::Refused, format!("{name} has no version in AWS yet")))?;
        let watching = async {
            let mut last_message = String::new();
            let begun = Timestamp::now();
            loop {
                let state = read_tasks(&session, &deployment.config.env, created).await?;
                match state {
                    Tasks::Stable(count) => {
                        let noun = if count == 1 { "running task was" } else { "running tasks were" };
                        deployment.ui.result(format_args!(
                            "{count} {noun} started after {name} changed ({}), and the service is stable",
                            when(created)
                        ))?;
                        return Ok(Exit::Done);
                    }
                    Tasks::Waiting(why) => {
                        if last_message != why {
                            deployment.ui.say(&why);
                            last_message.clone_from(&why);
                        }
                        let waited = Timestamp::now().duration_since(begun);
                        if waited.unsigned_abs() > Duration::from_secs(TIMEOUT_MINUTES * 60) {
                            let message = format!("after {TIMEOUT_MINUTES} minutes {why}");
                            return Err(Failure::new(Exit::Failed, message).help(
                                "`osmt-release status` shows the service's events; run `terraform apply` if it was not run",
                            ));
                        }
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        deployment.ui.during("watching the tasks", watching).await
    })
}

enum Tasks {
    Stable(usize),
    Waiting(String),
}

async fn read_tasks(session: &Session, env: &str, created: Timestamp) -> Result<Tasks, Failure> {
    let ecs = session.ecs();
    let (cluster, service) = (prefix(env), format!("{}-app", prefix(env)));
    let none = || {
        Failure::new(Exit::Refused, format!("ECS service {service} does not exist yet"))
            .help("run `terraform apply` first")
    };
    let services = match ecs.describe_services(&cluster, &service).await {
        Err(error) if error.is("ClusterNotFoundException") => return Err(none()),
        other => other?,
    };
    let found = services.iter().find(|found| found.status != "INACTIVE");
    let found = found.ok_or_else(none)?;
    let arns = ecs.list_tasks(&cluster, TasksOf::Service(&service), Desired::Running).await?;
    if arns.is_empty() {
        return Ok(Tasks::Waiting(format!("no task of {service} is running")));
    }
    let tasks = ecs.describe_tasks(&cluster, &arns).await?;
    let is_old = |at: Option<DateTime>| {
        at.and_then(|at| Timestamp::from_second(at.secs()).ok()).is_none_or(|at| at < created)
    };
    let old = tasks.iter().filter(|task| is_old(task.created_at)).count();
    if old > 0 {
        let noun = if old == 1 { "task was" } else { "tasks were" };
        return Ok(Tasks::Waiting(format!("{old} {noun} started before the value was changed")));
    }
    let (running, desired) = (found.running_count, found.desired_count);
    if found.deployments.len() > 1 || running != desired {
        return Ok(Tasks::Waiting(format!(
            "{running} of {desired} tasks are running, the deployment is in progress"
        )));
    }
    Ok(Tasks::Stable(tasks.len()))
}
