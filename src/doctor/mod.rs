//! Finds mistakes in the config, the Terraform plan and the AWS account.
//!
//! Everything here is a pure function from documents and facts to findings: no files, no network, no clock.

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

pub use audit::{Audited, audit, unknown_offline, unknown_without_facts};
pub use check::{CheckOptions, Checked, MAX_BYTES, check, faults_of};
pub use review::{review, review_plan};
pub use rules::{all_rules, config_rules};
