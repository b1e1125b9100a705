//! What a migration costs.

use serde::Serialize;

/// What going back over a migration would cost. The order is from harmless to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It adds tables, columns or indexes; an older version runs as before.
    Additive,
    /// It writes rows; what they held before is gone, but nothing is missing.
    Rewriting,
    /// No row is lost, but an older version may fail: a new column that it does not fill, a constraint, a lost view.
    Breaking,
    /// It cannot be judged from the text: SQL built at run time, a procedure, a placeholder, an unknown statement.
    Unclear,
    /// It drops, deletes, narrows or renames what an older version needs.
    Destructive,
}

impl Class {
    /// The word for people.
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

/// What one statement, or one part of it, does, and the words that say so.
pub(super) type Judgement = (Class, String);

pub(super) fn judged(class: Class, because: impl Into<String>) -> Judgement {
    (class, because.into())
}
