//! `osmt-bootstrap apply`: apply a plan, and verify it.

use std::path::PathBuf;

use clap::Args;

use super::component_flags::{CheckPermissions, ComponentFlags, check_permissions};
use super::ready::{Ready, wait_until_done};
use super::report::{Report, attention, lines};
use super::saved::{SavedPlan, without_lock};
use super::state_flags::StateFlags;
use crate::aws::Session;
use crate::bootstrap;
use crate::bootstrap::Seen;
use crate::command::{Context, block_on, describe, execute};
use crate::explain::{Exit, Failure};
use crate::plan::Verb;

/// Create the state bucket and the lock table (with flags also roles), or change what differs; then verify it.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-bootstrap apply\n  \
    osmt-bootstrap apply plan.json\n  \
    osmt-bootstrap apply --with admin --trust arn:aws:iam::123456789012:user/ann\n  \
    osmt-bootstrap apply --with ci --repository github.com/my-org/osmt-infra --ci-environment test\n  \
    osmt-bootstrap apply --yes --dry-run --format json")]
pub(super) struct Apply {
    #[command(flatten)]
    state: StateFlags,
    /// Whether to check permissions with IAM's policy simulator before the first write.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    check_permissions: CheckPermissions,
    /// A saved plan; refused if the account has changed since.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    components: ComponentFlags,
}

impl Apply {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let saved = self.file.as_deref().map(SavedPlan::read).transpose()?;
        let mut ready = Ready::new(cx, &self.state)?.with_components(cx, &self.components)?;
        // Without component flags, the components of the saved plan are used.
        if let Some(saved) = saved.as_ref().filter(|_| self.components.is_default()) {
            ready.selection.clone_from(&saved.selection);
        }
        block_on(&cx.ui, async {
            let (session, seen) = ready.sign_in_and_observe(cx).await?;
            let (ui, target, selection) = (&cx.ui, &ready.target, &ready.selection);
            bootstrap::check_options(target, selection, &seen)?;
            let judged = bootstrap::judge(target, selection, &seen)?;
            let plan = bootstrap::plan(judged.clone());
            if let Some(saved) = saved {
                saved.refuse_if_outdated(&ready, seen.clone(), &plan)?;
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
                refuse_if_changed(cx, &session, &ready, seen).await?;
            }
            execute(ui, &plan, async |step| bootstrap::apply(&session, target, step).await).await?;
            let read_remaining = async || {
                let seen = bootstrap::observe(&session, target, selection).await?;
                let remaining = bootstrap::plan(bootstrap::judge(target, selection, &seen)?);
                Ok(remaining.lines().iter().map(describe).collect())
            };
            let help = "run `osmt-bootstrap status` in a minute; a policy of the organisation may have reverted the change";
            ui.during("verifying", wait_until_done(read_remaining, help)).await?;
            ui.verified(&plan.lines())?;
            ui.json(&Report::new(ui, "applied", &judged))?;
            Ok(Exit::Done)
        })
    }
}

/// Refuses if the account changed while the question was open: the plan would overwrite the change.
async fn refuse_if_changed(
    cx: &Context,
    session: &Session,
    ready: &Ready,
    seen: Seen,
) -> Result<(), Failure> {
    let reading = bootstrap::observe(session, &ready.target, &ready.selection);
    let again = cx.ui.during("reading the account again", reading).await?;
    if without_lock(again) == without_lock(seen) {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "the account changed while the question was open")
        .help("run this again and check the new plan"))
}
