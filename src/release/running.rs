//! What ECS runs: the app's service, the task definition that it deploys, its tasks and their digests.

use aws_sdk_ecs::types::DesiredStatus;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde::Serialize;

use crate::account::Known;
use crate::aws::{CallError, Session, Why, call};
use crate::deployment;

/// The app's container in its task definition.
const CONTAINER: &str = "app";
/// As many tasks as one call takes.
const PAGE: usize = 100;
/// As many events and stopped tasks as are shown.
const EVENTS: usize = 5;

/// What ECS reports. `None` inside `Known` means: asked, and it does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Running {
    /// The service and its newest deployment.
    pub service: Known<Option<Service>>,
    /// The image in the task definition of that deployment.
    pub image: Known<Option<String>>,
    /// The tasks that run or are about to.
    pub tasks: Known<Vec<Task>>,
    /// The newest revision of the app's task definition.
    pub newest: Known<Option<String>>,
    /// What the load balancer says of the tasks.
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
    /// Why, in ECS's words.
    pub reason: Option<String>,
    /// Tasks that run.
    pub running: i32,
    /// Tasks that should run.
    pub desired: i32,
    /// Tasks of this deployment that failed to start.
    pub failed: i32,
    /// What ECS says of the deployment, newest first.
    pub events: Vec<String>,
    /// The load balancer's target groups.
    pub target_groups: Vec<String>,
}

/// A task as the load balancer sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its address.
    pub id: String,
    /// `healthy`, `initial`, `unhealthy`, `draining`, …
    pub state: String,
    /// Why, in the load balancer's words.
    pub reason: String,
}

/// A task that stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// Its id.
    pub id: String,
    /// When, UTC.
    pub at: String,
    /// Why, in ECS's words, the containers included.
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

/// The service's name, and the cluster's is the prefix alone.
pub fn service_name(env: &str) -> String {
    format!("{}-app", deployment::prefix(env))
}

/// Reads what runs; what is denied is unknown, and no connection is an error.
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
    let request =
        session.ecs().describe_services().cluster(deployment::prefix(env)).services(service_name(env));
    let answer = match known(call("ecs:DescribeServices", request.send().await))? {
        Known::Known(answer) => answer,
        Known::Unknown(why) => return Ok((Known::Unknown(why.clone()), Known::Unknown(why))),
    };
    let service = answer
        .and_then(|answer| answer.services)
        .unwrap_or_default()
        .into_iter()
        .find(|service| service.status() != Some("INACTIVE"));
    let Some(service) = service else {
        return Ok((Known::Known(None), Known::Known(None)));
    };
    let primary = service.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"));
    let seen = Service {
        task_definition: primary
            .and_then(|primary| primary.task_definition())
            .or(service.task_definition())
            .unwrap_or_default()
            .to_owned(),
        rollout: primary.and_then(|primary| primary.rollout_state()).map(|state| state.as_str().to_owned()),
        reason: primary.and_then(|primary| primary.rollout_state_reason()).map(str::to_owned),
        running: primary.map_or(service.running_count, |primary| primary.running_count),
        desired: primary.map_or(service.desired_count, |primary| primary.desired_count),
        failed: primary.map_or(0, |primary| primary.failed_tasks),
        events: events(&service, primary.and_then(|primary| primary.created_at())),
        target_groups: service
            .load_balancers()
            .iter()
            .filter_map(|balancer| balancer.target_group_arn())
            .map(str::to_owned)
            .collect(),
    };
    let request = session.ecs().describe_task_definition().task_definition(&seen.task_definition);
    let image = match known(call("ecs:DescribeTaskDefinition", request.send().await))? {
        Known::Known(answer) => {
            Known::Known(answer.and_then(|answer| answer.task_definition).and_then(|definition| {
                let containers = definition.container_definitions();
                let app = containers.iter().find(|one| one.name() == Some(CONTAINER))?;
                app.image().map(str::to_owned)
            }))
        }
        Known::Unknown(reason) => Known::Unknown(reason),
    };
    Ok((Known::Known(Some(seen)), image))
}

/// What ECS said of the service since its newest deployment began.
fn events(service: &aws_sdk_ecs::types::Service, since: Option<&DateTime>) -> Vec<String> {
    let since = since.map_or(i64::MIN, DateTime::secs);
    let recent =
        service.events().iter().filter(|event| event.created_at().map_or(i64::MAX, DateTime::secs) >= since);
    recent
        .filter_map(|event| Some(format!("{} {}", time(event.created_at()), event.message()?)))
        .take(EVENTS)
        .collect()
}

