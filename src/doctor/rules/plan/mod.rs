//! What would make an apply regrettable, seen in the plan before it happens.
//!
//! Each finding names the resource's address and points into the plan's JSON. No value of a secret is told.

mod exposure;
mod loss;
mod rollout;
mod target;
mod telling;

use crate::doctor::planned::Planned;
use crate::finding::Check;

/// The themes, in the order in which they look.
pub const THEMES: &[&[Check<Planned>]] =
    &[target::CHECKS, loss::CHECKS, exposure::CHECKS, telling::CHECKS, rollout::CHECKS];
