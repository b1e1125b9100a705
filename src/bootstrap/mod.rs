//! One-time preparation of an account: state bucket, lock table, certificate, and the two rendered files.
