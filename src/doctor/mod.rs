//! Finds mistakes in the config, the plan and the account.

pub mod planned;
pub mod rules;
