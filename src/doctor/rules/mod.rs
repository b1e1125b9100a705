//! One file a theme: what may be wrong, and how it is looked for.

pub mod account;
pub mod app;
pub mod cache;
pub mod compute;
pub mod content;
pub mod database;
pub mod edge;
pub mod identity;
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

use super::subject::Subject;
use crate::finding::Check;

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
