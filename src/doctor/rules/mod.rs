//! One file a theme: what may be wrong, and how it is looked for.

pub mod account;
pub mod app;
pub mod cache;
pub mod compute;
pub mod content;
pub mod database;
pub mod edge;
pub mod identity;
pub mod ignores;
pub mod images;
pub mod ingress;
pub mod naming;
pub mod network;
pub mod placeholder;
pub mod plan;
pub mod release;
pub mod secrets;
pub mod shape;
pub mod subnets;
pub mod workspace;

use super::subject::Subject;
use crate::finding::{Check, Rule};

/// What no value may be; looked for before the themes, which then skip these values.
///
/// In this order: a secret that is also a placeholder is reported once.
pub const FIRST: &[&[Check<Subject>]] = &[secrets::CHECKS, content::CHECKS, placeholder::CHECKS];

/// The themes, in the order in which they look.
pub const THEMES: &[&[Check<Subject>]] = &[
    identity::CHECKS,
    naming::CHECKS,
    network::CHECKS,
    subnets::CHECKS,
    compute::CHECKS,
    images::CHECKS,
    database::CHECKS,
    cache::CHECKS,
    edge::CHECKS,
    ingress::CHECKS,
    app::CHECKS,
    release::CHECKS,
];

/// Every rule that may speak, by code.
pub fn all() -> Vec<&'static Rule> {
    let mut rules = of_config();
    let planned = plan::THEMES.iter().copied().flatten();
    rules.extend(planned.map(|check| &check.rule));
    let live = account::THEMES.iter().copied().flatten();
    rules.extend(live.map(|check| &check.rule));
    rules.extend(ignores::ALL);
    rules.extend(workspace::ALL);
    rules.sort_by_key(|rule| rule.code);
    rules
}

/// The rules that look at the config alone.
pub fn of_config() -> Vec<&'static Rule> {
    let checks = FIRST.iter().chain(THEMES).copied().flatten();
    let mut rules: Vec<&Rule> = checks.map(|check| &check.rule).collect();
    rules.extend(shape::ALL);
    rules.sort_by_key(|rule| rule.code);
    rules
}
