//! Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format").

use std::io;
use std::io::Write;

use serde_json::{Value, json};

use super::fingerprint::Fingerprints;
use super::located::{Located, Mask, ResolvedPlace};
use super::{About, Checkout, FileReport, located};
use crate::finding::{Rule, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The base of relative paths: the root of the checkout.
const BASE: &str = "%SRCROOT%";

/// Writes one log with one run.
pub(super) fn write(reports: &[FileReport<'_>], about: &About<'_>, out: &mut dyn Write) -> io::Result<()> {
    let pages = about.pages.as_deref();
    let mut descriptors: Vec<Value> = about.rules.iter().map(|rule| descriptor(rule, pages)).collect();
    let mut fingerprints = Fingerprints::default();
    let mut codes: Vec<String> = about.rules.iter().map(|rule| rule.code.to_owned()).collect();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for report in reports {
        let mask = Mask::new(report);
        for located in located::sorted(report, &mask) {
            let code = located.finding.code.as_ref();
            let index = codes.iter().position(|known| known == code);
            let index = index.unwrap_or_else(|| {
                // The code of an organisation's own policy.
                codes.push(code.to_owned());
                descriptors.push(json!({ "id": code, "name": located.finding.name }));
                codes.len() - 1
            });
            results.push(result(report, &located, index, about.checkout.as_ref(), &mut fingerprints));
        }
        for unknown in located::unknown(report) {
            let mut rule = json!({ "id": unknown.code });
            if let Some(index) = codes.iter().position(|known| *known == unknown.code) {
                rule["index"] = json!(index);
            }
            notifications.push(json!({
                "level": "warning",
                "associatedRule": rule,
                "message": { "text": format!("could not check: {}", unknown.reason) },
            }));
        }
    }
    let (name, version) = about.tool.split_once(' ').unwrap_or((about.tool, ""));
    let mut log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": name, "version": version, "rules": descriptors } },
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {
                BASE: { "description": { "text": "the root of the checkout" } },
            },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    if let Some(id) = &about.automation {
        log["runs"][0]["automationDetails"] = json!({ "id": id });
    }
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn descriptor(rule: &Rule, pages: Option<&str>) -> Value {
    let uri = match pages {
        Some(pages) => format!("{pages}{}.md", rule.code),
        None => format!("urn:osmt-doctor:rule:{}", rule.code),
    };
    // GitHub's scale for findings that are not vulnerabilities.
    let problem = match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "recommendation",
    };
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.prose() },
        "help": { "text": rule.prose(), "markdown": rule.prose() },
        "helpUri": uri,
        "defaultConfiguration": { "level": rule.severity.name() },
        "properties": { "tags": tags(rule.code), "problem.severity": problem },
    })
}

/// Tags for the theme of a rule.
fn tags(code: &str) -> Vec<&'static str> {
    let theme = match code.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "JSON" | "CFG" | "IGN" => "syntax",
        "SEC" | "ASM" => "secrets",
        "NET" | "ALB" | "AZS" => "network",
        "DNS" | "ACM" | "ZON" => "domain",
        "ECS" | "IMG" | "OSM" => "containers",
        "RDS" => "database",
        "RED" => "cache",
        "OAU" => "sign-in",
        "STA" | "LCK" | "WKS" => "terraform",
        "PLAN" => "plan",
        _ => "configuration",
    };
    let security = ["SEC", "ASM", "STA"].iter().any(|prefix| code.starts_with(prefix));
    if security { vec!["osmt", theme, "security"] } else { vec!["osmt", theme] }
}

fn result(
    report: &FileReport<'_>,
    located: &Located<'_>,
    index: usize,
    checkout: Option<&Checkout>,
    fingerprints: &mut Fingerprints,
) -> Value {
    let finding = located.finding;
    let text = match &located.help {
        Some(help) => format!("{}\nhelp: {help}", located.message),
        None => located.message.to_string(),
    };
    let file = checkout.map_or_else(|| report.file.to_owned(), |checkout| checkout.path(report.file));
    let (base, nth) = fingerprints.next(&file, located);
    let line_hash = format!("{}:{nth}", &base[..16]);
    let code_and_pointer = if nth == 1 { base } else { format!("{base}:{nth}") };
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity.name(),
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical(&file, located.at.as_ref()) }],
        "partialFingerprints": {
            "codeAndPointer/v1": code_and_pointer,
            "primaryLocationLineHash": line_hash,
        },
    });
    if !located.related.is_empty() {
        let related = located.related.iter().enumerate();
        let related = related.map(|(id, (place, message))| {
            json!({
                "id": id,
                "message": { "text": message },
                "physicalLocation": physical(&file, Some(place)),
            })
        });
        result["relatedLocations"] = related.collect();
    }
    result
}

fn physical(file: &str, place: Option<&ResolvedPlace<'_>>) -> Value {
    // GitHub requires a region; a finding without a place is shown on the first line.
    let region = match place.and_then(|place| place.range.as_ref()) {
        Some(range) => json!({
            "startLine": range.start.line,
            "startColumn": range.start.column,
            "endLine": range.end.line,
            "endColumn": range.end.column,
        }),
        None => json!({ "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1 }),
    };
    json!({ "artifactLocation": artifact(file), "region": region })
}

fn artifact(file: &str) -> Value {
    let path = file.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let encode = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    let uri: String = path.bytes().map(encode).collect();
    if path.starts_with('/') {
        json!({ "uri": format!("file://{uri}") })
    } else {
        json!({ "uri": uri, "uriBaseId": BASE })
    }
}
