//! Checks a Terraform plan.

use serde_json::Value;

use super::planned::{Error, Planned};
use super::policy::{On, Policy};
use super::{policy, rules};
use crate::config::Config;
use crate::finding::Findings;

/// Reads the JSON of a plan and checks it against the config beside it.
pub fn review(document: Value, config: Option<Config>, policies: &[Policy]) -> Result<Findings, Error> {
    Ok(review_plan(&Planned::new(document, config)?, policies))
}

/// Runs the plan rules and the policies on `plan`.
pub fn review_plan(plan: &Planned, policies: &[Policy]) -> Findings {
    let mut findings = Findings::default();
    for theme in rules::plan::THEMES {
        findings.run(theme, plan);
    }
    findings.judge(policies, On::Plan, &plan.document, "");
    for finding in &mut findings.findings {
        finding.stable = finding.at.as_ref().and_then(|at| plan.stable(&at.pointer));
    }
    findings
}

impl Findings {
    /// Runs the policies on one kind of document.
    pub(super) fn judge(&mut self, policies: &[Policy], on: On, value: &Value, base: &str) {
        self.findings.extend(policy::judge(policies, on, value, base));
        let ran = policies.iter().filter(|policy| policy.on == on);
        self.ran.extend(ran.map(|policy| policy.code.clone().into()));
    }
}
