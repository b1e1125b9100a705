//! `osmt-doctor fix`: show what has one right answer as a diff, ask, look again, write.

use std::path::PathBuf;

use clap::Args;
use similar::TextDiff;

use super::inputs;
use crate::command::{Context, Ui, block_on, carry_out};
use crate::doctor::fix::Corrected;
use crate::doctor::{CheckOptions, fix};
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::plan::{Action, Line, Plan, Verb};

/// Correct what has exactly one right answer: shown as a diff, written after a yes.
#[derive(Args, Clone, Debug)]
pub(super) struct Fix {
    /// The configs [default: --config].
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// One file with its new text.
struct Write {
    path: PathBuf,
    /// The text that was judged and shown.
    before: String,
    corrected: Corrected,
}

impl Action for Write {
    fn line(&self) -> Line {
        let corrections = self.corrected.done.len();
        let mut line = Line::new(Verb::Update, shown(&self.path));
        line.to =
            Some(format!("{corrections} {}", if corrections == 1 { "correction" } else { "corrections" }));
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

/// The diff and its reasons: on stdout for people, on stderr where stdout carries JSON.
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

/// The lines that change, without what may be a secret; none where that is not known.
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
