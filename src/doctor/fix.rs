//! Mends what has exactly one right answer, byte by byte: nothing else in the file changes.

use std::ops::Range;

use serde_json::Value;

use super::{Asked, Diagnosis, diagnose};
use crate::document::{Document, Kind, Node};
use crate::finding::{Finding, Fix, Place, Token};

/// Mending uncovers what stood behind; this often is enough for any file.
const ROUNDS: usize = 64;

/// A file after its mending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// The text.
    pub text: String,
    /// What was mended, in order.
    pub done: Vec<Done>,
    /// Pieces of the text that nobody may print; `None` where the text is no JSON and they are not known.
    pub secrets: Option<Vec<String>>,
}

/// One thing that was mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The finding's code.
    pub code: String,
    /// Where it was.
    pub pointer: String,
    /// What was done about it.
    pub help: String,
}

/// Mends a text until there is nothing left that has one right answer.
pub fn mend(text: &str, asked: Asked<'_>) -> Mended {
    let mut mended = Mended { text: text.to_owned(), ..Mended::default() };
    for _ in 0..ROUNDS {
        let diagnosis = diagnose(mended.text.clone().into_bytes(), asked);
        mended.secrets = secrets(&diagnosis);
        if !round(&diagnosis, &mut mended) {
            break;
        }
    }
    mended
}

/// What masked findings cover, as it stands in the text.
fn secrets(diagnosis: &Diagnosis) -> Option<Vec<String>> {
    fn collect(node: &Node, text: &str, found: &mut Vec<String>) {
        match &node.kind {
            Kind::Object(members) => members.iter().for_each(|m| collect(&m.node, text, found)),
            Kind::Array(items) => items.iter().for_each(|item| collect(item, text, found)),
            _ => found.push(text[node.span.clone()].to_owned()),
        }
    }
    let document = diagnosis.document.as_ref()?;
    let mut found = Vec::new();
    for finding in diagnosis.findings.findings.iter().filter(|finding| finding.masked) {
        let pointer = finding.at.as_ref().map_or("", |at| at.pointer.as_str());
        for member in document.keys(pointer) {
            collect(&member.node, document.text(), &mut found);
        }
    }
    Some(found)
}

/// One round: every edit that does not touch another. Later places first, so that earlier ones stay where they are.
fn round(diagnosis: &Diagnosis, mended: &mut Mended) -> bool {
    let mut edits: Vec<(Range<usize>, String, &Finding)> = diagnosis
        .findings
        .findings
        .iter()
        .filter(|finding| !finding.masked)
        .filter_map(|finding| {
            let (span, text) = edit(diagnosis.document.as_ref(), finding)?;
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
        mended.text.replace_range(span.clone(), text);
    }
    mended.done.extend(edits.iter().map(|(_, _, finding)| Done {
        code: finding.code.to_string(),
        pointer: finding.at.as_ref().map_or_else(String::new, |at| at.pointer.clone()),
        help: finding.help.clone().unwrap_or_default(),
    }));
    !edits.is_empty()
}

/// The bytes to replace, and by what.
fn edit(document: Option<&Document>, finding: &Finding) -> Option<(Range<usize>, String)> {
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

    fn mended(text: &str) -> String {
        mend(text, Asked::default()).text
    }

    #[test]
    fn only_the_offending_bytes_change() {
        let text = "{\r\n\t\"config\" : { \"rds\":{\"db_name\" :  \"osmt\",\"engine\":\"mysql\" , \"multi_az\":\"true\"},\r\n \"Region\":\"us-west-2 \", },}\n";
        let right = "{\r\n\t\"config\" : { \"rds\":{\"db_name\" :  \"osmt_db\",\"multi_az\":true},\r\n \"region\":\"us-west-2\" }}\n";
        assert_eq!(mended(text), right);
        assert_eq!(mended(right), right);
    }

    #[test]
    fn a_comment_and_a_last_member_go() {
        assert_eq!(mended("{\"config\": {} // c\n}"), "{\"config\": {} \n}");
        assert_eq!(mended("{\"config\": {}, \"profile\": 1}"), "{\"config\": {}, \"profile\": 1}");
        assert_eq!(mended("{\"config\": {\"alb\": {\"foo\": 1}}}"), "{\"config\": {\"alb\": {}}}");
    }
}
