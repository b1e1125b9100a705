//! One setting of a component: its present value, and the change that it needs. Pure.

use crate::plan::{Line, Verb};

/// The resource that a setting belongs to, as the plan names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing<'a> {
    pub(super) name: &'a str,
    /// If it does not exist, its settings are shown as part of its creation.
    pub(super) exists: bool,
}

impl<'a> Thing<'a> {
    pub(super) fn existing(name: &'a str) -> Self {
        Self { name, exists: true }
    }
}

/// One setting with its change, or without one if it is right or not ours to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<C> {
    /// The line of the plan.
    pub line: Line,
    /// `None` for [`Verb::Keep`] and [`Verb::Attention`].
    pub change: Option<C>,
}

impl<C> Judged<C> {
    /// A resource that does not exist yet.
    pub(super) fn create(thing: &str, what: Option<&str>, change: C) -> Self {
        Self {
            line: Line { to: what.map(str::to_owned), ..Line::new(Verb::Create, thing) },
            change: Some(change),
        }
    }

    /// One setting: kept if it `fits`, changed otherwise.
    pub(super) fn setting(
        thing: Thing<'_>,
        name: &str,
        from: Option<String>,
        to: &str,
        fits: bool,
        change: C,
    ) -> Self {
        if thing.exists && fits {
            return Self { line: Line::new(Verb::Keep, thing.name).setting(name, None, from), change: None };
        }
        let verb = if thing.exists { Verb::Update } else { Verb::Create };
        let line = Line::new(verb, thing.name).setting(name, from, Some(to.to_owned()));
        Self { line, change: Some(change) }
    }

    /// One setting that is shown and not changed; `good` is whether it is right.
    pub fn shown(thing: &str, setting: impl Into<String>, text: String, good: bool) -> Self {
        let verb = if good { Verb::Keep } else { Verb::Attention };
        Self { line: Line::new(verb, thing).setting(setting, None, Some(text)), change: None }
    }

    pub(super) fn map<D>(self, into: impl FnOnce(C) -> D) -> Judged<D> {
        Judged { line: self.line, change: self.change.map(into) }
    }
}
