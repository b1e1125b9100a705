//! `osmt-bootstrap` end to end: the real binary against an emulated account, and an independent look at what it made.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests start programs and write files of their own; a panic is how they fail, and the matrix of faults is printed"
)]

mod adopt;
mod apply;
mod by_hand;
mod certificate;
mod destroy;
mod external_dns;
mod faults;
mod guards;
mod init;
mod lock;
mod place;
mod proxy;
mod refusals;
mod resolver;
mod rounds;
#[path = "../support/mod.rs"]
mod support;
mod terraform;
mod wizard;
