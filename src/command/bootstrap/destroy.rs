//! `destroy`: everything that bootstrap made goes, once nothing needs it any more.

use indicatif::ProgressBar;

use super::{Ready, StateFlags, settled};
use crate::aws::Session;
use crate::bootstrap::destroy::Step;
use crate::bootstrap::{Target, destroy};
use crate::command::{Common, Ui, block_on, describe, execute};
use crate::config::Config;
use crate::explain::{Exit, Failure};
use crate::plan::{Action as _, Plan};

pub(super) fn run(
    common: &Common,
    ui: &Ui,
    flags: &StateFlags,
    confirm: Option<&str>,
) -> Result<Exit, Failure> {
    let ready = Ready::new(common, flags)?;
    let (target, config) = (&ready.target, &ready.config);
    block_on(ui, async {
        let session = ready.session(common, ui).await?;
        let seen = ui.during("looking", destroy::observe(&session, target, config)).await?;
        destroy::plan(target, config, &seen)?;
        let mut going = seen.clone();
        if !seen.records.is_empty() {
            let asking = destroy::kept(&session, config, &seen.certificates);
            let kept = ui.during("looking into the other regions", asking).await?;
            if let Some(why) = kept {
                let records = std::mem::take(&mut going.records);
                let names: Vec<&str> = records.iter().map(|record| &*record.name).collect();
                going.notes.push(format!("{}: {why}", names.join(", ")));
            }
        }
        let steps = destroy::plan(target, config, &going)?;
        let plan: Plan<_> = steps.into_iter().collect();
        let lines = plan.lines();
        for note in &going.notes {
            ui.say(format_args!("kept: {note}"));
        }
        if plan.is_empty() {
            ui.result("nothing to do")?;
            ui.plan_json("nothing", &lines)?;
            return Ok(Exit::Done);
        }
        ui.show_plan(&lines)?;
        ui.say("kept: the secrets in Secrets Manager (`osmt-secrets rm` removes them), the hosted zone, your files");
        if ui.dry_run {
            ui.plan_json("pending", &lines)?;
            return Ok(Exit::Pending);
        }
        confirmed(ui, &config.env, confirm).await?;
        // Somebody may have used the state while the question stood.
        let again = ui.during("looking again", destroy::observe(&session, target, config)).await?;
        if again != seen {
            destroy::plan(target, config, &again)?;
            return Err(Failure::new(
                Exit::Refused,
                "the account changed while the question stood; nothing was deleted",
            )
            .help("run it again and look at the new plan"));
        }
        execute(ui, &plan, async |step| {
            let bar = matches!(step, Step::Empty(..)).then(|| ui.bar("nothing deleted yet"));
            let done = destroy::apply(&session, target, step, |gone| {
                if let Some(bar) = &bar {
                    bar.set_message(format!("{gone} versions deleted"));
                }
                ui.detail(format_args!("{gone} versions deleted"));
            })
            .await;
            bar.iter().for_each(ProgressBar::finish_and_clear);
            done
        })
        .await?;
        let look = async || left(&session, target, config).await;
        let looking = settled(look, "run it again in a minute");
        ui.during("looking again", looking).await?;
        ui.result("done and verified")?;
        ui.plan_json("applied", &lines)?;
        Ok(Exit::Done)
    })
}

/// What of the environment is still there.
async fn left(session: &Session, target: &Target, config: &Config) -> Result<Vec<String>, Failure> {
    let mut seen = destroy::observe(session, target, config).await?;
    seen.records.clear();
    Ok(match destroy::plan(target, config, &seen) {
        Ok(steps) => steps.iter().map(|step| describe(&step.line())).collect(),
        Err(refused) => refused.0.into_iter().map(|reason| reason.text).collect(),
    })
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
        return refused("nobody is there to answer");
    }
    let prompt = format!("This cannot be undone. Type the environment's name ({env}) to go on: ");
    if ui.ask(&prompt).await?.trim() == env { Ok(()) } else { refused("not confirmed") }
}
