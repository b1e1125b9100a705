//! An ordered list of actions that can be shown or executed.
//!
//! Showing a plan is the dry run: there is no `dry_run` parameter below `command`. A plan holds names and settings,
//! never the value of a secret.

use serde::Serialize;

/// What an action does to its thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
}

/// One line of a plan, as people and machines read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
        Self {
            verb,
            thing: thing.into(),
            setting: None,
            from: None,
            to: None,
        }
    }

    /// A line about one setting of a thing.
    #[must_use]
    pub fn setting(
        mut self,
        name: impl Into<String>,
        from: Option<String>,
        to: Option<String>,
    ) -> Self {
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
}

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<A> {
    /// The actions, first to last.
    pub actions: Vec<A>,
}

impl<A> Default for Plan<A> {
    fn default() -> Self {
        Self {
            actions: Vec::new(),
        }
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

    /// Does the actions in order; stops at the first failure and says how many were done.
    pub async fn execute<E>(
        &self,
        mut apply: impl AsyncFnMut(&A) -> Result<(), E>,
    ) -> Result<usize, Stopped<E>> {
        for (done, action) in self.actions.iter().enumerate() {
            if let Err(error) = apply(action).await {
                return Err(Stopped {
                    done,
                    of: self.actions.len(),
                    error,
                });
            }
        }
        Ok(self.actions.len())
    }
}

impl<A> FromIterator<A> for Plan<A> {
    fn from_iter<I: IntoIterator<Item = A>>(actions: I) -> Self {
        Self {
            actions: actions.into_iter().collect(),
        }
    }
}
