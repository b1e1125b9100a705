//! Judges the facts of an account.

use super::policy::{On, Policy};
use super::rules;
use super::rules::account::Audit;
use crate::finding::{Findings, Unknown};

/// What was found about an account.
#[derive(Debug, Default)]
pub struct Audited {
    /// By the rules; places are in the config.
    pub config: Findings,
    /// By the policies; places are in the facts.
    pub facts: Findings,
}

/// Looks at an account with the config that it should be for.
pub fn audit(audit: &Audit, policies: &[Policy]) -> Audited {
    let mut found = Audited::default();
    for theme in rules::account::THEMES {
        found.config.run(theme, audit);
    }
    let facts = serde_json::to_value(&audit.facts).unwrap_or_default();
    found.facts.judge(policies, On::Account, &facts, "");
    found
}

/// What stays unknown where no facts can be judged: every rule and every policy on the account.
pub fn not_audited(policies: &[Policy], reason: &str) -> Vec<Unknown> {
    let rules = rules::account::THEMES.iter().copied().flatten().map(|check| check.rule.code.to_owned());
    rules.chain(on_account(policies)).map(|code| Unknown { code, reason: reason.to_owned() }).collect()
}

/// The policies on the account that an offline check leaves undecided.
pub fn not_asked(policies: &[Policy]) -> Vec<Unknown> {
    let reason =
        "this policy is about the account: `--live` asks AWS, `--facts FILE` reads what was recorded";
    on_account(policies).map(|code| Unknown { code, reason: reason.to_owned() }).collect()
}

fn on_account(policies: &[Policy]) -> impl Iterator<Item = String> {
    policies.iter().filter(|policy| policy.on == On::Account).map(|policy| policy.code.clone())
}
