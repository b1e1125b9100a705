//! Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format").

use std::io;
use std::io::Write;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::located::{Located, Mask, Spot};
use super::{FileReport, located};
use crate::finding::Rule;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Relative paths are relative to this: where the run was started, as a rule the checkout's root.
const BASE: &str = "%SRCROOT%";

/// Writes one log with one run.
pub(super) fn write(
    reports: &[FileReport<'_>],
    tool: &str,
    rules: &[&'static Rule],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut descriptors: Vec<Value> = rules.iter().map(|rule| descriptor(rule)).collect();
    let mut codes: Vec<String> = rules.iter().map(|rule| rule.code.to_owned()).collect();
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
            results.push(result(report, &located, index));
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
    let (name, version) = tool.split_once(' ').unwrap_or((tool, ""));
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": name, "version": version, "rules": descriptors } },
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {
                BASE: { "description": { "text": "the folder in which the run was started" } },
            },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.prose() },
        "help": { "text": rule.prose(), "markdown": rule.prose() },
        "defaultConfiguration": { "level": rule.severity.name() },
    })
}

fn result(report: &FileReport<'_>, located: &Located<'_>, index: usize) -> Value {
    let finding = located.finding;
    let pointer = located.at.as_ref().map_or("", |spot| spot.pointer);
    let text = match &located.help {
        Some(help) => format!("{}\nhelp: {help}", located.message),
        None => located.message.to_string(),
    };
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity.name(),
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical(report.file, located.at.as_ref()) }],
        "partialFingerprints": { "codeAndPointer/v1": fingerprint(&finding.code, finding.stable.as_deref().unwrap_or(pointer)) },
    });
    if !located.related.is_empty() {
        let related = located.related.iter().enumerate();
        let related = related.map(|(id, (spot, message))| {
            json!({
                "id": id,
                "message": { "text": message },
                "physicalLocation": physical(report.file, Some(spot)),
            })
        });
        result["relatedLocations"] = related.collect();
    }
    result
}

fn physical(file: &str, spot: Option<&Spot<'_>>) -> Value {
    let mut physical = json!({ "artifactLocation": artifact(file) });
    if let Some(page) = spot.and_then(|spot| spot.page.as_ref()) {
        physical["region"] = json!({
            "startLine": page.start.line,
            "startColumn": page.start.column,
            "endLine": page.end.line,
            "endColumn": page.end.column,
        });
    }
    physical
}

fn artifact(file: &str) -> Value {
    let path = file.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let encode = |byte: u8| {
        if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    let uri: String = path.bytes().map(encode).collect();
    if path.starts_with('/') {
        json!({ "uri": format!("file://{uri}") })
    } else {
        json!({ "uri": uri, "uriBaseId": BASE })
    }
}

/// Stays the same when lines move.
fn fingerprint(code: &str, pointer: &str) -> String {
    let digest = Sha256::digest(format!("{code}\n{pointer}"));
    let hex: Vec<_> = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    hex.concat()
}
