//! `plan` and `apply`: the state bucket and the lock table.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::parts::{CheckPermissions, PartFlags};
use super::{Ready, Report, StateFlags, attention, lines, parts, settled};
use crate::aws::Session;
use crate::bootstrap::parts::Parts;
use crate::bootstrap::{Seen, Step, Target};
use crate::command::{Common, Ui, block_on, describe, execute};
use crate::explain::{Exit, Failure};
use crate::plan::{Line, Plan, Verb};
use crate::{bootstrap, files};

/// A plan in a file: for whom it was made, what was seen, and what follows from it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    version: u32,
    tool: String,
    target: Target,
    parts: Parts,
    seen: Seen,
    actions: Vec<Line>,
}

pub(super) fn plan(
    common: &Common,
    ui: &Ui,
    (flags, parts): (&StateFlags, &PartFlags),
    out: Option<&Path>,
) -> Result<Exit, Failure> {
    let ready = Ready::new(common, flags)?.about(ui, parts)?;
    out.map_or(Ok(()), free)?;
    block_on(ui, async {
        let (target, parts) = (&ready.target, &ready.parts);
        let read = async |session: &Session| bootstrap::observe(session, target, parts).await;
        let (_, seen) = ready.reading(common, ui, read).await?;
        let seen = seen?;
        bootstrap::answered(target, parts, &seen)?;
        let judged = bootstrap::judge(target, parts, &seen)?;
        if ui.is_human() {
            ui.show_plan(&lines(&judged))?;
        }
        let plan = bootstrap::plan(judged.clone());
        let (status, exit) =
            if plan.is_empty() { ("nothing", Exit::Done) } else { ("pending", Exit::Pending) };
        if let Some(attention) = attention(&judged) {
            ui.result(attention)?;
        }
        if plan.is_empty() {
            ui.result("nothing to do")?;
        }
        ui.json(&Report::new(ui, status, &judged))?;
        if let Some(path) = out {
            save(ui, path, &ready, seen, &plan)?;
        }
        Ok(exit)
    })
}

/// A file that is not a saved plan is never overwritten.
fn free(path: &Path) -> Result<(), Failure> {
    let is_plan = |text: String| serde_json::from_str::<Saved>(&text).is_ok();
    // A pipe or a device holds nothing, and reading it could wait for ever.
    if !path.is_file() || files::read_text(path).is_ok_and(is_plan) {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, format!("{} exists and is not a saved plan", path.display()))
        .help("give `--out` another name"))
}

fn save(ui: &Ui, path: &Path, ready: &Ready, seen: Seen, plan: &Plan<Step>) -> Result<(), Failure> {
    let saved = Saved {
        version: crate::report::VERSION,
        tool: ui.tool.clone(),
        target: ready.target.clone(),
        parts: ready.parts.clone(),
        seen: without_lock(seen),
        actions: plan.lines(),
    };
    let text = serde_json::to_string_pretty(&saved)
        .map_err(|error| Failure::new(Exit::Failed, format!("could not write JSON: {error}")))?;
    files::write(path, format!("{text}\n").as_bytes())?;
    ui.say(format_args!("saved; carry it out with `osmt-bootstrap apply {}`", path.display()));
    Ok(())
}

/// A lock comes and goes with each run of Terraform: no part of what a plan was made of.
fn without_lock(mut seen: Seen) -> Seen {
    if let Some(table) = &mut seen.table {
        table.lock = None;
    }
    seen
}

fn load(path: &Path) -> Result<Saved, Failure> {
    let help = "`osmt-bootstrap plan --out FILE` saves one";
    let text = files::read_text(path).map_err(|error| Failure::from(error).help(help))?;
    let form = serde_json::from_str::<serde_json::Value>(&text).ok();
    let form = form.and_then(|saved| saved["version"].as_u64());
    if form.is_some_and(|form| form != u64::from(crate::report::VERSION)) {
        let message = format!("{} is a saved plan of another version of osmt-bootstrap", path.display());
        return Err(Failure::new(Exit::Usage, message).help(help));
    }
    serde_json::from_str(&text).map_err(|error| {
        let message = format!("{} is not a saved plan: {error}", path.display());
        Failure::new(Exit::Usage, message).help(help)
    })
}

