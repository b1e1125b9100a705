//! `verify`: observes, judges, says OK, NG or SKIP.

use serde::Serialize;

use super::rotate::unfinished;
use super::{Context, held};
use crate::command::block_on;
use crate::explain::{Exit, Failure};
use crate::report::VERSION;
use crate::secrets::check::{Item, Verdict};
use crate::secrets::{catalog, check, db_uri, remote};

/// Checks that keyring, Secrets Manager and `DB_URI` agree.
pub(super) fn verify(context: &Context<'_>) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Report<'a> {
        version: u32,
        tool: &'a str,
        keyring: &'a str,
        checks: &'a [Item],
    }
    let keyring = context.keyring()?;
    let local = held(&keyring)?;
    let mut items = block_on(context.ui, async {
        let session = context.open().await?;
        let seen = context.observe(&session).await?;
        let composed =
            remote::observe(&session.secretsmanager(), &context.remote_name(db_uri::REMOTE)).await?;
        Ok(check::verify(&context.config.env, &local, &seen, composed.as_ref()))
    })?;
    for remote in catalog::remotes() {
        if let Some(journal) = unfinished(&keyring, remote)? {
            items.push(Item::unfinished(&journal));
        }
    }
    for item in &items {
        let sign = match item.verdict {
            Verdict::Ok => "OK  ",
            Verdict::Ng => "NG  ",
            Verdict::Skip => "SKIP",
        };
        context.ui.result(format_args!("  {sign} {:<24} {}", item.item, item.detail))?;
    }
    context.ui.json(&Report {
        version: VERSION,
        tool: &context.ui.tool,
        keyring: keyring.kind.flag(),
        checks: &items,
    })?;
    let ng = items.iter().any(|item| item.verdict == Verdict::Ng);
    Ok(if ng { Exit::Pending } else { Exit::Done })
}
