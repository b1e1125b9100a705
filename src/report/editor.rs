//! Findings as an editor shows them: by ranges of the text, as often as the text changes.

use std::ops::Range;

use super::FileReport;
use super::located::{Mask, Spot, sorted};
use crate::finding::Finding;

/// A finding at its range; its texts are without secrets.
#[derive(Debug)]
pub struct Marked<'a> {
    /// The finding; its own message and help may hold what must not be shown.
    pub finding: &'a Finding,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where, in bytes; the beginning of the text where the finding has no place.
    pub span: Range<usize>,
    /// What belongs to it.
    pub related: Vec<(Range<usize>, String)>,
}

/// The findings of a file, in the order in which every format lists them.
pub fn marked<'a>(report: &FileReport<'a>) -> Vec<Marked<'a>> {
    let mask = Mask::new(report);
    let span = |spot: &Spot<'_>| spot.page.as_ref().map_or(0..0, |page| page.span.clone());
    sorted(report, &mask)
        .into_iter()
        .map(|located| Marked {
            finding: located.finding,
            message: located.message.into_owned(),
            help: located.help.map(std::borrow::Cow::into_owned),
            span: located.at.as_ref().map_or(0..0, span),
            related: located.related.iter().map(|(spot, text)| (span(spot), text.to_string())).collect(),
        })
        .collect()
}
