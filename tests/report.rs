//! Every format prints the same findings, at places counted by hand, and no format prints a secret.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::LazyLock;

use osmt::document::{Document, Place, Token};
use osmt::finding::{Finding, Findings, Rule, Severity, Unknown};
use osmt::report::{About, FileReport, Format, WIDTH, write};
use proptest::prelude::*;
use serde_json::{Value, json};

static OUTSIDE: Rule = Rule {
    code: "NET003",
    name: "subnet-outside-vpc",
    severity: Severity::Error,
    summary: "a subnet is outside the VPC",
    explain: "What it does.",
};

static SECRET: Rule = Rule {
    code: "SEC001",
    name: "secret-in-config",
    severity: Severity::Warning,
    summary: "a secret is in the config",
    explain: "What it does.",
};

const ABOUT: About<'_> = About {
    tool: "osmt-doctor 0.1.0",
    rules: &[&OUTSIDE, &SECRET],
    color: false,
    width: WIDTH,
    more: Some("`osmt-doctor explain CODE` explains a finding"),
    automation: None,
    checkout: None,
    pages: None,
};

fn render(format: Format, text: &str, findings: &Findings, color: bool) -> String {
    let document = Document::parse(text).ok();
    let report = FileReport {
        file: "terraform/invocation/config.auto.tfvars.json",
        text,
        document: document.as_ref(),
        findings,
    };
    let mut out = Vec::new();
    write(format, &[report], &About { color, ..ABOUT }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn outside(pointer: &str) -> Finding {
    let message = "subnet 10.0.0.0/27 is outside the VPC 192.168.100.0/24";
    let mut finding = Finding::new(&OUTSIDE, Some(Place::value(pointer)), message);
    finding.help("pick a block inside 192.168.100.0/24");
    finding
}

fn two_secrets(findings: &mut Findings) {
    let message = "hunter2hunter2 looks like a secret";
    let mut finding = Finding::new(&SECRET, Some(Place::value("/password")), message);
    finding.masked();
    findings.findings.push(finding);
}

const TEXT: &str = "{\n  \"vpc\": {\n\t\"cidr\": \"192.168.100.0/24\",\r\n    \"😀\": 1, \"subnets\": [\"10.0.0.0/27\"]\n  },\n  \"password\": \"hunter2hunter2\", \"x\": 1\n}\n";

#[test]
fn people_see_the_line_the_related_place_and_the_remedy() {
    let mut findings = Findings::default();
    two_secrets(&mut findings);
    let mut finding = outside("/vpc/subnets/0");
    finding.related(Place::value("/vpc/cidr"), "the VPC");
    findings.findings.push(finding);
    findings.passed = 61;
    let expected = r#"error[NET003]: subnet 10.0.0.0/27 is outside the VPC 192.168.100.0/24
 --> terraform/invocation/config.auto.tfvars.json:4:26
  |
3 |     "cidr": "192.168.100.0/24",
  |             ------------------ the VPC
4 |     "😀": 1, "subnets": ["10.0.0.0/27"]
  |                          ^^^^^^^^^^^^^
  |
  = help: pick a block inside 192.168.100.0/24

warning[SEC001]: *** looks like a secret
 --> terraform/invocation/config.auto.tfvars.json:6:15
  |
6 |   "password": "***", "x": 1
  |               ^^^^^

1 error, 1 warning; 61 checks passed
`osmt-doctor explain CODE` explains a finding
"#;
    assert_eq!(render(Format::Human, TEXT, &findings, false), expected);
    let coloured = render(Format::Human, TEXT, &findings, true);
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), expected);
}

#[test]
fn json_counts_utf16_units_from_one_and_ends_behind_the_token() {
    let mut findings = Findings::default();
    findings.findings.push(outside("/vpc/subnets/0"));
    let report: Value = serde_json::from_str(&render(Format::Json, TEXT, &findings, false)).unwrap();
    let finding = &report["findings"][0];
    assert_eq!(finding["start"], json!({"line": 4, "column": 26}));
    assert_eq!(finding["end"], json!({"line": 4, "column": 39}));
    assert_eq!(report["summary"]["error"], 1);
}

#[test]
fn sarif_has_regions_rules_and_fingerprints() {
    let mut findings = Findings::default();
    let mut finding = outside("/vpc/subnets/0");
    finding.related(Place::value("/vpc/cidr"), "the VPC");
    findings.findings.push(finding);
    findings
        .unknown
        .push(Unknown { code: "SEC001".into(), reason: "acm:DescribeCertificate was denied".into() });
    let log: Value = serde_json::from_str(&render(Format::Sarif, TEXT, &findings, false)).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 2);
    let result = &run["results"][0];
    assert_eq!(
        result["locations"][0]["physicalLocation"],
        json!({
            "artifactLocation": {
                "uri": "terraform/invocation/config.auto.tfvars.json",
                "uriBaseId": "%SRCROOT%",
            },
            "region": { "startLine": 4, "startColumn": 26, "endLine": 4, "endColumn": 39 },
        })
    );
    assert_eq!(result["ruleIndex"], 0);
    assert_eq!(result["relatedLocations"][0]["message"]["text"], "the VPC");
    let notification = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notification["associatedRule"], json!({ "id": "SEC001", "index": 1 }));

    let moved = TEXT.replacen('{', "\n\n{", 1);
    let log: Value = serde_json::from_str(&render(Format::Sarif, &moved, &findings, false)).unwrap();
    let other = &log["runs"][0]["results"][0];
    assert_eq!(other["partialFingerprints"], result["partialFingerprints"]);
    assert_ne!(other["locations"], result["locations"]);
}

