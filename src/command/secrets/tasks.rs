//! `rotate --verify`: a rotation ends where every task that runs was started with the new value.

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

/// How long a deployment may take: health checks, draining, and a second try of ECS.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
const PAUSE: Duration = Duration::from_secs(10);

/// Watches the app's service until its tasks are newer than the secret's version and the service is steady.
pub(super) fn watch(deployment: &Deployment<'_>, secret: &Secret) -> Result<Exit, Failure> {
    block_on(deployment.ui, async {
        let session = deployment.open().await?;
        let seen = deployment.observe(&session).await?;
        let name = deployment.remote_name(secret.remote);
        let created = seen.0.get(secret.remote).and_then(|held| held.created);
        let created = created
            .ok_or_else(|| Failure::new(Exit::Refused, format!("{name} has no version in AWS yet")))?;
        let watching = async {
            let mut said = String::new();
            let begun = Timestamp::now();
            loop {
                let state = look(&session, &deployment.config.env, created).await?;
                match state {
                    Tasks::Steady(count) => {
                        let noun = if count == 1 { "task that runs was" } else { "tasks that run were" };
                        deployment.ui.result(format_args!(
                            "{count} {noun} started after {name} was changed ({}), and the service is steady",
                            when(created)
                        ))?;
                        return Ok(Exit::Done);
                    }
                    Tasks::Waiting(why) => {
                        if said != why {
                            deployment.ui.say(&why);
                            said.clone_from(&why);
                        }
                        let waited = Timestamp::now().duration_since(begun);
                        if waited.unsigned_abs() > PATIENCE {
                            return Err(Failure::new(Exit::Failed, format!("after 20 minutes {why}")).help(
                                "`osmt-release status` shows the service's events; `terraform apply` starts the deployment where it was not run",
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
    Steady(usize),
    Waiting(String),
}

async fn look(session: &Session, env: &str, created: Timestamp) -> Result<Tasks, Failure> {
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
        return Ok(Tasks::Waiting(format!("no task of {service} runs")));
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
            "{running} of {desired} tasks run, the deployment is in progress"
        )));
    }
    Ok(Tasks::Steady(tasks.len()))
}
