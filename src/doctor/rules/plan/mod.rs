//! What would make an apply regrettable, seen in the plan before it happens.
//!
//! Each finding names the resource's address and points into the plan's JSON. No value of a secret is printed.

mod checks;
mod exposure;
mod loss;
mod policies;
mod protection;
mod rollout;
mod secrets;
mod target;
mod traffic;
mod versions;
mod weakness;

use crate::doctor::planned::Planned;
use crate::finding::{Check, Sink};

/// The themes, in the order in which they look.
pub const THEMES: &[&[Check<Planned>]] = &[
    target::CHECKS,
    checks::CHECKS,
    loss::CHECKS,
    protection::CHECKS,
    traffic::CHECKS,
    exposure::CHECKS,
    policies::CHECKS,
    secrets::CHECKS,
    rollout::CHECKS,
    versions::CHECKS,
];

/// More names than this in one reason are counted.
const SHOWN: usize = 6;

/// Says in one reason what is known only after apply.
fn say_open(mut open: Vec<String>, sink: &mut Sink<'_>) {
    open.sort();
    open.dedup();
    if !open.is_empty() {
        sink.unknown(format!("{}: known only after apply; plan again then", list(&open)));
    }
}

/// Names in a row, the first of many.
fn list(names: &[String]) -> String {
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
