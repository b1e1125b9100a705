//! One setting of a component: how it is, and what to do about it. Pure.

use crate::plan::{Line, Verb};

/// What a setting belongs to, as the plan names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing<'a> {
    pub(super) name: &'a str,
    /// Where it does not exist, its settings are part of its creation.
    pub(super) exists: bool,
}

impl<'a> Thing<'a> {
    pub(super) fn existing(name: &'a str) -> Self {
        Self { name, exists: true }
    }
}

/// One setting, judged: what to do about it, or that it is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<C> {
    /// How it is shown.
    pub line: Line,
    /// What is to be done; `None` where the line says [`Verb::Keep`].
    pub change: Option<C>,
}

impl<C> Judged<C> {
    /// A thing that does not exist yet.
    pub(super) fn create(thing: &str, what: Option<&str>, change: C) -> Self {
        Self {
            line: Line { to: what.map(str::to_owned), ..Line::new(Verb::Create, thing) },
            change: Some(change),
        }
    }

    /// One setting: kept where `fits`, changed otherwise.
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

    /// One setting that is shown and not ours to change: as it should be, or not.
    pub fn shown(thing: &str, setting: impl Into<String>, text: String, good: bool) -> Self {
        let verb = if good { Verb::Keep } else { Verb::Attention };
        Self { line: Line::new(verb, thing).setting(setting, None, Some(text)), change: None }
    }

    pub(super) fn map<D>(self, into: impl FnOnce(C) -> D) -> Judged<D> {
        Judged { line: self.line, change: self.change.map(into) }
    }
}