/// `2026-01-02 03:04:05 UTC`
fn time(at: Option<&DateTime>) -> String {
    let at = at.and_then(|at| Timestamp::from_second(at.secs()).ok());
    at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// The newest revision of the app's task definition; Terraform registers one for each change.
async fn newest(session: &Session, env: &str) -> Result<Known<Option<String>>, CallError> {
    let request = session.ecs().describe_task_definition().task_definition(service_name(env));
    let answer = match call("ecs:DescribeTaskDefinition", request.send().await) {
        Err(error) if error.is("ClientException") => return Ok(Known::Known(None)),
        answer => known(answer)?,
    };
    Ok(match answer {
        Known::Known(answer) => {
            let definition = answer.and_then(|answer| answer.task_definition);
            Known::Known(definition.and_then(|one| one.task_definition_arn))
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
    let (ecs, cluster) = (session.ecs(), deployment::prefix(env));
    let request = ecs
        .list_tasks()
        .cluster(&cluster)
        .service_name(service_name(env))
        .desired_status(DesiredStatus::Stopped);
    let arns = match known(call("ecs:ListTasks", request.send().await))? {
        Known::Known(answer) => answer.and_then(|answer| answer.task_arns).unwrap_or_default(),
        Known::Unknown(reason) => return Ok(Known::Unknown(reason)),
    };
    if arns.is_empty() {
        return Ok(Known::Known(Vec::new()));
    }
    let request = ecs.describe_tasks().cluster(&cluster).set_tasks(Some(arns));
    let mut tasks = match known(call("ecs:DescribeTasks", request.send().await))? {
        Known::Known(answer) => answer.and_then(|answer| answer.tasks).unwrap_or_default(),
        Known::Unknown(reason) => return Ok(Known::Unknown(reason)),
    };
    tasks.retain(|task| task.last_status() == Some("STOPPED"));
    tasks.sort_by_key(|task| std::cmp::Reverse(task.stopped_at().map_or(0, DateTime::secs)));
    let stopped = tasks.iter().take(EVENTS).map(|task| {
        let reason = task.stopped_reason().map(str::to_owned);
        let containers = task.containers().iter().filter_map(|container| {
            let name = container.name().unwrap_or_default();
            match (container.exit_code(), container.reason()) {
                (_, Some(reason)) => Some(format!("{name}: {reason}")),
                (Some(exit), None) if exit != 0 => Some(format!("{name}: exit {exit}")),
                _ => None,
            }
        });
        Stopped {
            id: task.task_arn().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default().to_owned(),
            at: time(task.stopped_at()),
            reason: reason.into_iter().chain(containers).collect::<Vec<_>>().join("; "),
        }
    });
    Ok(Known::Known(stopped.collect()))
}

async fn tasks(session: &Session, env: &str) -> Result<Known<Vec<Task>>, CallError> {
    let ecs = session.ecs();
    let mut arns = Vec::new();
    let mut page = None;
    loop {
        let request = ecs
            .list_tasks()
            .cluster(deployment::prefix(env))
            .service_name(service_name(env))
            .desired_status(DesiredStatus::Running)
            .set_next_token(page);
        match known(call("ecs:ListTasks", request.send().await))? {
            Known::Known(Some(answer)) => {
                page = answer.next_token;
                arns.extend(answer.task_arns.unwrap_or_default());
            }
            Known::Known(None) => return Ok(Known::Known(Vec::new())),
            Known::Unknown(reason) => return Ok(Known::Unknown(reason)),
        }
        if page.is_none() {
            break;
        }
    }
    let mut tasks = Vec::new();
    for some in arns.chunks(PAGE) {
        let request = ecs.describe_tasks().cluster(deployment::prefix(env)).set_tasks(Some(some.to_vec()));
        match known(call("ecs:DescribeTasks", request.send().await))? {
            Known::Known(answer) => tasks.extend(
                answer
                    .and_then(|answer| answer.tasks)
                    .unwrap_or_default()
                    .iter()
                    .filter(|task| task.last_status() != Some("STOPPED"))
                    .map(task),
            ),
            Known::Unknown(reason) => return Ok(Known::Unknown(reason)),
        }
    }
    Ok(Known::Known(tasks))
}

fn task(task: &aws_sdk_ecs::types::Task) -> Task {
    let app = task.containers().iter().find(|container| container.name() == Some(CONTAINER));
    Task {
        task_definition: task.task_definition_arn().unwrap_or_default().to_owned(),
        digest: app.and_then(|container| container.image_digest()).map(str::to_owned),
        status: task.last_status().unwrap_or_default().to_owned(),
        health: task.health_status().map_or("UNKNOWN", |health| health.as_str()).to_owned(),
    }
}

/// What is not found is `None`, what is denied is unknown, the rest is an error.
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
    /// The one digest that all tasks run, or why it is not known.
    pub fn digest(&self) -> Known<String> {
        let tasks = match &self.tasks {
            Known::Known(tasks) => tasks,
            Known::Unknown(reason) => return Known::Unknown(reason.clone()),
        };
        if tasks.iter().any(|task| task.digest.is_none()) {
            return Known::Unknown("ECS gives no digest of a task".into());
        }
        let digests = self.digests();
        match digests.as_slice() {
            [] => Known::Unknown("ECS lists no task that runs".into()),
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

/// When the environment's database was made, by RDS's word, in the session's account and region; `None` where there is none.
///
/// A database that was restored from a snapshot is a new one.
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
