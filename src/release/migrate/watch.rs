//! The state of a maintenance task, and how it ended: every container, with ECS's reasons.

use serde::Serialize;

use super::definition::{CONTAINER, Definition, TARGET, definition, family};
use super::error::Error;
use crate::aws::{CallError, Session};
use crate::deployment;

/// A container of a task that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Its name in the task definition.
    pub name: String,
    /// Its exit code; `None` if it never ran.
    pub exit: Option<i32>,
    /// ECS's reason.
    pub reason: Option<String>,
}

/// A task that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// `EssentialContainerExited`, `TaskFailedToStart`, …
    pub code: Option<String>,
    /// ECS's reason.
    pub reason: Option<String>,
    /// Its containers.
    pub containers: Vec<Container>,
}

impl Ended {
    /// The exit code of the maintenance container.
    pub fn exit(&self) -> Option<i32> {
        self.containers.iter().find(|one| one.name == CONTAINER).and_then(|one| one.exit)
    }

    /// Every reason that ECS gives, one line each.
    pub fn reasons(&self) -> Vec<String> {
        let task = self.reason.iter().map(|reason| match &self.code {
            Some(code) => format!("{code}: {reason}"),
            None => reason.clone(),
        });
        let containers = self.containers.iter().filter(|one| one.exit != Some(0)).map(|one| {
            let exit =
                one.exit.map_or_else(|| "never ran".to_owned(), |exit| format!("ended with exit {exit}"));
            match &one.reason {
                Some(reason) => format!("container {} {exit}: {reason}", one.name),
                None => format!("container {} {exit}", one.name),
            }
        });
        task.chain(containers).collect()
    }
}

/// The state of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// `PROVISIONING`, `PENDING`, `RUNNING`, …
    Active(String),
    /// It has ended.
    Ended(Ended),
    /// ECS does not list it: it was just started, or ended more than an hour ago.
    Unknown,
}

/// A task that was started, and its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The cluster.
    pub cluster: String,
    /// Its ARN or id.
    pub task: String,
    /// The log group and the log stream.
    pub log: Option<(String, String)>,
    /// Whether it only prints and validates Flyway's history.
    pub is_info: bool,
}

impl Started {
    pub(super) fn new(cluster: &str, task: &str, log: Option<&(String, String)>, is_info: bool) -> Self {
        let id = task.rsplit('/').next().unwrap_or(task);
        Self {
            cluster: cluster.to_owned(),
            task: task.to_owned(),
            log: log.map(|(group, stream)| (group.clone(), format!("{stream}{id}"))),
            is_info,
        }
    }

    /// Finds a task by its ARN or id.
    pub async fn find(session: &Session, env: &str, task: &str) -> Result<Self, Error> {
        let cluster = deployment::prefix(env);
        let tasks = session.ecs().describe_tasks(&cluster, &[task.to_owned()]).await?;
        let family = family(env);
        let is_ours = |arn: &str| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            name.rsplit_once(':').is_some_and(|(name, _)| name == family)
        };
        let found = tasks.first();
        let names = found.and_then(|task| task.task_arn.as_deref().zip(task.task_definition_arn.as_deref()));
        let Some((arn, revision)) = names.filter(|(_, revision)| is_ours(revision)) else {
            return Err(Error::NoTask(task.to_owned()));
        };
        let Definition { log, .. } = definition(session, revision).await?;
        let overrides = found.iter().flat_map(|task| &task.overrides.container_overrides);
        let is_info = overrides
            .flat_map(|one| &one.environment)
            .any(|one| (one.name.as_str(), one.value.as_str()) == TARGET);
        Ok(Self::new(&cluster, arn, log.as_ref(), is_info))
    }

    /// Its state in ECS.
    pub async fn state(&self, session: &Session) -> Result<State, CallError> {
        let tasks = session.ecs().describe_tasks(&self.cluster, std::slice::from_ref(&self.task)).await?;
        let Some(task) = tasks.into_iter().next() else {
            return Ok(State::Unknown);
        };
        if task.last_status != "STOPPED" {
            return Ok(State::Active(task.last_status));
        }
        let containers = task.containers.into_iter().map(|one| Container {
            name: one.name,
            exit: one.exit_code,
            reason: one.reason,
        });
        Ok(State::Ended(Ended {
            code: task.stop_code,
            reason: task.stopped_reason,
            containers: containers.collect(),
        }))
    }

    /// The command that shows its log.
    pub fn log_command(&self) -> Option<String> {
        let (group, stream) = self.log.as_ref()?;
        Some(format!("aws logs tail {group} --log-stream-names {stream} --since 1d"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_container_that_failed_is_named() {
        let of = |name: &str, exit, reason: Option<&str>| Container {
            name: name.into(),
            exit,
            reason: reason.map(str::to_owned),
        };
        let ended = Ended {
            code: Some("TaskFailedToStart".into()),
            reason: Some("Task failed to start".into()),
            containers: vec![
                of("maintenance", None, Some("CannotPullContainerError: no such image")),
                of("scratch", Some(1), None),
                of("other", Some(0), None),
            ],
        };
        assert_eq!(ended.exit(), None);
        assert_eq!(
            ended.reasons(),
            [
                "TaskFailedToStart: Task failed to start",
                "container maintenance never ran: CannotPullContainerError: no such image",
                "container scratch ended with exit 1"
            ]
        );
    }
}
