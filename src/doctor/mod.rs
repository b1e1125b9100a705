//! Finds mistakes in the config, the plan and the account.
//!
//! A function from documents and facts to findings: no file, no network, no clock.

mod audit;
pub mod block;
mod check;
pub mod class;
pub mod draw;
pub mod fix;
pub mod ignore;
pub mod image;
pub mod keys;
pub mod offers;
pub mod planned;
pub mod policy;
pub mod recipe;
pub mod region;
mod review;
pub mod rules;
pub mod schema;
pub mod settings;
pub mod subject;
mod user_file;
pub mod workspace;

use crate::finding::Rule;
pub use audit::{Audited, audit, not_asked, not_audited};
pub use check::{Asked, Checked, MAX_BYTES, check, faults_of};
pub use review::{review, review_plan};
use rules::shape;

/// Every rule that may speak, by code.
pub fn all() -> Vec<&'static Rule> {
    let mut rules = of_config();
    let planned = rules::plan::THEMES.iter().copied().flatten();
    rules.extend(planned.map(|check| &check.rule));
    let live = rules::account::THEMES.iter().copied().flatten();
    rules.extend(live.map(|check| &check.rule));
    rules.extend(ignore::ALL);
    rules.extend(workspace::ALL);
    rules.sort_by_key(|rule| rule.code);
    rules
}

/// The rules that look at the config alone.
pub fn of_config() -> Vec<&'static Rule> {
    let checks = rules::FIRST.iter().chain(rules::THEMES).copied().flatten();
    let mut rules: Vec<&Rule> = checks.map(|check| &check.rule).collect();
    rules.extend(shape::ALL);
    rules.sort_by_key(|rule| rule.code);
    rules
}
