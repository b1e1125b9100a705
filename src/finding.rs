//! Rules, and the findings that they report.
//!
//! A finding's place is a JSON pointer (RFC 6901) and a token; [`crate::document::Document`] converts it to a position.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::document::{Place, Token};

/// The severity of a finding, in the order of `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Information.
    Note,
    /// It works, but with a risk.
    Warning,
    /// Apply or the app's start would fail, or data would be lost.
    Error,
}

impl Severity {
    /// The name in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A rule: the only source of `explain`, SARIF and `docs/rules.md`.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Never changes: `NET003`.
    pub code: &'static str,
    /// Names the mistake, not the remedy: `subnet-outside-vpc`.
    pub name: &'static str,
    /// The default; a finding may have another.
    pub severity: Severity,
    /// The summary, in one line.
    pub summary: &'static str,
    /// The page `docs/rules/CODE.md`: heading, what it does, why it matters, example, instead, source.
    pub explain: &'static str,
}

impl Rule {
    /// The page without its heading.
    pub fn prose(&self) -> &'static str {
        match self.explain.split_once("\n\n") {
            Some((heading, prose)) if heading.starts_with("# ") => prose.trim_end(),
            _ => self.explain,
        }
    }

    /// The paragraph of the page that begins with "Why:".
    pub fn why(&self) -> Option<&'static str> {
        self.explain.split("\n\n").find_map(|paragraph| paragraph.trim().strip_prefix("Why: "))
    }
}

/// A rule with the function that checks a `T`: the config, the account's facts, a Terraform plan.
pub struct Check<T: ?Sized + 'static> {
    /// The rule.
    pub rule: Rule,
    /// Checks, and reports to the sink.
    pub run: fn(&T, &mut Sink<'_>),
}

/// The edit that fixes a finding, if there is exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Replace the value.
    Value(serde_json::Value),
    /// Rename the key.
    Key(String),
    /// Remove the key and its value, or the range of text.
    Drop,
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Write exactly this text as the value.
    Write(String),
    /// The user must decide.
    Say(String),
}

impl Remedy {
    /// The remedy to write exactly this text.
    pub fn write(text: impl std::fmt::Display) -> Self {
        Self::Write(text.to_string())
    }
}

impl From<&str> for Remedy {
    fn from(help: &str) -> Self {
        Self::Say(help.to_owned())
    }
}

impl From<String> for Remedy {
    fn from(help: String) -> Self {
        Self::Say(help)
    }
}

/// Something that is wrong, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's code; owned only where it comes from a policy file.
    pub code: Cow<'static, str>,
    /// The rule's name.
    pub name: Cow<'static, str>,
    /// The severity.
    pub severity: Severity,
    /// What is wrong: a sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where; `None` if the finding is not about a file, but about a repository or an account.
    pub at: Option<Place>,
    /// Related places, each with its message.
    pub related: Vec<(Place, String)>,
    /// Whether the value may be a secret, which no format prints.
    pub masked: bool,
    /// The edit that fixes it, if there is exactly one.
    pub fix: Option<Fix>,
    /// A pointer that does not change when lists in the document change; `None` if `at` is already stable.
    pub stable: Option<String>,
}

impl Finding {
    /// A finding with the rule's code, name and severity.
    pub fn new(rule: &Rule, at: Option<Place>, message: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(rule.code),
            name: Cow::Borrowed(rule.name),
            severity: rule.severity,
            message: message.into(),
            help: None,
            at,
            related: Vec::new(),
            masked: false,
            fix: None,
            stable: None,
        }
    }

    /// Marks the value as a possible secret, with everything in it.
    pub fn masked(&mut self) -> &mut Self {
        self.masked = true;
        self
    }

    /// Adds the remedy.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the edit that fixes it.
    pub fn fix(&mut self, fix: Fix) -> &mut Self {
        self.fix = Some(fix);
        self
    }

    /// Adds the remedy, and the edit if the remedy is one.
    pub fn remedy(&mut self, remedy: impl Into<Remedy>) -> &mut Self {
        match remedy.into() {
            Remedy::Say(help) => self.help(help),
            Remedy::Write(text) => self.help(format!("write {text}")).fix(Fix::Value(text.into())),
        }
    }

    /// Overrides the rule's severity.
    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }

    /// Adds a related place.
    pub fn related(&mut self, place: Place, message: impl Into<String>) -> &mut Self {
        self.related.push((place, message.into()));
        self
    }
}

/// A check that could not be made. It does not count as passed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unknown {
    /// The code of the rule.
    pub code: String,
    /// Why the fact is not known.
    pub reason: String,
}

/// All findings about one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The findings, in the order in which they were reported.
    pub findings: Vec<Finding>,
    /// The checks that could not be made.
    pub unknown: Vec<Unknown>,
    /// The number of rules that were checked without a finding.
    pub passed: usize,
    /// The number of findings that were ignored.
    pub ignored: usize,
    /// Codes of the rules that were checked.
    pub ran: BTreeSet<Cow<'static, str>>,
}

impl Findings {
    /// Runs every check.
    pub fn run<T: ?Sized>(&mut self, checks: &'static [Check<T>], thing: &T) {
        for check in checks {
            let before = (self.findings.len(), self.unknown.len());
            (check.run)(thing, &mut Sink { rule: &check.rule, all: self });
            self.ran.insert(Cow::Borrowed(check.rule.code));
            if before == (self.findings.len(), self.unknown.len()) {
                self.passed += 1;
            }
        }
    }

    /// Adds other findings about the same document.
    pub fn add(&mut self, other: Self) {
        let Self { findings, unknown, passed, ignored, ran } = other;
        self.findings.extend(findings);
        self.unknown.extend(unknown);
        self.passed += passed;
        self.ignored += ignored;
        self.ran.extend(ran);
    }

    /// The highest severity; `None` if there are no findings.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// The number of findings of each severity.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::from([("error", 0), ("warning", 0), ("note", 0)]);
        for finding in &self.findings {
            *counts.entry(finding.severity.name()).or_default() += 1;
        }
        counts
    }
}

/// Receives the findings of one check, and adds the rule to each.
pub struct Sink<'a> {
    rule: &'static Rule,
    all: &'a mut Findings,
}

impl Sink<'_> {
    /// Reports that the value at the pointer is wrong.
    pub fn value(&mut self, pointer: impl Into<String>, message: impl Into<String>) -> &mut Finding {
        self.say(Some(Place::value(pointer)), message)
    }

    /// Reports that the key at the pointer is wrong.
    pub fn key(&mut self, pointer: impl Into<String>, message: impl Into<String>) -> &mut Finding {
        self.say(Some(Place::at(pointer, Token::Key)), message)
    }

    /// Reports that the key at the pointer is missing.
    pub fn missing(&mut self, pointer: impl Into<String>, message: impl Into<String>) -> &mut Finding {
        self.say(Some(Place::at(pointer, Token::Missing)), message)
    }

    /// Reports something that is not in a file.
    pub fn elsewhere(&mut self, message: impl Into<String>) -> &mut Finding {
        self.say(None, message)
    }

    /// Reports that the check could not be made.
    pub fn unknown(&mut self, reason: impl Into<String>) {
        self.all.unknown.push(Unknown { code: self.rule.code.to_owned(), reason: reason.into() });
    }

    fn say(&mut self, at: Option<Place>, message: impl Into<String>) -> &mut Finding {
        self.all.findings.push(Finding::new(self.rule, at, message));
        self.all.findings.last_mut().expect("a finding was pushed on the line above")
    }
}
