//! What was reported of an input, as `findings.txt` has it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use osmt::document::{Document, Place, Token, position_in};
use osmt::finding::{Finding, Findings, Unknown};

/// What was reported of an input.
pub(crate) struct Judged(pub(crate) Vec<Part>);

/// What was reported of one file, and the file that its places are in.
pub(crate) struct Part {
    /// Where an input is several files.
    pub(crate) name: Option<String>,
    pub(crate) findings: Findings,
    pub(crate) file: File,
}

/// What places are in.
pub(crate) enum File {
    Parsed(Document),
    /// Not JSON.
    Text(String),
    /// A person reads pointers only: a plan in Terraform's JSON.
    Pointers,
}

impl Judged {
    /// What was reported of an input that is one file.
    pub(crate) fn of_one(findings: Findings, file: File) -> Self {
        Self(vec![Part { name: None, findings, file }])
    }

    fn findings(&self) -> impl Iterator<Item = (&Part, &Finding)> {
        self.0.iter().flat_map(|part| part.findings.findings.iter().map(move |finding| (part, finding)))
    }

    fn unknown(&self) -> impl Iterator<Item = &Unknown> {
        self.0.iter().flat_map(|part| &part.findings.unknown)
    }

    /// Whether any code reports, or cannot decide.
    pub(crate) fn reports_anything(&self) -> bool {
        self.findings().next().is_some() || self.unknown().next().is_some()
    }

    /// Whether a code reports, or cannot decide.
    pub(crate) fn has(&self, code: &str) -> bool {
        self.findings().any(|(_, finding)| finding.code == code)
            || self.unknown().any(|unknown| unknown.code == code)
    }

    /// All of a code, and which others there are.
    pub(crate) fn of(&self, code: &str) -> String {
        let mut text = String::new();
        for (part, finding) in self.findings().filter(|(_, finding)| finding.code == code) {
            let place = finding.at.as_ref().map_or_else(String::new, |at| part.place(at));
            let _ = writeln!(text, "{}{place}\n  {}", finding.severity.name(), finding.message);
            if let Some(help) = &finding.help {
                let _ = writeln!(text, "  help: {help}");
            }
            for (at, what) in &finding.related {
                let _ = writeln!(text, "  see{}: {what}", part.place(at));
            }
            if let Some(fix) = &finding.fix {
                let _ = writeln!(text, "  fix: {fix:?}");
            }
            if let Some(stable) = &finding.stable {
                let _ = writeln!(text, "  stable {stable}");
            }
        }
        for unknown in self.unknown().filter(|unknown| unknown.code == code) {
            let _ = writeln!(text, "unknown\n  {}", unknown.reason);
        }
        let others = self.findings().map(|(_, finding)| finding).filter(|finding| finding.code != code);
        let others = others.map(|finding| finding.code.to_string());
        let unknown = self.unknown().filter(|unknown| unknown.code != code);
        let unknown = unknown.map(|unknown| format!("{}?", unknown.code));
        let others: BTreeSet<String> = others.chain(unknown).collect();
        if !others.is_empty() {
            let _ = writeln!(text, "also {}", others.into_iter().collect::<Vec<_>>().join(" "));
        }
        text
    }
}

impl Part {
    fn place(&self, place: &Place) -> String {
        let position = |offset: usize| match &self.file {
            File::Parsed(document) => Some(document.position(offset)),
            File::Text(text) => Some(position_in(text, offset)),
            File::Pointers => None,
        };
        let span = match (&self.file, place.token) {
            (_, Token::Bytes(start, end)) => start..end,
            (File::Parsed(document), _) => document.span(place),
            (File::Text(_) | File::Pointers, _) => 0..0,
        };
        let range = position(span.start).zip(position(span.end));
        let range = range.map_or_else(String::new, |(start, end)| {
            format!(" {}:{}-{}:{}", start.line, start.column, end.line, end.column)
        });
        let name = self.name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
        let pointer = if place.pointer.is_empty() { String::new() } else { format!(" {}", place.pointer) };
        format!("{name}{range}{pointer}")
    }
}
