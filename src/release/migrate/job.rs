//! One run of the task: its steps and flags, and how it is started exactly once.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::definition::{CONTAINER, Definition, TARGET, definition, family};
use super::error::Error;
use super::statements;
use super::tasks::{Active, active, listed};
use super::watch::Started;
use crate::aws::ecs::{AwsVpcConfiguration, Desired};
use crate::aws::{Session, Why};
use crate::deployment;
use crate::release::running::service_name;

/// The environment variable for `spring.flyway.out-of-order`.
const OUT_OF_ORDER: &str = "SPRING_FLYWAY_OUTOFORDER";
/// The environment variable for `spring.flyway.validate-on-migrate`.
const VALIDATE: &str = "SPRING_FLYWAY_VALIDATE_ON_MIGRATE";
/// The step that migrates nothing.
const INFO: &str = "info";
/// The value of `startedBy` in ECS.
const STARTED_BY: &str = "osmt-release";

/// The options of a run.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `migrate`, `import`, `reindex`; or `info` alone, which prints and validates Flyway's history and migrates nothing.
    pub steps: Vec<String>,
    /// Let Flyway apply migrations that are older than applied ones.
    pub out_of_order: bool,
    /// Turn off Flyway's validation of the applied migrations.
    pub without_validation: bool,
    /// Remove failed entries from Flyway's history first.
    pub repair: bool,
    /// SQL that Flyway runs before it migrates.
    pub statements: Vec<String>,
}

/// A run of the task, ready to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The cluster.
    pub cluster: String,
    /// The task definition's ARN.
    pub definition: String,
    /// Its image.
    pub image: String,
    /// Its log: the group, and the stream without the task's id.
    pub log: Option<(String, String)>,
    /// Its steps in order: `migrate`, `import`, `reindex`, each of which migrates first; or `info` alone.
    pub steps: Vec<String>,
    /// Whether Flyway may apply migrations that are older than applied ones.
    pub out_of_order: bool,
    /// Whether Flyway's validation of the applied migrations is off for this run.
    pub without_validation: bool,
    /// Whether failed entries are removed from Flyway's history first.
    pub repair: bool,
    /// The environment variables that the run adds.
    environment: Vec<(String, String)>,
    subnets: Vec<String>,
    security_groups: Vec<String>,
    /// Tasks that ended recently. They are part of the client token, so that a later request is a new one.
    ended: Vec<String>,
}

impl Job {
    /// Reads the task definition and the network; fails if a task is running.
    pub async fn observe(session: &Session, env: &str, request: Request) -> Result<Self, Error> {
        let cluster = deployment::prefix(env);
        let family = family(env);
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

    /// The client token. It is the same for the same request within an hour, so that ECS starts only one task if several users
    /// ask for it. After a run has ended it is a new one.
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

    /// Starts the task, and checks that it is the only one. `hour` is the number of hours since 1970.
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
        self.stop_if_second(session, task).await
    }

    /// The request of `ecs:RunTask`.
    fn request(&self, hour: i64) -> Value {
        // The task has no step `info`. With `spring.flyway.target=current` its step `migrate` migrates nothing.
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

    /// If two tasks were started at the same moment, stops this one unless it is the older. If ECS does not answer, both run.
    async fn stop_if_second(&self, session: &Session, ours: String) -> Result<Started, Error> {
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

/// The subnets and security groups of the app's service: the task connects to the same database.
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
