//! The MD5 digest of the state in the lock table, which Terraform compares with the state before each run. Pure.
//!
//! If they differ, Terraform stops with "state data in S3 does not have the expected content" (hashicorp/terraform#28496).
//! That happens after the state was written without the table, for example with a lock file.

use crate::account::{Known, State};
use crate::deployment::StateBackend;

/// What is wrong with the digest in the table, and how to remove it; `None` if it matches the state or there is none.
pub fn stale(
    region: &str,
    backend: &StateBackend,
    digest: Option<&str>,
    state: &State,
) -> Option<(String, String)> {
    let (digest, table) = (digest?, backend.lock.table()?);
    let text = match &state.md5 {
        Known::Known(Some(md5)) if md5 == digest => return None,
        Known::Known(Some(md5)) => {
            format!("{digest}, but the state has {md5}: Terraform will refuse to read it")
        }
        Known::Known(None) => format!("{digest}, but there is no state: Terraform will wait for it and stop"),
        Known::Unknown(reason) => format!("{digest}; the state's own is not known: {reason}"),
    };
    let key = format!("{{\"LockID\":{{\"S\":\"{}-md5\"}}}}", backend.lock_id());
    let help = format!(
        "if the state in S3 is the right one, delete the digest: aws dynamodb delete-item --region {region} --table-name {table} --key '{key}'"
    );
    Some((text, help))
}
