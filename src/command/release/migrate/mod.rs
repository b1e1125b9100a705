//! `osmt-release migrate`: run the maintenance task, follow it, and print its result.

mod outcome;
mod pending;

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use self::outcome::{failure_of, follow_help, history, progress, summary};
use self::pending::{Pending, pending};
use super::repositories::Repositories;
use crate::account::Known;
use crate::aws::{CallError, Policy, Session, retry};
use crate::command::{Context, Ui, block_on, show_and_confirm};
use crate::config::Config;
use crate::deployment::osmt_line;
use crate::deployment::osmt_line::OsmtLine;
use crate::explain::{Exit, Failure, count};
use crate::plan::{Line, Plan};
use crate::release;
use crate::release::database::Database;
use crate::release::migrate::log::{self, Reading, Stream};
use crate::release::migrate::snapshot::Snapshot;
use crate::release::migrate::watch::{Ended, Started, State};
use crate::release::migrate::{Job, Request, Step as Action, statements};
use crate::release::migrations::Row;

/// How often ECS and the log are read.
const POLL: Duration = Duration::from_secs(3);
/// How often the snapshot is read: it takes minutes, even for a small database.
const SNAPSHOT_POLL: Duration = Duration::from_secs(10);

/// Run the one-off ECS task that migrates the database, imports job codes and builds the search index, and wait for it.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(after_help = "Examples:\n  osmt-release migrate --dry-run\n  osmt-release migrate --snapshot\n  \
    osmt-release migrate --step migrate\n  \
    osmt-release migrate --step info               what the database has applied\n  \
    osmt-release migrate --out-of-order            once, from 2.5.1 or 2.5.2 to 3.0.0\n  \
    osmt-release migrate --without-validation      once, from 3.0.0 to 4.x\n  \
    osmt-release migrate --watch 0123456789abcdef0123456789abcdef")]
pub(super) struct Migrate {
    /// Only this step; can be repeated. Each step except `info` migrates first [default: import, then reindex].
    #[arg(long, value_name = "STEP")]
    step: Vec<Step>,
    /// Let Flyway apply migrations that are older than applied ones (REL010): needed once, from 2.5.1 or 2.5.2 to 3.0.0.
    #[arg(long)]
    out_of_order: bool,
    /// Migrate without Flyway's validation of applied migrations (REL007): needed once, from 3.0.0 to 4.x. Refused unless all
    /// differences are harmless; takes a snapshot first.
    #[arg(long, conflicts_with = "no_snapshot")]
    without_validation: bool,
    /// Remove failed entries from Flyway's history first, as Flyway's `repair` does.
    #[arg(long)]
    repair: bool,
    /// Take a snapshot of the database first [default: if a pending migration cannot be undone].
    #[arg(long, conflicts_with = "no_snapshot")]
    snapshot: bool,
    /// Take no snapshot.
    #[arg(long)]
    no_snapshot: bool,
    /// Follow a running task, by its ARN or id.
    #[arg(long, value_name = "TASK", conflicts_with_all = ["step", "out_of_order", "without_validation", "repair", "snapshot", "no_snapshot"])]
    watch: Option<String>,
    /// The maximum time to wait; the task then continues without being watched.
    #[arg(long, value_name = "MINUTES", default_value_t = 90)]
    wait: u64,
    #[command(flatten)]
    repositories: Repositories,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// The database only.
    Migrate,
    /// The two public lists of job codes.
    Import,
    /// The search index.
    Reindex,
    /// Change nothing: print Flyway's history, and validate it against the image.
    Info,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    status: &'a str,
    actions: &'a [crate::plan::Line],
    snapshot: Option<&'a Snapshot>,
    task: TaskReport<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
}

#[derive(Serialize)]
struct TaskReport<'a> {
    arn: &'a str,
    log_group: Option<&'a str>,
    log_stream: Option<&'a str>,
    exit: Option<i32>,
    ended: Option<&'a Ended>,
    step: Option<&'a str>,
    database_before: Option<&'a str>,
    migrated: &'a [String],
    rows_imported: u64,
    history: Option<&'a [Row]>,
    last_lines: Vec<&'a str>,
}

