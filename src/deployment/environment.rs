//! Whether an environment is production, by its name.
//!
//! `terraform/module/checks.tf` and `schemas/policies/production.json` contain the same two patterns, because they cannot call
//! this function; `tests/production.rs` compares the three.

/// Parts of a name, between hyphens, that mean production: a regular expression for Terraform and JSON Schema.
pub const PRODUCTION: &str = "(^|-)(prod[0-9]*|production|prd|live)(-|$)";

/// Parts of a name that mean "not production": `pre-prod`, `non-prod`, `prod-like`.
pub const NOT_PRODUCTION: &str = "(^|-)(pre|non|not|no|like)(-|$)";

/// Whether an environment with this name is production.
pub fn is_production(env: &str) -> bool {
    let env = env.to_ascii_lowercase();
    let mut parts = env.split('-');
    let production = |part: &str| {
        matches!(part, "production" | "prd" | "live")
            || part.strip_prefix("prod").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let not = |part: &str| matches!(part, "pre" | "non" | "not" | "no" | "like");
    parts.clone().any(production) && !parts.any(not)
}
