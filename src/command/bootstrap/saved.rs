//! A plan in a file: `plan --out FILE` writes it, `apply FILE` reads it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ready::Ready;
use crate::bootstrap::parts::Parts;
use crate::bootstrap::{Seen, Step, Target};
use crate::command::Ui;
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::plan::{Line, Plan};
use crate::report::VERSION;

/// For whom a plan was made, what was seen, and what follows from it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    version: u32,
    tool: String,
    target: Target,
    pub(super) parts: Parts,
    seen: Seen,
    actions: Vec<Line>,
}

impl Saved {
    pub(super) fn new(ui: &Ui, ready: &Ready, seen: Seen, plan: &Plan<Step>) -> Self {
        Self {
            version: VERSION,
            tool: ui.tool.clone(),
            target: ready.target.clone(),
            parts: ready.parts.clone(),
            seen: without_lock(seen),
            actions: plan.lines(),
        }
    }

    pub(super) fn write(&self, ui: &Ui, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::new(Exit::Failed, format!("could not write JSON: {error}")))?;
        files::write(path, format!("{text}\n").as_bytes())?;
        ui.say(format_args!("saved; `osmt-bootstrap apply {}` carries it out", shown(path)));
        Ok(())
    }

    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let help = "`osmt-bootstrap plan --out FILE` saves one";
        let text = files::read_text(path).map_err(|error| Failure::from(error).help(help))?;
        let version = serde_json::from_str::<serde_json::Value>(&text).ok();
        let version = version.and_then(|saved| saved["version"].as_u64());
        if version.is_some_and(|version| version != u64::from(VERSION)) {
            let message = format!("{} is a saved plan of another version of osmt-bootstrap", shown(path));
            return Err(Failure::new(Exit::Usage, message).help(help));
        }
        serde_json::from_str(&text).map_err(|error| {
            let message = format!("{} is not a saved plan: {error}", shown(path));
            Failure::new(Exit::Usage, message).help(help)
        })
    }

    /// Refuses a plan that was made for something else, or of something that has changed since.
    pub(super) fn is_current(&self, ready: &Ready, seen: Seen, plan: &Plan<Step>) -> Result<(), Failure> {
        let seen = without_lock(seen);
        let what = if self.target != ready.target || self.parts != ready.parts {
            "it was made for other names, or for another account"
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
            "this version plans something else"
        } else {
            return Ok(());
        };
        Err(Failure::new(Exit::Refused, format!("the saved plan is out of date: {what}"))
            .help("make a new one with `osmt-bootstrap plan --out FILE`"))
    }
}

/// A file that is not a saved plan is never overwritten.
pub(super) fn may_write(path: &Path) -> Result<(), Failure> {
    let is_plan = |text: String| serde_json::from_str::<Saved>(&text).is_ok();
    // A pipe or a device holds nothing, and reading it could wait for ever.
    if !path.is_file() || files::read_text(path).is_ok_and(is_plan) {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, format!("{} exists and is not a saved plan", shown(path)))
        .help("give `--out` another name"))
}

/// A lock comes and goes with each run of Terraform: no part of what a plan was made of.
pub(super) fn without_lock(mut seen: Seen) -> Seen {
    if let Some(table) = &mut seen.table {
        table.lock = None;
    }
    seen
}