impl<'a> TaskReport<'a> {
    fn new(started: &'a Started, ended: Option<&'a Ended>, reading: &'a Reading) -> Self {
        Self {
            arn: &started.task,
            log_group: started.log.as_ref().map(|(group, _)| group.as_str()),
            log_stream: started.log.as_ref().map(|(_, stream)| stream.as_str()),
            exit: ended.and_then(Ended::exit),
            ended,
            step: reading.step.as_deref(),
            database_before: reading.before.as_deref(),
            migrated: &reading.migrated,
            rows_imported: reading.rows,
            history: reading.history.rows(),
            last_lines: reading.tail.iter().map(String::as_str).collect(),
        }
    }
}

impl Migrate {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let (_, config) = cx.shared.load_config()?;
        if let Some(task) = &self.watch {
            return block_on(ui, async {
                let session = cx.shared.sign_in(&config, ui).await?;
                let started = Started::find(&session, &config.env, task).await?;
                ui.set_interruption_help(follow_help(&started));
                ui.begin(format!("watching {}", started.task));
                self.follow(ui, &session, &started, None, &[]).await
            });
        }
        let request = self.request(&config)?;
        let osmt = self.repositories.osmt_if_available()?;
        block_on(ui, async {
            let session = cx.shared.sign_in(&config, ui).await?;
            let reading = Database::read(&session, &config.env);
            let database = ui.during("reading Flyway's history", reading).await;
            let pending = pending(&osmt, &config, &database)?;
            let plan = Box::pin(self.plan(ui, &session, &config, request, &pending)).await?;
            if let Some(exit) = show_and_confirm(ui, &plan, "Run it?").await? {
                return Ok(exit);
            }
            let lines = plan.lines();
            let mut taken = None;
            for step in &plan.actions {
                match step {
                    Action::Snapshot(snapshot) => {
                        take_snapshot(ui, &session, &config.env, snapshot, self.wait).await?;
                        taken = Some(snapshot);
                    }
                    Action::Run(job) => {
                        let hour = Timestamp::now().as_second() / 3600;
                        ui.begin("starting the task");
                        ui.set_interruption_help(
                            "a second run does not start another task while one is running".to_owned(),
                        );
                        let started = Box::pin(job.start(&session, hour)).await?;
                        ui.done("starting the task");
                        ui.say(format_args!("started {}", started.task));
                        if let Some(log) = started.log_command() {
                            ui.say(format_args!("its log: {log}"));
                        }
                        ui.set_interruption_help(follow_help(&started));
                        ui.begin(format!("watching {}", started.task));
                        return self.follow(ui, &session, &started, taken, &lines).await;
                    }
                }
            }
            Ok(Exit::Done)
        })
    }

    fn request(&self, config: &Config) -> Result<Request, Failure> {
        let version = osmt_line::deployed(config.app.version.as_deref(), &config.ecs.task.app.docker_tag);
        let line = version.and_then(OsmtLine::of);
        if let (Some(version), None) = (version, line) {
            let message = format!("OSMT {version} does not belong to a known release line");
            return Err(Failure::new(Exit::Refused, message)
                .help("set app.version in the config to the OSMT release that the image contains"));
        }
        let can_reindex = line.is_none_or(|line| line.traits().rebuilds_search);
        if self.step.contains(&Step::Reindex) && !can_reindex {
            return Err(Failure::new(
                Exit::Refused,
                "the reindex job of OSMT 2.x deletes the search indices and does not create them again",
            )
            .help(
                "delete the indices richskill_v1, collection_v1, jobcode_v1 and keyword, restart the app, and call `POST /api/es-admin/reindex` as an administrator",
            ));
        }
        let info = self.step.contains(&Step::Info);
        if info && (self.step.len() > 1 || self.out_of_order || self.without_validation || self.repair) {
            let message = "`--step info` cannot be combined with other steps and flags: it migrates nothing";
            return Err(Failure::new(Exit::Usage, message));
        }
        if info {
            return Ok(Request { steps: vec!["info".to_owned()], ..Request::default() });
        }
        let mut steps: Vec<String> = Vec::new();
        for (step, name) in [(Step::Migrate, "migrate"), (Step::Import, "import"), (Step::Reindex, "reindex")]
        {
            let is_default = self.step.is_empty()
                && match step {
                    // Every step migrates first.
                    Step::Migrate | Step::Info => false,
                    Step::Import => true,
                    Step::Reindex => can_reindex,
                };
            if is_default || self.step.contains(&step) {
                steps.push(name.to_owned());
            }
        }
        Ok(Request {
            steps,
            out_of_order: self.out_of_order,
            without_validation: self.without_validation,
            repair: self.repair,
            statements: Vec::new(),
        })
    }

    async fn plan(
        &self,
        ui: &Ui,
        session: &Session,
        config: &Config,
        mut request: Request,
        pending: &Known<Pending>,
    ) -> Result<Plan<Action>, Failure> {
        let task = &config.ecs.task.app;
        let selected = release::image(&task.docker_image, &task.docker_tag);
        let mut snapshot = self.snapshot || self.out_of_order || self.without_validation;
        if self.repair {
            request.statements = statements::repair(&config.rds.db_name);
        }
        if let (true, Known::Known(pending)) = (self.without_validation, pending) {
            request.statements.extend(statements::realign(&config.rds.db_name, &pending.realigned));
        }
        request.statements.extend(statements::history(&config.rds.db_name));
        match pending {
            _ if self.step.contains(&Step::Info) => {}
            Known::Known(pending) => {
                pending.check_order(ui, self.out_of_order)?;
                pending.check_failed(self.repair)?;
                pending.check_validation(ui, self.without_validation)?;
                request.statements.extend(pending.preflight.iter().cloned());
                snapshot |= !pending.cannot_be_undone.is_empty();
            }
            Known::Unknown(reason) if self.without_validation => {
                let mut failure =
                    Failure::new(Exit::Refused, "it is not known how the applied migrations differ").help(
                        "give a checkout of OSMT with the record of the deployed release: `--repo DIR`",
                    );
                failure.causes.push(reason.clone());
                return Err(failure);
            }
            Known::Unknown(reason) => {
                ui.say(format_args!("the pending migrations are not known: {reason}"));
                if !snapshot && !self.no_snapshot {
                    ui.say("no snapshot is taken; `--snapshot` takes one first");
                }
            }
        }
        let imports = request.steps.iter().any(|step| step == "import");
        let job =
            ui.during("reading the task definition", Job::observe(session, &config.env, request)).await?;
        if job.image != selected && job.is_info() {
            ui.say(format_args!("the task validates with {}; the config selects {selected}", job.image));
        } else if job.image != selected {
            let message = format!("the task would run {}, the config selects {selected}", job.image);
            return Err(Failure::new(Exit::Refused, message)
                .help("run `terraform apply -target=module.osmt.aws_ecs_task_definition.maintenance` first, or a complete `terraform apply`; docs/release.md has the order"));
        }
        if let Some((group, _)) = job.log.as_ref().filter(|_| imports) {
            print_last_import(ui, session, group).await;
        }
        // Not needed if Flyway's history is known: it contains failed migrations.
        let asked = matches!(pending, Known::Known(pending) if pending.asked);
        if let Some((group, _)) = job.log.as_ref().filter(|_| !job.is_info() && !asked) {
            warn_of_last_failure(ui, session, group).await;
        }
        let mut plan = Vec::new();
        if snapshot && !self.no_snapshot {
            let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
            let release = Snapshot::release(&task.docker_tag);
            plan.push(Action::Snapshot(Snapshot::named(&config.env, &release, &time)));
        }
        plan.push(Action::Run(job));
        Ok(plan.into_iter().collect())
    }

    /// Follows the task to its end. A call that fails is reported once and repeated.
    async fn follow(
        &self,
        ui: &Ui,
        session: &Session,
        started: &Started,
        snapshot: Option<&Snapshot>,
        lines: &[Line],
    ) -> Result<Exit, Failure> {
        let end = Instant::now() + Duration::from_secs(self.wait.saturating_mul(60));
        let mut reading = Reading::default();
        let mut stream = started.log.as_ref().map(|(group, name)| Stream::new(group, name));
        let mut reported: Vec<String> = Vec::new();
        let mut warn_once = |what: &str, error: &CallError| {
            let text =
                format!("{what}: {}; retrying for up to {}", error.reason(), count(self.wait, "minute"));
            if !reported.contains(&text) {
                ui.warn(&text);
                reported.push(text);
            }
        };
        let bar = ui.bar("the task is being started");
        let mut status = String::new();
        let ended = loop {
            let state = started.state(session).await;
            if let Some(stream) = &mut stream {
                let before = reading.migrated.len();
                if let Err(error) = stream.read(session, &mut reading).await {
                    warn_once("the log cannot be read", &error);
                }
                for migrated in &reading.migrated[before..] {
                    ui.detail(format_args!("migrating to {migrated}"));
                }
            }
            match state {
                Ok(State::Ended(ended)) => break Ok(ended),
                Ok(State::Active(now)) => {
                    bar.set_message(progress(&now, &reading));
                    if now != status {
                        ui.detail(&now);
                        status = now;
                    }
                }
                Ok(State::Unknown) => {}
                Err(error) => warn_once("the task's state cannot be read", &error),
            }
            if Instant::now() >= end {
                let message = format!(
                    "the task did not end within {}; it is still running",
                    count(self.wait, "minute")
                );
                break Err(Failure::new(Exit::Failed, message).help(follow_help(started)));
            }
            sleep(POLL.min(end - Instant::now())).await;
        };
        bar.finish_and_clear();
        report(ui, started, &reading, ended, &Done { snapshot, lines })
    }
}

