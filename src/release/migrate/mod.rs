//! The one-off task that migrates the database, imports the public job codes and builds the search index.
//!
//! Terraform defines it (`terraform/module/maintenance.tf`); here it is found, started and watched.

pub mod log;
pub mod snapshot;
pub mod statements;
pub mod watch;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use thiserror::Error as ThisError;

use self::snapshot::Snapshot;
use self::watch::Started;

use super::running::service_name;
use crate::aws::ecs::{AwsVpcConfiguration, Desired, TasksOf};
use crate::aws::{CallError, Session, Why};
use crate::deployment;
use crate::explain::{Exit, Explain};
use crate::plan::{Action, Line, Verb};

/// The container in the task's definition.
const CONTAINER: &str = "maintenance";
/// Spring's name, in the environment, of `spring.flyway.out-of-order`.
const OUT_OF_ORDER: &str = "SPRING_FLYWAY_OUTOFORDER";
/// Spring's name, in the environment, of `spring.flyway.validate-on-migrate`.
const VALIDATE: &str = "SPRING_FLYWAY_VALIDATE_ON_MIGRATE";
/// Spring's name, in the environment, of `spring.flyway.target`: the schema's present version, so that nothing is migrated.
const TARGET: (&str, &str) = ("SPRING_FLYWAY_TARGET", "current");
/// The step that migrates nothing.
const INFO: &str = "info";
/// What the task calls itself in ECS.
const STARTED_BY: &str = "osmt-release";
const APPLY: &str = "`terraform apply` makes it";

/// The task cannot be started.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Terraform has not made it yet.
    #[error("task definition {0} does not exist")]
    NoDefinition(String),
    /// Terraform has not made it yet.
    #[error("service {0} does not exist, and the task runs in its network")]
    NoService(String),
    /// Another run is under way.
    #[error("a maintenance task is already running: {0}")]
    Busy(String),
    /// Another user started one at the same moment; ours was stopped.
    #[error("another maintenance task was started at the same time: {other}; {ours} was stopped")]
    Second {
        /// The task that continues.
        other: String,
        /// The task that was stopped.
        ours: String,
    },
    /// ECS took the call and started nothing.
    #[error("ECS did not start the task: {0}")]
    NotStarted(String),
    /// The answer to the call that starts it was lost.
    #[error("the task may have been started: the answer of ecs:RunTask was lost")]
    MayHaveStarted(#[source] CallError),
    /// ECS has no such task of ours.
    #[error("{0:?} is not a maintenance task of this environment, or ended more than an hour ago")]
    NoTask(String),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NoDefinition(_) | Self::NoService(_) | Self::Busy(_) | Self::Second { .. } => Exit::Refused,
            Self::NotStarted(_) | Self::MayHaveStarted(_) => Exit::Failed,
            Self::NoTask(_) => Exit::Usage,
            Self::Call(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoDefinition(_) | Self::NoService(_) => Some(APPLY.into()),
            Self::Busy(task) | Self::Second { other: task, .. } => {
                Some(format!("follow it: `osmt-release migrate --watch {task}`"))
            }
            Self::NotStarted(_) => None,
            Self::MayHaveStarted(_) => Some(
                "run it again with the same flags: within the hour ECS starts the same request only once"
                    .into(),
            ),
            Self::NoTask(_) => Some("the log group keeps what it printed".into()),
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
    /// What it does, in order: `migrate`, `import`, `reindex`, each of which migrates first; or `info` alone.
    pub steps: Vec<String>,
    /// Whether Flyway may apply migrations that are older than applied ones.
    pub out_of_order: bool,
    /// Whether Flyway does not compare the applied migrations with the image's, for this one run.
    pub without_validation: bool,
    /// Whether failed entries leave Flyway's history first.
    pub repair: bool,
    /// What is added to the container's environment.
    environment: Vec<(String, String)>,
    subnets: Vec<String>,
    security_groups: Vec<String>,
    /// Tasks that ended lately: with them a request differs from the one before.
    ended: Vec<String>,
}

/// One step of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take a snapshot of the database.
    Snapshot(Snapshot),
    /// Run the task.
    Run(Job),
}

