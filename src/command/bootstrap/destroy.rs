//! `osmt-bootstrap destroy`: deletes what bootstrap made, once nothing needs it any more.

use clap::Args;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde::Serialize;

use super::{Ready, StateFlags, settled};
use crate::bootstrap::destroy;
use crate::bootstrap::destroy::Step;
use crate::command::{Context, Ui, block_on, describe, execute};
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
        let (ui, config, everything) = (&cx.ui, &ready.config, self.delete_everything);
        block_on(ui, async {
            let session = ready.session(cx).await?;
            let target = &ui.during("looking", destroy::named(&session, &ready.target)).await?;
            let observe = || destroy::observe(&session, target, config, (everything, Timestamp::now()));
            let mut seen = ui.during("looking", observe()).await?;
            let before = destroy::plan(target, config, &seen)?;
            if !seen.records.is_empty() {
                let asking = destroy::kept(&session, config, &seen.certificates);
                let kept = ui.during("looking into the other regions", asking).await?;
                if let Some(why) = kept {
                    let records = std::mem::take(&mut seen.records);
                    let names: Vec<&str> = records.iter().map(|record| &*record.name).collect();
                    let zone = config.domain.hosted_zone_id.as_deref().unwrap_or_default();
                    seen.notes.push(format!("{} in hosted zone {zone}: {why}", names.join(", ")));
                }
            }
            let plan: Plan<_> = destroy::plan(target, config, &seen)?.into_iter().collect();
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
            if ui.dry_run {
                report("pending")?;
                return Ok(Exit::Pending);
            }
            confirmed(ui, &config.env, self.confirm.as_deref()).await?;
            // The state may have been used while the question was open.
            let again = ui.during("looking again", observe()).await?;
            if destroy::plan(target, config, &again)? != before {
                return Err(Failure::new(
                    Exit::Refused,
                    "the account changed while the question was open; nothing was deleted",
                )
                .help("run it again and look at the new plan"));
            }
            execute(ui, &plan, async |step| {
                let counts = matches!(step, Step::Empty(..) | Step::Objects(..));
                let bar = counts.then(|| ui.bar("nothing deleted yet"));
                let done = destroy::apply(&session, target, step, |deleted| {
                    if let Some(bar) = &bar {
                        bar.set_message(format!("{deleted} versions deleted"));
                    }
                    ui.detail(format_args!("{deleted} versions deleted"));
                })
                .await;
                bar.iter().for_each(ProgressBar::finish_and_clear);
                done
            })
            .await?;
            let look = async || {
                let mut seen = observe().await?;
                seen.records.clear();
                Ok(match destroy::plan(target, config, &seen) {
                    Ok(steps) => steps.iter().map(|step| describe(&step.line())).collect(),
                    Err(refused) => refused.0.into_iter().map(|reason| reason.text).collect(),
                })
            };
            let looking = settled(look, "run it again in a minute");
            ui.during("looking again", looking).await?;
            ui.result("done and verified")?;
            report("applied")?;
            Ok(Exit::Done)
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
        Some(_) if ui.yes => return Ok(()),
        _ if ui.yes => return refused("`--yes` alone deletes nothing"),
        _ => {}
    }
    if !ui.can_ask() {
        return refused("cannot ask for confirmation without a terminal");
    }
    let prompt = format!("This cannot be undone. Type the environment's name ({env}) to go on: ");
    if ui.ask(&prompt).await?.trim() == env { Ok(()) } else { refused("not confirmed") }
}
