//! `osmt-bootstrap` and what goes beyond the state: the admin role, the account's own settings, the permission check.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs of their own; a panic is how they fail"
)]

#[path = "../support/mod.rs"]
mod support;

mod account;
mod ci;
mod model;
mod permissions;
mod role;
mod simulator;

use support::{Emulator, Folder, Ran, run};

/// `osmt-bootstrap` in a folder, for an emulated account.
fn bootstrap(account: &Emulator, folder: &Folder, arguments: &str) -> Ran {
    run(&mut folder.on(account.osmt("osmt-bootstrap"), arguments))
}
