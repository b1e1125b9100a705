//! `osmt-release` end to end: the real binary, the real git, and for `status` and `tag` an emulated account.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs and write files of their own; a panic is how they fail"
)]

mod bad_input;
mod base;
mod checkout;
mod deployed;
mod docs;
mod ecr;
mod files;
mod formats;
mod hostile;
mod image;
mod list;
mod live;
mod mariadb;
mod pairs;
mod preflight;
mod records;
mod rollback;
mod rollout;
mod select;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod tag;
mod without_validation;
