//! The few calls of Amazon ECS that are used ("Amazon ECS API Reference"), by its JSON form.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::ECS;
use crate::aws::call::CallError;
use crate::aws::session::Session;

/// ECS's interface, as a request names it.
const TARGET: &str = "AmazonEC2ContainerServiceV20141113";
/// As many tasks as one call describes (its page "`DescribeTasks`").
const PAGE: usize = 100;

/// Amazon ECS in the session's account and region.
#[derive(Clone, Copy)]
pub struct Ecs<'a>(&'a Session);

/// Whose tasks are listed.
#[derive(Clone, Copy, Debug)]
pub enum TasksOf<'a> {
    /// Those of a service.
    Service(&'a str),
    /// Those of any revision of a task definition.
    Family(&'a str),
}

/// Which tasks are listed.
#[derive(Clone, Copy, Debug)]
pub enum Desired {
    /// Tasks that run or are about to.
    Running,
    /// Tasks that stopped; ECS keeps them for an hour.
    Stopped,
}

/// A service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// `ACTIVE`, `DRAINING`, `INACTIVE`
    pub status: String,
    /// The task definition's ARN.
    pub task_definition: Option<String>,
    /// Tasks that run.
    pub running_count: i32,
    /// Tasks that should run.
    pub desired_count: i32,
    /// Its deployments, the newest with the status `PRIMARY`.
    pub deployments: Vec<Deployment>,
    /// What ECS says of it, newest first.
    pub events: Vec<Event>,
    /// Its load balancers.
    pub load_balancers: Vec<LoadBalancer>,
    /// Its network.
    pub network_configuration: NetworkConfiguration,
}

