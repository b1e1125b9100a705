//! What an update weakens: one fact for the checks of a plan and of drift.

use crate::finding::Severity;

/// Something that an update weakens.
pub(super) struct Weakness {
    /// The attribute.
    pub(super) name: &'static str,
    /// In words.
    pub(super) what: String,
    /// How bad.
    pub(super) severity: Severity,
}
