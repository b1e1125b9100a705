//! Findings made concrete: the place of each on the page, the order in which they are printed, and what must not be printed.

use std::borrow::Cow;
use std::ops::Range;

use super::{FileReport, visible};
use crate::document::{Kind, Node, Place, Position, Token, position_in};
use crate::finding::{Finding, Unknown};
use crate::sensitive;

/// Shorter values are not looked for in messages: they would be found in ordinary words.
const SHORTEST_SECRET: usize = 6;

/// A place, on the page.
#[derive(Clone, Debug)]
pub(super) struct Spot<'a> {
    /// RFC 6901.
    pub(super) pointer: &'a str,
    /// `None` where there is no text to point into: a saved plan.
    pub(super) page: Option<Page>,
}

/// A range of a text.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// In bytes.
    pub(super) span: Range<usize>,
    /// The first character.
    pub(super) start: Position,
    /// The one behind the last.
    pub(super) end: Position,
}

/// A finding, on the page.
#[derive(Clone, Debug)]
pub(super) struct Located<'a> {
    /// The finding; its message and help may hold what must not be printed.
    pub(super) finding: &'a Finding,
    /// What is wrong.
    pub(super) message: Cow<'a, str>,
    /// What to do.
    pub(super) help: Option<Cow<'a, str>>,
    /// Where; `None` where the thing judged is not a file.
    pub(super) at: Option<Spot<'a>>,
    /// What belongs to it.
    pub(super) related: Vec<(Spot<'a>, Cow<'a, str>)>,
}

impl Located<'_> {
    /// What it is about: the pointer; in a plan the resource's address and the attribute.
    pub(super) fn thing(&self) -> String {
        let pointer = self.at.as_ref().map_or("", |spot| spot.pointer);
        let stable = self.finding.stable.as_deref();
        let Some((_, rest)) = stable.and_then(|stable| stable.strip_prefix('/')?.split_once('/')) else {
            return pointer.to_owned();
        };
        let rest = rest.trim_end_matches("/change/actions");
        let parts = rest.split_once("/change/after/").or_else(|| rest.split_once("/change/before/"));
        parts.map_or_else(|| rest.to_owned(), |(address, attribute)| format!("{address} {attribute}"))
    }
}

/// What of a file must not be printed.
#[derive(Debug, Default)]
pub(super) struct Mask<'a> {
    /// The bytes of each value, quotes included.
    pub(super) spans: Vec<Range<usize>>,
    values: Vec<&'a str>,
}

impl<'a> Mask<'a> {
    /// Everything that a masked finding of the report covers.
    pub(super) fn new(report: &FileReport<'a>) -> Self {
        let mut mask = Self::default();
        for finding in report.findings.findings.iter().filter(|f| f.masked) {
            let places = finding.related.iter().map(|(place, _)| place);
            for place in finding.at.iter().chain(places) {
                match (report.document, place.token) {
                    (_, Token::Bytes(start, end)) => {
                        mask.spans.push(clamp(report.text, start..end));
                    }
                    (Some(document), _) => {
                        let doubled = document.keys(&place.pointer).into_iter();
                        let nodes = doubled.map(|member| &member.node);
                        nodes.chain(document.get(&place.pointer)).for_each(|node| mask.cover(node));
                    }
                    (None, _) => {}
                }
            }
        }
        if report.document.is_none() {
            mask.spans.extend(suspicious(report.text));
        }
        mask.spans.sort_by_key(|span| (span.start, span.end));
        mask
    }

    fn cover(&mut self, node: &'a Node) {
        match &node.kind {
            Kind::Array(items) => items.iter().for_each(|item| self.cover(item)),
            Kind::Object(members) => members.iter().for_each(|member| self.cover(&member.node)),
            Kind::String(value) | Kind::Number(value) => {
                self.spans.push(node.span.clone());
                if value.len() >= SHORTEST_SECRET {
                    self.values.push(value);
                }
            }
            Kind::Bool(_) | Kind::Null => {}
        }
    }

