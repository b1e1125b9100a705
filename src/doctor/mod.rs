//! Finds mistakes in the config, the plan and the account.
