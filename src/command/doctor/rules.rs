//! `osmt-doctor rules`, `explain` and `schema`: what the doctor knows.

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::beside::Beside;
use crate::command::{Common, Ui};
use crate::doctor::policy::{On, Policy};
use crate::explain::{Exit, Failure};
use crate::report::Format;
use crate::{doctor, release};

/// List every rule.
#[derive(Args, Clone, Debug)]
pub(super) struct Rules {}

/// Explain a rule or a policy: what it finds, why that matters, what to do.
#[derive(Args, Clone, Debug)]
pub(super) struct Explain {
    /// A code or a name: NET003, subnet-outside-vpc, POL001.
    code: String,
    #[command(flatten)]
    beside: Beside,
}

/// Print a JSON Schema, for editors.
#[derive(Args, Clone, Debug)]
pub(super) struct Schema {
    /// Of what.
    #[arg(value_enum, default_value = "config")]
    of: Of,
}

/// What there are schemas of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The config.
    Config,
    /// A policy file.
    Policy,
    /// `doctor.ignore.json`.
    Ignore,
    /// What `check --format json` prints.
    Report,
}

#[derive(Serialize)]
struct Row {
    code: &'static str,
    name: &'static str,
    severity: &'static str,
    summary: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'static str>,
}

impl Rules {
    pub(super) fn run(ui: &Ui) -> Result<Exit, Failure> {
        let rules = doctor::all();
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

fn row(rule: &'static crate::finding::Rule, whole: bool) -> Row {
    Row {
        code: rule.code,
        name: rule.name,
        severity: rule.severity.name(),
        summary: rule.summary,
        explain: whole.then(|| rule.prose()),
    }
}

impl Explain {
    pub(super) fn run(&self, common: &Common, ui: &Ui) -> Result<Exit, Failure> {
        // The guards of osmt-release have pages of the same kind.
        let guards = release::guards::GUARDS.iter().map(|guard| &guard.rule);
        let rules: Vec<_> = doctor::all().into_iter().chain(guards).collect();
        let wanted = self.code.trim();
        let policies = self.beside.policies(common)?;
        if let Some(policy) = policies.iter().find(|policy| policy.code.eq_ignore_ascii_case(wanted)) {
            return explain_policy(policy, ui);
        }
        let found = rules
            .iter()
            .find(|rule| rule.code.eq_ignore_ascii_case(wanted) || rule.name.eq_ignore_ascii_case(wanted));
        let Some(rule) = found else {
            return Err(
                Failure::new(Exit::Usage, format!("there is no rule `{wanted}`")).help(nearest(wanted))
            );
        };
        if ui.format == Format::Json {
            ui.json(&row(rule, true))?;
        } else {
            ui.write(|out| {
                writeln!(
                    out,
                    "{} {} ({})\n\n{}.\n\n{}",
                    rule.code,
                    rule.name,
                    rule.severity.name(),
                    rule.summary,
                    rule.prose()
                )
            })?;
        }
        Ok(Exit::Done)
    }
}

/// What a policy demands; its schemas are its own documentation.
fn explain_policy(policy: &Policy, ui: &Ui) -> Result<Exit, Failure> {
    if ui.format == Format::Json {
        let name = "policy";
        ui.json(&serde_json::json!({
            "code": policy.code, "name": name, "severity": policy.severity.name(), "summary": policy.message,
            "explain": policy.help,
        }))?;
    } else {
        ui.write(|out| {
            let judged = match policy.on {
                On::Config => "the object under `config`",
                On::Account => "the account's facts",
                On::Plan => "the Terraform plan",
            };
            writeln!(out, "{} policy ({})\n\n{}.", policy.code, policy.severity.name(), policy.message)?;
            if let Some(help) = &policy.help {
                writeln!(out, "\nInstead: {help}")?;
            }
            writeln!(
                out,
                "\nA policy of the organisation, or one that comes with the toolkit; it judges {judged}."
            )?;
            for (title, schema) in policy.schemas() {
                writeln!(out, "\n{title}:\n\n{schema:#}")?;
            }
            Ok(())
        })?;
    }
    Ok(Exit::Done)
}

/// The codes and names nearest to what was typed.
fn nearest(wanted: &str) -> String {
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(usize, String)> = doctor::all()
        .iter()
        .map(|rule| {
            let code = strsim::damerau_levenshtein(&wanted, &rule.code.to_lowercase());
            let name = strsim::damerau_levenshtein(&wanted, rule.name);
            let within = if rule.name.contains(&wanted) { 0 } else { usize::MAX };
            (code.min(name).min(within), format!("{} ({})", rule.code, rule.name))
        })
        .collect();
    near.sort();
    let near: Vec<String> = near.into_iter().take(3).map(|(_, name)| name).collect();
    format!("the nearest are {}; `osmt-doctor rules` lists all", near.join(", "))
}

impl Schema {
    pub(super) fn run(&self, ui: &Ui) -> Result<Exit, Failure> {
        let text = match self.of {
            Of::Config => doctor::keys::CONFIG,
            Of::Policy => doctor::policy::SCHEMA,
            Of::Ignore => doctor::ignore::SCHEMA,
            Of::Report => include_str!("../../../schemas/report.schema.json"),
        };
        ui.write(|out| out.write_all(text.as_bytes()))?;
        Ok(Exit::Done)
    }
}
