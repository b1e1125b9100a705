//! The live part of `osmt-doctor check`, and `osmt-doctor facts`: facts from AWS or from a file.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::account::{Facts, observe};
use crate::bootstrap::Target;
use crate::command::{Common, Ui, block_on};
use crate::config::Config;
use crate::doctor::policy;
use crate::doctor::policy::{On, Policy};
use crate::doctor::rules::account::{Audit, THEMES};
use crate::document::Document;
use crate::explain::{Exit, Failure};
use crate::files;
use crate::finding::{Findings, Unknown};
use crate::secrets::catalog;

/// The form of facts that is understood.
const VERSION: u32 = 1;

/// Whether facts are judged too, and where they come from.
#[derive(Args, Clone, Debug)]
pub(super) struct Live {
    /// Ask AWS too: account, state, secrets, certificate, hosted zone. Reads only.
    #[arg(long, conflicts_with_all = ["offline", "facts"])]
    live: bool,
    /// Judge recorded facts instead of asking AWS.
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
}

/// Record what AWS tells of the account, as JSON, for `check --facts`; no secret's value is read.
#[derive(Args, Clone, Debug)]
pub(super) struct Record {}

impl Live {
    /// Whether anything is asked.
    pub(super) fn is_asked(&self) -> bool {
        self.live || self.facts.is_some()
    }

    /// Judges the account by a config's facts and adds what is found.
    pub(super) fn judge(
        &self,
        document: Option<&Document>,
        findings: &mut Findings,
        policies: &[Policy],
        common: &Common,
        ui: &Ui,
    ) -> Result<(), Failure> {
        let config = document.and_then(|document| Config::from_document(document).ok());
        let Some(config) = config else {
            let unknown = THEMES.iter().copied().flatten().map(|check| Unknown {
                code: check.rule.code.to_owned(),
                reason: "the config must be mended first".to_owned(),
            });
            findings.unknown.extend(unknown);
            return Ok(());
        };
        let backend = common.backend(&config)?;
        let target = Target::new(&config, backend);
        let facts = match &self.facts {
            Some(path) => recorded(path)?,
            None => observed(&config, &target, common, ui)?,
        };
        // The facts are no file that the user sees: a breach names its place in words.
        let account = serde_json::to_value(&facts).unwrap_or_default();
        for mut finding in policy::judge(policies, On::Account, &account, "") {
            let place = finding.at.take().map_or_else(String::new, |at| at.pointer);
            finding.message = format!("{} ({place})", finding.message);
            findings.findings.push(finding);
        }
        let audit = Audit { facts, config, lock_table: target.table.is_some(), now: jiff::Timestamp::now() };
        for theme in THEMES {
            findings.run(theme, &audit);
        }
        Ok(())
    }
}

impl Record {
    /// Prints the facts.
    pub(super) fn run(common: &Common, ui: &Ui) -> Result<Exit, Failure> {
        let (_, config) = common.load_config()?;
        let target = Target::new(&config, common.backend(&config)?);
        let facts = observed(&config, &target, common, ui)?;
        let text = serde_json::to_string_pretty(&facts)
            .map_err(|error| Failure::new(Exit::Failed, format!("could not write JSON: {error}")))?;
        ui.write(|out| writeln!(out, "{text}"))?;
        Ok(Exit::Done)
    }
}

/// Asks AWS; another account is refused.
fn observed(config: &Config, target: &Target, common: &Common, ui: &Ui) -> Result<Facts, Failure> {
    let mut names = observe::names(config, &catalog::remotes());
    names.bucket.clone_from(&target.bucket);
    names.state_key.clone_from(&target.state_key);
    if let Some(table) = &target.table {
        names.table.clone_from(table);
    }
    block_on(ui, async {
        let session = common.sign_in(config, ui).await?;
        let reading = Box::pin(observe::facts(&session, &names));
        Ok(ui.during("reading the account", reading).await)
    })
}

/// Reads what `facts` recorded.
fn recorded(path: &Path) -> Result<Facts, Failure> {
    let text = files::read_text(path)?;
    let help = "`osmt-doctor facts > FILE` records them";
    let facts: Facts = serde_json::from_str(&text).map_err(|error| {
        Failure::new(Exit::Usage, format!("{}: these are no facts: {error}", path.display())).help(help)
    })?;
    if facts.version != VERSION {
        let message =
            format!("{}: facts of form {}; form {VERSION} is understood", path.display(), facts.version);
        return Err(Failure::new(Exit::Usage, message).help(help));
    }
    Ok(facts)
}
