//! What ECS runs: the app's service, the task definition that it deploys, its tasks and their digests.

use aws_sdk_ecs::types::DesiredStatus;
use serde::Serialize;

use crate::account::Known;
use crate::aws::{CallError, Session, Why, call};
use crate::config;

/// The app's container in its task definition.
const CONTAINER: &str = "app";
/// As many tasks as one call takes.
const PAGE: usize = 100;

/// What ECS tells. `None` inside `Known` means: looked, and it is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Running {
    /// The service and its newest deployment.
    pub service: Known<Option<Service>>,
    /// The image in the task definition of that deployment.
    pub image: Known<Option<String>>,
    /// The tasks that run.
    pub tasks: Known<Vec<Task>>,
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
}

/// A task that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Task {
    /// The task definition's ARN.
    pub task_definition: String,
    /// The digest of the app's image: `sha256:…`.
    pub digest: Option<String>,
}

/// The service's name, and the cluster's is the prefix alone.
pub fn service_name(env: &str) -> String {
    format!("{}-app", config::prefix(env))
}

/// Reads what runs; what is denied is unknown, and no connection is an error.
pub async fn observe(session: &Session, env: &str) -> Result<Running, CallError> {
    let (deployed, tasks) = tokio::join!(deployed(session, env), tasks(session, env));
    let (service, image) = deployed?;
    Ok(Running { service, image, tasks: tasks? })
}

type Deployed = (Known<Option<Service>>, Known<Option<String>>);

async fn deployed(session: &Session, env: &str) -> Result<Deployed, CallError> {
    let request = session.ecs().describe_services().cluster(config::prefix(env)).services(service_name(env));
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

async fn tasks(session: &Session, env: &str) -> Result<Known<Vec<Task>>, CallError> {
    let ecs = session.ecs();
    let mut arns = Vec::new();
    let mut page = None;
    loop {
        let request = ecs
            .list_tasks()
            .cluster(config::prefix(env))
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
        let request = ecs.describe_tasks().cluster(config::prefix(env)).set_tasks(Some(some.to_vec()));
        match known(call("ecs:DescribeTasks", request.send().await))? {
            Known::Known(answer) => tasks.extend(
                answer
                    .and_then(|answer| answer.tasks)
                    .unwrap_or_default()
                    .iter()
                    .filter(|task| task.last_status() == Some("RUNNING"))
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
        let mut digests: Vec<&str> = Vec::new();
        for task in tasks {
            match &task.digest {
                Some(digest) if digests.contains(&digest.as_str()) => {}
                Some(digest) => digests.push(digest),
                None => return Known::Unknown("ECS tells no digest of a task".into()),
            }
        }
        match digests.as_slice() {
            [] => Known::Unknown("ECS lists no task that runs".into()),
            [one] => Known::Known((*one).to_owned()),
            many => Known::Unknown(format!("the tasks run {} different digests", many.len())),
        }
    }
}
