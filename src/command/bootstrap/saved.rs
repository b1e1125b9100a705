//! A saved plan: `plan --out FILE` writes it, `apply FILE` reads it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ready::Ready;
use crate::bootstrap::selection::Selection;
use crate::bootstrap::{Seen, Step, Target};
use crate::command::{Ui, pretty_json};
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::plan::{Line, Plan};
use crate::report::VERSION;

/// A plan with everything that it was computed from.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedPlan {
    version: u32,
    tool: String,
    target: Target,
    #[serde(rename = "parts")]
    pub(super) selection: Selection,
    seen: Seen,
    actions: Vec<Line>,
}

impl SavedPlan {
    pub(super) fn new(ui: &Ui, ready: &Ready, seen: Seen, plan: &Plan<Step>) -> Self {
        Self {
            version: VERSION,
            tool: ui.tool.clone(),
            target: ready.target.clone(),
            selection: ready.selection.clone(),
            seen: without_lock(seen),
            actions: plan.lines(),
        }
    }

    pub(super) fn write(&self, ui: &Ui, path: &Path) -> Result<(), Failure> {
        let text = pretty_json(self)?;
        files::write(path, format!("{text}\n").as_bytes())?;
        ui.say(format_args!("saved; `osmt-bootstrap apply {}` applies it", shown(path)));
        Ok(())
    }

    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let help = "`osmt-bootstrap plan --out FILE` saves one";
        let text = files::read_text(path).map_err(|error| Failure::from(error).help(help))?;
        let version = serde_json::from_str::<serde_json::Value>(&text).ok();
        let version = version.and_then(|saved| saved["version"].as_u64());
        if version.is_some_and(|version| version != u64::from(VERSION)) {
            let message = format!("{} was saved by another version of osmt-bootstrap", shown(path));
            return Err(Failure::new(Exit::Usage, message).help(help));
        }
        serde_json::from_str(&text).map_err(|error| {
            let message = format!("{} is not a saved plan: {error}", shown(path));
            Failure::new(Exit::Usage, message).help(help)
        })
    }

    /// Refuses a plan for another target or selection, and a plan whose resources have changed since.
    pub(super) fn refuse_if_outdated(
        &self,
        ready: &Ready,
        seen: Seen,
        plan: &Plan<Step>,
    ) -> Result<(), Failure> {
        let seen = without_lock(seen);
        let what = if self.target != ready.target || self.selection != ready.selection {
            "it was made for other components, names, or another account"
        } else if self.seen.bucket != seen.bucket {
            "the state bucket has changed since"
        } else if self.seen.table != seen.table {
            "the lock table has changed since"
        } else if self.seen.admin != seen.admin {
            "the admin role or its policies have changed since"
        } else if self.seen.ci != seen.ci {
            "the CI system's roles or their policies have changed since"
        } else if self.seen.account != seen.account {
            "the account's own settings have changed since"
        } else if self.actions != plan.lines() {
            "this version computes another plan"
        } else {
            return Ok(());
        };
        Err(Failure::new(Exit::Refused, format!("the saved plan is out of date: {what}"))
            .help("make a new one with `osmt-bootstrap plan --out FILE`"))
    }
}

/// Refuses to overwrite a file that is not a saved plan.
pub(super) fn refuse_other_file(path: &Path) -> Result<(), Failure> {
    let is_plan = |text: String| serde_json::from_str::<SavedPlan>(&text).is_ok();
    // A pipe or a device has no content, and reading it could block forever.
    if !path.is_file() || files::read_text(path).is_ok_and(is_plan) {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, format!("{} exists and is not a saved plan", shown(path)))
        .help("give `--out` another name"))
}

/// Removes the lock, which each run of Terraform changes: a plan does not depend on it.
pub(super) fn without_lock(mut seen: Seen) -> Seen {
    if let Some(table) = &mut seen.table {
        table.lock = None;
    }
    seen
}
