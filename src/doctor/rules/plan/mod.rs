//! Checks of a Terraform plan.
//!
//! Each finding names the resource's address and points into the plan's JSON. No value of a secret is printed.

mod checks;
mod exposure;
mod loss;
mod names;
mod policies;
mod protection;
mod rollout;
mod secrets;
mod target;
mod traffic;
mod versions;
mod weakness;

use crate::doctor::planned::Planned;
use crate::finding::Check;

/// The themes, in the order in which they run.
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
