//! One file for each theme, with its rules and checks.

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

/// Checks that run before the themes, in this order. A value that one of them reports is hidden from all later checks, so a
/// secret that is also a placeholder is reported once.
pub const FIRST: &[&[Check<Subject>]] = &[secrets::CHECKS, content::CHECKS, placeholder::CHECKS];

/// The themes, in the order in which they run.
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

/// All rules, sorted by code.
pub fn all_rules() -> Vec<&'static Rule> {
    let mut rules = config_rules();
    let planned = plan::THEMES.iter().copied().flatten();
    rules.extend(planned.map(|check| &check.rule));
    let live = account::THEMES.iter().copied().flatten();
    rules.extend(live.map(|check| &check.rule));
    rules.extend(ignores::ALL);
    rules.extend(workspace::ALL);
    rules.sort_by_key(|rule| rule.code);
    rules
}

/// The rules that need nothing but the config, sorted by code.
pub fn config_rules() -> Vec<&'static Rule> {
    let checks = FIRST.iter().chain(THEMES).copied().flatten();
    let mut rules: Vec<&Rule> = checks.map(|check| &check.rule).collect();
    rules.extend(shape::ALL);
    rules.sort_by_key(|rule| rule.code);
    rules
}
