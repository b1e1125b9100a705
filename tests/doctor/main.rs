//! `osmt-doctor` as people use it; what each rule reports is in `tests/cases`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod cli;
mod diagrams;
mod draw;
mod integrations;
mod live;
mod lsp;
mod places;
mod plan;
mod report;
mod session;
mod shape;

use std::fs;
use std::path::PathBuf;

use osmt::doctor::{CheckOptions, Checked, check, policy};

/// The folder of the cases.
fn cases_folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
}

/// Judges a text by rules and shipped policies.
fn judged(text: &str) -> Checked {
    let policies = policy::shipped();
    let options = CheckOptions { loopback: false, policies: &policies };
    check(text.as_bytes().to_vec(), options)
}

/// A good config of the cases' own.
fn base(name: &str) -> String {
    fs::read_to_string(cases_folder().join(format!("bases/{name}.json"))).unwrap()
}
