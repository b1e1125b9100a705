//! The maintenance tasks that ECS lists.

use crate::aws::ecs::{Desired, TasksOf};
use crate::aws::{CallError, Session, Why};

/// A task that has not ended.
pub(super) struct Active {
    pub(super) arn: String,
    /// Seconds since 1970.
    pub(super) created: i64,
}

/// Tasks of the family that have not ended.
pub(super) async fn active(session: &Session, cluster: &str, family: &str) -> Result<Vec<Active>, CallError> {
    let listed = listed(session, cluster, family, Desired::Running).await?;
    // A listed task may have ended meanwhile.
    let tasks = session.ecs().describe_tasks(cluster, &listed).await?;
    let active = tasks.into_iter().filter(|task| task.last_status != "STOPPED");
    Ok(active
        .filter_map(|task| {
            let created = task.created_at.map_or(0, |at| at.secs());
            Some(Active { arn: task.task_arn?, created })
        })
        .collect())
}

/// The tasks of the family with this desired status. ECS lists stopped tasks for an hour.
pub(super) async fn listed(
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
