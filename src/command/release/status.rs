//! `osmt-release status`: what the config selects, what ECS runs, what git recorded.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::Context;
use crate::account::Known;
use crate::command::block_on;
use crate::config::Config;
use crate::explain::{Exit, Failure};
use crate::release::running::Running;
use crate::release::status::{Link, Source, Verdict};
use crate::release::{Osmt, running, status};

/// Tell what the config selects, what runs, what was recorded, and whether all agree. Exit 1 where they do not.
#[derive(Args, Clone, Debug)]
pub(super) struct Status {}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    env: &'a str,
    account: &'a str,
    region: &'a str,
    verdict: Verdict,
    links: &'a [Link],
    running: &'a Running,
}

impl Status {
    #[expect(clippy::unused_self, reason = "a verb without flags is a verb all the same")]
    pub(super) fn run(&self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let (_, config) = context.common.load_config()?;
        let source = source(context, &config)?;
        let running = block_on(ui, running(context, &config))?;
        let links = status::chain(&config, &source, &running);
        let verdict = status::verdict(&links);
        for link in &links {
            let sign = match link.verdict {
                Verdict::Agrees => "ok",
                Verdict::Differs => "differs",
                Verdict::Unknown => "unknown",
            };
            ui.result(format_args!("{:16}{sign:9}{}", link.name, link.found))?;
            if let Some(help) = link.help {
                ui.result(format_args!("{:16}{:9}help: {help}", "", ""))?;
            }
        }
        ui.result(match verdict {
            Verdict::Agrees => "all agree",
            Verdict::Unknown => "what is known agrees",
            Verdict::Differs => "not all agree",
        })?;
        ui.json(&Report {
            version: crate::report::VERSION,
            tool: &ui.tool,
            env: &config.env,
            account: &config.account_id,
            region: &config.region,
            verdict,
            links: &links,
            running: &running,
        })?;
        Ok(match verdict {
            Verdict::Agrees | Verdict::Unknown => Exit::Done,
            Verdict::Differs => Exit::Pending,
        })
    }
}

/// Reads what runs, in the config's account and no other.
pub(super) async fn running(context: &Context<'_>, config: &Config) -> Result<Running, Failure> {
    let session = context.common.sign_in(config, context.ui).await?;
    let work = running::observe(&session, &config.env);
    Ok(context.ui.during("asking ECS what runs", work).await?)
}

/// What git knows; without a checkout that is nothing, unless one was named.
fn source(context: &Context<'_>, config: &Config) -> Result<Source, Failure> {
    let osmt = match (context.repo, Osmt::open(context.repo.unwrap_or(Path::new(".")))) {
        (_, Ok(osmt)) => osmt,
        (Some(_), Err(error)) => return Err(error.into()),
        (None, Err(error)) => {
            let reason = format!("{error}; `--repo DIR` names a checkout of OSMT");
            return Ok(Source {
                commit: Known::Unknown(reason.clone()),
                label: String::new(),
                record: Known::Unknown(reason),
            });
        }
    };
    let commit = osmt.selected(config)?;
    Ok(Source {
        label: commit.as_result().map(|commit| osmt.label(commit)).unwrap_or_default(),
        record: Known::Known(osmt.records(config)?.into_iter().next()),
        commit,
    })
}
