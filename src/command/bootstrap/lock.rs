//! Checks that the state is not locked before `init` changes how it is locked.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use crate::account::{Known, observe};
use crate::bootstrap::digest;
use crate::command::Context;
use crate::config::Config;
use crate::deployment::StateBackend;
use crate::document::Document;
use crate::explain::{Exit, Failure};

/// Refuses to change the lock while the state is or may be locked, and to use a table whose digest is out of date.
pub(super) async fn refuse_if_held(
    cx: &Context,
    rendered: &Document,
    old: &StateBackend,
    new: &StateBackend,
) -> Result<(), Failure> {
    let config = Config::from_document(rendered)?;
    let session = cx.shared.sign_in(&config, &cx.ui).await?;
    let lock_id = new.lock_id();
    let tables: BTreeSet<&str> = [old.lock.table(), new.lock.table()].into_iter().flatten().collect();
    let tables = tables.into_iter().map(|table| observe::table(&session, table, &lock_id));
    let digest = async {
        match new.lock.table() {
            Some(table) => observe::digest(&session, table, &lock_id).await,
            None => Ok(None),
        }
    };
    let reading = async {
        let state = observe::state(&session, &new.bucket, &new.key);
        tokio::join!(try_join_all(tables), Box::pin(state), Box::pin(digest))
    };
    let (tables, state, digest) = cx.ui.during("reading the locks", reading).await;
    let (state, digest) = (state?, digest?);
    let wait = "wait until it is released; `osmt-bootstrap status` shows its owner";
    let in_bucket = match &state.lock {
        Known::Known(lock) => lock.clone(),
        Known::Unknown(reason) => {
            let message = format!("the lock file cannot be read, so the state may be locked ({reason})");
            return Err(
                Failure::new(Exit::Refused, message).help("run this as a user who may read the lock file")
            );
        }
    };
    let held = tables?.into_iter().flatten().filter_map(|table| table.lock);
    if let Some(lock) = held.chain(in_bucket).next() {
        let message = format!("the state is locked{}", lock.holder());
        return Err(Failure::new(Exit::Refused, message).help(wait));
    }
    let table = new.lock.table().unwrap_or_default();
    match digest::stale(&config.region, new, digest.as_deref(), &state) {
        None => Ok(()),
        Some((what, remedy)) => {
            let message = format!("the digest in lock table {table} is {what}");
            Err(Failure::new(Exit::Refused, message).help(remedy))
        }
    }
}
