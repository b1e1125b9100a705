//! `secrets_revision` in the config: a higher number makes Terraform write and deploy the new values.

use crate::document::{Document, Kind};

/// The config's text with another `secrets_revision`; no other byte changes. `None` if the text has no config.
pub fn with_revision(document: &Document, revision: u64) -> Option<String> {
    if let Some(text) = document.with("/config/secrets_revision", &revision.into()) {
        return Some(text);
    }
    let Kind::Object(members) = &document.get("/config")?.kind else {
        return None;
    };
    let last = members.last()?;
    // A new last line, indented like the one before it.
    let before = &document.text()[..last.key_span.start];
    let space = &before[before.trim_end().len()..];
    let end = last.node.span.end;
    Some(document.spliced(end..end, &format!(",{space}\"secrets_revision\": {revision}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_changes_no_other_byte() {
        for (before, after) in [
            (
                "{\r\n\t\"config\": {\r\n\t\t\"env\" : \"x\",\r\n\t\t\"secrets_revision\":1 }}",
                "{\r\n\t\"config\": {\r\n\t\t\"env\" : \"x\",\r\n\t\t\"secrets_revision\":7 }}",
            ),
            (
                "{\n  \"config\": {\n    \"env\": \"x\"\n  }\n}\n",
                "{\n  \"config\": {\n    \"env\": \"x\",\n    \"secrets_revision\": 7\n  }\n}\n",
            ),
            ("{\"config\":{\"a\":1}}", "{\"config\":{\"a\":1,\"secrets_revision\": 7}}"),
        ] {
            let document = Document::parse(before).unwrap();
            assert_eq!(with_revision(&document, 7).unwrap(), after);
        }
        assert_eq!(with_revision(&Document::parse("{\"config\":{}}").unwrap(), 7), None);
    }
}
