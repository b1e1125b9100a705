//! The class of a migration.

use serde::Serialize;

/// What a migration does to data and to an older version of the app, from harmless to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It adds tables, columns or indexes; an older version runs as before.
    Additive,
    /// It writes rows: their old values are lost, but an older version works.
    Rewriting,
    /// No row is lost, but an older version may fail: a new column that it does not fill, a constraint, a dropped view.
    Breaking,
    /// It cannot be judged from the text: SQL built at run time, a procedure, a placeholder, an unknown statement.
    Unclear,
    /// It drops, deletes, narrows or renames something that an older version needs.
    Destructive,
}

impl Class {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Additive => "additive",
            Self::Rewriting => "rewriting",
            Self::Breaking => "breaking",
            Self::Unclear => "unclear",
            Self::Destructive => "destructive",
        }
    }
}

/// The class of one statement or part of it, and the keywords that led to it.
pub(super) type Judgement = (Class, String);

pub(super) fn judged(class: Class, because: impl Into<String>) -> Judgement {
    (class, because.into())
}
