//! Prepares an AWS account for Terraform: state bucket, lock table, roles, certificate; and deletes them again.
//!
//! Each component is a file or a folder with two parts: `judge` compares the account with what is wanted and is pure; `apply` makes
//! one change with a few AWS calls. All components use [`Target`], [`Judged`], [`Error`] and [`ownership`]. `components` observes
//! and judges all of them; [`destroy`] and [`permissions`] use it. Nothing here asks a question or prints.

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
pub mod permissions;
pub mod selection;
pub mod state_bucket;
mod target;

pub use self::components::{Change, Seen, Step, apply, check_options, judge, observe, plan, with_role_names};
pub use self::error::Error;
pub use self::judged::Judged;
pub use self::target::Target;

#[cfg(test)]
mod tests;
