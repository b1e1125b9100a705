//! The one-off task that migrates the database, imports the public job codes and builds the search index.
//!
//! Terraform defines the task; this module finds, starts and watches it.

mod definition;
mod error;
mod job;
pub mod log;
pub mod snapshot;
pub mod statements;
mod step;
mod tasks;
pub mod watch;

pub use self::error::Error;
pub use self::job::{Job, Request};
pub use self::step::Step;
