//! Deletes what bootstrap made: certificate and validation records, state bucket, lock table, roles.
//!
//! Never while a state still lists resources or a lock is held, and never what does not carry our tags. Of a bucket or a
//! table that existed before, or that holds things of others, only this deployment's part is deleted. Secrets and the
//! hosted zone are not bootstrap's.

mod apply;
mod contents;
mod items;
mod observe;
mod plan;

pub use self::apply::apply;
pub use self::observe::{named, observe};
pub use self::plan::{Refused, Seen, Step, plan};
pub use super::certificate::proof::kept;
