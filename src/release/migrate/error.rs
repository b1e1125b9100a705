//! Why the task cannot be started or followed.

use thiserror::Error as ThisError;

use crate::aws::CallError;
use crate::explain::{Exit, Explain};

/// The task cannot be started.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Terraform has not created the task definition yet.
    #[error("task definition {0} does not exist")]
    NoDefinition(String),
    /// Terraform has not created the service yet.
    #[error("service {0} does not exist; the task runs in its network")]
    NoService(String),
    /// Another task is running.
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
    /// The call succeeded, but ECS did not start the task.
    #[error("ECS did not start the task: {0}")]
    NotStarted(String),
    /// The connection was lost before ECS answered.
    #[error("the task may have been started: the answer of ecs:RunTask was lost")]
    MayHaveStarted(#[source] CallError),
    /// ECS does not list the task, or it is not a maintenance task of this environment.
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
            Self::NoDefinition(_) | Self::NoService(_) => Some("`terraform apply` creates it".into()),
            Self::Busy(task) | Self::Second { other: task, .. } => {
                Some(format!("follow it: `osmt-release migrate --watch {task}`"))
            }
            Self::NotStarted(_) => None,
            Self::MayHaveStarted(_) => Some(
                "run it again with the same flags: within the hour ECS starts the same request only once"
                    .into(),
            ),
            Self::NoTask(_) => Some("its output is in the log group of the maintenance tasks".into()),
            Self::Call(error) => error.help(),
        }
    }
}