#[test]
fn a_code_quality_report_names_places_and_keeps_its_fingerprints() {
    let mut findings = Findings::default();
    findings.findings.push(outside("/vpc/subnets/0"));
    findings.findings.push(outside("/vpc/cidr"));
    findings.unknown.push(Unknown { code: "SEC001".into(), reason: "denied".into() });
    let entries = |text: &str| -> Vec<Value> {
        serde_json::from_str(&render(Format::Gitlab, text, &findings, false)).unwrap()
    };
    let found = entries(TEXT);
    let fingerprint = found[1]["fingerprint"].as_str().unwrap();
    assert!(fingerprint.len() == 32 && fingerprint.chars().all(|c| c.is_ascii_hexdigit()), "{fingerprint}");
    assert_eq!(
        found[1],
        json!({
            "description": "NET003 subnet-outside-vpc: subnet 10.0.0.0/27 is outside the VPC 192.168.100.0/24; \
                            pick a block inside 192.168.100.0/24",
            "check_name": "NET003",
            "fingerprint": fingerprint,
            "severity": "critical",
            "location": {
                "path": "terraform/invocation/config.auto.tfvars.json",
                "lines": { "begin": 4 },
            },
        })
    );
    assert_eq!(found[2]["description"], "SEC001: could not check: denied");
    assert_eq!(found[2]["severity"], "info");
    let prints = |entries: &[Value]| -> Vec<String> {
        entries.iter().map(|one| one["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let moved = entries(&TEXT.replacen('{', "\n\n{", 1));
    assert_eq!(moved[1]["location"]["lines"]["begin"], 6);
    assert_eq!(prints(&moved), prints(&found));
    assert_eq!(entries("").len(), 3);
}

#[test]
fn annotations_escape_what_would_end_them() {
    let mut findings = Findings::default();
    let mut finding = Finding::new(&OUTSIDE, Some(Place::value("/vpc/subnets/0")), "100% of\r\na, b: c");
    finding.help("one\ntwo");
    findings.findings.push(finding);
    assert_eq!(
        render(Format::Github, TEXT, &findings, false),
        "::error file=terraform/invocation/config.auto.tfvars.json,line=4,endLine=4,col=26,endColumn=39,\
         title=NET003 subnet-outside-vpc::100%25 of␍%0Aa, b: c%0Ahelp: one%0Atwo\n"
    );
    let report = FileReport { file: "a:b,c%.json", text: "", document: None, findings: &findings };
    let mut out = Vec::new();
    write(Format::Github, &[report], &ABOUT, &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().starts_with("::error file=a%3Ab%2Cc%25.json,"));
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!(
        "{{\"a\":\"{}\",\"vpc\":{{\"cidr\":\"192.168.100.0/24\",\"subnets\":[\"10.0.0.0/27\"]}},\"b\":\"{}\",\"c\":\"192\"}}",
        "é".repeat(2500),
        "x".repeat(2500)
    );
    let mut findings = Findings::default();
    let mut finding = outside("/vpc/subnets/0");
    finding.related(Place::value("/vpc/cidr"), "the VPC");
    finding.related(Place::value("/c"), "far away");
    findings.findings.push(finding);
    findings.findings.push(outside("/b"));
    let shown = render(Format::Human, &text, &findings, false);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert!(shown.contains("| ...0.0/24\",\"subnets\":[\"10.0.0.0/27\"]},\"b\""), "{shown}");
    assert!(shown.contains("json:1:2553\n"), "{shown}");
    assert!(shown.contains("note: far away"), "{shown}");
}

#[test]
fn a_broken_file_is_shown_without_its_secrets() {
    for text in [
        "{\n \"a\": 1, \"client_secret\": \"hun\\\"ter2\" \"b\" }",
        "{\n \"DB_PASSWORD\" \"hunter2\", \"b\": 1 }",
        "{\n password: hunter2, \"b\": 1 }",
        "{\n \"apiToken\": \"hunter2",
    ] {
        let mut findings = Findings::default();
        let place = Place::at("", Token::Bytes(text.len() - 3, text.len()));
        findings.findings.push(Finding::new(&OUTSIDE, Some(place), "expected a comma"));
        for format in ALL {
            let shown = render(format, text, &findings, false);
            assert!(!shown.contains("ter2"), "{shown}");
            assert!(shown.contains("expected a comma"), "{shown}");
        }
    }
}

#[test]
fn a_doubled_secret_is_masked_twice() {
    let text = r#"{"password": "first-value", "password": "second-value"}"#;
    let mut findings = Findings::default();
    findings.findings.push(outside("/password"));
    two_secrets(&mut findings);
    for format in ALL {
        let shown = render(format, text, &findings, false);
        assert!(!shown.contains("first-value") && !shown.contains("second-value"), "{shown}");
    }
}

const ALL: [Format; 7] = [
    Format::Human,
    Format::Json,
    Format::Sarif,
    Format::Github,
    Format::Gitlab,
    Format::Junit,
    Format::Markdown,
];

/// What GitLab's "Code Quality report format" requires of an entry.
static CODE_QUALITY: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let location = json!({
        "type": "object",
        "required": ["path", "lines"],
        "properties": {
            "path": { "type": "string", "minLength": 1, "not": { "pattern": r"^\./|^/|\\\\" } },
            "lines": { "type": "object", "required": ["begin"], "properties": { "begin": { "type": "integer", "minimum": 1 } } },
        },
    });
    let entry = json!({
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": { "type": "string", "minLength": 1 },
            "check_name": { "type": "string", "minLength": 1 },
            "fingerprint": { "type": "string", "minLength": 1 },
            "severity": { "enum": ["info", "minor", "major", "critical", "blocker"] },
            "location": location,
        },
    });
    validator(&json!({ "type": "array", "items": entry }).to_string())
});

static SARIF_SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| validator(include_str!("sarif/sarif-2.1.0.schema.json")));
static REPORT_SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| validator(include_str!("../schemas/report.schema.json")));