/// A deployment of a service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deployment {
    /// `PRIMARY`, `ACTIVE`, `INACTIVE`
    pub status: String,
    /// The task definition's ARN.
    pub task_definition: Option<String>,
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`
    pub rollout_state: Option<String>,
    /// Why.
    pub rollout_state_reason: Option<String>,
    /// Tasks that run.
    pub running_count: i32,
    /// Tasks that should run.
    pub desired_count: i32,
    /// Tasks that failed to start.
    pub failed_tasks: i32,
    /// When it began.
    #[serde(deserialize_with = "time")]
    pub created_at: Option<DateTime>,
}

/// What ECS says of a service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// When.
    #[serde(deserialize_with = "time")]
    pub created_at: Option<DateTime>,
    /// What.
    pub message: Option<String>,
}

/// A load balancer of a service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancer {
    /// The target group's ARN.
    pub target_group_arn: Option<String>,
}

/// The network of a service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkConfiguration {
    /// With a network interface for each task.
    pub awsvpc_configuration: Option<AwsVpcConfiguration>,
}

/// Where the network interface of a task is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AwsVpcConfiguration {
    /// The subnets.
    pub subnets: Vec<String>,
    /// The security groups.
    pub security_groups: Vec<String>,
}

/// A task definition.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskDefinition {
    /// Its ARN, with the revision.
    pub task_definition_arn: Option<String>,
    /// Its containers.
    pub container_definitions: Vec<ContainerDefinition>,
}

/// A container of a task definition.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerDefinition {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: Option<String>,
    /// Its variables.
    pub environment: Vec<Variable>,
    /// Where its log goes.
    pub log_configuration: LogConfiguration,
}

/// Where the log of a container goes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogConfiguration {
    /// What the log driver is given.
    pub options: BTreeMap<String, String>,
}

/// A variable of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A task.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Task {
    /// Its ARN.
    pub task_arn: Option<String>,
    /// The task definition's ARN.
    pub task_definition_arn: Option<String>,
    /// `PROVISIONING`, `PENDING`, `RUNNING`, …, `STOPPED`
    pub last_status: String,
    /// `HEALTHY`, `UNHEALTHY`, `UNKNOWN`
    pub health_status: Option<String>,
    /// When it was requested.
    #[serde(deserialize_with = "time")]
    pub created_at: Option<DateTime>,
    /// When it ended.
    #[serde(deserialize_with = "time")]
    pub stopped_at: Option<DateTime>,
    /// `EssentialContainerExited`, `TaskFailedToStart`, …
    pub stop_code: Option<String>,
    /// Why it ended.
    pub stopped_reason: Option<String>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// What was asked for beyond the task definition.
    pub overrides: TaskOverride,
}

/// A container of a task.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Its name in the task definition.
    pub name: String,
    /// The digest of its image: `sha256:…`.
    pub image_digest: Option<String>,
    /// Its exit; `None` where it has not ended or never ran.
    pub exit_code: Option<i32>,
    /// Why.
    pub reason: Option<String>,
}

/// What was asked for beyond the task definition.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskOverride {
    /// For each container.
    pub container_overrides: Vec<ContainerOverride>,
}

/// What was asked for beyond the definition of a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerOverride {
    /// Its variables.
    pub environment: Vec<Variable>,
}

/// The answer to `RunTask`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Started {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Why there is none.
    pub failures: Vec<RunFailure>,
}

/// Why a task was not started.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunFailure {
    /// In one word.
    pub reason: Option<String>,
    /// In more.
    pub detail: Option<String>,
}

impl Session {
    /// Container services.
    pub fn ecs(&self) -> Ecs<'_> {
        Ecs(self)
    }
}

impl Ecs<'_> {
    /// A service of a cluster: none or one.
    pub async fn describe_services(self, cluster: &str, service: &str) -> Result<Vec<Service>, CallError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            services: Vec<Service>,
        }
        let parameters = json!({ "cluster": cluster, "services": [service] });
        let answer: Answer = self.ask("ecs:DescribeServices", &parameters).await?;
        Ok(answer.services)
    }

    /// A task definition, by its ARN or its family.
    pub async fn describe_task_definition(self, name: &str) -> Result<Option<TaskDefinition>, CallError> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Answer {
            task_definition: Option<TaskDefinition>,
        }
        let parameters = json!({ "taskDefinition": name });
        let answer: Answer = self.ask("ecs:DescribeTaskDefinition", &parameters).await?;
        Ok(answer.task_definition)
    }

    /// The ARNs of tasks.
    pub async fn list_tasks(
        self,
        cluster: &str,
        of: TasksOf<'_>,
        desired: Desired,
    ) -> Result<Vec<String>, CallError> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Answer {
            task_arns: Vec<String>,
            next_token: Option<String>,
        }
        let desired = match desired {
            Desired::Running => "RUNNING",
            Desired::Stopped => "STOPPED",
        };
        let mut parameters = json!({ "cluster": cluster, "desiredStatus": desired });
        match of {
            TasksOf::Service(name) => parameters["serviceName"] = name.into(),
            TasksOf::Family(name) => parameters["family"] = name.into(),
        }
        let mut arns = Vec::new();
        loop {
            let answer: Answer = self.ask("ecs:ListTasks", &parameters).await?;
            arns.extend(answer.task_arns);
            match answer.next_token.filter(|page| !page.is_empty()) {
                Some(page) => parameters["nextToken"] = page.into(),
                None => return Ok(arns),
            }
        }
    }

    /// Tasks by their ARNs or ids; one that ECS does not know is left out.
    pub async fn describe_tasks(self, cluster: &str, tasks: &[String]) -> Result<Vec<Task>, CallError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            tasks: Vec<Task>,
        }
        let mut found = Vec::new();
        for tasks in tasks.chunks(PAGE) {
            let parameters = json!({ "cluster": cluster, "tasks": tasks });
            let answer: Answer = self.ask("ecs:DescribeTasks", &parameters).await?;
            found.extend(answer.tasks);
        }
        Ok(found)
    }

    /// Starts tasks. The parameters hold a `clientToken`: a call that is repeated starts no second task.
    pub async fn run_task(self, parameters: &Value) -> Result<Started, CallError> {
        self.ask("ecs:RunTask", parameters).await
    }

    /// Stops a task.
    pub async fn stop_task(self, cluster: &str, task: &str, reason: &str) -> Result<(), CallError> {
        let parameters = json!({ "cluster": cluster, "task": task, "reason": reason });
        let Self(session) = self;
        session.json(&ECS, &session.region, TARGET, "ecs:StopTask", &parameters).await.map(drop)
    }

    async fn ask<T: DeserializeOwned>(
        self,
        operation: &'static str,
        parameters: &Value,
    ) -> Result<T, CallError> {
        let Self(session) = self;
        session.json(&ECS, &session.region, TARGET, operation, parameters).await?.json()
    }
}

/// A time in the JSON form: seconds since 1970, with a fraction.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime>, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.map(DateTime::from_secs_f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_fraction_and_what_is_not_said_is_empty() {
        let task: Task =
            serde_json::from_value(json!({ "createdAt": 1_764_201_600.25, "new": [1] })).unwrap();
        assert_eq!(task.created_at.map(|at| at.secs()), Some(1_764_201_600));
        assert_eq!((task.stopped_at, task.last_status.as_str()), (None, ""));
        assert!(task.containers.is_empty() && task.overrides.container_overrides.is_empty());
    }
}
