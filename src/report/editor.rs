//! Findings for an editor, with byte ranges.

use std::ops::Range;

use super::FileReport;
use super::located::{Mask, ResolvedPlace, sorted};
use crate::finding::Finding;

/// A finding with its range. The texts do not contain secrets.
#[derive(Debug)]
pub struct Marked<'a> {
    /// The finding. Its own message and help may contain secrets.
    pub finding: &'a Finding,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where, in bytes; the beginning of the text if the finding has no place.
    pub span: Range<usize>,
    /// Related places with their messages.
    pub related: Vec<(Range<usize>, String)>,
}

/// The findings of a file, in the same order as in every format.
pub fn marked<'a>(report: &FileReport<'a>) -> Vec<Marked<'a>> {
    let mask = Mask::new(report);
    let span = |place: &ResolvedPlace<'_>| place.range.as_ref().map_or(0..0, |range| range.span.clone());
    sorted(report, &mask)
        .into_iter()
        .map(|located| Marked {
            finding: located.finding,
            message: located.message.into_owned(),
            help: located.help.map(std::borrow::Cow::into_owned),
            span: located.at.as_ref().map_or(0..0, span),
            related: located.related.iter().map(|(place, text)| (span(place), text.to_string())).collect(),
        })
        .collect()
}
