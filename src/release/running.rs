//! What runs in ECS: the app's service, the task definition that it deploys, its tasks and their digests.

use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde::Serialize;

use crate::account::Known;
use crate::aws::ecs::{self, Desired, TasksOf};
use crate::aws::{CallError, Session, Why};
use crate::deployment;

/// The app's container in its task definition.
const CONTAINER: &str = "app";
/// How many events and stopped tasks are shown.
const EVENTS: usize = 5;

/// What ECS reports. `Known(None)` means that it does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Running {
    /// The service and its newest deployment.
    pub service: Known<Option<Service>>,
    /// The image in the task definition of that deployment.
    pub image: Known<Option<String>>,
    /// The tasks that run or are starting.
    pub tasks: Known<Vec<Task>>,
    /// The newest revision of the app's task definition.
    pub newest: Known<Option<String>>,
    /// The health of the tasks in the load balancer's target groups.
    pub targets: Known<Vec<Target>>,
    /// Tasks that stopped within the last hour, newest first.
    pub stopped: Known<Vec<Stopped>>,
}

/// The app's service and its PRIMARY deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Service {
    /// The task definition's ARN.
    pub task_definition: String,
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`.
    pub rollout: Option<String>,
    /// ECS's reason for the rollout state.
    pub reason: Option<String>,
    /// Tasks that run.
    pub running: i32,
    /// Tasks that should run.
    pub desired: i32,
    /// Tasks of this deployment that failed to start.
    pub failed: i32,
    /// The service events of the deployment, newest first.
    pub events: Vec<String>,
    /// The load balancer's target groups.
    pub target_groups: Vec<String>,
}

/// A target of the load balancer: a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its IP address.
    pub id: String,
    /// `healthy`, `initial`, `unhealthy`, `draining`, …
    pub state: String,
    /// The load balancer's reason for the state.
    pub reason: String,
}

/// A task that stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// Its id.
    pub id: String,
    /// The time in UTC.
    pub at: String,
    /// ECS's reasons for the task and its containers.
    pub reason: String,
}

/// A task that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Task {
    /// The task definition's ARN.
    pub task_definition: String,
    /// The digest of the app's image: `sha256:…`.
    pub digest: Option<String>,
    /// `PENDING`, `RUNNING`, …
    pub status: String,
    /// `HEALTHY`, `UNHEALTHY`, `UNKNOWN`
    pub health: String,
}

/// The name of the app's service. The cluster's name is the prefix alone.
pub fn service_name(env: &str) -> String {
    format!("{}-app", deployment::prefix(env))
}

/// Reads what runs. A denied call makes its value unknown; a failed connection is an error.
pub async fn observe(session: &Session, env: &str) -> Result<Running, CallError> {
    let (deployed, tasks, newest, stopped) = tokio::join!(
        deployed(session, env),
        tasks(session, env),
        newest(session, env),
        stopped(session, env)
    );
    let (service, image) = deployed?;
    let targets = match &service {
        Known::Known(Some(service)) => targets(session, &service.target_groups).await,
        _ => Known::Known(Vec::new()),
    };
    Ok(Running { service, image, tasks: tasks?, newest: newest?, targets, stopped: stopped? })
}

type Deployed = (Known<Option<Service>>, Known<Option<String>>);

async fn deployed(session: &Session, env: &str) -> Result<Deployed, CallError> {
    let answer = session.ecs().describe_services(&deployment::prefix(env), &service_name(env)).await;
    let services = match known(answer)? {
        Known::Known(services) => services.unwrap_or_default(),
        Known::Unknown(why) => return Ok((Known::Unknown(why.clone()), Known::Unknown(why))),
    };
    let service = services.into_iter().find(|service| service.status != "INACTIVE");
    let Some(service) = service else {
        return Ok((Known::Known(None), Known::Known(None)));
    };
    let primary = service.deployments.iter().find(|deployment| deployment.status == "PRIMARY");
    let seen = Service {
        task_definition: primary
            .and_then(|primary| primary.task_definition.clone())
            .or(service.task_definition.clone())
            .unwrap_or_default(),
        rollout: primary.and_then(|primary| primary.rollout_state.clone()),
        reason: primary.and_then(|primary| primary.rollout_state_reason.clone()),
        running: primary.map_or(service.running_count, |primary| primary.running_count),
        desired: primary.map_or(service.desired_count, |primary| primary.desired_count),
        failed: primary.map_or(0, |primary| primary.failed_tasks),
        events: events(&service, primary.and_then(|primary| primary.created_at)),
        target_groups: service
            .load_balancers
            .iter()
            .filter_map(|balancer| balancer.target_group_arn.clone())
            .collect(),
    };
    let answer = session.ecs().describe_task_definition(&seen.task_definition).await;
    let image = match known(answer)? {
        Known::Known(definition) => Known::Known(definition.flatten().and_then(|definition| {
            let containers = definition.container_definitions;
            containers.into_iter().find(|one| one.name == CONTAINER)?.image
        })),
        Known::Unknown(reason) => Known::Unknown(reason),
    };
    Ok((Known::Known(Some(seen)), image))
}

/// The service events since the newest deployment began.
fn events(service: &ecs::Service, since: Option<DateTime>) -> Vec<String> {
    let since = since.map_or(i64::MIN, |at| at.secs());
    let recent =
        service.events.iter().filter(|event| event.created_at.map_or(i64::MAX, |at| at.secs()) >= since);
    recent
        .filter_map(|event| Some(format!("{} {}", time(event.created_at), event.message.as_ref()?)))
        .take(EVENTS)
        .collect()
}

/// `2026-01-02 03:04:05 UTC`
fn time(at: Option<DateTime>) -> String {
    let at = at.and_then(|at| Timestamp::from_second(at.secs()).ok());
    at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// The newest revision of the app's task definition; Terraform registers one for each change.
async fn newest(session: &Session, env: &str) -> Result<Known<Option<String>>, CallError> {
    let answer = match session.ecs().describe_task_definition(&service_name(env)).await {
        Err(error) if error.is("ClientException") => return Ok(Known::Known(None)),
        answer => known(answer)?,
    };
    Ok(match answer {
        Known::Known(definition) => {
            Known::Known(definition.flatten().and_then(|one| one.task_definition_arn))
        }
        Known::Unknown(reason) => Known::Unknown(reason),
    })
}

async fn targets(session: &Session, groups: &[String]) -> Known<Vec<Target>> {
    let mut targets = Vec::new();
    for group in groups {
        let parameters = [("TargetGroupArn", group.as_str())];
        let answer = session.load_balancing("elasticloadbalancing:DescribeTargetHealth", &parameters).await;
        let rows = answer.and_then(|answer| {
            answer.deep_rows("TargetHealthDescriptions", ["Id", "State", "Reason", "Description"])
        });
        match rows {
            Ok(rows) => targets.extend(rows.into_iter().map(|[id, state, code, description]| Target {
                id,
                state,
                reason: if description.is_empty() { code } else { description },
            })),
            Err(error) => return Known::Unknown(error.reason()),
        }
    }
    Known::Known(targets)
}

/// Tasks of the service that stopped, newest first; ECS keeps them for an hour.
async fn stopped(session: &Session, env: &str) -> Result<Known<Vec<Stopped>>, CallError> {
    let mut tasks = match described(session, env, Desired::Stopped).await? {
        Known::Known(tasks) => tasks,
        Known::Unknown(reason) => return Ok(Known::Unknown(reason)),
    };
    tasks.retain(|task| task.last_status == "STOPPED");
    tasks.sort_by_key(|task| std::cmp::Reverse(task.stopped_at.map_or(0, |at| at.secs())));
    let stopped = tasks.iter().take(EVENTS).map(|task| {
        let reason = task.stopped_reason.clone();
        let containers = task.containers.iter().filter_map(|container| {
            let name = &container.name;
            match (container.exit_code, &container.reason) {
                (_, Some(reason)) => Some(format!("{name}: {reason}")),
                (Some(exit), None) if exit != 0 => Some(format!("{name}: exit {exit}")),
                _ => None,
            }
        });
        Stopped {
            id: task.task_arn.iter().filter_map(|arn| arn.rsplit('/').next()).collect(),
            at: time(task.stopped_at),
            reason: reason.into_iter().chain(containers).collect::<Vec<_>>().join("; "),
        }
    });
    Ok(Known::Known(stopped.collect()))
}

async fn tasks(session: &Session, env: &str) -> Result<Known<Vec<Task>>, CallError> {
    Ok(match described(session, env, Desired::Running).await? {
        Known::Known(tasks) => {
            Known::Known(tasks.into_iter().filter(|task| task.last_status != "STOPPED").map(task).collect())
        }
        Known::Unknown(reason) => Known::Unknown(reason),
    })
}

/// The tasks of the app's service; none if the cluster or the service does not exist.
async fn described(
    session: &Session,
    env: &str,
    desired: Desired,
) -> Result<Known<Vec<ecs::Task>>, CallError> {
    let (ecs, cluster, service) = (session.ecs(), deployment::prefix(env), service_name(env));
    let arns = match known(ecs.list_tasks(&cluster, TasksOf::Service(&service), desired).await)? {
        Known::Known(arns) => arns.unwrap_or_default(),
        Known::Unknown(reason) => return Ok(Known::Unknown(reason)),
    };
    Ok(match known(ecs.describe_tasks(&cluster, &arns).await)? {
        Known::Known(tasks) => Known::Known(tasks.unwrap_or_default()),
        Known::Unknown(reason) => Known::Unknown(reason),
    })
}

fn task(task: ecs::Task) -> Task {
    let app = task.containers.into_iter().find(|container| container.name == CONTAINER);
    Task {
        task_definition: task.task_definition_arn.unwrap_or_default(),
        digest: app.and_then(|container| container.image_digest),
        status: task.last_status,
        health: task.health_status.unwrap_or_else(|| "UNKNOWN".to_owned()),
    }
}

/// `Known(None)` if not found, unknown if denied; any other error is an error.
fn known<T>(answer: Result<T, CallError>) -> Result<Known<Option<T>>, CallError> {
    match answer {
        Ok(answer) => Ok(Known::Known(Some(answer))),
        Err(error) => match error.why {
            Why::NotFound => Ok(Known::Known(None)),
            _ if error.is_denied() => Ok(Known::Unknown(error.reason())),
            _ => Err(error),
        },
    }
}

impl Running {
    /// The digest that all tasks run, or why it is not known.
    pub fn digest(&self) -> Known<String> {
        let tasks = match &self.tasks {
            Known::Known(tasks) => tasks,
            Known::Unknown(reason) => return Known::Unknown(reason.clone()),
        };
        if tasks.iter().any(|task| task.digest.is_none()) {
            return Known::Unknown("ECS does not report the digest of a task".into());
        }
        let digests = self.digests();
        match digests.as_slice() {
            [] => Known::Unknown("ECS lists no running task".into()),
            [one] => Known::Known((*one).to_owned()),
            many => Known::Unknown(format!("the tasks run {} different digests", many.len())),
        }
    }

    /// The different digests that the tasks run.
    pub fn digests(&self) -> Vec<&str> {
        let tasks = self.tasks.as_result().map(Vec::as_slice).unwrap_or_default();
        let mut digests: Vec<&str> = tasks.iter().filter_map(|task| task.digest.as_deref()).collect();
        digests.sort_unstable();
        digests.dedup();
        digests
    }
}

/// The creation time of the environment's database in the session's account and region; `None` if it does not exist.
///
/// A database that was restored from a snapshot is a new one with a new time.
pub async fn database(session: &Session, env: &str) -> Result<Option<String>, CallError> {
    let name = deployment::prefix(env);
    match session.rds("rds:DescribeDBInstances", &[("DBInstanceIdentifier", name.as_str())]).await {
        Ok(answer) => {
            let rows = answer.deep_rows("DBInstances", ["InstanceCreateTime"])?;
            Ok(Some(rows.into_iter().next().map(|[time]| time).unwrap_or_default()))
        }
        // Amazon RDS API Reference, "DescribeDBInstances".
        Err(error) if error.is("DBInstanceNotFound") => Ok(None),
        Err(error) => Err(error),
    }
}
