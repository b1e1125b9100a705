//! Before the way in which the state is locked changes: is anybody at it?

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use crate::account::observe;
use crate::command::{Common, Ui};
use crate::config::Config;
use crate::deployment::main_tf::{Backend, Values};
use crate::document::Document;
use crate::explain::{Exit, Failure};

/// Whether the state stays where it is and its lock goes elsewhere.
pub(super) fn moves(old: &Backend, new: &Values) -> bool {
    let same_state = old.bucket.as_ref() == Some(&new.bucket) && old.key.as_ref() == Some(&new.key);
    same_state && (old.lock_table != new.lock_table || old.use_lockfile != new.use_lockfile)
}

/// Whoever changes how the state is locked must be alone: refused while a lock of either kind is held.
pub(super) async fn alone(
    common: &Common,
    ui: &Ui,
    rendered: &Document,
    old: &Backend,
    new: &Values,
) -> Result<(), Failure> {
    let config = Config::from_document(rendered)?;
    let session = common.sign_in(&config, ui).await?;
    let lock_id = observe::lock_id(&new.bucket, &new.key);
    let tables: BTreeSet<&String> = [&old.lock_table, &new.lock_table].into_iter().flatten().collect();
    let tables = tables.into_iter().map(|table| observe::table(&session, table, &lock_id));
    let looking =
        async { tokio::join!(try_join_all(tables), observe::state(&session, &new.bucket, &new.key)) };
    let (tables, state) = ui.during("looking for locks", looking).await;
    let held = tables?.into_iter().flatten().filter_map(|table| table.lock);
    match held.chain(state?.lock).next() {
        None => Ok(()),
        Some(lock) => Err(Failure::new(
            Exit::Refused,
            format!("the state is locked{}; nothing was written", lock.holder()),
        )
        .help("wait until it is free; `osmt-bootstrap status` tells")),
    }
}
