//! The OSMT deployment toolkit: what the four binaries share and what each does.
//!
//! ```text
//! bin → command → bootstrap | secrets | doctor | release          never each other
//!                    ↓
//!     aws  web  registry  git  keyring  files  account  report  child  the outside world, and text
//!                    ↓
//!     config  document  finding  plan  explain                    pure: no I/O, no async, no clock
//! ```
//!
//! Every verb that writes goes the same way: observe, plan, show, ask, apply, observe again.
//! What is wrong with the user's things is a [`finding::Finding`]; what is wrong with the world is an error
//! that can [`explain::Explain`] itself.

pub mod account;
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
