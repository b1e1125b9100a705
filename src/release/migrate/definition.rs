//! The task definition, which Terraform creates (`terraform/module/maintenance.tf`).

use super::error::Error;
use crate::aws::{Session, Why};
use crate::deployment;

/// The container in the task definition.
pub(super) const CONTAINER: &str = "maintenance";
/// The environment variable for `spring.flyway.target`. With `current` Flyway migrates nothing.
pub(super) const TARGET: (&str, &str) = ("SPRING_FLYWAY_TARGET", "current");

/// The family of the task definition.
pub(super) fn family(env: &str) -> String {
    format!("{}-maintenance", deployment::prefix(env))
}

/// The parts of the task definition that are needed here.
pub(super) struct Definition {
    pub(super) arn: String,
    pub(super) image: String,
    pub(super) log: Option<(String, String)>,
    /// The names of the container's environment variables.
    pub(super) environment: Vec<String>,
}

pub(super) async fn definition(session: &Session, family: &str) -> Result<Definition, Error> {
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
