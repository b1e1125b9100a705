//! How AWS is reached, and what is said where it is not: proxies, certificates, profiles, and every class of error, at the wire.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs and write files of their own; a panic is how they fail"
)]

mod classes;
mod profiles;
mod proxy;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod trust;
