//! The OSMT deployment toolkit: what the four binaries share and what each does.
//!
//! ```text
//! bin
//!  ↓
//! command                                    the only module that talks to people
//!  ↓
//! bootstrap  secrets  doctor  release        the four products; none imports another
//!  ↓
//! report  registry  account  aws  web        the outside world, and text
//! git  keyring  files  child
//!  ↓
//! deployment  config  document  finding      pure: no I/O, no async, no clock
//! arn  sensitive  plan  explain
//! ```
//!
//! Every verb that writes goes the same way: observe, plan, show, ask, apply, observe again.
//! A mistake in the user's input is a [`finding::Finding`]; a problem of the outside world is an error that implements
//! [`explain::Explain`].

pub mod account;
pub mod arn;
pub mod aws;
pub mod bootstrap;
pub mod child;
pub mod command;
pub mod config;
pub mod deployment;
pub mod doctor;
pub mod document;
pub mod explain;
pub mod files;
pub mod finding;
pub mod git;
pub mod keyring;
pub mod plan;
pub mod registry;
pub mod release;
pub mod report;
pub mod secrets;
pub mod sensitive;
pub mod web;
