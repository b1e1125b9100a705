//! A protection that an update turns off, in the plan or in its drift.

use crate::finding::Severity;

/// A protection that an update turns off.
pub(super) struct Weakness {
    /// The attribute.
    pub(super) name: &'static str,
    /// The message.
    pub(super) what: String,
    pub(super) severity: Severity,
}