    /// A message as it may be printed: without secrets, and without what steers a terminal.
    fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.scrub(text) {
            Cow::Borrowed(text) => visible::lines(text),
            Cow::Owned(text) => Cow::Owned(visible::lines(&text).into_owned()),
        }
    }

    fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.values.iter().fold(Cow::Borrowed(text), |text, value| {
            if text.contains(value) { Cow::Owned(text.replace(value, "***")) } else { text }
        })
    }
}

/// What may be a secret in a text that is not JSON: the value behind a name that says so, and what looks like one.
fn suspicious(text: &str) -> Vec<Range<usize>> {
    let skip = |from: usize, what: &dyn Fn(char) -> bool| {
        text[from..].find(|char| !what(char)).map_or(text.len(), |length| from + length)
    };
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(in_name).map(|found| at + found) {
        let end = skip(start, &in_name);
        at = end;
        if !sensitive::names_secret(&text[start..end]) {
            continue;
        }
        let value = skip(end, &|c| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ':' | '='));
        let opening = text[end..value].trim_start_matches(['"', '\'']);
        let rest = &text[value..];
        let length = if opening.ends_with(['"', '\'']) {
            closing_quote(rest)
        } else if opening.contains([':', '=']) && !rest.starts_with(['{', '[']) {
            rest.find([',', '}', '\n']).unwrap_or(rest.len())
        } else {
            continue;
        };
        spans.push(value..value + length);
    }
    let mut offset = 0;
    for word in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',')) {
        let bare = word.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ','));
        if sensitive::has_login(bare) || sensitive::looks_secret(bare).is_some() {
            spans.push(offset..offset + bare.len());
        }
        offset += word.len();
    }
    spans
}

/// The length up to the quote that ends a string, escapes skipped; all of the text where there is none.
fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    text.find(|char| {
        let ends = !escaped && matches!(char, '"' | '\'');
        escaped = !escaped && char == '\\';
        ends
    })
    .unwrap_or(text.len())
}

/// The findings of a file by position, then code; those without a place last.
pub(super) fn sorted<'a>(report: &FileReport<'a>, mask: &Mask<'_>) -> Vec<Located<'a>> {
    let mut all: Vec<_> = report
        .findings
        .findings
        .iter()
        .map(|finding| Located {
            finding,
            message: mask.masked(&finding.message),
            help: finding.help.as_deref().map(|help| mask.masked(help)),
            at: finding.at.as_ref().map(|place| spot(report, place)),
            related: finding
                .related
                .iter()
                .map(|(place, message)| (spot(report, place), mask.masked(message)))
                .collect(),
        })
        .collect();
    all.sort_by(|one, other| key(one).cmp(&key(other)));
    all
}

/// The checks that could not be made, in an order that does not change.
pub(super) fn unknown<'a>(report: &FileReport<'a>) -> Vec<&'a Unknown> {
    let mut unknown: Vec<_> = report.findings.unknown.iter().collect();
    unknown.sort();
    unknown
}

fn key<'k>(located: &'k Located<'_>) -> impl Ord + use<'k> {
    let at = located.at.as_ref();
    let page = at.and_then(|spot| spot.page.as_ref());
    (
        page.map_or(usize::MAX, |page| page.span.start),
        located.finding.code.as_ref(),
        page.map_or(usize::MAX, |page| page.span.end),
        at.map_or("", |spot| spot.pointer),
        located.message.as_ref(),
    )
}

fn spot<'a>(report: &FileReport<'_>, place: &'a Place) -> Spot<'a> {
    let span = match (report.document, place.token) {
        (_, Token::Bytes(start, end)) => Some(start..end),
        (Some(document), _) => Some(document.span(place)),
        (None, _) => None,
    };
    let position = |offset| match report.document {
        Some(document) => document.position(offset),
        None => position_in(report.text, offset),
    };
    Spot {
        pointer: &place.pointer,
        page: span.map(|span| {
            let span = clamp(report.text, span);
            Page { start: position(span.start), end: position(span.end), span }
        }),
    }
}

/// The span, inside the text and on the edges of characters.
fn clamp(text: &str, span: Range<usize>) -> Range<usize> {
    let edge = |mut offset: usize| {
        offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let start = edge(span.start);
    start..edge(span.end).max(start)
}
