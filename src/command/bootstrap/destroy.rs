//! `osmt-bootstrap destroy`: deletes what bootstrap made, once nothing needs it any more.

use clap::Args;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde::Serialize;

use super::ready::{Ready, settled};
use super::state_flags::StateFlags;
use crate::aws::{CallError, Session};
use crate::bootstrap::destroy::{Refused, Seen, Step};
use crate::bootstrap::{Error, Target, destroy};
use crate::command::{Context, Ui, block_on, describe, execute};
use crate::config::Config;
use crate::explain::{Exit, Failure};
use crate::plan::{Action as _, Line, Plan};

/// Delete what bootstrap made; refused while a state lists resources or a lock is held.
#[derive(Args, Clone, Debug)]
pub(super) struct Destroy {
    #[command(flatten)]
    state: StateFlags,
    /// The environment's name; with `--yes` instead of typing it.
    #[arg(long, value_name = "ENV")]
    confirm: Option<String>,
    /// Also delete the bucket and the table that existed before, and objects and items of others in them.
    #[arg(long)]
    delete_everything: bool,
}

impl Destroy {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ready = Ready::new(cx, &self.state)?;
        let (ui, config, everything) = (&*cx.ui, &ready.config, self.delete_everything);
        block_on(ui, async {
            let session = &ready.session(cx).await?;
            let target = &ui.during("looking", destroy::named(session, &ready.target)).await?;
            Work { ui, session, target, config, everything }.carry_out(self.confirm.as_deref()).await
        })
    }
}

struct Work<'a> {
    ui: &'a Ui,
    session: &'a Session,
    target: &'a Target,
    config: &'a Config,
    /// Whether what others keep is deleted as well.
    everything: bool,
}

impl Work<'_> {
    async fn carry_out(&self, confirm: Option<&str>) -> Result<Exit, Failure> {
        let ui = self.ui;
        let mut seen = ui.during("looking", self.observe()).await?;
        let before = self.steps(&seen)?;
        self.keep_used_records(&mut seen).await?;
        let plan: Plan<_> = self.steps(&seen)?.into_iter().collect();
        let lines = plan.lines();
        for note in &seen.notes {
            ui.say(format_args!("kept: {note}"));
        }
        let report = |status| {
            let (version, tool) = (crate::report::VERSION, &*ui.tool);
            ui.json(&Report { version, tool, status, actions: &lines, kept: &seen.notes })
        };
        if plan.is_empty() {
            ui.result("nothing to do")?;
            report("nothing")?;
            return Ok(Exit::Done);
        }
        ui.show_plan(&lines)?;
        ui.say("kept: the secrets in Secrets Manager (`osmt-secrets rm` removes them), the hosted zone, your files");
        if ui.flags.dry_run {
            report("pending")?;
            return Ok(Exit::Pending);
        }
        confirmed(ui, &self.config.env, confirm).await?;
        // The state may have been used while the question was open.
        let again = ui.during("looking again", self.observe()).await?;
        if self.steps(&again)? != before {
            return Err(Failure::new(
                Exit::Refused,
                "the account changed while the question was open; nothing was deleted",
            )
            .help("run it again and look at the new plan"));
        }
        execute(ui, &plan, async |step| self.apply(step).await).await?;
        let looking = settled(async || self.left().await, "run it again in a minute");
        ui.during("looking again", looking).await?;
        ui.verified(&lines)?;
        report("applied")?;
        Ok(Exit::Done)
    }

    async fn observe(&self) -> Result<Seen, Error> {
        destroy::observe(self.session, self.target, self.config, self.everything, Timestamp::now()).await
    }

    fn steps(&self, seen: &Seen) -> Result<Vec<Step>, Refused> {
        destroy::plan(self.target, self.config, seen)
    }

    /// Keeps the validation records that a certificate in another region still uses.
    async fn keep_used_records(&self, seen: &mut Seen) -> Result<(), CallError> {
        if seen.records.is_empty() {
            return Ok(());
        }
        let asking = destroy::kept(self.session, self.config, &seen.certificates);
        if let Some(why) = self.ui.during("looking into the other regions", asking).await? {
            let records = std::mem::take(&mut seen.records);
            let names: Vec<&str> = records.iter().map(|record| &*record.name).collect();
            let zone = self.config.domain.hosted_zone_id.as_deref().unwrap_or_default();
            seen.notes.push(format!("{} in hosted zone {zone}: {why}", names.join(", ")));
        }
        Ok(())
    }

    async fn apply(&self, step: &Step) -> Result<(), Error> {
        let counts = matches!(step, Step::Empty(..) | Step::Objects(..));
        let bar = counts.then(|| self.ui.bar("nothing deleted yet"));
        let done = destroy::apply(self.session, self.target, step, |deleted| {
            if let Some(bar) = &bar {
                bar.set_message(format!("{deleted} versions deleted"));
            }
            self.ui.detail(format_args!("{deleted} versions deleted"));
        });
        let done = done.await;
        bar.iter().for_each(ProgressBar::finish_and_clear);
        done
    }

    /// What is still to be deleted, or why it cannot be.
    async fn left(&self) -> Result<Vec<String>, Failure> {
        let mut seen = self.observe().await?;
        seen.records.clear();
        Ok(match self.steps(&seen) {
            Ok(steps) => steps.iter().map(|step| describe(&step.line())).collect(),
            Err(refused) => refused.0.into_iter().map(|reason| reason.text).collect(),
        })
    }
}

/// What `destroy` does and what it keeps, as `--format json` prints it.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    status: &'a str,
    actions: &'a [Line],
    kept: &'a [String],
}

/// Wants the environment's name: typed, or given beside `--yes`.
async fn confirmed(ui: &Ui, env: &str, confirm: Option<&str>) -> Result<(), Failure> {
    let refused = |message: &str| {
        Err(Failure::new(Exit::Refused, format!("{message}; nothing was deleted"))
            .help(format!("look at the plan with `--dry-run`, then give `--yes --confirm {env}`")))
    };
    match confirm {
        Some(name) if name != env => {
            return refused(&format!("`--confirm {name}` is not environment {env}"));
        }
        Some(_) if ui.flags.yes => return Ok(()),
        _ if ui.flags.yes => return refused("`--yes` alone deletes nothing"),
        _ => {}
    }
    if !ui.can_ask() {
        return refused("cannot ask for confirmation without a terminal");
    }
    let prompt = format!("This cannot be undone. Type the environment's name ({env}) to go on: ");
    if ui.ask(&prompt).await?.trim() == env { Ok(()) } else { refused("not confirmed") }
}