fn validator(schema: &str) -> jsonschema::Validator {
    let schema = serde_json::from_str(schema).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn any_findings() -> impl Strategy<Value = Findings> {
    let place = prop_oneof![
        Just(None),
        prop::sample::select(vec![
            "",
            "/vpc",
            "/vpc/cidr",
            "/vpc/subnets/0",
            "/password",
            "/x",
            "/gone/far",
            "/😀"
        ])
        .prop_flat_map(|pointer| (Just(pointer), 0..4_usize))
        .prop_map(|(pointer, token)| {
            let tokens = [Token::Value, Token::Key, Token::Occurrence(1), Token::Missing];
            Some(Place::at(pointer, tokens[token]))
        }),
        (0..200_usize, 0..200_usize).prop_map(|(one, two)| Some(Place::at("", Token::Bytes(one, two)))),
    ];
    let severity = prop::sample::select(vec![Severity::Error, Severity::Warning, Severity::Note]);
    let finding = (place.clone(), place, severity, "\\PC{0,120}|a\n%::b\r", any::<bool>()).prop_map(
        |(at, related, severity, message, masked)| {
            let mut finding = Finding::new(&SECRET, at, message.clone());
            finding.severity(severity).masked = masked;
            if let Some(place) = related {
                finding.related(place, message).help("do it");
            }
            finding
        },
    );
    prop::collection::vec(finding, 0..6).prop_map(|findings| Findings {
        ran: std::collections::BTreeSet::new(),
        unknown: vec![Unknown { code: "SEC001".into(), reason: "denied".into() }; findings.len() % 3],
        findings,
        passed: 7,
        ignored: 1,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn findings_in_are_results_out(findings in any_findings(), broken in any::<bool>()) {
        let text = if broken { &TEXT[1..] } else { TEXT };
        let (count, unknown) = (findings.findings.len(), findings.unknown.len());

        let json: Value = serde_json::from_str(&render(Format::Json, text, &findings, false)).unwrap();
        prop_assert!(REPORT_SCHEMA.validate(&json).is_ok());
        prop_assert_eq!(json["findings"].as_array().unwrap().len(), count);
        prop_assert_eq!(json["unknown"].as_array().unwrap().len(), unknown);
        let summary = ["error", "warning", "note"].map(|name| json["summary"][name].as_u64().unwrap());
        prop_assert_eq!(usize::try_from(summary.iter().sum::<u64>()).unwrap(), count);

        let sarif: Value = serde_json::from_str(&render(Format::Sarif, text, &findings, false)).unwrap();
        if let Err(error) = SARIF_SCHEMA.validate(&sarif) {
            prop_assert!(false, "{}: {}", error.instance_path(), error);
        }
        prop_assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), count);

        let github = render(Format::Github, text, &findings, false);
        prop_assert_eq!(github.lines().count(), count + unknown);
        prop_assert!(github.lines().all(|line| line.starts_with("::")));

        let gitlab: Value = serde_json::from_str(&render(Format::Gitlab, text, &findings, false)).unwrap();
        if let Err(error) = CODE_QUALITY.validate(&gitlab) {
            prop_assert!(false, "{}: {}", error.instance_path(), error);
        }
        let prints: std::collections::BTreeSet<&str> =
            gitlab.as_array().unwrap().iter().map(|one| one["fingerprint"].as_str().unwrap()).collect();
        prop_assert_eq!(prints.len(), count + unknown);

        let human = render(Format::Human, text, &findings, false);
        prop_assert_eq!(human.matches("[SEC001]").count(), count + unknown);

        for format in ALL {
            prop_assert_eq!(render(format, text, &findings, true), render(format, text, &findings, true));
        }
    }
}
