//! `osmt-bootstrap apply`: carry a plan out, and look again.

use std::path::PathBuf;

use clap::Args;

use super::parts::{CheckPermissions, PartFlags, check_permissions};
use super::ready::{Ready, settled};
use super::report::{Report, attention, lines};
use super::saved::{Saved, without_lock};
use super::state_flags::StateFlags;
use crate::aws::Session;
use crate::bootstrap;
use crate::bootstrap::Seen;
use crate::command::{Context, block_on, describe, execute};
use crate::explain::{Exit, Failure};
use crate::plan::Verb;

/// Create the state bucket and the lock table (with flags, roles), or change what differs; then look again.
#[derive(Args, Clone, Debug)]
pub(super) struct Apply {
    #[command(flatten)]
    state: StateFlags,
    /// Whether to ask IAM's policy simulator before the first write.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    check_permissions: CheckPermissions,
    /// A saved plan; refused if the account has changed since.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    parts: PartFlags,
}

impl Apply {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let saved = self.file.as_deref().map(Saved::read).transpose()?;
        let mut ready = Ready::new(cx, &self.state)?.with_parts(cx, &self.parts)?;
        // A saved plan says itself which components it is about.
        if let Some(saved) = saved.as_ref().filter(|_| self.parts.is_default()) {
            ready.parts.clone_from(&saved.parts);
        }
        block_on(&cx.ui, async {
            let (session, seen) = ready.observing(cx).await?;
            let (ui, target, parts) = (&cx.ui, &ready.target, &ready.parts);
            bootstrap::answered(target, parts, &seen)?;
            let judged = bootstrap::judge(target, parts, &seen)?;
            let plan = bootstrap::plan(judged.clone());
            if let Some(saved) = saved {
                saved.is_current(&ready, seen.clone(), &plan)?;
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
            if ui.flags.dry_run {
                ui.json(&Report::new(ui, "pending", &judged))?;
                return Ok(Exit::Pending);
            }
            check_permissions(ui, &session, &ready, &seen, &plan, self.check_permissions).await?;
            ui.confirm(&format!("Change account {}?", target.deployment.account_id)).await?;
            if !ui.flags.yes {
                is_still_so(cx, &session, &ready, seen).await?;
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
            ui.verified(&plan.lines())?;
            ui.json(&Report::new(ui, "applied", &judged))?;
            Ok(Exit::Done)
        })
    }
}

/// The account may have changed while the question was open: what was added would be overwritten.
async fn is_still_so(cx: &Context, session: &Session, ready: &Ready, seen: Seen) -> Result<(), Failure> {
    let looking = bootstrap::observe(session, &ready.target, &ready.parts);
    let again = cx.ui.during("looking again", looking).await?;
    if without_lock(again) == without_lock(seen) {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "the account changed while the question was open")
        .help("run it again and look at the new plan"))
}
