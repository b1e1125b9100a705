//! What may be said about the user's things, and what was said.
//!
//! Rules think in pointers (RFC 6901) and tokens; where on the page that is, [`crate::document::Document`] knows.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::document::{Place, Token};

/// How bad it is. The order is the order of `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; free.
    Note,
    /// It works, but has a risk.
    Warning,
    /// Apply or start-up would fail, or data would be lost.
    Error,
}

impl Severity {
    /// The word in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What may be said. `explain`, SARIF and `docs/rules.md` read this and nothing else.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable for ever: `NET003`.
    pub code: &'static str,
    /// The pattern, not the remedy: `subnet-outside-vpc`.
    pub name: &'static str,
    /// Unless the finding says otherwise.
    pub severity: Severity,
    /// One line.
    pub summary: &'static str,
    /// The page `docs/rules/CODE.md`: heading, what it does, why it matters, example, instead, source.
    pub explain: &'static str,
}

impl Rule {
    /// The page without its heading, which repeats code and name.
    pub fn prose(&self) -> &'static str {
        match self.explain.split_once("\n\n") {
            Some((heading, prose)) if heading.starts_with("# ") => prose.trim_end(),
            _ => self.explain,
        }
    }

    /// Why it matters: the paragraph of the page that says so.
    pub fn why(&self) -> Option<&'static str> {
        self.explain.split("\n\n").find_map(|paragraph| paragraph.trim().strip_prefix("Why: "))
    }
}

/// How a rule is looked for in a `T`: the config, the account's facts, a Terraform plan.
pub struct Check<T: ?Sized + 'static> {
    /// What it may say.
    pub rule: Rule,
    /// Looks, and says it into the sink.
    pub run: fn(&T, &mut Sink<'_>),
}

/// The one edit that fixes a finding, where there is exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Another value at the place.
    Value(serde_json::Value),
    /// Another key at the place.
    Key(String),
    /// The key and its value, or the stretch of text, goes.
    Drop,
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Write exactly this text as the value.
    Write(String),
    /// A person must decide.
    Say(String),
}

impl Remedy {
    /// Exactly this.
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

/// One thing that is wrong, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's code; owned only where it comes from a policy file.
    pub code: Cow<'static, str>,
    /// The rule's name.
    pub name: Cow<'static, str>,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, a sentence without full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where; `None` where the thing judged is not a file (a repository, an account).
    pub at: Option<Place>,
    /// Other places that belong to it, and what each is.
    pub related: Vec<(Place, String)>,
    /// The value there may be a secret: no format prints it.
    pub masked: bool,
    /// The edit that fixes it, where there is exactly one.
    pub fix: Option<Fix>,
    /// A pointer that stays the same when the document's lists change; `None` where `at` does.
    pub stable: Option<String>,
}

impl Finding {
    /// Starts a finding from its rule.
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

    /// Keeps the value at the place, and all that is in it, out of every format.
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

    /// Adds the remedy, and the edit where it is one.
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

    /// Names another place that belongs to it.
    pub fn related(&mut self, place: Place, message: impl Into<String>) -> &mut Self {
        self.related.push((place, message.into()));
        self
    }
}

/// A check that could not be made. Never the same as passed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unknown {
    /// The rule that wanted the fact.
    pub code: String,
    /// Why the fact is not known.
    pub reason: String,
}

/// All that was said about one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What was found, in the order it was said.
    pub findings: Vec<Finding>,
    /// What could not be checked.
    pub unknown: Vec<Unknown>,
    /// Rules that looked and had nothing to say.
    pub passed: usize,
    /// Findings that an ignore took out.
    pub ignored: usize,
    /// Codes of the rules that were run, whatever they found.
    pub ran: BTreeSet<Cow<'static, str>>,
}

impl Findings {
    /// Runs every check on a thing.
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

    /// Adds what was found about the same document by others.
    pub fn add(&mut self, other: Self) {
        let Self { findings, unknown, passed, ignored, ran } = other;
        self.findings.extend(findings);
        self.unknown.extend(unknown);
        self.passed += passed;
        self.ignored += ignored;
        self.ran.extend(ran);
    }

    /// The worst severity, `None` where nothing was found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// How many findings of each severity.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::from([("error", 0), ("warning", 0), ("note", 0)]);
        for finding in &self.findings {
            *counts.entry(finding.severity.name()).or_default() += 1;
        }
        counts
    }
}

/// Where a check says what it found; knows the rule, so the check need not repeat it.
pub struct Sink<'a> {
    rule: &'static Rule,
    all: &'a mut Findings,
}

impl Sink<'_> {
    /// The value at the pointer is wrong.
    pub fn value(&mut self, pointer: impl Into<String>, message: impl Into<String>) -> &mut Finding {
        self.say(Some(Place::value(pointer)), message)
    }

    /// The key at the pointer is wrong.
    pub fn key(&mut self, pointer: impl Into<String>, message: impl Into<String>) -> &mut Finding {
        self.say(Some(Place::at(pointer, Token::Key)), message)
    }

    /// The key that the pointer names is missing.
    pub fn missing(&mut self, pointer: impl Into<String>, message: impl Into<String>) -> &mut Finding {
        self.say(Some(Place::at(pointer, Token::Missing)), message)
    }

    /// Something is wrong with a thing that is not a file.
    pub fn elsewhere(&mut self, message: impl Into<String>) -> &mut Finding {
        self.say(None, message)
    }

    /// The check could not be made.
    pub fn unknown(&mut self, reason: impl Into<String>) {
        self.all.unknown.push(Unknown { code: self.rule.code.to_owned(), reason: reason.into() });
    }

    fn say(&mut self, at: Option<Place>, message: impl Into<String>) -> &mut Finding {
        self.all.findings.push(Finding::new(self.rule, at, message));
        self.all.findings.last_mut().expect("a finding was pushed on the line above")
    }
}
