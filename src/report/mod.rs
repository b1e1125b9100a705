//! Findings and plans as text, to any `Write`.
//!
//! Decides nothing: the format never changes an exit.

pub mod plans;

/// What stdout carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// GitHub workflow annotations.
    Github,
}

/// The version in every JSON document that the binaries print.
pub const VERSION: u32 = 1;
