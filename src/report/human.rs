//! Findings for people: the source line with the range underlined, related places, the help, and a summary.

use std::borrow::Cow;
use std::io;
use std::io::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::excerpt::Excerpt;
use super::located::{Located, Mask, TextRange};
use super::{About, FileReport, located, visible};
use crate::explain;
use crate::finding::Severity;

/// A related place at most this many lines away is shown in the same excerpt.
const NEAR: usize = 60;

/// Writes every finding, then the summary.
pub(super) fn write(reports: &[FileReport<'_>], about: &About<'_>, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if about.color { Renderer::styled() } else { Renderer::plain() };
    let width = about.width;
    // `Excerpt` has cut the lines already; the renderer must not cut them again.
    let renderer = renderer.term_width(10 * width);
    for report in reports {
        let mask = Mask::new(report);
        for located in located::sorted(report, &mask) {
            let groups = groups(report, &mask, &located, width);
            print(&renderer.render(&groups), out)?;
        }
        for unknown in located::unknown(report) {
            let text = wrap(&visible::lines(&format!("could not check: {}", unknown.reason)), 18, width);
            let title = Level::NOTE.with_name("unknown").primary_title(text).id(unknown.code.as_str());
            print(&renderer.render(&[Group::with_title(title)]), out)?;
        }
    }
    writeln!(out, "{}", summary(reports, about.more))
}

/// Prints a rendered finding without the renderer's `:::` line, which would show the position in the excerpt. The line above
/// shows the position in the file.
fn print(rendered: &str, out: &mut dyn Write) -> io::Result<()> {
    let is_position =
        |line: &str| line.contains(":::") && anstream::adapter::strip_str(line).to_string().trim() == ":::";
    for line in rendered.lines().filter(|line| !is_position(line)) {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)
}

fn groups<'a>(
    report: &FileReport<'a>,
    mask: &Mask<'_>,
    located: &'a Located<'a>,
    width: usize,
) -> Vec<Group<'a>> {
    let finding = located.finding;
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let indent = finding.severity.name().len() + finding.code.len() + 4;
    let title = level.primary_title(wrap(&located.message, indent, width)).id(finding.code.as_ref());
    let mut main = Group::with_title(title);
    let mut others = Vec::new();
    let range = located.at.as_ref().and_then(|place| place.range.as_ref());
    match range {
        None => main = main.element(Origin::path(explain::visible(report.file))),
        Some(at) => {
            let related = located.related.iter();
            let related = related.filter_map(|(place, message)| Some((place.range.as_ref()?, message)));
            let (near, far): (Vec<Related<'_>>, Vec<_>) =
                related.partition(|(range, _)| range.start.line.abs_diff(at.start.line) <= NEAR);
            let (snippet, beside) = snippet(report, mask, at, &near, width);
            main = main.element(origin(report, at)).element(snippet);
            others = beside.into_iter().chain(far).collect();
        }
    }
    if let Some(help) = &located.help {
        main = main.element(Level::HELP.message(wrap(help, 14, width)));
    }
    let mut groups = vec![main];
    for (range, message) in others {
        let (snippet, _) = snippet(report, mask, range, &[], width);
        groups.push(
            Level::NOTE
                .secondary_title(wrap(message, 6, width))
                .element(origin(report, range))
                .element(snippet),
        );
    }
    groups
}

type Related<'a> = (&'a TextRange, &'a Cow<'a, str>);

/// The excerpt around a place with the related places that are visible in it, and the related places that are not.
fn snippet<'a>(
    report: &FileReport<'a>,
    mask: &Mask<'_>,
    at: &TextRange,
    near: &[Related<'a>],
    width: usize,
) -> (Snippet<'a, annotate_snippets::Annotation<'a>>, Vec<Related<'a>>) {
    let last = near.iter().map(|(range, _)| range.end.line);
    let last = last.chain([at.end.line]).max().unwrap_or(at.end.line);
    let width = width - last.to_string().len() - 3;
    let wanted: Vec<_> = std::iter::once(at)
        .chain(near.iter().map(|(range, _)| *range))
        .map(|range| range.span.clone())
        .collect();
    let excerpt = Excerpt::new(report.text, mask, width, &wanted);
    let mut snippet = Snippet::source(excerpt.text).line_start(excerpt.first_line);
    let mut beside = Vec::new();
    for (index, range) in excerpt.marks.into_iter().enumerate() {
        let related = index.checked_sub(1).map(|index| near[index]);
        snippet = match (range, related) {
            (Some(range), None) => snippet.annotation(AnnotationKind::Primary.span(range)),
            (Some(range), Some((_, message))) => {
                let annotation = AnnotationKind::Context.span(range);
                snippet.annotation(annotation.label(message.as_ref()))
            }
            (None, related) => {
                beside.extend(related);
                snippet
            }
        };
    }
    (snippet, beside)
}

fn origin<'a>(report: &FileReport<'a>, at: &TextRange) -> Origin<'a> {
    Origin::path(explain::visible(report.file)).line(at.start.line).char_column(at.start.column)
}

/// Breaks a text at spaces, so that it fits into the width after an indent.
fn wrap(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let mut wrapped = String::new();
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            wrapped.push('\n');
        }
        let mut used = 0;
        for word in line.split(' ') {
            let long = word.chars().count();
            if used > 0 && used + 1 + long > room {
                wrapped.push('\n');
                used = 0;
            } else if used > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += long;
        }
    }
    wrapped
}

/// The number of findings, passed checks, unknown checks and ignored findings; then `more`, if there are findings.
pub(super) fn summary(reports: &[FileReport<'_>], more: Option<&str>) -> String {
    let all = |of: fn(&FileReport<'_>) -> usize| reports.iter().map(of).sum::<usize>();
    let count = |severity: Severity| {
        reports
            .iter()
            .flat_map(|report| &report.findings.findings)
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let found: Vec<_> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (count(severity), severity.name()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| explain::count(count, name))
        .collect();
    let mut parts = vec![if found.is_empty() { "nothing found".to_owned() } else { found.join(", ") }];
    if reports.len() > 1 {
        parts.push(format!("in {} files", reports.len()));
    }
    parts.push(format!("{} passed", explain::count(all(|r| r.findings.passed), "check")));
    for (count, what) in
        [(all(|r| r.findings.unknown.len()), "could not be made"), (all(|r| r.findings.ignored), "ignored")]
    {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let mut text = parts.join("; ");
    if let Some(more) = more.filter(|_| !found.is_empty()) {
        text.push('\n');
        text.push_str(more);
    }
    text
}
