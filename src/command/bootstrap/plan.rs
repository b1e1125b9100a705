//! `osmt-bootstrap plan`: what `apply` would do.

use std::path::PathBuf;

use clap::Args;

use super::parts::PartFlags;
use super::ready::Ready;
use super::report::{Report, attention, lines};
use super::saved::{self, Saved};
use super::state_flags::StateFlags;
use crate::bootstrap;
use crate::command::{Context, block_on};
use crate::explain::{Exit, Failure};

/// Show what `apply` would do; only reads. Exit 1 if anything is pending.
#[derive(Args, Clone, Debug)]
pub(super) struct Plan {
    #[command(flatten)]
    state: StateFlags,
    /// Save the plan, for `apply FILE`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    parts: PartFlags,
}

impl Plan {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let mut ready = Ready::new(cx, &self.state)?.with_parts(cx, &self.parts)?;
        self.out.as_deref().map_or(Ok(()), saved::may_write)?;
        block_on(&cx.ui, async {
            let (_, seen) = ready.observing(cx).await?;
            let (ui, target, parts) = (&cx.ui, &ready.target, &ready.parts);
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
            if let Some(path) = &self.out {
                Saved::new(ui, &ready, seen, &plan).write(ui, path)?;
            }
            Ok(exit)
        })
    }
}
