//! Resolves the places of findings to ranges of the text, sorts the findings, and removes secrets from their texts.

use std::borrow::Cow;
use std::ops::Range;

use super::{FileReport, visible};
use crate::document::{Kind, Node, Place, Position, Token, position_in};
use crate::finding::{Finding, Unknown};
use crate::sensitive;

/// Shorter values are not removed from messages, because they could be parts of ordinary words.
const SHORTEST_SECRET: usize = 6;

/// A place with its range in the text.
#[derive(Clone, Debug)]
pub(super) struct ResolvedPlace<'a> {
    /// RFC 6901.
    pub(super) pointer: &'a str,
    /// `None` if there is no text, as for a saved plan.
    pub(super) range: Option<TextRange>,
}

/// A range of a text.
#[derive(Clone, Debug)]
pub(super) struct TextRange {
    /// In bytes.
    pub(super) span: Range<usize>,
    /// The first character.
    pub(super) start: Position,
    /// The character after the last.
    pub(super) end: Position,
}

/// A finding with its range in the text.
#[derive(Clone, Debug)]
pub(super) struct Located<'a> {
    /// The finding. Its own message and help may contain secrets.
    pub(super) finding: &'a Finding,
    /// What is wrong.
    pub(super) message: Cow<'a, str>,
    /// What to do.
    pub(super) help: Option<Cow<'a, str>>,
    /// Where; `None` if the finding is not about a file.
    pub(super) at: Option<ResolvedPlace<'a>>,
    /// Related places with their messages.
    pub(super) related: Vec<(ResolvedPlace<'a>, Cow<'a, str>)>,
}

impl Located<'_> {
    /// What it is about: the pointer, or for a plan the resource's address and the attribute.
    pub(super) fn subject(&self) -> String {
        let pointer = self.at.as_ref().map_or("", |place| place.pointer);
        let stable = self.finding.stable.as_deref();
        let Some((_, rest)) = stable.and_then(|stable| stable.strip_prefix('/')?.split_once('/')) else {
            return pointer.to_owned();
        };
        let rest = rest.trim_end_matches("/change/actions");
        let parts = rest.split_once("/change/after/").or_else(|| rest.split_once("/change/before/"));
        parts.map_or_else(|| rest.to_owned(), |(address, attribute)| format!("{address} {attribute}"))
    }
}

/// The secrets of a file, which are not printed.
#[derive(Debug, Default)]
pub(super) struct Mask<'a> {
    /// The range of each value, in bytes, with its quotes.
    pub(super) spans: Vec<Range<usize>>,
    values: Vec<&'a str>,
}

impl<'a> Mask<'a> {
    /// The values at the places of masked findings.
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
                        let duplicates = document.keys(&place.pointer).into_iter();
                        let nodes = duplicates.map(|member| &member.node);
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

    /// A text without secrets and control characters.
    fn printable<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.without_values(text) {
            Cow::Borrowed(text) => visible::lines(text),
            Cow::Owned(text) => Cow::Owned(visible::lines(&text).into_owned()),
        }
    }

    fn without_values<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.values.iter().fold(Cow::Borrowed(text), |text, value| {
            if text.contains(value) { Cow::Owned(text.replace(value, "***")) } else { text }
        })
    }
}

/// The ranges that may be a secret in a text that is not JSON: values of names such as `password`, and words that look like a secret.
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

/// The length up to the closing quote of a string; the length of the text if there is no closing quote.
fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    text.find(|char| {
        let ends = !escaped && matches!(char, '"' | '\'');
        escaped = !escaped && char == '\\';
        ends
    })
    .unwrap_or(text.len())
}

/// The findings of a file, sorted by position, then by code. Findings without a place come last.
pub(super) fn sorted<'a>(report: &FileReport<'a>, mask: &Mask<'_>) -> Vec<Located<'a>> {
    let mut all: Vec<_> = report
        .findings
        .findings
        .iter()
        .map(|finding| Located {
            finding,
            message: mask.printable(&finding.message),
            help: finding.help.as_deref().map(|help| mask.printable(help)),
            at: finding.at.as_ref().map(|place| resolve(report, place)),
            related: finding
                .related
                .iter()
                .map(|(place, message)| (resolve(report, place), mask.printable(message)))
                .collect(),
        })
        .collect();
    all.sort_by(|one, other| key(one).cmp(&key(other)));
    all
}

/// The checks that could not be made, sorted.
pub(super) fn unknown<'a>(report: &FileReport<'a>) -> Vec<&'a Unknown> {
    let mut unknown: Vec<_> = report.findings.unknown.iter().collect();
    unknown.sort();
    unknown
}

fn key<'k>(located: &'k Located<'_>) -> impl Ord + use<'k> {
    let at = located.at.as_ref();
    let range = at.and_then(|place| place.range.as_ref());
    (
        range.map_or(usize::MAX, |range| range.span.start),
        located.finding.code.as_ref(),
        range.map_or(usize::MAX, |range| range.span.end),
        at.map_or("", |place| place.pointer),
        located.message.as_ref(),
    )
}

fn resolve<'a>(report: &FileReport<'_>, place: &'a Place) -> ResolvedPlace<'a> {
    let span = match (report.document, place.token) {
        (_, Token::Bytes(start, end)) => Some(start..end),
        (Some(document), _) => Some(document.span(place)),
        (None, _) => None,
    };
    let position = |offset| match report.document {
        Some(document) => document.position(offset),
        None => position_in(report.text, offset),
    };
    ResolvedPlace {
        pointer: &place.pointer,
        range: span.map(|span| {
            let span = clamp(report.text, span);
            TextRange { start: position(span.start), end: position(span.end), span }
        }),
    }
}

/// The span, limited to the text and to character boundaries.
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
