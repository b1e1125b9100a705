//! Applies the fixes of findings that have exactly one right answer. No other byte of the file changes.

use std::ops::Range;

use serde_json::Value;

use super::{CheckOptions, Checked, check};
use crate::document::{Document, Kind, Node, Place, Token};
use crate::finding::{Finding, Fix};

/// A correction can uncover another fault, so the file is checked again after each round; this many are enough for any file.
const ROUNDS: usize = 64;

/// A file with its corrections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corrected {
    /// The corrected text.
    pub text: String,
    /// What was corrected, in order.
    pub done: Vec<Done>,
    /// Pieces of the text that must not be printed; `None` if the text is not JSON: they cannot be found then.
    pub secrets: Option<Vec<String>>,
}

/// One correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The finding's code.
    pub code: String,
    /// The finding's pointer.
    pub pointer: String,
    /// The finding's help, which says what was done.
    pub help: String,
}

/// Corrects a text until no finding with a fix is left.
pub fn correct(text: &str, options: CheckOptions<'_>) -> Corrected {
    let mut corrected = Corrected { text: text.to_owned(), ..Corrected::default() };
    for _ in 0..ROUNDS {
        let checked = check(corrected.text.clone().into_bytes(), options);
        corrected.secrets = secrets(&checked);
        if !round(&checked, &mut corrected) {
            break;
        }
    }
    corrected
}

/// The values that masked findings cover, as they are written in the text.
fn secrets(checked: &Checked) -> Option<Vec<String>> {
    fn collect(node: &Node, text: &str, found: &mut Vec<String>) {
        match &node.kind {
            Kind::Object(members) => members.iter().for_each(|m| collect(&m.node, text, found)),
            Kind::Array(items) => items.iter().for_each(|item| collect(item, text, found)),
            _ => found.push(text[node.span.clone()].to_owned()),
        }
    }
    let document = checked.document.as_ref()?;
    let mut found = Vec::new();
    for finding in checked.findings.findings.iter().filter(|finding| finding.masked) {
        let pointer = finding.at.as_ref().map_or("", |at| at.pointer.as_str());
        for member in document.keys(pointer) {
            collect(&member.node, document.text(), &mut found);
        }
    }
    Some(found)
}

/// Applies every edit that does not overlap another, from the end of the text to its start, so that offsets stay valid.
fn round(checked: &Checked, corrected: &mut Corrected) -> bool {
    let mut edits: Vec<(Range<usize>, String, &Finding)> = checked
        .findings
        .findings
        .iter()
        .filter(|finding| !finding.masked)
        .filter_map(|finding| {
            let (span, text) = edit(checked.document.as_ref(), finding)?;
            Some((span, text, finding))
        })
        .collect();
    edits.sort_by_key(|(span, ..)| (span.start, span.end));
    let mut free = 0;
    edits.retain(|(span, ..)| {
        let apart = span.start >= free;
        if apart {
            free = span.end.max(span.start + 1);
        }
        apart
    });
    for (span, text, _) in edits.iter().rev() {
        corrected.text.replace_range(span.clone(), text);
    }
    corrected.done.extend(edits.iter().map(|(_, _, finding)| Done {
        code: finding.code.to_string(),
        pointer: finding.at.as_ref().map_or_else(String::new, |at| at.pointer.clone()),
        help: finding.help.clone().unwrap_or_default(),
    }));
    !edits.is_empty()
}

/// The bytes that a finding's fix replaces, and the new text; `None` if the finding has no fix.
pub fn edit(document: Option<&Document>, finding: &Finding) -> Option<(Range<usize>, String)> {
    let (at, fix) = (finding.at.as_ref()?, finding.fix.as_ref()?);
    match (fix, at.token) {
        (Fix::Drop, Token::Bytes(start, end)) => Some((start..end, String::new())),
        (Fix::Drop, _) => Some((member(document?, &at.pointer)?, String::new())),
        (Fix::Key(key), _) => {
            let span = document?.span(&Place::at(at.pointer.clone(), Token::Key));
            Some((span, Value::from(key.as_str()).to_string()))
        }
        (Fix::Value(value), _) => {
            let node = document?.get(&at.pointer)?;
            Some((node.span.clone(), value.to_string()))
        }
    }
}

/// A key with its value, and the comma and space that go with it.
fn member(document: &Document, pointer: &str) -> Option<Range<usize>> {
    let (parent, _) = pointer.rsplit_once('/')?;
    let Kind::Object(members) = &document.get(parent)?.kind else {
        return None;
    };
    let key = document.span(&Place::at(pointer, Token::Key));
    let index = members.iter().position(|member| member.key_span == key)?;
    let own = &members[index];
    Some(match (members.get(index + 1), index.checked_sub(1)) {
        (Some(next), _) => own.key_span.start..next.key_span.start,
        (None, Some(before)) => members[before].node.span.end..own.node.span.end,
        (None, None) => own.key_span.start..own.node.span.end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrected(text: &str) -> String {
        correct(text, CheckOptions::default()).text
    }

    #[test]
    fn only_the_offending_bytes_change() {
        let text = "{\r\n\t\"config\" : { \"rds\":{\"db_name\" :  \"osmt\", \"multi_az\":\"true\"},\r\n \"Region\":\"us-west-2 \", },}\n";
        let right = "{\r\n\t\"config\" : { \"rds\":{\"db_name\" :  \"osmt_db\", \"multi_az\":true},\r\n \"region\":\"us-west-2\" }}\n";
        assert_eq!(corrected(text), right);
        assert_eq!(corrected(right), right);
    }

    #[test]
    fn a_comment_is_removed_and_an_unknown_member_is_kept() {
        assert_eq!(corrected("{\"config\": {} // c\n}"), "{\"config\": {} \n}");
        assert_eq!(corrected("{\"config\": {}, \"profile\": 1}"), "{\"config\": {}, \"profile\": 1}");
    }

    #[test]
    fn a_value_is_never_dropped() {
        for kept in [
            r#"{"config": {"alb": {"whitelist": ["192.0.2.0/24"]}}}"#,
            r#"{"config": {"rds": {"retention": 28, "storage_gb": 100, "final_snapshot": true}}}"#,
            r#"{"config": {"revision": 7, "rds": {"disable_deletion_protection": true}}}"#,
            r#"{"config": {"rds": {"engine_version": "8.4", "parameter_group_family": "mysql8.0"}}}"#,
        ] {
            assert_eq!(corrected(kept), kept);
        }
        let id = r#"{"config": {"account_id": 485301276649}}"#;
        assert_eq!(corrected(id), id.replace("485301276649", "\"485301276649\""));
    }
}
