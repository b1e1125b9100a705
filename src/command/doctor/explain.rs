//! `osmt-doctor explain`: print the page of a rule or a policy.

use clap::Args;

use super::organisation::PolicyFlags;
use super::rules::row;
use crate::command::{Context, Ui};
use crate::doctor::policy::{On, Policy};
use crate::explain::{Exit, Failure};
use crate::report::Format;
use crate::{doctor, release};

/// Explain a rule or a policy: what it finds, why it matters, what to do.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-doctor explain NET003")]
pub(super) struct Explain {
    /// A code or a name: NET003, subnet-outside-vpc, POL001.
    code: String,
    #[command(flatten)]
    policy_flags: PolicyFlags,
}

impl Explain {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        // The guards of osmt-release have pages, too.
        let guards = release::guards::GUARDS.iter().map(|guard| &guard.rule);
        let rules: Vec<_> = doctor::all_rules().into_iter().chain(guards).collect();
        let wanted = self.code.trim();
        let policies = self.policy_flags.policies(&cx.shared)?;
        if let Some(policy) = policies.iter().find(|policy| policy.code.eq_ignore_ascii_case(wanted)) {
            return explain_policy(policy, ui);
        }
        let found = rules
            .iter()
            .find(|rule| rule.code.eq_ignore_ascii_case(wanted) || rule.name.eq_ignore_ascii_case(wanted));
        let Some(rule) = found else {
            return Err(
                Failure::new(Exit::Usage, format!("`{wanted}` is not a rule")).help(similar_rules(wanted))
            );
        };
        if ui.format == Format::Json {
            ui.json(&row(rule, true))?;
        } else {
            ui.report(|out| {
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

/// Prints a policy with its schemas.
fn explain_policy(policy: &Policy, ui: &Ui) -> Result<Exit, Failure> {
    if ui.format == Format::Json {
        let name = "policy";
        ui.json(&serde_json::json!({
            "code": policy.code, "name": name, "severity": policy.severity.name(), "summary": policy.message,
            "explain": policy.help,
        }))?;
    } else {
        ui.report(|out| {
            let subject = match policy.on {
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
                "\nA policy of the organisation, or a policy of the toolkit; it checks {subject}."
            )?;
            for (title, schema) in policy.schemas() {
                writeln!(out, "\n{title}:\n\n{schema:#}")?;
            }
            Ok(())
        })?;
    }
    Ok(Exit::Done)
}

/// The codes and names that are most similar to the given one.
fn similar_rules(wanted: &str) -> String {
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(usize, String)> = doctor::all_rules()
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
    format!("similar rules: {}; `osmt-doctor rules` lists all", near.join(", "))
}
