//! `osmt-doctor plan`: read a Terraform plan, judge it, report.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::beside::Beside;
use super::verdict::{Verdict, report};
use crate::child;
use crate::command::{Common, Ui};
use crate::config::Config;
use crate::doctor::planned::Planned;
use crate::doctor::policy;
use crate::doctor::policy::On;
use crate::doctor::rules::plan::THEMES;
use crate::explain::{Exit, Failure};
use crate::files;
use crate::finding::Findings;
use crate::report::FileReport;

/// How long `terraform show` may take; it starts the providers of the working directory.
const SHOW: Duration = Duration::from_secs(300);

/// What a saved plan begins with: it is a zip file.
const ZIP: &[u8] = b"PK\x03\x04";

/// Check a Terraform plan: what it destroys, opens, tells or fails to deploy.
#[derive(Args, Clone, Debug)]
pub(super) struct Plan {
    /// What `terraform plan -out=FILE` saved, or the JSON of `terraform show -json FILE`; `-` reads that from stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    beside: Beside,
    #[command(flatten)]
    verdict: Verdict,
}

impl Plan {
    pub(super) fn run(self, common: &Common, ui: &Ui) -> Result<Exit, Failure> {
        let document = read(&self.file, common, ui)?;
        let name = self.file.display().to_string();
        let policies = self.beside.policies(common)?;
        let broken = policy::judge(&policies, On::Plan, &document, "");
        let plan = Planned::new(document, config(common, ui)).map_err(|error| {
            let mut failure = Failure::from(error);
            failure.message = format!("{name}: {}", failure.message);
            failure
        })?;
        let mut findings = Findings::default();
        for theme in THEMES {
            findings.run(theme, &plan);
        }
        findings.findings.extend(broken);
        // Without a text: places in a plan's JSON say nothing to a person, and it may hold secrets.
        let report_of_plan = FileReport { file: &name, text: "", document: None, findings: &findings };
        report(ui, &[report_of_plan])?;
        Ok(self.verdict.exit(&[report_of_plan]))
    }
}

/// The plan's JSON.
fn read(path: &Path, common: &Common, ui: &Ui) -> Result<Value, Failure> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        read.map_err(|error| Failure::new(Exit::Usage, format!("could not read stdin: {error}")))?;
        bytes
    } else {
        plan_file(path)?
    };
    let json = if bytes.starts_with(ZIP) { show(path, common, ui)? } else { bytes };
    serde_json::from_slice(&json).map_err(|error| {
        Failure::new(Exit::Usage, format!("{}: neither a saved plan nor JSON: {error}", path.display())).help(
            "`terraform plan -out=FILE` saves a plan; give FILE, or what `terraform show -json FILE` prints",
        )
    })
}

fn plan_file(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read(path).map_err(|error| match error {
        files::Error::Missing(_) => Failure::from(error).help(
            "`terraform plan -out=FILE` saves a plan; FILE is relative to where you are, not to `--dir`",
        ),
        other => other.into(),
    })
}

/// Lets Terraform turn a saved plan into JSON; it wants the providers of the working directory.
fn show(path: &Path, common: &Common, ui: &Ui) -> Result<Vec<u8>, Failure> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    ui.detail(format_args!("terraform show -json {} (in {})", absolute.display(), common.dir.display()));
    if !common.dir.is_dir() {
        return Err(Failure::new(Exit::Usage, format!("{} is no directory", common.dir.display()))
            .help("name the Terraform working directory with `--dir`"));
    }
    #[expect(clippy::disallowed_methods, reason = "this is `command`, which starts programs")]
    let mut terraform = std::process::Command::new("terraform");
    terraform
        .args(["show", "-json", "-no-color"])
        .arg(&absolute)
        .current_dir(&common.dir)
        .env("TF_IN_AUTOMATION", "1")
        .env("TF_INPUT", "0");
    // Logs and arguments of other runs are not part of this one.
    for name in ["TF_LOG", "TF_LOG_CORE", "TF_LOG_PROVIDER", "TF_CLI_ARGS", "TF_CLI_ARGS_show"] {
        terraform.env_remove(name);
    }
    let output = child::run(&mut terraform, &[], Some(SHOW)).map_err(|error| {
        let exit = if matches!(error, child::Error::Interrupted) { Exit::Interrupted } else { Exit::Failed };
        let what = if error.is_missing() {
            "could not find `terraform`, which a saved plan needs".to_owned()
        } else {
            format!("could not run `terraform show`: {error}")
        };
        Failure::new(exit, what).help("install Terraform, or give the JSON of `terraform show -json FILE`")
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let mut failure = Failure::new(
        Exit::Failed,
        format!("terraform could not show {}", path.display()),
    )
    .help("the plan must have been made in `--dir`, after `terraform init`, by the same version of Terraform");
    let told = String::from_utf8_lossy(&output.stderr);
    failure.causes = told
        .lines()
        .map(|line| line.trim_matches(['│', '╷', '╵', ' ']))
        .filter(|line| !line.is_empty())
        .map(|line| line.trim_start_matches("Error: ").to_owned())
        .take(4)
        .collect();
    Err(failure)
}

/// The config beside the plan; the plan is judged without, where there is none.
fn config(common: &Common, ui: &Ui) -> Option<Config> {
    if !common.config_path().exists() {
        ui.detail("there is no config beside the plan; it is judged by its own values");
        return None;
    }
    match common.load_config() {
        Ok((_, config)) => Some(config),
        Err(failure) => {
            ui.warn(format_args!("{}; the plan is judged by its own values", failure.message));
            None
        }
    }
}
