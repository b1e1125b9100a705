//! `osmt-secrets verify`: check the keyring, Secrets Manager and `DB_URI`; print OK, NG or SKIP for each check.

use anstyle::{AnsiColor, Style};
use clap::Args;
use futures_util::future::join_all;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::Serialize;

use super::deployment::KeyringArg;
use super::entries::read_all;
use super::replace::{Unfinished, unfinished};
use crate::command::{Context, block_on};
use crate::explain::{Exit, Failure};
use crate::report::VERSION;
use crate::secrets::check::{self, Item, Subject, Verdict};
use crate::secrets::rotation::Journal;
use crate::secrets::{db_uri, remote};

/// Check that keyring, Secrets Manager and `DB_URI` agree and can work; exit 1 where not.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets verify\n  osmt-secrets verify --max-age 90d")]
pub(super) struct Verify {
    #[command(flatten)]
    keyring: KeyringArg,
    /// The maximum age of a value, such as 90d; an older value fails.
    #[arg(long, value_name = "AGE", value_parser = age)]
    max_age: Option<SignedDuration>,
    /// Exit 1 also if something could not be checked.
    #[arg(long)]
    strict: bool,
}

fn age(text: &str) -> Result<SignedDuration, String> {
    let wanted = || "give a number of days, such as 90d".to_owned();
    let text =
        if text.chars().all(|char| char.is_ascii_digit()) { format!("{text}d") } else { text.to_owned() };
    let span: Span = text.parse().map_err(|_| wanted())?;
    let age = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wanted())?;
    if age.is_positive() { Ok(age) } else { Err(wanted()) }
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    keyring: &'a str,
    checks: &'a [Item],
}

impl Verify {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let keyring = deployment.keyring()?;
        let local = read_all(&keyring, &deployment.catalog)?;
        let mut items = block_on(deployment.ui, async {
            let session = deployment.open().await?;
            let client = session.secretsmanager();
            let name = deployment.remote_name(db_uri::REMOTE);
            let names: Vec<_> = deployment
                .catalog
                .remotes()
                .into_iter()
                .map(|remote| deployment.remote_name(remote))
                .collect();
            let policies = join_all(names.iter().map(|name| remote::policy(&client, name)));
            let (seen, composed, policies) =
                tokio::join!(deployment.observe(&session), remote::observe(&client, &name), policies);
            let (seen, composed) = (seen?, composed?);
            let mut items = check::verify(Subject {
                env: &deployment.config.env,
                catalog: &deployment.catalog,
                local: &local,
                in_aws: &seen,
                db_uri: composed.as_ref(),
                age: self.max_age.map(|age| (Timestamp::now(), age)),
            });
            for (name, policy) in names.iter().zip(policies) {
                items.extend(check::policy(name, policy));
            }
            Ok(items)
        })?;
        for remote in deployment.catalog.remotes() {
            items.extend(unfinished(&keyring, remote)?.map(|unfinished| match unfinished {
                Unfinished::Journal(journal) => Item::unfinished(&journal),
                Unfinished::Damaged => Item::damaged(&Journal::entry(remote)),
            }));
        }
        for item in &items {
            let (word, color) = match item.verdict {
                Verdict::Ok => ("OK  ", AnsiColor::Green),
                Verdict::Ng => ("NG  ", AnsiColor::Red),
                Verdict::Skip => ("SKIP", AnsiColor::Yellow),
            };
            let style = Style::new().fg_color(Some(color.into()));
            deployment
                .ui
                .result(format_args!("  {style}{word}{style:#} {:<24} {}", item.item, item.detail))?;
        }
        let count = |verdict| items.iter().filter(|item| item.verdict == verdict).count();
        let (ng, skipped) = (count(Verdict::Ng), count(Verdict::Skip));
        deployment.ui.result(format_args!(
            "{} OK, {ng} NG (wrong), {skipped} SKIP (could not be checked)",
            count(Verdict::Ok)
        ))?;
        deployment.ui.json(&Report {
            version: VERSION,
            tool: &deployment.ui.tool,
            keyring: keyring.kind.flag(),
            checks: &items,
        })?;
        let failed = ng > 0 || (self.strict && skipped > 0);
        Ok(if failed { Exit::Pending } else { Exit::Done })
    }
}
