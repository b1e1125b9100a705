//! Reads the items of the lock table: this deployment's and those of others.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::Lock;
use crate::aws::{CallError, Session, call};
use crate::bootstrap::Target;
use crate::bootstrap::ownership::Others;

/// The items of the lock table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// The `LockID`s of this deployment's items.
    pub own: BTreeSet<String>,
    /// The items that do not belong to this deployment.
    pub others: Others,
    /// All locks in the table, also those of others, by `LockID`.
    pub locks: BTreeMap<String, Lock>,
}

/// Reads every item of the table.
pub(super) async fn items(session: &Session, target: &Target, table: &str) -> Result<Items, CallError> {
    let mut found = Items::default();
    let mut pages = session
        .dynamodb()
        .scan()
        .table_name(table)
        .consistent_read(true)
        .projection_expression("LockID, Info")
        .into_paginator()
        .items()
        .send();
    while let Some(item) = pages.next().await {
        let item = match call("dynamodb:Scan", item) {
            // Another run has deleted the table, or it is being created.
            Err(error) if error.is("ResourceNotFoundException") => return Ok(Items::default()),
            item => item?,
        };
        let text = |name| item.get(name).and_then(|value| value.as_s().ok());
        let id = text("LockID").cloned().unwrap_or_default();
        if item.contains_key("Info") {
            let note = text("Info").map_or("", String::as_str);
            found.locks.insert(id.clone(), Lock::parse(note));
        }
        if target.owns_item(&id) {
            found.own.insert(id);
        } else {
            found.others.names.push(id);
        }
    }
    found.others.names.sort();
    Ok(found)
}