impl Action for Step {
    fn line(&self) -> Line {
        match self {
            Self::Snapshot(snapshot) => {
                Line::new(Verb::Create, format!("RDS snapshot {} of {}", snapshot.name, snapshot.instance))
            }
            Self::Run(job) => {
                let revision = job.definition.rsplit('/').next().unwrap_or_default();
                if job.is_info() {
                    let steps = "print and validate Flyway's history; nothing is migrated";
                    return Line::new(Verb::Run, format!("ECS task {revision}: {steps}"));
                }
                let mut migrate = "migrate".to_owned();
                if job.out_of_order {
                    migrate += " out of order";
                }
                if job.without_validation {
                    migrate += " without validation";
                }
                let repair = job.repair.then_some("repair Flyway's history");
                let others = job.steps.iter().map(String::as_str).filter(|step| *step != "migrate");
                let steps: Vec<&str> = repair.into_iter().chain([migrate.as_str()]).chain(others).collect();
                Line::new(Verb::Run, format!("ECS task {revision}: {}", steps.join(", ")))
            }
        }
    }
}

/// How the task is to be run.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `migrate`, `import`, `reindex`; or `info` alone: print and validate Flyway's history, the schema stays at its version.
    pub steps: Vec<String>,
    /// Let Flyway apply migrations that are older than applied ones.
    pub out_of_order: bool,
    /// Let Flyway not compare the applied migrations with the image's.
    pub without_validation: bool,
    /// Remove failed entries from Flyway's history first.
    pub repair: bool,
    /// SQL that Flyway runs before it migrates.
    pub statements: Vec<String>,
}

impl Job {
    /// Finds the task definition, the network and whether a run is under way.
    pub async fn observe(session: &Session, env: &str, request: Request) -> Result<Self, Error> {
        let cluster = deployment::prefix(env);
        let family = format!("{cluster}-maintenance");
        let (definition, network, busy, running, stopped) = tokio::join!(
            definition(session, &family),
            network(session, env),
            active(session, &cluster, &family),
            listed(session, &cluster, &family, Desired::Running),
            listed(session, &cluster, &family, Desired::Stopped)
        );
        let Definition { arn, image, log, environment } = definition?;
        let (subnets, security_groups) = network?;
        if let Some(task) = busy?.into_iter().next() {
            return Err(Error::Busy(task.arn));
        }
        let mut ended = running?;
        ended.extend(stopped?);
        ended.sort();
        ended.dedup();
        let Request { steps, out_of_order, without_validation, repair, statements } = request;
        let existing = environment.iter().map(String::as_str);
        let mut added: Vec<_> = statements::environment(&statements, existing).into_iter().collect();
        if steps == [INFO] {
            added.push((TARGET.0.to_owned(), TARGET.1.to_owned()));
        }
        if out_of_order {
            added.push((OUT_OF_ORDER.to_owned(), "true".to_owned()));
        }
        if without_validation {
            added.push((VALIDATE.to_owned(), "false".to_owned()));
        }
        Ok(Self {
            cluster,
            definition: arn,
            image,
            log,
            steps,
            out_of_order,
            without_validation,
            repair,
            environment: added,
            subnets,
            security_groups,
            ended,
        })
    }

    /// Whether it only prints and validates Flyway's history.
    pub fn is_info(&self) -> bool {
        self.steps == [INFO]
    }

