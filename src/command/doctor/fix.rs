//! `osmt-doctor fix`: correct findings that have exactly one correction.

use std::path::PathBuf;

use clap::Args;
use similar::TextDiff;

use super::inputs;
use crate::command::{Context, Ui, block_on, carry_out};
use crate::doctor::fix::Corrected;
use crate::doctor::{CheckOptions, fix};
use crate::explain::{Exit, Failure, count, shown};
use crate::files;
use crate::plan::{Action, Line, Plan, Verb};

/// Correct findings that have exactly one correction: show a diff, ask, write.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-doctor fix --dry-run\n  osmt-doctor fix")]
pub(super) struct Fix {
    /// The configs [default: --config].
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A file with its corrected text.
struct Write {
    path: PathBuf,
    /// The text that was checked and shown.
    before: String,
    corrected: Corrected,
}

impl Action for Write {
    fn line(&self) -> Line {
        let mut line = Line::new(Verb::Update, shown(&self.path));
        line.to = Some(count(self.corrected.done.len(), "correction"));
        line
    }
}

impl Fix {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let (shared, ui) = (&cx.shared, &cx.ui);
        let mut paths = inputs::expand(&self.files)?;
        if paths.is_empty() {
            paths.push(shared.config_path());
        }
        let options = CheckOptions { loopback: shared.is_local(), policies: &[] };
        let mut plan = Plan::default();
        for path in paths {
            let text = files::read_text(&path)?;
            let corrected = fix::correct(&text, options);
            if corrected.text != text {
                show(&shown(&path), &text, &corrected, ui)?;
                plan.actions.push(Write { path, before: text, corrected });
            }
        }
        let question = "Write this?";
        block_on(ui, async {
            carry_out(ui, &plan, question, async |write: &Write| {
                ui.rewrite(&write.path, Some(&write.before), &write.corrected.text).await
            })
            .await
        })
    }
}

/// Prints the diff and the reasons: to stdout for people, to stderr if stdout is JSON.
fn show(file: &str, text: &str, corrected: &Corrected, ui: &Ui) -> Result<(), Failure> {
    let reasons =
        corrected.done.iter().map(|done| format!("{} {}: {}\n", done.code, done.pointer, done.help));
    let shown = diff(file, text, corrected) + &reasons.collect::<String>();
    if ui.is_human() {
        ui.write(|out| out.write_all(shown.as_bytes()))
    } else {
        ui.say(shown.trim_end());
        Ok(())
    }
}

/// The lines that change, with possible secrets masked; empty if it is not known what may be a secret.
fn diff(file: &str, text: &str, corrected: &Corrected) -> String {
    let Some(secrets) = &corrected.secrets else {
        return String::new();
    };
    let hidden =
        |text: &str| secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"));
    let (before, after) = (hidden(text), hidden(&corrected.text));
    TextDiff::from_lines(before.as_str(), after.as_str())
        .unified_diff()
        .context_radius(1)
        .header(file, file)
        .to_string()
}
