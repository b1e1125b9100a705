//! The places of findings: faults of syntax at places counted by hand, and laws that hold for any text.

use osmt::document::{Document, Kind, Node, Place, Token, join};
use proptest::prelude::*;
use serde_json::Value;

use super::{base, judged};

/// Line, column, and the text that is underlined.
fn fault(text: &str) -> (usize, usize, String) {
    let error = Document::parse(text).unwrap_err();
    (error.at.line, error.at.column, text[error.span].to_owned())
}

#[test]
fn a_fault_points_to_the_first_wrong_byte() {
    let cases = [
        ("{\"a\": 1, // one\n \"b\": 2}", (1, 10, "// one")),
        ("{\"a\": 1 /* one */}", (1, 9, "/* one */")),
        ("# a\n{}", (1, 1, "# a")),
        ("{\"a\": 1,\n}", (1, 8, ",")),
        ("[1, 2,]", (1, 6, ",")),
        ("[1,, 2]", (1, 4, ",")),
        ("{\"a\": NaN}", (1, 7, "NaN")),
        ("{\"a\": -Infinity}", (1, 8, "Infinity")),
        ("{\"a\": 'x'}", (1, 7, "'x'")),
        ("{a: 1}", (1, 2, "a")),
        ("{\"a\" 1}", (1, 6, "1")),
        ("{\"a\": 1\n \"b\": 2}", (2, 2, "\"")),
        ("{\"a\": \"x\n}", (1, 9, "\n")),
        ("{\"a\": \"x\r\n}", (1, 9, "\r")),
        ("{\"a\": \"\t\"}", (1, 8, "\t")),
        ("{\"a\": \"\\d\"}", (1, 8, "\\d")),
        ("{\"a\": \"\\ud800\"}", (1, 8, "\\ud800")),
        ("{\"a\": 007}", (1, 8, "07")),
        ("{\"a\": +1}", (1, 7, "+1")),
        ("{\"a\": .5}", (1, 7, ".5")),
        ("{\"a\": 5.}", (1, 9, "}")),
        ("{\"a\": 0x1F}", (1, 8, "x1F")),
        ("{\"a\": True}", (1, 7, "True")),
        ("{\"a\": 1}\n{}", (2, 1, "{")),
        ("{\"a\": [1}", (1, 9, "}")),
        ("{\"😀\": \"😀\" 1}", (1, 13, "1")),
        ("{\n  \"a\": 1\n", (3, 1, "")),
        ("", (1, 1, "")),
        (" \n ", (2, 2, "")),
        ("\u{feff}{}", (1, 1, "\u{feff}")),
    ];
    for (text, (line, column, token)) in cases {
        assert_eq!(fault(text), (line, column, token.to_owned()), "{text:?}");
    }
}

#[test]
fn depth_and_size_have_limits_with_words() {
    let deep = "[".repeat(100_000);
    assert!(fault(&deep).1 == 128);
    let bytes = vec![b' '; 5 << 20];
    let checked = osmt::doctor::check(bytes, osmt::doctor::CheckOptions::default());
    assert!(checked.findings.findings[0].message.contains("larger than 256 KiB"));
    let checked = osmt::doctor::check(b"{\"a\": \"\xe9\"}".to_vec(), osmt::doctor::CheckOptions::default());
    let place = checked.findings.findings[0].at.clone().unwrap();
    assert!(matches!(place.token, Token::Bytes(7, _)));
}

/// Any JSON value.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn check_spans(document: &Document, node: &Node, pointer: &str) -> Result<(), TestCaseError> {
    let text = document.text();
    let own: Value = serde_json::from_str(&text[node.span.clone()]).unwrap();
    prop_assert_eq!(&own, &node.value());
    prop_assert_eq!(document.span(&Place::value(pointer)), node.span.clone());
    match &node.kind {
        Kind::Object(members) => {
            for member in members {
                let key: String = serde_json::from_str(&text[member.key_span.clone()]).unwrap();
                prop_assert_eq!(&key, &member.key);
                let here = join(pointer, &key);
                let span = document.span(&Place::at(here.clone(), Token::Key));
                prop_assert_eq!(span, member.key_span.clone());
                check_spans(document, &member.node, &here)?;
            }
        }
        Kind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_spans(document, item, &format!("{pointer}/{index}"))?;
            }
        }
        _ => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_span_reads_as_its_value(value in any_value(), pretty: bool, crlf: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        let document = Document::parse(text).unwrap();
        prop_assert_eq!(&document.value(), &value);
        check_spans(&document, document.root(), "")?;
    }

    #[test]
    fn our_parser_and_serde_agree(text in "[\\[\\]{}:,\"\\\\a0-9.eE+ -]{0,12}|(\\{\"a\":)?[0-9.eE+-]{1,6}\\}?") {
        let serde = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(Document::parse(text.as_str()).is_ok(), serde, "{}", text);
    }

    #[test]
    fn no_mutation_breaks_the_doctor(at in 0.0..1.0f64, length in 0usize..30, put in ".{0,6}|[{}\\[\\]\",:]{1,3}") {
        let mut text = base("prod");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "any place will do")]
        let start = (at * text.len() as f64) as usize;
        text.replace_range(start..(start + length).min(text.len()), &put);
        let checked = judged(&text);
        for finding in &checked.findings.findings {
            let place = finding.at.as_ref().unwrap();
            let span = match (&checked.document, place.token) {
                (Some(document), _) => document.span(place),
                (None, Token::Bytes(start, end)) => start..end,
                (None, _) => panic!("no document, and no bytes"),
            };
            prop_assert!(span.start <= span.end && span.end <= text.len());
            prop_assert!(text.get(span).is_some(), "on a character's edge");
        }
    }
}
