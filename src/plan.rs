//! An ordered list of actions that can be shown or executed.
//!
//! Showing a plan is the dry run: there is no `dry_run` parameter below `command`. A plan holds names and settings,
//! never the value of a secret.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

/// What an action does to its thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// It does not exist and will.
    Create,
    /// It exists and one setting of it changes.
    Update,
    /// It exists and will not.
    Delete,
    /// A local file changes, or a task is run.
    Run,
    /// It is as it should be; shown, never done.
    Keep,
    /// It is not as it should be, or not known, and a person's to change; shown, never done.
    Attention,
}

/// One line of a plan, as people and machines read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What happens.
    pub verb: Verb,
    /// The thing, with its kind first: `S3 bucket osmt-test-123456789012-us-west-2`.
    pub thing: String,
    /// The setting that changes, `None` where the thing as a whole does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// What it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Line {
    /// A line about a thing as a whole.
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

/// Something a plan can hold.
pub trait Action {
    /// How the action is shown.
    fn line(&self) -> Line;

    /// Actions of different lanes do not depend on each other.
    fn lane(&self) -> usize {
        0
    }
}

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<A> {
    /// The actions, first to last.
    pub actions: Vec<A>,
}

impl<A> Default for Plan<A> {
    fn default() -> Self {
        Self { actions: Vec::new() }
    }
}

/// A plan that stopped at a failure.
#[derive(Debug)]
pub struct Stopped<E> {
    /// How many actions were done before it.
    pub done: usize,
    /// How many there were.
    pub of: usize,
    /// What stopped it.
    pub error: E,
    /// What stopped other lanes.
    pub others: Vec<E>,
}

impl<A: Action> Plan<A> {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The lines to show, in order.
    pub fn lines(&self) -> Vec<Line> {
        self.actions.iter().map(Action::line).collect()
    }

    /// Does the actions of one lane in order and all lanes at the same time. A failure stops its own lane: what the
    /// others began they end.
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
