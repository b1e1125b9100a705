//! The HTML report of a plan, for the people who approve it: one file without external resources, also for print and dark mode.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::changes::{Changed, Changes};
use super::located::{Located, Mask};
use super::markup::{escaped, without_secrets};
use super::{FileReport, human, located, markup};
use crate::finding::Rule;

/// The dark scheme replaces the colours; print uses the light ones.
const STYLESHEET: &str = "\
:root { color-scheme: light dark; --page: #ffffff; --text: #1b1f24; --quiet: #57606a; --rule: #d0d7de; --panel: #f6f8fa; --bad: #a40e26; --warn: #7d4e00; --good: #116329; --odd: #8250df; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --text: #e6edf3; --quiet: #a5adb6; --rule: #30363d; --panel: #161b22; --bad: #ff7b72; --warn: #e3b341; --good: #56d364; --odd: #d2a8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1000px; padding: 16px; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, \"Segoe UI\", Roboto, \"DejaVu Sans\", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 26px; line-height: 1.3; margin: 8px 0; }
h2 { font-size: 20px; line-height: 1.3; margin: 32px 0 8px; border-bottom: 1px solid var(--rule); }
p { margin: 8px 0; }
code, .address { font-family: \"DejaVu Sans Mono\", Menlo, Consolas, \"Liberation Mono\", monospace; font-size: 14px; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: 6px 8px; border-bottom: 1px solid var(--rule); }
th { color: var(--quiet); font-weight: normal; }
.facts th { width: 190px; }
.changes th:first-child { width: 120px; }
.changes th:nth-child(2) { width: 40%; }
ul { margin: 0; padding-left: 18px; }
.plain { padding: 0; list-style: none; }
.quiet { color: var(--quiet); }
.note-box, .finding { background: var(--panel); border-left: 4px solid var(--rule); padding: 8px 12px; margin: 10px 0; }
.finding p { margin: 4px 0; }
.is-error, .is-destroyed, .is-replaced { color: var(--bad); border-color: var(--bad); font-weight: bold; }
.is-warning, .is-changed { color: var(--warn); border-color: var(--warn); font-weight: bold; }
.is-created { color: var(--good); font-weight: bold; }
.is-unclear, .is-unknown { color: var(--odd); border-color: var(--odd); font-weight: bold; }
.is-forgotten, .is-note { color: var(--quiet); font-weight: bold; }
.stack svg { display: block; max-width: 100%; height: auto; }
@page { size: A4; margin: 12mm; }
@media print { :root { color-scheme: light; --page: #ffffff; --text: #1b1f24; --quiet: #57606a; --rule: #d0d7de; --panel: #f6f8fa; --bad: #a40e26; --warn: #7d4e00; --good: #116329; --odd: #8250df; } body { padding: 0; } h2 { break-after: avoid; } tr, .finding, .note-box, .stack { break-inside: avoid; } .many { break-inside: auto; } }
";

/// The content of the report.
#[derive(Debug)]
pub struct Page<'a> {
    /// The changes, and how they were checked.
    pub changes: &'a Changes,
    /// The findings.
    pub reports: &'a [FileReport<'a>],
    /// All rules.
    pub rules: &'a [&'static Rule],
    /// The SVG of the stack, or the reason why it was not drawn.
    pub drawing: Result<&'a str, &'a str>,
}

