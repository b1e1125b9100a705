//! Checks a config.

use std::collections::{HashMap, HashSet};

use super::policy::{On, Policy};
use super::rules::{self, secrets, shape};
use super::subject::Subject;
use super::{recipe, schema};
use crate::document::{Document, Node, Place, Token};
use crate::finding::{Finding, Findings, Fix, Rule, Severity};

/// A larger file is not a config.
pub const MAX_BYTES: usize = 256 << 10;

/// More findings than this are not shown.
const MAX_FINDINGS: usize = 500;

/// The options of a check.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOptions<'a> {
    /// The AWS endpoint is this machine: an emulator's account and domain are not placeholders.
    pub loopback: bool,
    /// The organisation's policies.
    pub policies: &'a [Policy],
}

/// The result of checking one file.
#[derive(Debug, Default)]
pub struct Checked {
    /// The file's text; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The parsed text; `None` where it is not JSON.
    pub document: Option<Document>,
    /// What is wrong with it.
    pub findings: Findings,
}

/// Checks one config.
pub fn check(bytes: Vec<u8>, options: CheckOptions<'_>) -> Checked {
    let text = match read(bytes) {
        Ok(text) => text,
        Err(checked) => return *checked,
    };
    let document = match Document::parse(text.as_str()) {
        Ok(document) => document,
        Err(error) => {
            let place = Place::at("", Token::Bytes(error.span.start, error.span.end));
            let mut checked = unreadable(text, place, error.message, &error.help);
            if error.surplus {
                checked.findings.findings[0].fix(Fix::Drop);
            }
            return checked;
        }
    };
    let mut findings = Findings { findings: schema::check(&document), ..Findings::default() };
    recipe::translate(&document, &mut findings.findings);
    findings.ran.extend(shape::ALL.iter().map(|rule| rule.code.into()));
    findings.passed += shape::ALL
        .iter()
        .filter(|rule| findings.findings.iter().all(|found| found.code != rule.code))
        .count();
    let mut subject = Subject::new(document, options.loopback);
    subject.hide_errors(&findings.findings);
    for check in rules::FIRST.iter().copied().flatten() {
        findings.run(std::slice::from_ref(check), &subject);
        subject.hide_errors(&findings.findings);
    }
    for theme in rules::THEMES {
        findings.run(theme, &subject);
    }
    findings.findings = one_error_a_place(findings.findings);
    cut(&mut findings.findings);
    if let Some(config) = subject.document.get("/config").map(Node::value) {
        findings.judge(options.policies, On::Config, &config, "/config");
    }
    Checked { text: subject.document.text().to_owned(), document: Some(subject.document), findings }
}

/// The errors that stop a binary before it writes: duplicate keys anywhere, errors in the account, the region, the
/// environment and the revision (every name in AWS contains them), and errors below the given `parts` of the config.
///
/// A placeholder is not an error here: a placeholder for the account is refused when it is compared with the caller's account.
pub fn faults_of(document: &Document, parts: &[&str], loopback: bool) -> Vec<Finding> {
    const ALWAYS: [&str; 4] =
        ["/config/account_id", "/config/region", "/config/env", "/config/secrets_revision"];
    let options = CheckOptions { loopback, ..CheckOptions::default() };
    let found = check(document.text().as_bytes().to_vec(), options).findings.findings;
    let within = |pointer: &str| {
        let below = |part: &str| {
            pointer.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        ALWAYS.iter().chain(parts).any(|part| below(part))
    };
    let counts = |finding: &Finding| {
        finding.severity == Severity::Error
            && finding.code != rules::placeholder::CHECKS[0].rule.code
            && (finding.code == shape::DUPLICATE_KEY.code
                || finding.at.as_ref().is_some_and(|at| within(&at.pointer)))
    };
    found.into_iter().filter(counts).collect()
}

fn read(bytes: Vec<u8>) -> Result<String, Box<Checked>> {
    let start = Place::at("", Token::Bytes(0, 0));
    if bytes.len() > MAX_BYTES {
        let message = format!("the file is larger than {} KiB; a config has a few KiB", MAX_BYTES >> 10);
        return Err(Box::new(unreadable(String::new(), start, message, "name the config")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let wrong = error.utf8_error().valid_up_to();
        let bytes = error.into_bytes();
        let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let message = if wide {
            "the file is UTF-16".to_owned()
        } else {
            format!("byte 0x{:02x} is not UTF-8", bytes[wrong])
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let place = Place::at("", Token::Bytes(wrong, wrong + '\u{fffd}'.len_utf8()));
        Box::new(unreadable(text, place, message, "save the file as UTF-8"))
    })
}

fn unreadable(text: String, place: Place, message: String, help: &str) -> Checked {
    let mut finding = Finding::new(&shape::NOT_JSON, Some(place), message);
    finding.help(help);
    Checked { text, document: None, findings: Findings { findings: vec![finding], ..Findings::default() } }
}

/// Keeps the most severe of very many findings, and adds a finding that says so.
fn cut(findings: &mut Vec<Finding>) {
    if findings.len() > MAX_FINDINGS {
        // Findings that mask a secret are kept: without them the line with the secret would be printed.
        findings.sort_by_key(|finding| (!finding.masked, std::cmp::Reverse(finding.severity)));
        findings.truncate(MAX_FINDINGS);
        let message = format!("only the {MAX_FINDINGS} most severe findings are shown");
        let mut finding = Finding::new(&shape::TOO_MANY, Some(Place::value("")), message);
        finding.help("fix these first, and check again");
        findings.push(finding);
    }
}

/// Which of several errors at one place is kept: that of the first rule in this list, otherwise the one found first.
const PRECEDENCE: [&Rule; 4] =
    [&shape::OLD_RECIPE, &secrets::CHECKS[0].rule, &shape::DUPLICATE_KEY, &shape::UNKNOWN_VARIABLE];

fn precedence(finding: &Finding) -> usize {
    PRECEDENCE.iter().position(|rule| finding.code == rule.code).unwrap_or(PRECEDENCE.len())
}

/// Keeps one error for each place; a warning or note at a place that has an error is dropped.
fn one_error_a_place(findings: Vec<Finding>) -> Vec<Finding> {
    let mut best: HashMap<String, (usize, usize)> = HashMap::new();
    let mut masked: HashSet<String> = HashSet::new();
    for (index, finding) in findings.iter().enumerate() {
        let Some(at) = &finding.at else { continue };
        if finding.masked {
            masked.insert(at.pointer.clone());
        }
        if finding.severity == Severity::Error {
            let new = (precedence(finding), index);
            best.entry(at.pointer.clone()).and_modify(|old| *old = (*old).min(new)).or_insert(new);
        }
    }
    let mut kept = Vec::new();
    for (index, mut finding) in findings.into_iter().enumerate() {
        if let Some(at) = &finding.at {
            // Each occurrence of a duplicate key has its own finding.
            let is_twin = finding.code == shape::DUPLICATE_KEY.code;
            let keep = best.get(&at.pointer).is_none_or(|(precedence, first)| {
                *first == index
                    || is_twin && PRECEDENCE.get(*precedence).is_some_and(|rule| rule.code == finding.code)
            });
            if !keep {
                continue;
            }
            // The kept finding must mask the value if any finding at this place did.
            finding.masked |= masked.contains(&at.pointer);
        }
        kept.push(finding);
    }
    kept
}
