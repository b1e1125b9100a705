//! `osmt-release status`: compare the config's selection, what ECS runs, and the records in git.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::image;
use super::repositories::Repositories;
use crate::account::Known;
use crate::aws;
use crate::command::{Context, block_on, environment};
use crate::config::Config;
use crate::explain::{Exit, Failure};
use crate::registry::{Image, Platform};
use crate::release::database::Database;
use crate::release::maintenance::Applied;
use crate::release::migrate::log;
use crate::release::migrations;
use crate::release::migrations::Migrations;
use crate::release::running::Running;
use crate::release::status::{Link, Source, Verdict};
use crate::release::{Osmt, maintenance, running, serving, status};
use crate::web::Web;

/// Show what the config selects, what is running, what was recorded and how the app answers. Exit 1 if they do not agree.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-release status\n  osmt-release status --strict\n  \
    osmt-release status --app https://osmt-test-1234.us-west-2.elb.amazonaws.com")]
pub(super) struct Status {
    /// Exit 1 also if something is unknown.
    #[arg(long)]
    strict: bool,
    /// The URL of the app [default: https:// and the config's domain].
    #[arg(long, value_name = "URL")]
    app: Option<Url>,
    /// Call neither the image's registry nor the app; their results are then unknown.
    #[arg(long, env = "OSMT_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    offline: bool,
    #[command(flatten)]
    repositories: Repositories,
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
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let (_, config) = cx.shared.load_config()?;
        let osmt = self.repositories.osmt_if_available()?;
        let source = source(&osmt, &config)?;
        let (running, links) = block_on(ui, async {
            let running = running(cx, &config).await?;
            let mut links = status::chain(&config, &source, &running);
            let Logs { applied, version, index, mappings } =
                Box::pin(logs(cx, &config, &osmt, &source)).await?;
            links.push(maintenance::database(&source, &applied, &version));
            links.push(maintenance::search(&index));
            links.push(maintenance::mappings(&mappings));
            links.push(status::registry(&running, &self.image(cx, &config).await));
            links.extend(self.serving(cx, &config).await?);
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
            print_service_problems(cx, &running)?;
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
    /// The selected image in its registry.
    async fn image(&self, cx: &Context, config: &Config) -> Known<Option<Image>> {
        if self.offline {
            return Known::Unknown("the registry was not called".into());
        }
        let task = &config.ecs.task.app;
        image::read_image(cx, config, &task.docker_tag, &Platform::of_task(&task.cpu_architecture)).await
    }

    /// The app's answers.
    async fn serving(&self, cx: &Context, config: &Config) -> Result<Vec<Link>, Failure> {
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
            return Ok(vec![status::not_checked("app", "the app was not called")]);
        }
        let web = Web::new(aws::http_client(&environment::variables())?);
        Ok(cx.ui.during("calling the app", serving::observe(&web, config, &base)).await)
    }
}

/// Prints the service's events, and why tasks stopped.
fn print_service_problems(cx: &Context, running: &Running) -> Result<(), Failure> {
    let ui = &cx.ui;
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

/// Reads what is running in the config's account.
pub(super) async fn running(cx: &Context, config: &Config) -> Result<Running, Failure> {
    let session = cx.shared.sign_in(config, &cx.ui).await?;
    let work = running::observe(&session, &config.env);
    Ok(cx.ui.during("reading the ECS service", work).await?)
}

/// Facts from the logs.
struct Logs {
    /// Flyway's history.
    applied: Known<Applied>,
    /// The schema version that Flyway logged last.
    version: Known<Option<String>>,
    /// When the search index was built, and when the last migration began.
    index: Known<(Option<Timestamp>, Option<Timestamp>)>,
    /// The last log line about the mappings of the search indices.
    mappings: Known<Option<(Timestamp, String)>>,
}

async fn logs(cx: &Context, config: &Config, osmt: &Known<Osmt>, source: &Source) -> Result<Logs, Failure> {
    let session = cx.shared.sign_in(config, &cx.ui).await?;
    let group = log::group(&config.env);
    // A restored database is a new instance: older log lines are about the instance that it replaced.
    let created = running::database(&session, &config.env).await.map(|created| {
        let created = created.and_then(|created| created.parse::<Timestamp>().ok());
        created.map_or(0, Timestamp::as_millisecond)
    });
    let version = async {
        match &created {
            Ok(created) => Known::from(log::database_version(&session, &group, *created).await),
            Err(error) => Known::Unknown(error.reason()),
        }
    };
    let now = Timestamp::now().as_millisecond();
    let (database, version, index, mappings) = tokio::join!(
        Database::read(&session, &config.env),
        version,
        log::last_reindex(&session, &group),
        log::search_state(&session, &config.env, now)
    );
    let applied = match database {
        Known::Known(database) => Known::Known(applied(&database, osmt, source)?),
        Known::Unknown(reason) => Known::Unknown(reason),
    };
    let time = |at: i64| Timestamp::from_millisecond(at).ok();
    let index = index.map(|(built, migrated)| (built.and_then(time), migrated.and_then(time)));
    let mappings = mappings.map(|said| said.and_then(|(at, state)| Some((time(at)?, state))));
    Ok(Logs { applied, version, index: Known::from(index), mappings: Known::from(mappings) })
}

/// Flyway's history, with the file of each migration in git.
fn applied(database: &Database, osmt: &Known<Osmt>, source: &Source) -> Result<Applied, Failure> {
    let mut known: Vec<Migrations> = source.migrations.iter().cloned().collect();
    if let Known::Known(osmt) = osmt {
        known.extend(osmt.known_migrations()?);
    }
    let migrations = database.migrations(&known);
    Ok(Applied { label: database.label(), migrations, failed: database.failed() })
}

/// Facts from git; unknown without a checkout.
fn source(osmt: &Known<Osmt>, config: &Config) -> Result<Source, Failure> {
    let osmt = match osmt {
        Known::Known(osmt) => osmt,
        Known::Unknown(reason) => {
            return Ok(Source {
                commit: Known::Unknown(reason.clone()),
                label: String::new(),
                migrations: None,
                record: Known::Unknown(reason.clone()),
            });
        }
    };
    let commit = osmt.selected(config)?;
    let migrations = commit.as_result().ok().map(|commit| migrations::read_one(&osmt.repository, commit));
    Ok(Source {
        migrations: migrations.transpose()?,
        label: commit.as_result().map(|commit| osmt.label(commit)).unwrap_or_default(),
        record: Known::Known(osmt.records(config)?.into_iter().next()),
        commit,
    })
}
