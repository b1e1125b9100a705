//! Findings and plans as text, to any `Write`.
//!
//! Decides nothing: the format never changes an exit. No format prints a value that may be a secret.

mod excerpt;
mod github;
mod human;
mod json;
mod located;
pub mod plans;
mod sarif;

use std::io;
use std::io::Write;

use crate::document::Document;
use crate::finding::{Findings, Rule};

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

/// What was found in one file.
#[derive(Clone, Copy, Debug)]
pub struct FileReport<'a> {
    /// Its path, as the user gave it.
    pub file: &'a str,
    /// Its text, also where that is not JSON.
    pub text: &'a str,
    /// The parsed text; `None` where it is not JSON.
    pub document: Option<&'a Document>,
    /// What was found.
    pub findings: &'a Findings,
}

/// Writes what was found in some files, in the order given; in each file by position, then by code.
///
/// `tool` is name and version (`osmt-doctor 0.1.0`), `rules` are all that could have spoken.
pub fn write(
    format: Format,
    reports: &[FileReport<'_>],
    tool: &str,
    rules: &[&'static Rule],
    color: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Human => human::write(reports, tool, color, out),
        Format::Json => json::write(reports, tool, out),
        Format::Sarif => sarif::write(reports, tool, rules, out),
        Format::Github => github::write(reports, out),
    }
}
