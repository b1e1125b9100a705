//! Judges the facts of an AWS account.

use super::policy::{On, Policy};
use super::rules;
use super::rules::account::Audit;
use crate::finding::{Findings, Unknown};

/// The findings about an account.
#[derive(Debug, Default)]
pub struct Audited {
    /// Findings of the rules; their pointers are into the config.
    pub config: Findings,
    /// Findings of the policies; their pointers are into the facts.
    pub facts: Findings,
}

/// Runs the account rules and the policies on `account`.
pub fn audit(audit: &Audit, policies: &[Policy]) -> Audited {
    let mut found = Audited::default();
    for theme in rules::account::THEMES {
        found.config.run(theme, audit);
    }
    let facts = serde_json::to_value(&audit.facts).unwrap_or_default();
    found.facts.judge(policies, On::Account, &facts, "");
    found
}

/// Every account rule and every policy on `account`, as unknown: the facts could not be read.
pub fn unknown_without_facts(policies: &[Policy], reason: &str) -> Vec<Unknown> {
    let rules = rules::account::THEMES.iter().copied().flatten().map(|check| check.rule.code.to_owned());
    rules.chain(on_account(policies)).map(|code| Unknown { code, reason: reason.to_owned() }).collect()
}

/// The policies on `account`, as unknown: an offline check has no facts.
pub fn unknown_offline(policies: &[Policy]) -> Vec<Unknown> {
    let reason = "this policy is on the account; it is checked with `--live` or `--facts FILE`";
    on_account(policies).map(|code| Unknown { code, reason: reason.to_owned() }).collect()
}

fn on_account(policies: &[Policy]) -> impl Iterator<Item = String> {
    policies.iter().filter(|policy| policy.on == On::Account).map(|policy| policy.code.clone())
}
