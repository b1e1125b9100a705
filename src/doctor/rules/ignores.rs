//! The rules on ignores. `doctor::ignore` checks them.

use crate::finding::{Rule, Severity};

/// `expired-ignore`
pub static EXPIRED: Rule = Rule {
    code: "IGN001",
    name: "expired-ignore",
    severity: Severity::Warning,
    summary: "An ignore has ended",
    explain: include_str!("../../../docs/rules/IGN001.md"),
};

/// `unused-ignore`
pub static UNUSED: Rule = Rule {
    code: "IGN002",
    name: "unused-ignore",
    severity: Severity::Warning,
    summary: "An ignore matches no finding",
    explain: include_str!("../../../docs/rules/IGN002.md"),
};

/// `ignore-not-possible`
pub static NOT_POSSIBLE: Rule = Rule {
    code: "IGN003",
    name: "ignore-not-possible",
    severity: Severity::Warning,
    summary: "An ignore is for a finding that cannot be ignored",
    explain: include_str!("../../../docs/rules/IGN003.md"),
};

/// All rules on ignores.
pub static ALL: [&Rule; 3] = [&EXPIRED, &UNUSED, &NOT_POSSIBLE];
