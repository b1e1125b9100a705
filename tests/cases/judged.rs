//! What was reported of an input, as `findings.txt` has it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use osmt::document::{Document, Place, Token, position_in};
use osmt::finding::Findings;

/// What was reported, and the file that its places are in.
pub(crate) struct Judged {
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
    /// Whether a code reports, or cannot tell.
    pub(crate) fn has(&self, code: &str) -> bool {
        self.findings.findings.iter().any(|finding| finding.code == code)
            || self.findings.unknown.iter().any(|unknown| unknown.code == code)
    }

    /// All of a code, and which others there are.
    pub(crate) fn of(&self, code: &str) -> String {
        let mut text = String::new();
        let (own, others): (Vec<_>, Vec<_>) =
            self.findings.findings.iter().partition(|finding| finding.code == code);
        for finding in own {
            let place = finding.at.as_ref().map_or_else(String::new, |at| self.place(at));
            let _ = writeln!(text, "{}{place}\n  {}", finding.severity.name(), finding.message);
            if let Some(help) = &finding.help {
                let _ = writeln!(text, "  help: {help}");
            }
            for (at, what) in &finding.related {
                let _ = writeln!(text, "  see{}: {what}", self.place(at));
            }
            if let Some(fix) = &finding.fix {
                let _ = writeln!(text, "  fix: {fix:?}");
            }
            if let Some(stable) = &finding.stable {
                let _ = writeln!(text, "  stable {stable}");
            }
        }
        let (own, unknown): (Vec<_>, Vec<_>) =
            self.findings.unknown.iter().partition(|unknown| unknown.code == code);
        for unknown in own {
            let _ = writeln!(text, "unknown\n  {}", unknown.reason);
        }
        let others = others.iter().map(|finding| finding.code.to_string());
        let unknown = unknown.iter().map(|unknown| format!("{}?", unknown.code));
        let others: BTreeSet<String> = others.chain(unknown).collect();
        if !others.is_empty() {
            let _ = writeln!(text, "also {}", others.into_iter().collect::<Vec<_>>().join(" "));
        }
        text
    }

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
        if place.pointer.is_empty() { range } else { format!("{range} {}", place.pointer) }
    }
}