/// The actions before the task was watched.
struct Done<'a> {
    snapshot: Option<&'a Snapshot>,
    lines: &'a [Line],
}

/// Prints the result of the task.
fn report(
    ui: &Ui,
    started: &Started,
    reading: &Reading,
    ended: Result<Ended, Failure>,
    done: &Done<'_>,
) -> Result<Exit, Failure> {
    let (ended, failure) = match ended {
        Ok(ended) => {
            let failure = failure_of(&ended, reading, started, done.snapshot);
            (Some(ended), failure)
        }
        Err(failure) => (None, Some(failure)),
    };
    if started.is_info {
        for line in history(reading) {
            ui.result(line)?;
        }
    } else if failure.is_none() {
        ui.result(summary(reading))?;
    }
    ui.json(&Report {
        version: crate::report::VERSION,
        tool: &ui.tool,
        status: if failure.is_none() { "applied" } else { "failed" },
        actions: done.lines,
        snapshot: done.snapshot,
        task: TaskReport::new(started, ended.as_ref(), reading),
        error: failure.as_ref(),
    })?;
    failure.map_or(Ok(Exit::Done), Err)
}

/// Prints when the lists of job codes were last imported: another import takes long and changes nothing.
async fn print_last_import(ui: &Ui, session: &Session, group: &str) {
    match log::last_import(session, group).await {
        Ok(Some(at)) => {
            let time =
                Timestamp::from_millisecond(at).map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
            ui.say(format_args!(
                "the lists of job codes were imported before ({}); another import takes about ten minutes and changes nothing; `--step reindex` skips it",
                time.unwrap_or_default()
            ));
        }
        Ok(None) => {}
        Err(error) => {
            ui.detail(format_args!("it is not known whether the lists were imported: {}", error.reason()));
        }
    }
}

