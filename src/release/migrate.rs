//! The one-off task that migrates the database, imports the public job codes and builds the search index.
//!
//! Terraform defines it (`terraform/module/maintenance.tf`); here it is found, started and watched.

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Container, ContainerOverride, DesiredStatus, KeyValuePair,
    LaunchType, NetworkConfiguration, TaskOverride,
};
use thiserror::Error as ThisError;

use super::running::service_name;
use crate::aws::{CallError, Session, Why, call};
use crate::config;
use crate::explain::{Exit, Explain};
use crate::plan::{Action, Line, Verb};

/// The container in the task's definition.
const CONTAINER: &str = "maintenance";
/// Spring's name, in the environment, of `spring.flyway.out-of-order`.
const OUT_OF_ORDER: &str = "SPRING_FLYWAY_OUTOFORDER";
/// What the task calls itself in ECS.
const STARTED_BY: &str = "osmt-release";
const APPLY: &str = "`terraform apply` makes it";

/// The task cannot be started.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Terraform has not made it yet.
    #[error("there is no task definition {0}; nothing was started")]
    NoDefinition(String),
    /// Terraform has not made it yet.
    #[error("there is no service {0} whose network the task could use; nothing was started")]
    NoService(String),
    /// Another run is under way.
    #[error("a maintenance task runs already: {0}; nothing was started")]
    Busy(String),
    /// ECS took the call and started nothing.
    #[error("ECS did not start the task: {0}")]
    NotStarted(String),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NoDefinition(_) | Self::NoService(_) | Self::Busy(_) => Exit::Refused,
            Self::NotStarted(_) => Exit::Failed,
            Self::Call(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoDefinition(_) | Self::NoService(_) => Some(APPLY.into()),
            Self::Busy(_) => Some("wait until it has ended".into()),
            Self::NotStarted(_) => None,
            Self::Call(error) => error.help(),
        }
    }
}

/// The task as it would be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The cluster.
    pub cluster: String,
    /// The task definition's ARN.
    pub definition: String,
    /// Its image.
    pub image: String,
    /// Where its log goes: group, and the stream without the task's id.
    pub log: Option<(String, String)>,
    /// What it does, in order: `import`, `reindex`; both migrate first.
    pub steps: Vec<String>,
    /// Whether Flyway may apply migrations that are older than applied ones.
    pub out_of_order: bool,
    subnets: Vec<String>,
    security_groups: Vec<String>,
}

impl Action for Job {
    fn line(&self) -> Line {
        let revision = self.definition.rsplit('/').next().unwrap_or_default();
        let steps = self.steps.join(", ");
        let migrate = if self.out_of_order { "migrate out of order" } else { "migrate" };
        Line::new(Verb::Run, format!("ECS task {revision}: {migrate}, {steps}"))
    }
}

/// How far the task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// `PROVISIONING`, `PENDING`, `RUNNING`, …
    Going(String),
    /// It has ended.
    Ended {
        /// The container's exit; `None` where it never ran.
        exit: Option<i32>,
        /// Why, in ECS's words.
        reason: String,
    },
}

impl Job {
    /// Finds the task definition, the network and whether a run is under way.
    pub async fn observe(
        session: &Session,
        env: &str,
        steps: &[String],
        out_of_order: bool,
    ) -> Result<Self, Error> {
        let family = format!("{}-maintenance", config::prefix(env));
        let (definition, network, busy) =
            tokio::join!(definition(session, &family), network(session, env), busy(session, env, &family));
        let (definition, image, log) = definition?;
        let (subnets, security_groups) = network?;
        if let Some(task) = busy? {
            return Err(Error::Busy(task));
        }
        Ok(Self {
            cluster: config::prefix(env),
            definition,
            image,
            log,
            steps: steps.to_vec(),
            out_of_order,
            subnets,
            security_groups,
        })
    }

