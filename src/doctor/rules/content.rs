//! Strings that are blank, or contain invisible or typographic characters.

use crate::doctor::keys;
use crate::doctor::subject::Subject;
use crate::document::{Kind, Node, join};
use crate::finding::{Check, Remedy, Rule, Severity, Sink};

/// Strings.
pub const CHECKS: &[Check<Subject>] = &[Check {
    rule: Rule {
        code: "CFG005",
        name: "blank-or-padded",
        severity: Severity::Error,
        summary: "A string is empty, or contains invisible or typographic characters",
        explain: include_str!("../../../docs/rules/CFG005.md"),
    },
    run: blanks,
}];

/// Calls `seen` with the pointer, the key and the node of each value that is neither an object nor a list.
pub(super) fn leaves(node: &Node, pointer: &str, key: &str, seen: &mut impl FnMut(&str, &str, &Node)) {
    match &node.kind {
        Kind::Object(members) => {
            for member in members {
                leaves(&member.node, &join(pointer, &member.key), &member.key, seen);
            }
        }
        Kind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{pointer}/{index}"), key, seen);
            }
        }
        _ => seen(pointer, key, node),
    }
}

/// The strings of the config that have no error and whose key is in the schema.
pub(super) fn strings(subject: &Subject) -> Vec<(String, String)> {
    let mut strings = Vec::new();
    leaves(subject.document.root(), "", "", &mut |at, _, node| {
        let known = matches!(node.kind, Kind::String(_)) && keys::is_key(at);
        if let Some(text) = known.then(|| subject.text(at)).flatten() {
            strings.push((at.to_owned(), text.to_owned()));
        }
    });
    strings
}

fn blanks(subject: &Subject, sink: &mut Sink<'_>) {
    for (at, text) in strings(subject) {
        let key = name(&at);
        let unseen = |c: char| {
            c.is_control()
                || matches!(c, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}' | '\u{feff}')
        };
        let typographic =
            |c: char| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2018}'..='\u{201f}' | '\u{2212}');
        if text.trim().is_empty() {
            sink.value(at.as_str(), format!("`{key}` is empty"))
                .help("write a value; `osmt-doctor schema` shows an example");
        } else if text.trim() != text {
            sink.value(at.as_str(), format!("`{key}` has white space around its value"))
                .remedy(Remedy::write(text.trim()));
        } else if let Some(c) = text.chars().find(|c| unseen(*c)) {
            sink.value(
                at.as_str(),
                format!("`{key}` contains the invisible character U+{:04X}", u32::from(c)),
            )
            .help("type the value by hand: such characters come from copy and paste");
        } else if let Some(c) = text.chars().find(|c| typographic(*c)) {
            sink.value(at.as_str(), format!("`{key}` contains the typographic character {c}"))
                .help("type a plain hyphen or quote instead");
        }
    }
}

/// The key that a pointer ends with, also for the items of a list.
pub(super) fn name(pointer: &str) -> &str {
    pointer.rsplit('/').find(|step| !step.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or_default()
}
