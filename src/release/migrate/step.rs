//! The steps of a migration, as its plan lists them.

use super::job::Job;
use super::snapshot::Snapshot;
use crate::plan::{Action, Line, Verb};

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
