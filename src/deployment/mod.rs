//! What identifies a deployment: its names, its state backend, and `main.tf`, which carries both. Pure.

pub mod main_tf;