    /// The same for the same request within an hour, so that ECS starts it once however many ask for it. A run that ended
    /// in between makes it another.
    pub fn client_token(&self, hour: i64) -> String {
        let mut hash = Sha256::new();
        for part in [&self.definition, &hour.to_string()] {
            hash.update(part);
            hash.update([0]);
        }
        for part in self.steps.iter().chain(&self.ended) {
            hash.update(part);
            hash.update([0]);
        }
        for (name, value) in &self.environment {
            hash.update(name);
            hash.update([0]);
            hash.update(value);
            hash.update([0]);
        }
        hash.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// Starts the task, and looks whether it is the only one; `hour` counts the hours since 1970.
    pub async fn start(&self, session: &Session, hour: i64) -> Result<Started, Error> {
        let answer = match session.ecs().run_task(&self.request(hour)).await {
            Err(error) if error.why == Why::Unreachable => return Err(Error::MayHaveStarted(error)),
            answer => answer?,
        };
        let task = answer.tasks.into_iter().next().and_then(|task| task.task_arn);
        let task = task.ok_or_else(|| {
            let failure = answer.failures.into_iter().next();
            let reason = failure.and_then(|failure| failure.reason.or(failure.detail));
            Error::NotStarted(reason.unwrap_or_else(|| "no reason was given".to_owned()))
        })?;
        self.look_again(session, task).await
    }

    /// What `ecs:RunTask` is asked for.
    fn request(&self, hour: i64) -> Value {
        // Of the task's own steps, `migrate` is the one that does least: with the target it migrates nothing.
        let steps = if self.is_info() { vec!["migrate".to_owned()] } else { self.steps.clone() };
        let variable = |(name, value): &(String, String)| json!({ "name": name, "value": value });
        let environment: Vec<Value> = self.environment.iter().map(variable).collect();
        json!({
            "cluster": self.cluster,
            "taskDefinition": self.definition,
            "launchType": "FARGATE",
            "count": 1,
            "startedBy": STARTED_BY,
            "clientToken": self.client_token(hour),
            "networkConfiguration": { "awsvpcConfiguration": {
                "subnets": self.subnets,
                "securityGroups": self.security_groups,
                "assignPublicIp": "DISABLED",
            } },
            "overrides": { "containerOverrides": [
                { "name": CONTAINER, "command": steps, "environment": environment },
            ] },
        })
    }

    /// Of two tasks that were started at the same moment the older continues; where ECS does not answer, both do.
    async fn look_again(&self, session: &Session, ours: String) -> Result<Started, Error> {
        let started = Started::new(&self.cluster, &ours, self.log.as_ref(), self.is_info());
        let family = self.definition.rsplit('/').next().and_then(|name| name.split(':').next());
        let Ok(active) = active(session, &self.cluster, family.unwrap_or_default()).await else {
            return Ok(started);
        };
        let older = |one: &&Active| {
            let ours = active.iter().find(|one| one.arn == ours);
            ours.is_some_and(|ours| (one.created, &one.arn) < (ours.created, &ours.arn))
        };
        let Some(other) = active.iter().find(older).map(|one| one.arn.clone()) else {
            return Ok(started);
        };
        let reason = "another maintenance task was started at the same time";
        session.ecs().stop_task(&self.cluster, &ours, reason).await?;
        Err(Error::Second { other, ours })
    }
}

/// What the task definition says.
struct Definition {
    arn: String,
    image: String,
    log: Option<(String, String)>,
    /// The names of the container's variables.
    environment: Vec<String>,
}

async fn definition(session: &Session, family: &str) -> Result<Definition, Error> {
    let missing = || Error::NoDefinition(family.to_owned());
    let definition = match session.ecs().describe_task_definition(family).await {
        Err(error) if error.is("ClientException") || error.why == Why::NotFound => {
            return Err(missing());
        }
        answer => answer?.ok_or_else(missing)?,
    };
    let container = definition.container_definitions.into_iter().find(|one| one.name == CONTAINER);
    let container = container.ok_or_else(missing)?;
    let option = |name: &str| container.log_configuration.options.get(name);
    let log = option("awslogs-stream-prefix").zip(option("awslogs-group"));
    let log = log.map(|(prefix, group)| (group.clone(), format!("{prefix}/{CONTAINER}/")));
    Ok(Definition {
        arn: definition.task_definition_arn.unwrap_or_default(),
        image: container.image.unwrap_or_default(),
        log,
        environment: container.environment.into_iter().map(|one| one.name).collect(),
    })
}

/// Subnets and security groups of the app's service: the task talks to the same database.
async fn network(session: &Session, env: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    let missing = || Error::NoService(service_name(env));
    let answer = session.ecs().describe_services(&deployment::prefix(env), &service_name(env)).await;
    let services = match answer {
        Err(error) if error.why == Why::NotFound => return Err(missing()),
        answer => answer?,
    };
    let service = services.into_iter().find(|service| service.status != "INACTIVE");
    let network = service.and_then(|service| service.network_configuration.awsvpc_configuration);
    let AwsVpcConfiguration { subnets, security_groups } = network.ok_or_else(missing)?;
    Ok((subnets, security_groups))
}

/// A task that has not ended.
struct Active {
    arn: String,
    /// Seconds since 1970.
    created: i64,
}

/// Tasks of the family that have not ended.
async fn active(session: &Session, cluster: &str, family: &str) -> Result<Vec<Active>, CallError> {
    let listed = listed(session, cluster, family, Desired::Running).await?;
    // What is listed may have ended meanwhile.
    let tasks = session.ecs().describe_tasks(cluster, &listed).await?;
    let active = tasks.into_iter().filter(|task| task.last_status != "STOPPED");
    Ok(active
        .filter_map(|task| {
            let created = task.created_at.map_or(0, |at| at.secs());
            Some(Active { arn: task.task_arn?, created })
        })
        .collect())
}

/// The family's tasks that should run, or that ended within the last hour.
async fn listed(
    session: &Session,
    cluster: &str,
    family: &str,
    desired: Desired,
) -> Result<Vec<String>, CallError> {
    match session.ecs().list_tasks(cluster, TasksOf::Family(family), desired).await {
        Err(error) if error.why == Why::NotFound => Ok(Vec::new()),
        answer => {
            let mut tasks = answer?;
            tasks.sort();
            Ok(tasks)
        }
    }
}
