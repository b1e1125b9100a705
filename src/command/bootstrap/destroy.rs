//! `osmt-bootstrap destroy`: delete what osmt-bootstrap created.

use clap::Args;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde::Serialize;

use super::ready::{Ready, wait_until_done};
use super::state_flags::StateFlags;
use crate::aws::{CallError, Session};
use crate::bootstrap::destroy::{Refused, Seen, Step};
use crate::bootstrap::{Error, Target, destroy};
use crate::command::{Context, Ui, block_on, describe, execute};
use crate::config::Config;
use crate::explain::{Exit, Failure};
use crate::plan::{Action as _, Line, Plan};

/// Delete what osmt-bootstrap created; refused while a state lists resources or a lock is held.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-bootstrap destroy --dry-run\n  \
    osmt-bootstrap destroy --yes --confirm test")]
pub(super) struct Destroy {
    #[command(flatten)]
    state: StateFlags,
    /// The environment's name, instead of typing it; needs `--yes`.
    #[arg(long, value_name = "ENV")]
    confirm: Option<String>,
    /// Also delete a bucket and a table that existed before, and the objects and items of others in them.
    #[arg(long)]
    delete_everything: bool,
}

impl Destroy {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ready = Ready::new(cx, &self.state)?;
        let (ui, config, everything) = (&*cx.ui, &ready.config, self.delete_everything);
        block_on(ui, async {
            let session = &ready.session(cx).await?;
            let naming = destroy::with_role_names(session, &ready.target);
            let target = &ui.during("reading the account", naming).await?;
            Removal { ui, session, target, config, everything }.carry_out(self.confirm.as_deref()).await
        })
    }
}

struct Removal<'a> {
    ui: &'a Ui,
    session: &'a Session,
    target: &'a Target,
    config: &'a Config,
    /// `--delete-everything`
    everything: bool,
}

impl Removal<'_> {
    async fn carry_out(&self, confirm: Option<&str>) -> Result<Exit, Failure> {
        let ui = self.ui;
        let mut seen = ui.during("reading the account", self.observe()).await?;
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
        ui.say("kept: the secrets in Secrets Manager (`osmt-secrets rm --all --remote` deletes them), the hosted zone, your files");
        if ui.flags.dry_run {
            report("pending")?;
            return Ok(Exit::Pending);
        }
        confirmed(ui, &self.config.env, confirm).await?;
        // Terraform may have run while the question was open.
        let again = ui.during("reading the account again", self.observe()).await?;
        if self.steps(&again)? != before {
            return Err(Failure::new(Exit::Refused, "the account changed while the question was open")
                .help("run this again and check the new plan"));
        }
        execute(ui, &plan, async |step| self.apply(step).await).await?;
        let done = wait_until_done(async || self.remaining().await, "run this again in a minute");
        ui.during("verifying", done).await?;
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

    /// Removes validation records from the plan if a certificate in another region needs them.
    async fn keep_used_records(&self, seen: &mut Seen) -> Result<(), CallError> {
        if seen.records.is_empty() {
            return Ok(());
        }
        let reading = destroy::records_needed_elsewhere(self.session, self.config, &seen.certificates);
        if let Some(why) = self.ui.during("reading the certificates of other regions", reading).await? {
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

    /// The steps that remain, or the reasons to refuse.
    async fn remaining(&self) -> Result<Vec<String>, Failure> {
        let mut seen = self.observe().await?;
        seen.records.clear();
        Ok(match self.steps(&seen) {
            Ok(steps) => steps.iter().map(|step| describe(&step.line())).collect(),
            Err(refused) => refused.0.into_iter().map(|reason| reason.text).collect(),
        })
    }
}

/// The plan and what is kept, as `--format json` prints it.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    status: &'a str,
    actions: &'a [Line],
    kept: &'a [String],
}

/// Requires the environment's name: typed, or `--confirm` together with `--yes`.
async fn confirmed(ui: &Ui, env: &str, confirm: Option<&str>) -> Result<(), Failure> {
    let refused = |message: &str| {
        Err(Failure::new(Exit::Refused, message)
            .help(format!("check the plan with `--dry-run`, then give `--yes --confirm {env}`")))
    };
    match confirm {
        Some(name) if name != env => {
            return refused(&format!("`--confirm {name}` does not match environment {env}"));
        }
        Some(_) if ui.flags.yes => return Ok(()),
        _ if ui.flags.yes => return refused("`--yes` needs `--confirm`"),
        _ => {}
    }
    if !ui.can_ask() {
        return refused("cannot ask for confirmation without a terminal");
    }
    let prompt = format!("This cannot be undone. Type the environment's name ({env}) to continue: ");
    if ui.ask(&prompt).await?.trim() == env { Ok(()) } else { refused("not confirmed") }
}
