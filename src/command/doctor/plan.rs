//! `osmt-doctor plan`: check a Terraform plan.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::organisation::PolicyFlags;
use super::verdict::{Verdict, report};
use super::{change, organisation, output};
use crate::command::terraform::{Terraform, VARIABLE};
use crate::command::{Context, block_on};
use crate::config::Config;
use crate::doctor::draw::draw;
use crate::doctor::planned::{Planned, input};
use crate::explain::{Exit, Failure, count, shown};
use crate::report::page::Page;
use crate::report::{FileReport, Format, STDIN, markdown, page};
use crate::{child, doctor, files};

/// The timeout of `terraform show`, which starts the providers of the working directory.
const SHOW_TIMEOUT: Duration = Duration::from_secs(300);

/// The first bytes of a saved plan, which is a zip file.
const ZIP: &[u8] = b"PK\x03\x04";

/// The maximum size of a plan, more than any OSMT deployment has.
const MAX_BYTES: u64 = 256 << 20;

/// Why there is no picture of a plan.
pub(super) const NO_CONFIG: &str =
    "the plan does not contain the config that it was made from, and there is no config in `--dir`";

/// Check a Terraform plan: what it destroys, opens to the Internet, discloses or fails to deploy.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-doctor plan osmt.tfplan                              check a saved plan\n  \
    osmt-doctor plan osmt.tfplan --report change.html         also write a page for reviewers\n  \
    osmt-doctor plan osmt.tfplan --format markdown            for a comment on a pull request")]
pub(super) struct Plan {
    /// A plan that `terraform plan -out=FILE` saved, or the JSON of `terraform show -json FILE`; `-` reads it from stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also write a page for reviewers: one HTML file with changes, findings and picture.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    policy_flags: PolicyFlags,
    #[command(flatten)]
    verdict: Verdict,
}

impl Plan {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        if self.report.as_deref() == Some(Path::new(STDIN)) {
            let message = "`--report` needs the name of a file, because the findings are printed to stdout";
            return Err(Failure::new(Exit::Usage, message));
        }
        let (shared, ui) = (&cx.shared, &cx.ui);
        let document = read(&self.file, cx)?;
        let name = self.file.to_string_lossy().into_owned();
        let policies = self.policy_flags.policies(shared)?;
        let settings = organisation::settings(shared, &policies)?;
        let ignores = organisation::ignores(shared)?;
        let planned =
            Planned::new(document, config(cx)).map_err(|error| Failure::from(error).about(&name))?;
        let mut findings = doctor::review_plan(&planned, &policies);
        settings.apply(&mut findings);
        let own = ignores
            .as_ref()
            .map(|(_, ignores)| organisation::accept(ignores, &policies, std::iter::once(&mut findings)));
        // Without the text: a position in a plan's JSON does not help a person, and the JSON may contain secrets.
        let mut reports = vec![FileReport { file: &name, text: "", document: None, findings: &findings }];
        reports.extend(organisation::report_of(ignores.as_ref(), own.as_ref()));
        let is_markdown = ui.format == Format::Markdown;
        let changes = (is_markdown || self.report.is_some()).then(|| change::changes_of(&planned, &name, cx));
        if let Some(changes) = changes.as_ref().filter(|_| is_markdown) {
            ui.write(|out| markdown::changes(changes, out))?;
        }
        report(cx, "plan", &reports)?;
        let verdict = self.verdict.exit(&reports);
        let (Some(path), Some(changes)) = (&self.report, &changes) else {
            return Ok(verdict);
        };
        let drawing = planned.made_from.as_ref().or(planned.config.as_ref());
        let drawing = drawing.map(|config| draw(config, Some(&planned)));
        let drawing = drawing.as_deref().ok_or(NO_CONFIG);
        let page = page::write(&Page { changes, reports: &reports, rules: &doctor::all_rules(), drawing });
        let is_page = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(page::is_page);
        let saved = block_on(ui, output::save(path, &page, "a report of osmt-doctor", is_page, ui))?;
        ui.say(format_args!("{} {}", output::words(saved).1, files::shown(path)));
        Ok(if verdict == Exit::Done { saved } else { verdict })
    }
}

/// The plan's JSON.
pub(super) fn read(path: &Path, cx: &Context) -> Result<Value, Failure> {
    let is_stdin = path == Path::new(STDIN);
    let bytes = if is_stdin { from_stdin()? } else { plan_file(path)? };
    let name = if is_stdin { "stdin".to_owned() } else { path.to_string_lossy().into_owned() };
    let (json, from) = if !bytes.starts_with(ZIP) {
        (bytes, name)
    } else if is_stdin {
        let file = to_temporary_file(&bytes)?;
        (show(file.path(), cx)?, "the output of `terraform show`".to_owned())
    } else {
        (show(path, cx)?, "the output of `terraform show`".to_owned())
    };
    let input = input::read(&json).map_err(|error| Failure::from(error).about(&from))?;
    if input.surplus > 0 {
        cx.ui.warn(format_args!(
            "{from}: ignored {} that a wrapper printed around the plan (set `terraform_wrapper: false` for setup-terraform)",
            count(input.surplus, "line")
        ));
    }
    Ok(input.document)
}

