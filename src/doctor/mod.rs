//! Finds mistakes in the config, the plan and the account.
//!
//! A function from documents and facts to findings: no file, no network, no clock.

mod audit;
pub mod block;
mod check;
pub mod class;
pub mod draw;
pub mod fix;
pub mod ignore;
pub mod image;
pub mod keys;
pub mod offers;
pub mod planned;
pub mod policy;
pub mod recipe;
pub mod region;
mod review;
pub mod rules;
pub mod schema;
pub mod settings;
pub mod subject;
mod user_file;
pub mod workspace;

pub use audit::{Audited, audit, not_asked, not_audited};
pub use check::{Asked, Checked, MAX_BYTES, check, faults_of};
pub use review::{review, review_plan};
pub use rules::{all, of_config};