/// Renders the report.
pub fn write(page: &Page<'_>) -> String {
    let changes = page.changes;
    let title = format!("Planned change of {}", escaped(&without_secrets(&changes.subject)));
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{POLICY}\n<meta name=\"generator\" content=\"osmt-doctor\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLESHEET}</style>\n</head>\n<body>\n<h1>{title}</h1>"
    );
    let _ = writeln!(
        out,
        "<p><strong>Resources:</strong> {}.<br><strong>Findings:</strong> {}.</p>",
        shown(&changes.count()),
        shown(&human::summary(page.reports, None))
    );
    for warning in &changes.warnings {
        let _ = writeln!(out, "<p class=\"note-box is-warning\">{}</p>", shown(warning));
    }
    out.push_str("<table class=\"facts\">\n");
    for (label, value) in &changes.facts {
        let _ = writeln!(out, "<tr><th scope=\"row\">{label}</th><td>{}</td></tr>", shown(value));
    }
    out.push_str("</table>\n<h2>Findings</h2>\n");
    findings(page, &mut out);
    out.push_str("<h2>Not known</h2>\n");
    not_known(page.reports, &mut out);
    out.push_str("<h2>What changes</h2>\n");
    table(&changes.changes, "Nothing.", &mut out);
    out.push_str("<h2>Changed outside of Terraform</h2>\n");
    table(&changes.drift, "Nothing that the plan reports.", &mut out);
    out.push_str("<h2>The stack</h2>\n");
    match page.drawing {
        Ok(svg) => {
            let _ = writeln!(out, "<div class=\"stack\">{svg}</div>");
        }
        Err(why) => {
            let _ = writeln!(out, "<p>Not drawn: {}.</p>", shown(why));
        }
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// The browser loads no resources and runs no scripts, whatever the texts contain.
const POLICY: &str =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">";

/// Whether a text is a report of this kind.
pub fn is_page(text: &str) -> bool {
    text.starts_with("<!doctype html>\n")
        && text.contains("<meta name=\"generator\" content=\"osmt-doctor\">")
}

fn findings(page: &Page<'_>, out: &mut String) {
    let mut count = 0;
    for report in page.reports {
        let mask = Mask::new(report);
        let mut all = located::sorted(report, &mask);
        count += all.len();
        all.sort_by_key(|located| Reverse(located.finding.severity));
        let mut groups: Vec<Vec<&Located<'_>>> = Vec::new();
        for located in &all {
            match groups.iter_mut().find(|group| group.first().is_some_and(|first| are_alike(first, located)))
            {
                Some(group) => group.push(located),
                None => groups.push(vec![located]),
            }
        }
        for group in groups {
            group_of_findings(page, report, &group, out);
        }
    }
    if count == 0 {
        out.push_str("<p>None.</p>\n");
    }
}

/// Whether two findings matter for the same reason and need the same.
fn are_alike(one: &Located<'_>, other: &Located<'_>) -> bool {
    let of = |located: &Located<'_>| (located.finding.severity, located.finding.code.clone());
    of(one) == of(other) && one.help == other.help
}

/// Findings that are alike, with their reason and help once.
fn group_of_findings(page: &Page<'_>, report: &FileReport<'_>, group: &[&Located<'_>], out: &mut String) {
    let Some(first) = group.first() else { return };
    out.push_str("<div class=\"finding\">\n");
    for one in group {
        finding(report, one, out);
    }
    let why = page.rules.iter().find(|rule| rule.code == first.finding.code).and_then(|rule| rule.why());
    if let Some(why) = why {
        let _ = writeln!(out, "<p>Why it matters: {}</p>", shown(why));
    }
    if let Some(help) = &first.help {
        let _ = writeln!(out, "<p>What to do: {}</p>", shown(help));
    }
    out.push_str("</div>\n");
}

fn finding(report: &FileReport<'_>, located: &Located<'_>, out: &mut String) {
    let word = located.finding.severity.name();
    let _ = writeln!(
        out,
        "<p><span class=\"is-{word}\">{word}</span> <code>{}</code> {}</p>",
        shown(&located.finding.code),
        shown(&located.message)
    );
    let at = located.at.as_ref();
    let place = at.and_then(|place| place.range.as_ref());
    let place = place.map_or_else(
        || report.file.to_owned(),
        |place| format!("{}, line {}, column {}", report.file, place.start.line, place.start.column),
    );
    // The message already names a resource, and a resource has no line.
    let subject = located.subject();
    if at.is_none_or(|place| place.range.is_some()) || !located.message.contains(&subject) {
        let _ = writeln!(out, "<p class=\"quiet\">{} <code>{}</code></p>", shown(&place), shown(&subject));
    }
    for (_, message) in &located.related {
        let _ = writeln!(out, "<p class=\"quiet\">{}</p>", shown(message));
    }
}

fn not_known(reports: &[FileReport<'_>], out: &mut String) {
    let unknown: Vec<_> = reports.iter().flat_map(located::unknown).collect();
    if unknown.is_empty() {
        out.push_str("<p>Every check was made.</p>\n");
        return;
    }
    out.push_str("<p>These checks could not be made; they do not count as passed.</p>\n");
    for one in unknown {
        let (code, reason) = (shown(&one.code), shown(&one.reason));
        let _ = writeln!(
            out,
            "<div class=\"finding\"><p><span class=\"is-unknown\">unknown</span> <code>{code}</code> {reason}</p></div>"
        );
    }
}

fn table(changes: &[Changed], none: &str, out: &mut String) {
    if changes.is_empty() {
        let _ = writeln!(out, "<p>{none}</p>");
        return;
    }
    out.push_str("<table class=\"changes\">\n<thead><tr><th scope=\"col\">Change</th><th scope=\"col\">Resource</th><th scope=\"col\">What it means</th></tr></thead>\n<tbody>\n");
    for of_one_mark in changes.chunk_by(|one, next| one.mark == next.mark) {
        let (plain, explained): (Vec<_>, Vec<_>) =
            of_one_mark.iter().partition(|change| change.consequence.is_none() && change.details.is_empty());
        rows(&explained, out);
        addresses(&plain, out);
    }
    out.push_str("</tbody>\n</table>\n");
}

/// Resources about which no more is to be said than what happens to them, in one row.
fn addresses(changes: &[&Changed], out: &mut String) {
    let Some(first) = changes.first() else { return };
    let (sign, word) = first.mark;
    let _ = write!(
        out,
        "<tr class=\"many\"><td><span class=\"is-{word}\">{sign} {word}</span></td><td colspan=\"2\"><ul class=\"plain\">"
    );
    for change in changes {
        let _ = write!(out, "<li class=\"address\">{}</li>", shown(&change.address));
    }
    out.push_str("</ul></td></tr>\n");
}

/// One row a resource.
fn rows(changes: &[&Changed], out: &mut String) {
    for change in changes {
        let (sign, word) = change.mark;
        let _ = write!(
            out,
            "<tr><td><span class=\"is-{word}\">{sign} {word}</span></td><td class=\"address\">{}</td><td>",
            shown(&change.address)
        );
        if let Some(consequence) = change.consequence {
            let _ = write!(out, "<p>{}</p>", shown(consequence));
        }
        if !change.details.is_empty() {
            out.push_str("<ul>");
            for detail in &change.details {
                let _ = write!(out, "<li><code>{}</code></li>", shown(detail));
            }
            out.push_str("</ul>");
        }
        out.push_str("</td></tr>\n");
    }
}

/// Escaped text; the parts between backticks are code.
fn shown(text: &str) -> String {
    markup::spans(&escaped(&without_secrets(text)), str::to_owned, |part| format!("<code>{part}</code>"))
}
