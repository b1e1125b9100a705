//! Prepares an AWS account for Terraform: state bucket, lock table, certificate; and takes it away again.
//!
//! Every component is a file or a folder: it judges what it finds (`judge`), which is pure, and makes a change (`apply`), which is
//! one AWS call or a few. Below them are [`Target`], [`Judged`], [`Error`] and [`ownership`]; above them `components`, which
//! observes and judges all of them, and [`destroy`] and [`permissions`], which use that. Nothing here asks or prints.

pub mod account_baseline;
pub mod admin_role;
pub mod certificate;
pub mod ci;
mod components;
pub mod destroy;
pub mod digest;
mod error;
pub mod init;
mod judged;
pub mod lock_table;
pub mod ownership;
pub mod parts;
pub mod permissions;
pub mod state_bucket;
mod target;

pub use self::components::{Change, Seen, Step, answered, apply, judge, named, observe, plan};
pub use self::error::Error;
pub use self::judged::Judged;
pub use self::target::Target;

#[cfg(test)]
mod tests;
