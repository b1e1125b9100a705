//! An ordered list of actions that can be shown or executed.
//!
//! A dry run shows the plan and does not execute it, so no function below `command` has a `dry_run` parameter. A plan contains
//! names and settings, never the value of a secret.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Creates the thing.
    Create,
    /// Changes one setting of the thing.
    Update,
    /// Deletes the thing.
    Delete,
    /// Changes a local file, or runs a task.
    Run,
    /// Nothing: the thing is as it should be.
    Keep,
    /// Nothing: the thing is wrong or unknown, and the user must change it.
    Attention,
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What happens.
    pub verb: Verb,
    /// The thing, with its kind first: `S3 bucket osmt-test-123456789012-us-west-2`.
    pub thing: String,
    /// The setting that changes; `None` for the thing itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// The value now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Line {
    /// A line about a thing.
    pub fn new(verb: Verb, thing: impl Into<String>) -> Self {
        Self { verb, thing: thing.into(), setting: None, from: None, to: None }
    }

    /// A line about one setting of a thing.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, from: Option<String>, to: Option<String>) -> Self {
        self.setting = Some(name.into());
        self.from = from;
        self.to = to;
        self
    }
}

/// An element of a plan.
pub trait Action {
    /// The line that shows the action.
    fn line(&self) -> Line;

    /// The lane of the action. Lanes do not depend on each other and run at the same time.
    fn lane(&self) -> usize {
        0
    }
}

/// The actions to execute, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<A> {
    /// The actions, in order.
    pub actions: Vec<A>,
}

impl<A> Default for Plan<A> {
    fn default() -> Self {
        Self { actions: Vec::new() }
    }
}

/// A plan that failed before its end.
#[derive(Debug)]
pub struct Stopped<E> {
    /// The number of actions that succeeded.
    pub done: usize,
    /// The number of actions in the plan.
    pub of: usize,
    /// The first error.
    pub error: E,
    /// The errors of other lanes.
    pub others: Vec<E>,
}

impl<A: Action> Plan<A> {
    /// Whether the plan has no actions.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The lines to show, in order.
    pub fn lines(&self) -> Vec<Line> {
        self.actions.iter().map(Action::line).collect()
    }

    /// Executes the actions of each lane in order, and all lanes at the same time. An error ends only its own lane.
    pub async fn execute<E>(&self, apply: impl AsyncFn(&A) -> Result<(), E>) -> Result<(), Stopped<E>> {
        let apply = &apply;
        let lanes = self.actions.iter().map(Action::lane).max();
        let running = (0..=lanes.unwrap_or_default()).map(|lane| async move {
            let mut done = 0;
            for action in self.actions.iter().filter(|action| action.lane() == lane) {
                match apply(action).await {
                    Ok(()) => done += 1,
                    Err(error) => return (done, Some(error)),
                }
            }
            (done, None)
        });
        let mut done = 0;
        let mut errors = Vec::new();
        for (of_lane, stopped) in join_all(running).await {
            done += of_lane;
            errors.extend(stopped);
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(Stopped { done, of: self.actions.len(), error: errors.remove(0), others: errors })
    }
}

impl<A> FromIterator<A> for Plan<A> {
    fn from_iter<I: IntoIterator<Item = A>>(actions: I) -> Self {
        Self { actions: actions.into_iter().collect() }
    }
}
