//! `osmt-secrets` end to end: the real binary, real keyrings, an AWS account on this machine.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests start programs; a panic is how they fail"
)]

#[path = "../support/mod.rs"]
mod support;

mod catalog;
mod input;
mod journey;
mod keyrings;
mod leaks;
mod rotation;
mod world;
