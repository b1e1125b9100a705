//! Every format tells the same findings, at places counted by hand, and no format tells a secret.

use osmt::document::Document;
use osmt::finding::Finding;
use osmt::finding::Findings;
use osmt::finding::Place;
use osmt::finding::Rule;
use osmt::finding::Severity;
use osmt::report::FileReport;
use osmt::report::Format;
use osmt::report::write;

static OUTSIDE: Rule = Rule {
    code: "NET003",
    name: "subnet-outside-vpc",
    severity: Severity::Error,
    summary: "a subnet lies outside the VPC",
    explain: "What it does.",
};

static SECRET: Rule = Rule {
    code: "SEC001",
    name: "secret-in-config",
    severity: Severity::Warning,
    summary: "a secret stands in the config",
    explain: "What it does.",
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
    write(
        format,
        &[report],
        "osmt-doctor 0.1.0",
        &[&OUTSIDE, &SECRET],
        color,
        &mut out,
    )
    .unwrap();
    String::from_utf8(out).unwrap()
}

fn outside(pointer: &str) -> Finding {
    let message = "subnet 10.0.0.0/27 lies outside the VPC 192.168.100.0/24";
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
    let expected = r#"error[NET003]: subnet 10.0.0.0/27 lies outside the VPC 192.168.100.0/24
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
`osmt-doctor explain CODE` tells why
"#;
    assert_eq!(render(Format::Human, TEXT, &findings, false), expected);
    let coloured = render(Format::Human, TEXT, &findings, true);
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(
        anstream::adapter::strip_str(&coloured).to_string(),
        expected
    );
}

#[test]
fn json_counts_utf16_units_from_one_and_ends_behind_the_token() {
    let mut findings = Findings::default();
    findings.findings.push(outside("/vpc/subnets/0"));
    let report: serde_json::Value =
        serde_json::from_str(&render(Format::Json, TEXT, &findings, false)).unwrap();
    let finding = &report["findings"][0];
    assert_eq!(
        finding["start"],
        serde_json::json!({"line": 4, "column": 26})
    );
    assert_eq!(finding["end"], serde_json::json!({"line": 4, "column": 39}));
    assert_eq!(report["summary"]["error"], 1);
}