fn from_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(Exit::Usage, format!("could not read stdin: {error}")))?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("stdin has more than {} MiB, which is too large for a plan", MAX_BYTES >> 20);
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(bytes)
}

/// Writes a saved plan from stdin to a temporary file for Terraform, which only this user can read.
fn to_temporary_file(bytes: &[u8]) -> Result<tempfile::NamedTempFile, Failure> {
    let write = || {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        Ok(file)
    };
    write().map_err(|error: std::io::Error| {
        Failure::new(Exit::Failed, format!("could not save the plan for Terraform: {error}"))
    })
}

fn plan_file(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read_at_most(path, MAX_BYTES).map_err(|error| match error {
        files::Error::Missing(_) => Failure::from(error).help(
            "`terraform plan -out=FILE` saves a plan; FILE is relative to the current directory, not to `--dir`",
        ),
        other => other.into(),
    })
}

/// Runs `terraform show`, which needs the providers of the working directory.
fn show(path: &Path, cx: &Context) -> Result<Vec<u8>, Failure> {
    let dir = &cx.shared.dir;
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let terraform = cx.ui.terraform();
    let program = terraform.name();
    cx.ui.detail(format_args!("{program} show -json {} (in {})", shown(&absolute), shown(dir)));
    if !dir.is_dir() {
        return Err(Failure::new(Exit::Usage, format!("{} is not a directory", shown(dir)))
            .help("give the Terraform working directory with `--dir`"));
    }
    let output = child::run(&mut show_command(terraform, &absolute, dir), &[], Some(SHOW_TIMEOUT)).map_err(|error| {
        let exit = if matches!(error, child::Error::Interrupted) { Exit::Interrupted } else { Exit::Failed };
        let (what, help) = match (error.is_missing(), terraform.is_named()) {
            (true, true) => (
                format!("could not find {program}, which {VARIABLE} names; a saved plan needs it"),
                "set OSMT_TERRAFORM to the program of Terraform or OpenTofu, or unset it; or give the JSON of `terraform show -json FILE`",
            ),
            (true, false) => (
                "could not find `terraform` or `tofu`; a saved plan needs one of them".to_owned(),
                "install Terraform or OpenTofu, or give the JSON of `terraform show -json FILE`",
            ),
            (false, true) => (
                format!("could not run {program}, which {VARIABLE} names: {error}"),
                "it must be the program of Terraform or OpenTofu; or give the JSON of `terraform show -json FILE`",
            ),
            (false, false) => (
                format!("could not run `{program} show`: {error}"),
                "install Terraform or OpenTofu, or give the JSON of `terraform show -json FILE`",
            ),
        };
        Failure::new(exit, what).help(help)
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let mut failure = Failure::new(Exit::Failed, format!("{program} could not show {}", shown(path))).help(
        "the plan must have been made in `--dir`, after `terraform init`, by the same program and version",
    );
    let printed = String::from_utf8_lossy(&output.stderr);
    failure.causes = printed
        .lines()
        .map(|line| line.trim_matches(['│', '╷', '╵', ' ']))
        .filter(|line| !line.is_empty())
        .map(|line| line.trim_start_matches("Error: ").to_owned())
        .take(4)
        .collect();
    Err(failure)
}

/// The command that prints a saved plan as JSON. Variables that add logs or arguments are removed.
fn show_command(terraform: &Terraform, plan: &Path, folder: &Path) -> std::process::Command {
    let mut command = terraform.command();
    command.args(["show", "-json", "-no-color"]).arg(plan).current_dir(folder);
    command.env("TF_IN_AUTOMATION", "1").env("TF_INPUT", "0");
    for name in ["TF_LOG", "TF_LOG_CORE", "TF_LOG_PROVIDER", "TF_CLI_ARGS", "TF_CLI_ARGS_show"] {
        command.env_remove(name);
    }
    command
}

/// The config of `--config`; `None` if there is none, or it is not valid.
pub(super) fn config(cx: &Context) -> Option<Config> {
    if !cx.shared.config_path().exists() {
        cx.ui.detail("no config found: only the values in the plan are used");
        return None;
    }
    match cx.shared.load_config() {
        Ok((_, config)) => Some(config),
        Err(failure) => {
            cx.ui.warn(format_args!("{}; only the values in the plan are used", failure.message));
            None
        }
    }
}
