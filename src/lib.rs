//! The OSMT deployment toolkit: the library of the four binaries.
//!
//! ```text
//! bin
//!  ↓
//! command                                    the command line: arguments, questions, output
//!  ↓
//! bootstrap  secrets  doctor  release        one per binary; none imports another
//!  ↓
//! report  registry  account  aws  web        AWS, other services and programs, files, output formats
//! git  keyring  files  child
//!  ↓
//! deployment  config  document  finding      pure: no I/O, no async, no clock
//! arn  sensitive  plan  explain
//! ```
//!
//! Every verb that writes has the same steps: observe, plan, show, ask, apply, observe again.
//! A mistake in the user's input is a [`finding::Finding`]; a failure of AWS or another service is an error that implements
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