    /// Starts the task; gives its ARN.
    pub async fn start(&self, session: &Session) -> Result<String, Error> {
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(self.subnets.clone()))
            .set_security_groups(Some(self.security_groups.clone()))
            .assign_public_ip(AssignPublicIp::Disabled)
            .build()
            .map_err(|error| Error::NotStarted(error.to_string()))?;
        let mut command = ContainerOverride::builder().name(CONTAINER).set_command(Some(self.steps.clone()));
        if self.out_of_order {
            let setting = KeyValuePair::builder().name(OUT_OF_ORDER).value("true");
            command = command.environment(setting.build());
        }
        let request = session
            .ecs()
            .run_task()
            .cluster(&self.cluster)
            .task_definition(&self.definition)
            .launch_type(LaunchType::Fargate)
            .count(1)
            .started_by(STARTED_BY)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
            .overrides(TaskOverride::builder().container_overrides(command.build()).build());
        let answer = call("ecs:RunTask", request.send().await)?;
        let task = answer.tasks().first().and_then(|task| task.task_arn());
        task.map(str::to_owned).ok_or_else(|| {
            let failure = answer.failures().first();
            let reason = failure.and_then(|failure| failure.reason().or(failure.detail()));
            Error::NotStarted(reason.unwrap_or("no reason was given").to_owned())
        })
    }

    /// How far a task is that was started.
    pub async fn state(&self, session: &Session, task: &str) -> Result<State, CallError> {
        let request = session.ecs().describe_tasks().cluster(&self.cluster).tasks(task);
        let answer = call("ecs:DescribeTasks", request.send().await)?;
        let Some(task) = answer.tasks().first() else {
            // ECS is eventually consistent: a task that was just started may not be told of yet.
            return Ok(State::Going("PROVISIONING".into()));
        };
        let status = task.last_status().unwrap_or_default();
        if status != "STOPPED" {
            return Ok(State::Going(status.to_owned()));
        }
        let container = task.containers().iter().find(|container| container.name() == Some(CONTAINER));
        let reasons = [container.and_then(|container| container.reason()), task.stopped_reason()];
        Ok(State::Ended {
            exit: container.and_then(Container::exit_code),
            reason: reasons.into_iter().flatten().collect::<Vec<_>>().join("; "),
        })
    }

    /// Where the log of a task is, for people.
    pub fn log_of(&self, task: &str) -> Option<String> {
        let id = task.rsplit('/').next().unwrap_or(task);
        let (group, stream) = self.log.as_ref()?;
        Some(format!("aws logs tail {group} --log-stream-names {stream}{id} --since 1d"))
    }
}

type Definition = (String, String, Option<(String, String)>);

async fn definition(session: &Session, family: &str) -> Result<Definition, Error> {
    let missing = || Error::NoDefinition(family.to_owned());
    let request = session.ecs().describe_task_definition().task_definition(family);
    let answer = match call("ecs:DescribeTaskDefinition", request.send().await) {
        Err(error) if error.is("ClientException") || error.why == Why::NotFound => {
            return Err(missing());
        }
        answer => answer?,
    };
    let definition = answer.task_definition.ok_or_else(missing)?;
    let containers = definition.container_definitions();
    let container = containers.iter().find(|one| one.name() == Some(CONTAINER));
    let container = container.ok_or_else(missing)?;
    let log = container.log_configuration().and_then(|log| {
        let option = |name: &str| log.options()?.get(name);
        let prefix = option("awslogs-stream-prefix")?;
        let stream = format!("{prefix}/{CONTAINER}/");
        Some((option("awslogs-group")?.clone(), stream))
    });
    Ok((
        definition.task_definition_arn().unwrap_or_default().to_owned(),
        container.image().unwrap_or_default().to_owned(),
        log,
    ))
}

/// Subnets and security groups of the app's service: the task talks to the same database.
async fn network(session: &Session, env: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    let missing = || Error::NoService(service_name(env));
    let request = session.ecs().describe_services().cluster(config::prefix(env)).services(service_name(env));
    let answer = match call("ecs:DescribeServices", request.send().await) {
        Err(error) if error.why == Why::NotFound => return Err(missing()),
        answer => answer?,
    };
    let network = answer
        .services()
        .iter()
        .find(|service| service.status() != Some("INACTIVE"))
        .and_then(|service| service.network_configuration())
        .and_then(|network| network.awsvpc_configuration())
        .ok_or_else(missing)?;
    Ok((network.subnets().to_vec(), network.security_groups().to_vec()))
}

async fn busy(session: &Session, env: &str, family: &str) -> Result<Option<String>, CallError> {
    let request = session
        .ecs()
        .list_tasks()
        .cluster(config::prefix(env))
        .family(family)
        .desired_status(DesiredStatus::Running);
    let listed = match call("ecs:ListTasks", request.send().await) {
        Err(error) if error.why == Why::NotFound => return Ok(None),
        answer => answer?.task_arns.unwrap_or_default(),
    };
    if listed.is_empty() {
        return Ok(None);
    }
    // What is listed may have ended meanwhile.
    let request = session.ecs().describe_tasks().cluster(config::prefix(env)).set_tasks(Some(listed));
    let answer = call("ecs:DescribeTasks", request.send().await)?;
    let going = answer.tasks().iter().find(|task| task.last_status() != Some("STOPPED"));
    Ok(going.and_then(|task| task.task_arn()).map(str::to_owned))
}