/// Warns if the previous run failed: a partly applied migration stops every later run.
async fn warn_of_last_failure(ui: &Ui, session: &Session, group: &str) {
    match log::last_failure(session, group).await {
        Ok(Some((at, message))) => {
            let time =
                Timestamp::from_millisecond(at).map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
            ui.warn(format_args!(
                "the last run failed ({}): {message}; after a partly applied migration Flyway refuses to continue until the snapshot is restored or `--repair` is given (docs/release.md, \"A migration that failed\")",
                time.unwrap_or_default()
            ));
        }
        Ok(None) => {}
        Err(error) => {
            ui.detail(format_args!("it is not known whether the last run failed: {}", error.reason()));
        }
    }
}

/// Takes a snapshot and waits until it is available.
async fn take_snapshot(
    ui: &Ui,
    session: &Session,
    env: &str,
    snapshot: &Snapshot,
    wait: u64,
) -> Result<(), Failure> {
    let what = format!("RDS snapshot {}", snapshot.name);
    ui.begin(&what);
    snapshot.start(session, env).await?;
    let policy = Policy::new(SNAPSHOT_POLL, SNAPSHOT_POLL, wait.saturating_mul(60));
    let is_final = |status: &Result<String, CallError>| {
        status.as_ref().is_ok_and(|status| status == "available" || status == "failed")
    };
    let waiting = retry(policy, |status| !is_final(status), async || snapshot.status(session).await);
    let status = ui.during(&what, waiting).await?;
    if status != "available" {
        let message = if status == "failed" {
            format!("{what} failed")
        } else {
            format!("{what} is still {status} after {}", count(wait, "minute"))
        };
        return Err(Failure::new(Exit::Failed, message)
            .help("when a snapshot is available, run this again with `--no-snapshot`, unless it was given for `--without-validation`"));
    }
    ui.done(&what);
    ui.say(format_args!("took {what}"));
    Ok(())
}
