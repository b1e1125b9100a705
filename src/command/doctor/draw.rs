//! `osmt-doctor draw`: draw the stack, and the changes of a plan.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{output, plan};
use crate::command::{Context, Ui, block_on};
use crate::config::Config;
use crate::doctor::draw::draw;
use crate::doctor::planned::Planned;
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::report::{Format, STDIN, VERSION};

/// Draw the stack of the config as an SVG; with a plan, mark what it creates, changes, replaces and destroys.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-doctor draw -o stack.svg                         the stack of the config\n  \
    osmt-doctor draw --plan osmt.tfplan -o change.svg     the same, with the changes of a plan")]
pub(super) struct Draw {
    /// A saved plan, or the JSON of `terraform show -json FILE`; `-` reads it from stdin.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The file to write; `-` is stdout.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

impl Draw {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let (shared, ui) = (&cx.shared, &cx.ui);
        let to_stdout = self.output == Path::new(STDIN);
        if to_stdout && ui.format == Format::Json {
            return Err(Failure::new(Exit::Usage, "`draw` writes the picture to stdout, not JSON")
                .help("name a file with `--output`, or leave `--format json` out"));
        }
        let (config, planned) = match &self.plan {
            None => (shared.load_config()?.1, None),
            Some(file) => {
                let document = plan::read(file, cx)?;
                let planned = Planned::new(document, plan::config(cx))
                    .map_err(|error| Failure::from(error).about(&shown(file)))?;
                (subject(&planned, ui)?, Some(planned))
            }
        };
        let picture = draw(&config, planned.as_ref());
        if to_stdout {
            ui.write(|out| out.write_all(picture.as_bytes()))?;
            return Ok(Exit::Done);
        }
        block_on(ui, async {
            let exit = output::save(&self.output, &picture, "an SVG", is_svg, ui).await?;
            let (status, word) = output::words(exit);
            let shown = files::shown(&self.output);
            ui.result(format_args!("{word} {shown}"))?;
            ui.json(&report(status, &self.output, ui))?;
            Ok(exit)
        })
    }
}

/// The config that a plan was made from; if the plan does not contain it, the config of `--config`.
fn subject(plan: &Planned, ui: &Ui) -> Result<Config, Failure> {
    if plan.is_of_another_config() {
        ui.warn("the config was changed after the plan was made; the picture shows the plan's");
    }
    plan.made_from
        .as_ref()
        .or(plan.config.as_ref())
        .cloned()
        .ok_or_else(|| Failure::new(Exit::Usage, plan::NO_CONFIG).help("give the config with `--config`"))
}

fn report(status: &str, path: &Path, ui: &Ui) -> serde_json::Value {
    let file = path.to_string_lossy().into_owned();
    serde_json::json!({ "version": VERSION, "tool": ui.tool, "status": status, "file": file })
}

/// Whether a file is an SVG: XML whose root element is `svg`.
fn is_svg(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    roxmltree::Document::parse(text.trim_start_matches('\u{feff}'))
        .is_ok_and(|document| document.root_element().tag_name().name() == "svg")
}
