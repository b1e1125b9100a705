//! `osmt-release migrate`: run the one-off task, and wait for how it ends.

use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::time::{sleep, timeout};

use super::Context;
use crate::account::Known;
use crate::aws::Session;
use crate::command::{block_on, carry_out};
use crate::config::Config;
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::release::migrate::{Job, State};
use crate::release::migrations;
use crate::release::migrations::Comparison;
use crate::release::sql::Class;
use crate::{aws, release};

/// Run the one-off ECS task that migrates the database, imports job codes and builds the search index; wait for its end.
#[derive(Args, Clone, Debug)]
pub(super) struct Migrate {
    /// Only this step; may be repeated. Each migrates first [default: import, then reindex].
    #[arg(long, value_name = "STEP")]
    step: Vec<Step>,
    /// Let Flyway apply migrations that are older than applied ones, which REL010 warns of.
    #[arg(long)]
    out_of_order: bool,
    /// Wait at most so long; the task goes on.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    wait: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// The two public job-code lists.
    Import,
    /// The search index.
    Reindex,
}

impl Migrate {
    pub(super) fn run(&self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let (_, config) = context.common.load_config()?;
        let mut steps: Vec<String> = Vec::new();
        for (step, name) in [(Step::Import, "import"), (Step::Reindex, "reindex")] {
            if self.step.is_empty() || self.step.contains(&step) {
                steps.push(name.to_owned());
            }
        }
        warn(context, &config)?;
        block_on(ui, async {
            let session = context.common.sign_in(&config, ui).await?;
            let looking = Box::pin(Job::observe(&session, &config.env, &steps, self.out_of_order));
            let job = ui.during("looking for the task", looking).await?;
            let task = &config.ecs.task.app;
            let selected = release::image(&task.docker_image, &task.docker_tag);
            if job.image != selected {
                let message = format!(
                    "the task would run {}, the config selects {selected}; nothing was started",
                    job.image
                );
                return Err(Failure::new(Exit::Refused, message)
                    .help("`terraform apply` brings the selection to the task"));
            }
            let plan: Plan<Job> = std::iter::once(job).collect();
            let apply = async |job: &Job| Box::pin(self.carry(context, &session, job)).await;
            carry_out(ui, &plan, "Run it?", apply).await
        })
    }

    async fn carry(&self, context: &Context<'_>, session: &Session, job: &Job) -> Result<(), Failure> {
        let ui = context.ui;
        let task = job.start(session).await?;
        ui.done(&format!("{task} was started and goes on by itself"));
        ui.say(format_args!("started {task}"));
        let log = job.log_of(&task);
        if let Some(log) = &log {
            ui.say(format_args!("its log: {log}"));
        }
        let ended = timeout(Duration::from_secs(self.wait.saturating_mul(60)), async {
            let mut before = String::new();
            loop {
                match job.state(session, &task).await? {
                    State::Going(status) if status != before => {
                        ui.detail(format_args!("{status}"));
                        before = status;
                    }
                    State::Going(_) => {}
                    State::Ended { exit, reason } => return Ok((exit, reason)),
                }
                sleep(Duration::from_secs(3)).await;
            }
        });
        let with_log = |failure: Failure| match log.clone() {
            Some(log) => failure.help(log),
            None => failure,
        };
        let Ok(ended) = ended.await else {
            let message = format!("the task did not end within {} minutes; it goes on", self.wait);
            return Err(with_log(Failure::new(Exit::Failed, message)));
        };
        let (exit, reason) = ended.map_err(|error: aws::CallError| Failure::from(error))?;
        outcome(exit, reason).map_err(with_log)
    }
}

/// What the container's exit and ECS's reason mean.
fn outcome(exit: Option<i32>, reason: String) -> Result<(), Failure> {
    let message = match exit {
        Some(0) => return Ok(()),
        Some(exit) => format!("the task failed with exit {exit}"),
        None => "the task never ran".to_owned(),
    };
    let mut failure = Failure::new(Exit::Failed, message);
    failure.causes.extend((!reason.is_empty()).then_some(reason));
    Err(failure)
}

/// Names the migrations that cannot be undone, where a checkout and a record tell which are new.
fn warn(context: &Context<'_>, config: &Config) -> Result<(), Failure> {
    let osmt = match (context.repo, context.osmt()) {
        (_, Ok(osmt)) => osmt,
        (Some(_), Err(failure)) => return Err(failure),
        (None, Err(_)) => return Ok(()),
    };
    let record = osmt.records(config)?.into_iter().next();
    let (Some(record), Known::Known(commit)) = (record, osmt.selected(config)?) else {
        return Ok(());
    };
    let before = migrations::read_one(&osmt.repository, &record.commit)?;
    let after = migrations::read_one(&osmt.repository, &commit)?;
    for pending in Comparison::new(&before, &after).pending() {
        if pending.class >= Class::Unclear {
            context.ui.warn(format_args!(
                "{} is new since {} and cannot be undone ({}): is there a snapshot?",
                pending.file,
                record.name,
                pending.class.name()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::outcome;
    use crate::explain::Exit;

    #[test]
    fn only_a_zero_is_success() {
        assert!(outcome(Some(0), "Essential container in task exited".into()).is_ok());
        let failed = outcome(Some(137), "OutOfMemoryError".into()).unwrap_err();
        assert_eq!((failed.exit, failed.causes), (Exit::Failed, vec!["OutOfMemoryError".to_owned()]));
        let never = outcome(None, "CannotPullContainerError".into()).unwrap_err();
        assert_eq!(never.message, "the task never ran");
    }
}