pub(super) fn apply(
    common: &Common,
    ui: &Ui,
    (flags, parts, check): (&StateFlags, &PartFlags, CheckPermissions),
    file: Option<&Path>,
) -> Result<Exit, Failure> {
    let saved = file.map(load).transpose()?;
    let mut ready = Ready::new(common, flags)?.about(ui, parts)?;
    // A saved plan says itself which components it is about.
    if let Some(saved) = saved.as_ref().filter(|_| parts.is_default()) {
        ready.parts.clone_from(&saved.parts);
    }
    block_on(ui, async {
        let (target, parts) = (&ready.target, &ready.parts);
        let read = async |session: &Session| bootstrap::observe(session, target, parts).await;
        let (session, seen) = ready.reading(common, ui, read).await?;
        let seen = seen?;
        bootstrap::answered(target, parts, &seen)?;
        let judged = bootstrap::judge(target, parts, &seen)?;
        let plan = bootstrap::plan(judged.clone());
        if let Some(saved) = saved {
            unchanged(&saved, &ready, seen.clone(), &plan)?;
        }
        if plan.is_empty() {
            ui.result("nothing to do")?;
            ui.json(&Report::new(ui, "nothing", &judged))?;
            return Ok(Exit::Done);
        }
        let mut shown = plan.lines();
        shown.extend(lines(&judged).into_iter().filter(|line| line.verb == Verb::Attention));
        ui.show_plan(&shown)?;
        if let Some(attention) = attention(&judged) {
            ui.say(attention);
        }
        if ui.dry_run {
            ui.json(&Report::new(ui, "pending", &judged))?;
            return Ok(Exit::Pending);
        }
        parts::may(ui, &session, (target, &seen), &plan, check).await?;
        ui.confirm(&format!("Change account {}?", target.deployment.account_id)).await?;
        if !ui.yes {
            still_so(ui, &session, &ready, seen).await?;
        }
        execute(ui, &plan, async |step| bootstrap::apply(&session, target, step).await).await?;
        let look = async || {
            let seen = bootstrap::observe(&session, target, parts).await?;
            let left = bootstrap::plan(bootstrap::judge(target, parts, &seen)?);
            Ok(left.lines().iter().map(describe).collect())
        };
        let help =
            "look with `osmt-bootstrap status` in a minute; a policy of the organisation may set it back";
        ui.during("looking again", settled(look, help)).await?;
        ui.result("done and verified")?;
        ui.json(&Report::new(ui, "applied", &judged))?;
        Ok(Exit::Done)
    })
}

/// The account may have changed while the question was open: what was added would be overwritten.
async fn still_so(ui: &Ui, session: &Session, ready: &Ready, seen: Seen) -> Result<(), Failure> {
    let looking = bootstrap::observe(session, &ready.target, &ready.parts);
    let again = ui.during("looking again", looking).await?;
    if without_lock(again) == without_lock(seen) {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "the account changed while the question was open")
        .help("run it again and look at the new plan"))
}

fn unchanged(saved: &Saved, ready: &Ready, seen: Seen, plan: &Plan<Step>) -> Result<(), Failure> {
    let seen = without_lock(seen);
    let what = if saved.target != ready.target || saved.parts != ready.parts {
        "it was made for other names, or for another account"
    } else if saved.seen.bucket != seen.bucket {
        "the state bucket has changed since"
    } else if saved.seen.table != seen.table {
        "the lock table has changed since"
    } else if saved.seen.admin != seen.admin {
        "the admin role or its policies have changed since"
    } else if saved.seen.ci != seen.ci {
        "the CI system's roles or their policies have changed since"
    } else if saved.seen.account != seen.account {
        "the account's own settings have changed since"
    } else if saved.actions != plan.lines() {
        "this version plans something else"
    } else {
        return Ok(());
    };
    Err(Failure::new(Exit::Refused, format!("the saved plan is out of date: {what}"))
        .help("make a new one with `osmt-bootstrap plan --out FILE`"))
}
