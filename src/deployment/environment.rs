//! What an environment's name says: whether people depend on it.
//!
//! The same two patterns are in `terraform/module/checks.tf` and in `schemas/policies/production.json`, which cannot call
//! this function; `tests/production.rs` compares all three.

/// A part of the name, between hyphens, that means production; as a regular expression for Terraform and JSON Schema.
pub const PRODUCTION: &str = "(^|-)(prod[0-9]*|production|prd|live)(-|$)";

/// A part that takes that back: `pre-prod`, `non-prod`, `prod-like`.
pub const NOT_PRODUCTION: &str = "(^|-)(pre|non|not|no|like)(-|$)";

/// Whether the environment's name means production.
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
