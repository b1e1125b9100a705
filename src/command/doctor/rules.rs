//! `osmt-doctor rules`: list the rules.

use clap::Args;
use serde::Serialize;

use crate::command::Context;
use crate::doctor;
use crate::explain::{Exit, Failure};
use crate::finding::Rule;
use crate::report::Format;

/// List every rule.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-doctor rules")]
pub(super) struct Rules {}

impl Rules {
    #[expect(clippy::unused_self, reason = "all verbs have this signature")]
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let rules = doctor::all_rules();
        let rows = rules.iter().map(|rule| row(rule, false));
        if ui.format == Format::Json {
            ui.json(&rows.collect::<Vec<_>>())?;
        } else {
            ui.write(|out| {
                rules.iter().try_for_each(|rule| {
                    writeln!(
                        out,
                        "{:8} {:8} {} ({})",
                        rule.code,
                        rule.severity.name(),
                        rule.summary,
                        rule.name
                    )
                })
            })?;
        }
        Ok(Exit::Done)
    }
}

/// A rule, as `--format json` prints it.
#[derive(Serialize)]
pub(super) struct Row {
    code: &'static str,
    name: &'static str,
    severity: &'static str,
    summary: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'static str>,
}

pub(super) fn row(rule: &'static Rule, with_explanation: bool) -> Row {
    Row {
        code: rule.code,
        name: rule.name,
        severity: rule.severity.name(),
        summary: rule.summary,
        explain: with_explanation.then(|| rule.prose()),
    }
}
