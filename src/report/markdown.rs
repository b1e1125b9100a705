//! Findings and changes as Markdown, for a comment on a pull request or merge request.
//!
//! The format is that of the "GitHub Flavored Markdown Spec". Texts are escaped, so that they do not become markup, a mention, a
//! reference or a quick action.

use std::fmt::Write as _;
use std::io;
use std::io::Write;

use super::changes::{Changed, Changes};
use super::located::{Located, Mask};
use super::markup::without_secrets;
use super::{About, FileReport, human, located, markup, visible};
use crate::finding::Severity;

/// GitHub accepts 65,536 characters per comment; callers add more text.
const LONGEST: usize = 25_000;

/// The number of attributes that are listed per resource; the others are counted.
const DETAILS: usize = 6;

/// Writes the summary, then every finding as an item of a list.
pub(super) fn write(reports: &[FileReport<'_>], about: &About<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut items = Vec::new();
    for report in reports {
        let mask = Mask::new(report);
        items.extend(located::sorted(report, &mask).iter().map(|located| finding(report, located, about)));
    }
    for unknown in reports.iter().flat_map(located::unknown) {
        items.push(format!("- ❔ `{}` could not be checked: {}", unknown.code, text(&unknown.reason)));
    }
    writeln!(out, "**Findings:** {}\n", text(&human::summary(reports, None)))?;
    list(&items, out)
}

/// Writes the changes of a plan as a list.
pub fn changes(changes: &Changes, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "**Plan for {}:** {}\n", code(&changes.subject), changes.count())?;
    for warning in &changes.warnings {
        writeln!(out, "⚠️ {}\n", text(warning))?;
    }
    let items: Vec<_> = changes.changes.iter().map(change).collect();
    list(&items, out)?;
    if !changes.drift.is_empty() {
        writeln!(out, "**Changed outside of Terraform:**\n")?;
        list(&changes.drift.iter().map(change).collect::<Vec<_>>(), out)?;
    }
    Ok(())
}

fn change(change: &Changed) -> String {
    let (sign, word) = change.mark;
    let mut item = format!("- {sign} {word} {}", code(&change.address));
    if !change.details.is_empty() {
        let shown: Vec<_> = change.details.iter().take(DETAILS).map(|detail| text(detail)).collect();
        let _ = write!(item, ": {}", shown.join(", "));
        if change.details.len() > DETAILS {
            let _ = write!(item, " and {} more", change.details.len() - DETAILS);
        }
    }
    if let Some(consequence) = change.consequence {
        let _ = write!(item, "<br>{}", text(consequence));
    }
    item
}

fn finding(report: &FileReport<'_>, located: &Located<'_>, about: &About<'_>) -> String {
    let finding = located.finding;
    let word = finding.severity.name();
    let sign = match finding.severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Note => "ℹ️",
    };
    let rule = code(&finding.code);
    let rule = match &about.pages {
        Some(pages) if about.rules.iter().any(|rule| rule.code == finding.code) => {
            format!("[{rule}]({pages}{}.md)", finding.code)
        }
        _ => rule,
    };
    let mut item = format!("- {sign} {word} {rule}: {}", text(&located.message));
    let at = located.at.as_ref();
    let place = match at.and_then(|place| place.range.as_ref()) {
        Some(range) => format!("{}:{}:{}", report.file, range.start.line, range.start.column),
        None => report.file.to_owned(),
    };
    let _ = write!(item, "<br>{}", code(&place));
    let subject = located.subject();
    if !subject.is_empty() {
        let _ = write!(item, " {}", code(&subject));
    }
    if let Some(help) = &located.help {
        let _ = write!(item, "<br>**help:** {}", text(help));
    }
    item
}

/// Writes the items that fit, and the number of the others.
fn list(items: &[String], out: &mut dyn Write) -> io::Result<()> {
    let mut used = 0;
    for (index, item) in items.iter().enumerate() {
        used += item.chars().count() + 1;
        if used > LONGEST {
            writeln!(out, "- and {} more, which are too long for a comment", items.len() - index)?;
            break;
        }
        writeln!(out, "{item}")?;
    }
    if items.is_empty() { Ok(()) } else { writeln!(out) }
}

/// Prose; the parts between backticks are code.
fn text(text: &str) -> String {
    markup::spans(text, escaped, code)
}

/// Text with all markup escaped.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for char in visible::lines(&without_secrets(text)).chars() {
        match char {
            '\n' => out.push_str("<br>"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A zero-width space after the sign prevents mentions of users and references to issues and merge requests.
            '@' | '#' | '!' => {
                out.push(char);
                out.push_str("&#8203;");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' | '$' => {
                out.push('\\');
                out.push(char);
            }
            char => out.push(char),
        }
    }
    out
}

/// A name, as code. The fence is longer than any run of backticks in the name.
fn code(text: &str) -> String {
    let text = without_secrets(text);
    let text = visible::lines(&text).replace('\n', "␊");
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup_or_a_mention() {
        assert_eq!(
            text("<b>*x* [a](b) @ops #12\n/close"),
            "&lt;b&gt;\\*x\\* \\[a\\](b) @&#8203;ops #&#8203;12<br>/close"
        );
        assert_eq!(text("set `a_b` of_c"), "set `a_b` of\\_c");
        assert_eq!(text("one ` is_one"), "one \\` is\\_one");
        assert_eq!(code("a``b"), "``` a``b ```");
        assert_eq!(code("a\nb"), "`a␊b`");
    }

    #[test]
    fn a_long_list_is_cut_and_the_rest_counted() {
        let items: Vec<String> =
            (0..2000).map(|n| format!("- item {n} of many that are all listed")).collect();
        let mut out = Vec::new();
        list(&items, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.chars().count() < LONGEST + 100 && out.contains(" more, which are too long"));
    }
}
