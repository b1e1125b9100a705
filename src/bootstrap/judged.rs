//! One setting of a component: how it is, and what to do about it. Pure.

use crate::plan::{Line, Verb};

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

    /// One setting: kept where `fits`, changed otherwise; part of the creation where there is nothing to change yet.
    pub(super) fn setting(
        (thing, exists): (&str, bool),
        name: &str,
        (from, to): (Option<String>, &str),
        fits: bool,
        change: C,
    ) -> Self {
        if exists && fits {
            return Self { line: Line::new(Verb::Keep, thing).setting(name, None, from), change: None };
        }
        let verb = if exists { Verb::Update } else { Verb::Create };
        Self { line: Line::new(verb, thing).setting(name, from, Some(to.to_owned())), change: Some(change) }
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
