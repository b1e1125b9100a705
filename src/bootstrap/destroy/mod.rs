//! Deletes what osmt-bootstrap created: certificate and validation records, state bucket, lock table, roles.
//!
//! It refuses while a state lists resources or a lock is held, and never deletes a resource without our tags. In a bucket or a table
//! that existed before, or that others use, only this deployment's objects or items are deleted. Secrets and the hosted zone are
//! not deleted.

mod apply;
mod contents;
mod items;
mod observe;
mod plan;

pub use self::apply::apply;
pub use self::observe::{observe, with_role_names};
pub use self::plan::{Refused, Seen, Step, plan};
pub use super::certificate::validation::records_needed_elsewhere;
