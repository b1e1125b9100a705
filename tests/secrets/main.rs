//! `osmt-secrets` end to end: the real binary, real keyrings, an AWS account on this machine.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests start programs; a panic is how they fail"
)]

#[path = "../support/mod.rs"]
mod support;

mod admins;
mod catalog;
mod exec;
mod faults;
mod input;
mod journey;
mod keyrings;
mod leaks;
#[path = "../bootstrap/proxy.rs"]
#[expect(dead_code, reason = "the proxy is also that of the tests of osmt-bootstrap, which use more of it")]
mod proxy;
mod rotation;
mod scan;
mod terminal;
mod verbs;
mod world;
