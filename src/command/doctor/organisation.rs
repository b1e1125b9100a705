//! The organisation's files next to its configs: policies, settings, ignores, an earlier report.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::SharedArgs;
use crate::doctor::ignore::Ignores;
use crate::doctor::policy::Policy;
use crate::doctor::settings::{Baseline, Settings};
use crate::doctor::{ignore, policy, settings};
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::finding::Findings;
use crate::report::FileReport;

/// The organisation's own policies.
#[derive(Args, Clone, Debug)]
pub(super) struct PolicyFlags {
    /// A policy file, or a folder of them; DIR/policies is always read.
    #[arg(long, value_name = "FILE-OR-DIR")]
    policy: Vec<PathBuf>,
}

impl PolicyFlags {
    /// The shipped policies, those of `DIR/policies`, and those of `--policy`.
    pub(super) fn policies(&self, shared: &SharedArgs) -> Result<Vec<Policy>, Failure> {
        let folder = shared.dir.join("policies");
        let folder = folder.is_dir().then_some(folder);
        let mut policies = policy::shipped();
        for path in folder.iter().chain(&self.policy) {
            for file in json_files(path)? {
                let text = files::read_text(&file)?;
                let more = policy::read(&text).map_err(|error| Failure::from(error).about(&shown(&file)))?;
                for policy in more {
                    if policies.iter().any(|other| other.code == policy.code) {
                        let message =
                            format!("{}: another policy has the code {}", shown(&file), policy.code);
                        return Err(
                            Failure::new(Exit::Usage, message).help("give each policy a code of its own")
                        );
                    }
                    policies.push(policy);
                }
            }
        }
        Ok(policies)
    }
}

/// The settings of `DIR/doctor.toml`; the defaults if there is no such file.
pub(super) fn settings(shared: &SharedArgs, policies: &[Policy]) -> Result<Settings, Failure> {
    let path = shared.dir.join("doctor.toml");
    if !path.exists() {
        return Ok(Settings::default());
    }
    let text = files::read_text(&path)?;
    settings::read(&text, policies).map_err(|error| Failure::from(error).about(&shown(&path)))
}

/// The findings of an earlier run.
pub(super) fn baseline(path: &Path) -> Result<Baseline, Failure> {
    let text = files::read_text(path)?;
    settings::baseline(&text).map_err(|reason| {
        let message = format!("{} is not a report of osmt-doctor: {reason}", shown(path));
        Failure::new(Exit::Usage, message).help("`osmt-doctor check --format json > FILE` records one")
    })
}

/// The ignores of `DIR/doctor.ignore.json`, with the path.
pub(super) fn ignores(shared: &SharedArgs) -> Result<Option<(String, Ignores)>, Failure> {
    let path = shared.dir.join("doctor.ignore.json");
    if !path.exists() {
        return Ok(None);
    }
    let text = files::read_text(&path)?;
    let ignores = ignore::read(&text, today()).map_err(|error| Failure::from(error).about(&shown(&path)))?;
    Ok(Some((path.to_string_lossy().into_owned(), ignores)))
}

/// Removes the ignored findings; returns the findings about the ignores themselves.
pub(super) fn accept<'a>(
    ignores: &Ignores,
    policies: &[Policy],
    files: impl Iterator<Item = &'a mut Findings>,
) -> Findings {
    let codes: Vec<&str> = policies.iter().map(|policy| policy.code.as_str()).collect();
    ignores.apply(today(), &codes, files)
}

/// The findings about the ignores, as the report of the ignore file.
pub(super) fn report_of<'a>(
    ignores: Option<&'a (String, Ignores)>,
    findings: Option<&'a Findings>,
) -> Option<FileReport<'a>> {
    let (file, ignores) = ignores?;
    let findings = findings.filter(|findings| !findings.findings.is_empty())?;
    Some(FileReport { file, text: ignores.document.text(), document: Some(&ignores.document), findings })
}

fn today() -> jiff::civil::Date {
    jiff::Zoned::now().date()
}

/// The file itself, or the JSON files of a folder, sorted by name.
fn json_files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let error = |error| files::Error::Read(path.to_owned(), error);
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(error)? {
        // A policy that cannot be read must not look like one that is kept.
        found.push(entry.map_err(error)?.path());
    }
    found.retain(|file| file.extension().is_some_and(|end| end == "json"));
    found.sort();
    Ok(found)
}
