//! The live part of `osmt-doctor check`: facts from AWS, or from a facts file.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::account::{Facts, observe};
use crate::aws::Session;
use crate::command::{Context, block_on, environment};
use crate::config::Config;
use crate::deployment::{StateBackend, operations};
use crate::doctor::Audited;
use crate::doctor::planned::input;
use crate::doctor::policy::Policy;
use crate::doctor::rules::account::Audit;
use crate::document::Document;
use crate::explain::{Exit, Failure, shown};
use crate::finding::Findings;
use crate::report::FileReport;
use crate::secrets::catalog;
use crate::web::Web;
use crate::{aws, doctor, files};

/// The maximum size of a facts file.
const MAX_BYTES: u64 = 16 << 20;

/// The format of facts files.
const VERSION: u32 = 1;

/// The source of facts, if any.
#[derive(Args, Clone, Debug)]
pub(super) struct Live {
    /// Also check the account: state, secrets, certificate, hosted zone and more. It only reads.
    #[arg(long, conflicts_with_all = ["offline", "facts"])]
    live: bool,
    /// Check recorded facts instead of calling AWS.
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
}

impl Live {
    pub(super) fn is_wanted(&self) -> bool {
        self.live || self.facts.is_some()
    }

    /// Checks the account and adds the findings to those of the config. Findings of policies in a facts file are returned.
    pub(super) fn judge(
        &self,
        document: Option<&Document>,
        findings: &mut Findings,
        policies: &[Policy],
        cx: &Context,
    ) -> Result<Option<Recording>, Failure> {
        let config = document.and_then(|document| Config::from_document(document).ok());
        let Some(config) = config else {
            findings
                .unknown
                .extend(doctor::unknown_without_facts(policies, "the config must be corrected first"));
            return Ok(None);
        };
        let backend = cx.shared.backend(&config)?;
        let (facts, recording) = match &self.facts {
            Some(path) => {
                let (facts, document) = read_facts_file(path)?;
                (facts, Some((path.to_string_lossy().into_owned(), document)))
            }
            None => (read_account(&config, &backend, cx)?, None),
        };
        let audit = Audit {
            facts,
            config,
            lock_table: backend.lock.table().is_some(),
            region_in_names: region_in_names(&cx.shared.dir)?,
            now: jiff::Timestamp::now(),
        };
        let Audited { config, facts } = doctor::audit(&audit, policies);
        findings.add(config);
        let Some((file, document)) = recording else {
            findings.add(with_place_in_message(facts));
            return Ok(None);
        };
        Ok(Some(Recording { file, document, findings: facts }))
    }
}

/// A facts file, and the findings of policies in it.
pub(super) struct Recording {
    file: String,
    document: Document,
    findings: Findings,
}

impl Recording {
    /// The findings, with the path of the file.
    pub(super) fn findings(&mut self) -> (&str, &mut Findings) {
        (&self.file, &mut self.findings)
    }

    pub(super) fn report(&self) -> FileReport<'_> {
        FileReport {
            file: &self.file,
            text: self.document.text(),
            document: Some(&self.document),
            findings: &self.findings,
        }
    }
}

/// `region_in_names` of `operations.tf`, or the module's default if there is no such file.
fn region_in_names(dir: &Path) -> Result<Option<bool>, Failure> {
    match files::read_text(&dir.join(operations::FILE)) {
        Ok(text) => Ok(operations::region_in_names(&text)),
        Err(files::Error::Missing(_)) => Ok(Some(false)),
        Err(error) => Err(error.into()),
    }
}

/// Facts from AWS are not in a file: the place of a finding becomes part of its message.
fn with_place_in_message(mut facts: Findings) -> Findings {
    for finding in &mut facts.findings {
        let place = finding.at.take().map_or_else(String::new, |at| at.pointer);
        finding.message = format!("{} ({place})", finding.message);
        finding.stable = Some(place);
    }
    facts
}

/// Reads the facts from AWS; another account is refused.
pub(super) fn read_account(config: &Config, backend: &StateBackend, cx: &Context) -> Result<Facts, Failure> {
    let web = Web::new(aws::http_client(&environment::variables())?);
    block_on(&cx.ui, async {
        let read = async |session: &Session| {
            Box::pin(observe::facts(session, &web, config, backend, &catalog::REMOTES)).await
        };
        let (_, facts) = cx.shared.sign_in_and(config, &cx.ui, "reading the account", read).await?;
        Ok(Facts { recorded: Some(jiff::Timestamp::now().to_string()), ..facts })
    })
}

/// Reads a file that `osmt-doctor facts` recorded.
fn read_facts_file(path: &Path) -> Result<(Facts, Document), Failure> {
    let text = input::decode(&files::read_at_most(path, MAX_BYTES)?);
    let help = "`osmt-doctor facts > FILE` records them";
    let not_facts = |error: String| {
        Failure::new(Exit::Usage, format!("{} is not a facts file: {error}", shown(path))).help(help)
    };
    let document =
        Document::parse(text.trim_start_matches('\u{feff}')).map_err(|error| not_facts(error.to_string()))?;
    let facts: Facts = serde_json::from_str(document.text()).map_err(|error| not_facts(error.to_string()))?;
    if facts.version != VERSION {
        let message = format!(
            "{} has facts of format {}; only format {VERSION} is supported",
            shown(path),
            facts.version
        );
        return Err(Failure::new(Exit::Usage, message).help(help));
    }
    Ok((facts, document))
}
