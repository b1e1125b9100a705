//! Writes findings and plans in every output format.
//!
//! The format does not affect the exit code. No format prints a value that may be a secret.

mod about;
pub mod changes;
pub mod editor;
mod excerpt;
mod fingerprint;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod located;
pub mod markdown;
mod markup;
pub mod page;
pub mod plans;
mod sarif;
mod visible;

use std::io;
use std::io::Write;

pub use self::about::{About, Checkout, FileReport, Format, STDIN, VERSION, WIDTH};

/// Writes the findings of some files in the given order, those of each file sorted by position, then by code.
pub fn write(
    format: Format,
    reports: &[FileReport<'_>],
    about: &About<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Human => human::write(reports, about, out),
        Format::Json => json::write(reports, about.tool, out),
        Format::Sarif => sarif::write(reports, about, out),
        Format::Github => github::write(reports, about, out),
        Format::Gitlab => gitlab::write(reports, about, out),
        Format::Junit => junit::write(reports, about, out),
        Format::Markdown => markdown::write(reports, about, out),
    }
}
