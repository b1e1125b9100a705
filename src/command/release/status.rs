//! `osmt-release status`: what the config selects, what ECS runs, what git recorded.

use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::{Context, image};
use crate::account::Known;
use crate::aws;
use crate::command::{block_on, environment};
use crate::config::Config;
use crate::explain::{Exit, Failure};
use crate::registry::{Image, Platform};
use crate::release::migrate::log;
use crate::release::migrations;
use crate::release::running::Running;
use crate::release::status::{Link, Source, Verdict};
use crate::release::{Osmt, maintained, running, serving, status};
use crate::web::Web;

/// Show what the config selects, what runs, what was recorded, how the app answers, and whether all agree. Exit 1 where they do not.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-release status\n  osmt-release status --strict\n  \
    osmt-release status --app https://osmt-test-1234.us-west-2.elb.amazonaws.com")]
pub(super) struct Status {
    /// Exit 1 also where something is unknown.
    #[arg(long)]
    strict: bool,
    /// Ask the app at this address [default: https:// and the config's domain].
    #[arg(long, value_name = "URL")]
    app: Option<Url>,
    /// Ask neither the image's registry nor the app; what they would say is then unknown.
    #[arg(long, env = "OSMT_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    offline: bool,
}

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
    pub(super) fn run(&self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let (_, config) = context.common.load_config()?;
        let source = source(context, &config)?;
        let (running, links) = block_on(ui, async {
            let running = running(context, &config).await?;
            let mut links = status::chain(&config, &source, &running);
            let (version, index) = logs(context, &config).await?;
            links.push(maintained::database(&source, &version));
            links.push(maintained::search(&index));
            links.push(status::registry(&running, &self.image(context, &config).await));
            links.extend(self.serving(context, &config).await?);
            Ok((running, links))
        })?;
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
        if verdict == Verdict::Differs {
            trouble(context, &running)?;
        }
        let unknown = links.iter().filter(|link| link.verdict == Verdict::Unknown).count();
        ui.result(match verdict {
            Verdict::Agrees => "all agree".to_owned(),
            Verdict::Unknown => format!("what is known agrees; {unknown} unknown"),
            Verdict::Differs => "not all agree".to_owned(),
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
            Verdict::Unknown if self.strict => Exit::Pending,
            Verdict::Agrees | Verdict::Unknown => Exit::Done,
            Verdict::Differs => Exit::Pending,
        })
    }
}

impl Status {
    /// The selected image as its registry has it now.
    async fn image(&self, context: &Context<'_>, config: &Config) -> Known<Option<Image>> {
        if self.offline {
            return Known::Unknown("the registry was not asked".into());
        }
        let task = &config.ecs.task.app;
        image::look(context, config, &task.docker_tag, &Platform::of_task(&task.cpu_architecture)).await
    }

    /// How the app answers.
    async fn serving(&self, context: &Context<'_>, config: &Config) -> Result<Vec<Link>, Failure> {
        let base = match &self.app {
            Some(url) => url.clone(),
            None => Url::parse(&format!("https://{}", config.domain.name)).map_err(|error| {
                Failure::new(
                    Exit::Usage,
                    format!("domain.name {:?} is not a host name: {error}", config.domain.name),
                )
            })?,
        };
        if self.offline && self.app.is_none() {
            return Ok(vec![status::not_asked("app", "the app was not asked")]);
        }
        let web = Web::new(aws::http_client(&environment::variables())?);
        Ok(context.ui.during("asking the app", serving::look(&web, config, &base)).await)
    }
}

/// What ECS says where the service is not well: its events, and why tasks stopped.
fn trouble(context: &Context<'_>, running: &Running) -> Result<(), Failure> {
    let ui = context.ui;
    if let Known::Known(Some(service)) = &running.service {
        for event in &service.events {
            ui.result(format_args!("event           {event}"))?;
        }
    }
    match &running.stopped {
        Known::Known(stopped) => {
            for task in stopped {
                ui.result(format_args!("stopped task    {} {}: {}", task.at, task.id, task.reason))?;
            }
        }
        Known::Unknown(reason) => ui.result(format_args!("stopped tasks   unknown: {reason}"))?,
    }
    Ok(())
}

/// Reads what runs, in the config's account and no other.
pub(super) async fn running(context: &Context<'_>, config: &Config) -> Result<Running, Failure> {
    let session = context.common.sign_in(config, context.ui).await?;
    let work = running::observe(&session, &config.env);
    Ok(context.ui.during("asking ECS what runs", work).await?)
}

/// When the search index was built, and when the last migration began.
type Times = (Option<Timestamp>, Option<Timestamp>);

/// What the logs of the maintenance tasks say: where Flyway last saw the database, and when the search index was built.
async fn logs(
    context: &Context<'_>,
    config: &Config,
) -> Result<(Known<Option<String>>, Known<Times>), Failure> {
    let session = context.common.sign_in(config, context.ui).await?;
    let group = log::group(&config.env);
    let (version, times) =
        tokio::join!(log::database_version(&session, &group), log::last_reindex(&session, &group));
    let time = |at: Option<i64>| at.and_then(|at| Timestamp::from_millisecond(at).ok());
    let times = times.map(|(built, migrated)| (time(built), time(migrated)));
    Ok((Known::from(version), Known::from(times)))
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
                newest_migration: None,
                record: Known::Unknown(reason),
            });
        }
    };
    let commit = osmt.selected(config)?;
    let migrations = commit.as_result().ok().map(|commit| migrations::read_one(&osmt.repository, commit));
    let migrations = migrations.transpose()?;
    Ok(Source {
        newest_migration: migrations
            .and_then(|migrations| migrations.newest().map(|version| version.text.clone())),
        label: commit.as_result().map(|commit| osmt.label(commit)).unwrap_or_default(),
        record: Known::Known(osmt.records(config)?.into_iter().next()),
        commit,
    })
}
