//! `osmt-bootstrap plan`: show what `apply` would change.

use std::path::PathBuf;

use clap::Args;

use super::component_flags::ComponentFlags;
use super::ready::Ready;
use super::report::{Report, attention, lines};
use super::saved::{self, SavedPlan};
use super::state_flags::StateFlags;
use crate::bootstrap;
use crate::command::{Context, block_on};
use crate::explain::{Exit, Failure};

/// Show what `apply` would change; it only reads. Exit 1 if anything is pending.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-bootstrap plan\n  \
    osmt-bootstrap plan --with admin,ci,account\n  \
    osmt-bootstrap plan --out plan.json")]
pub(super) struct Plan {
    #[command(flatten)]
    state: StateFlags,
    /// Save the plan, for `apply FILE`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    components: ComponentFlags,
}

impl Plan {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let mut ready = Ready::new(cx, &self.state)?.with_components(cx, &self.components)?;
        self.out.as_deref().map_or(Ok(()), saved::refuse_other_file)?;
        block_on(&cx.ui, async {
            let (_, seen) = ready.sign_in_and_observe(cx).await?;
            let (ui, target, selection) = (&cx.ui, &ready.target, &ready.selection);
            bootstrap::check_options(target, selection, &seen)?;
            let judged = bootstrap::judge(target, selection, &seen)?;
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
            if let Some(path) = &self.out {
                SavedPlan::new(ui, &ready, seen, &plan).write(ui, path)?;
            }
            Ok(exit)
        })
    }
}
