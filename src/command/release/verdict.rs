//! What the guards say of a revision, and its way into the config: for `select`, `check` and `rollback`.

use anstyle::{AnsiColor, Style};
use clap::Args;
use clap::builder::PossibleValuesParser;
use similar::TextDiff;

use super::image;
use super::repositories::Repositories;
use super::which::{Which, tag_or_digest};
use crate::account::Known;
use crate::command::{Context, Ui, block_on, carry_out};
use crate::config::Config;
use crate::document::Document;
use crate::explain::{Exit, Failure, shown};
use crate::finding::{Findings, Severity};
use crate::release::database::Database;
use crate::release::record::Record;
use crate::release::{Candidate, Edit, From, Osmt, Request, Wanted, guards, running};
use crate::report::{About, FileReport, Format};
use crate::{release, report};

/// Which revision to judge.
#[derive(Args, Clone, Debug)]
pub(super) struct Judged {
    #[command(flatten)]
    which: Which,
    /// The image's tag or digest, where it is not the version or the commit.
    #[arg(long, value_name = "TAG-OR-DIGEST", value_parser = tag_or_digest)]
    tag: Option<String>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    repositories: Repositories,
}

/// On which terms the guards judge.
#[derive(Args, Clone, Debug)]
pub(super) struct Terms {
    /// The revision whose app migrated the database, or `none` where there is no database yet [default: the config's
    /// selection and all records of the environment since the last restore].
    #[arg(long, value_name = "REV", value_parser = from)]
    from: Option<From>,
    /// Compare with what the database itself has applied: with Flyway's history, as the newest maintenance task printed it
    /// (`osmt-release migrate --step info`).
    #[arg(long, conflicts_with = "from")]
    live: bool,
    /// Continue although this guard refuses; can be given several times.
    #[arg(long, value_name = "CODE", value_parser = PossibleValuesParser::new(guards::acceptable()))]
    accept: Vec<String>,
    /// Refuse also where something could not be checked.
    #[arg(long)]
    strict: bool,
    /// Do not ask the image's registry; what depends on it is then unknown.
    #[arg(long, env = "OSMT_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    offline: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "a value parser")]
fn from(text: &str) -> Result<From, String> {
    Ok(if text == "none" { From::Nothing } else { From::Rev(text.to_owned()) })
}

/// A revision, and what the guards say of it.
pub(super) struct Verdict {
    document: Document,
    config: Config,
    pub(super) candidate: Candidate,
    pub(super) findings: Findings,
    strict: bool,
}

impl Verdict {
    /// Whether an error was found, or with `--strict` anything is unknown.
    pub(super) fn refuses(&self) -> bool {
        self.findings.worst() == Some(Severity::Error) || self.strict && !self.findings.unknown.is_empty()
    }
}

impl Terms {
    /// Judges a revision; writes nothing.
    pub(super) fn judge(
        &self,
        cx: &Context,
        document: Document,
        config: Config,
        osmt: &Osmt,
        wanted: Wanted,
        tag: Option<String>,
    ) -> Result<Verdict, Failure> {
        let request = Request { wanted, tag, from: self.from.clone() };
        let mut candidate = Candidate::observe(osmt, &config, &request)?;
        if !self.offline {
            candidate.image = block_on(&cx.ui, async {
                Ok(image::look(cx, &config, &candidate.docker_tag, &candidate.platform).await)
            })?;
        }
        if self.live {
            let database = block_on(&cx.ui, async {
                let session = cx.shared.sign_in(&config, &cx.ui).await?;
                let look = Database::read(&session, &config.env);
                Ok(cx.ui.during("reading Flyway's history", look).await)
            })?;
            candidate.with_database(osmt, &database)?;
        }
        let mut findings = guards::judge(&candidate, &self.accept);
        let nothing_is_known = self.from.is_none() && !self.live && candidate.record.is_none();
        if nothing_is_known && guards::refuses_by_base(&findings) && self.has_no_database(cx, &config) {
            candidate.without_database();
            findings = guards::judge(&candidate, &self.accept);
        }
        Ok(Verdict { document, config, candidate, findings, strict: self.strict })
    }
}

impl Terms {
    /// Whether AWS says that there is no database yet. Nothing was recorded, so only AWS can know.
    fn has_no_database(&self, cx: &Context, config: &Config) -> bool {
        let ui = &cx.ui;
        let asked = if self.offline {
            Known::Unknown("AWS was not asked".to_owned())
        } else {
            let asking = block_on(ui, async {
                let session = cx.shared.sign_in(config, ui).await?;
                let asking = running::database(&session, &config.env);
                Ok(ui.during("asking whether there is a database", asking).await?.is_some())
            });
            match asking {
                Ok(found) => Known::Known(found),
                Err(failure) => Known::Unknown(failure.message),
            }
        };
        let env = &config.env;
        match asked {
            Known::Known(false) => {
                ui.say(format_args!(
                    "nothing was recorded for {env}, and account {} has no database for it: compared with an empty one \
                     (`--from REV` where it will be restored from a snapshot)",
                    config.account_id
                ));
                true
            }
            Known::Known(true) => false,
            Known::Unknown(reason) => {
                ui.say(format_args!(
                    "nothing was recorded for {env}; if it has no database yet, give `--from none` ({reason})"
                ));
                false
            }
        }
    }
}

impl Judged {
    pub(super) fn judge(&self, cx: &Context) -> Result<Verdict, Failure> {
        // A config that cannot be read is the first thing to report.
        let (document, config) = cx.shared.load_config()?;
        let osmt = self.repositories.osmt()?;
        let (wanted, tag) = match &self.which.promote {
            Some(env) => {
                let record = promoted(&osmt, env, &config)?;
                cx.ui.say(format_args!("{} recorded {}", record.name, record.image));
                let tag = record.tag(&config.ecs.task.app.docker_image).map(str::to_owned);
                (Wanted::Rev(record.commit.clone()), self.tag.clone().or(tag))
            }
            None => (self.which.wanted(), self.tag.clone()),
        };
        self.terms.judge(cx, document, config, &osmt, wanted, tag)
    }
}

/// The newest record of another environment, of the config's image repository.
fn promoted(osmt: &Osmt, env: &str, config: &Config) -> Result<Record, Failure> {
    let repository = &config.ecs.task.app.docker_image;
    let record = osmt.records_of(&format!("{env}/"))?.into_iter().next();
    let record = record.ok_or_else(|| {
        Failure::new(Exit::Refused, format!("nothing was recorded for the environment {env:?}"))
            .help("`osmt-release tag` records a deployment; `git fetch --tags` brings the records of others")
    })?;
    if record.tag(repository).is_none() {
        let message =
            format!("{} is of another image repository than the config's {repository}", record.image);
        return Err(Failure::new(Exit::Refused, message)
            .help("set ecs.task.app.docker_image first, then run it again"));
    }
    Ok(record)
}

/// The safe order: the database is migrated by the new image before the service runs it.
const NEXT: &str = "next: `terraform apply -target=module.osmt.aws_ecs_task_definition.maintenance`, `osmt-release migrate`, \
    `terraform apply`, `osmt-release status`, `osmt-release tag` (docs/release.md, \"The order of a rollout\")";

/// Says what was found, shows the edit, asks, writes; an error among the findings refuses.
pub(super) fn propose(cx: &Context, verdict: &Verdict) -> Result<Exit, Failure> {
    let ui = &cx.ui;
    let Verdict { document, config, candidate, findings, strict: _ } = verdict;
    if !findings.findings.is_empty() || !findings.unknown.is_empty() {
        let printed = printed(cx, verdict, Format::Human)?;
        ui.say(String::from_utf8_lossy(&printed).trim_end());
    }
    if verdict.refuses() {
        if !ui.is_human() {
            // The findings are what a program wants to know of a refusal.
            let printed = printed(cx, verdict, ui.format)?;
            ui.report(|out| out.write_all(&printed))?;
        }
        return Err(refused(findings, &candidate.label));
    }
    if let Known::Known(Some(image)) = &candidate.image {
        let name = release::image(&candidate.docker_image, &candidate.docker_tag);
        ui.say(format_args!("{name} is {}", image.digest));
    }
    let file = cx.shared.config_path();
    let plan = release::plan(&file, document, config, candidate);
    for edit in &plan.actions {
        let diff = diff(edit, document);
        if ui.is_human() {
            ui.write(|out| writeln!(out, "{diff}"))?;
        } else {
            ui.say(diff);
        }
    }
    let question = format!("Select {}?", candidate.label);
    let exit =
        block_on(ui, carry_out(ui, &plan, &question, async |edit: &Edit| write(ui, edit, document).await))?;
    if exit == Exit::Done && !plan.is_empty() {
        ui.say(NEXT);
    }
    Ok(exit)
}

/// The edit as a unified diff, coloured.
fn diff(edit: &Edit, document: &Document) -> String {
    let name = shown(&edit.file);
    let diff = TextDiff::from_lines(document.text(), &edit.text);
    let plain = diff.unified_diff().header(&name, &name).to_string();
    let mut coloured = String::new();
    for line in plain.split_inclusive('\n') {
        let color = match line.as_bytes().first() {
            Some(b'-') => AnsiColor::Red,
            Some(b'+') => AnsiColor::Green,
            Some(b'@') => AnsiColor::Cyan,
            _ => {
                coloured.push_str(line);
                continue;
            }
        };
        let style = Style::new().fg_color(Some(color.into()));
        let text = line.trim_end_matches(['\r', '\n']);
        let (text, end) = line.split_at(text.len());
        coloured.extend([&style.render().to_string(), text, &style.render_reset().to_string(), end]);
    }
    coloured
}

/// Writes the edit, unless the file changed since it was read.
async fn write(ui: &Ui, edit: &Edit, document: &Document) -> Result<(), Failure> {
    if !edit.file.is_file() {
        let message = format!("{} is not a file that can be replaced", shown(&edit.file));
        return Err(Failure::new(Exit::Refused, message).help("`osmt-release check` only judges"));
    }
    ui.rewrite(&edit.file, Some(document.text()), &edit.text).await
}

fn refused(findings: &Findings, label: &str) -> Failure {
    let mut codes: Vec<&str> = findings
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.code.as_ref())
        .collect();
    if codes.is_empty() {
        codes.extend(findings.unknown.iter().map(|unknown| unknown.code.as_str()));
    }
    codes.dedup();
    let message = format!("{} refused {label}", codes.join(", "));
    Failure::new(Exit::Refused, message)
        .help("each finding above says what to do about it; docs/rules has a page for each code")
}

/// The findings in a format.
pub(super) fn printed(cx: &Context, verdict: &Verdict, format: Format) -> Result<Vec<u8>, Failure> {
    let path = cx.shared.config_path().to_string_lossy().into_owned();
    let reports = [FileReport {
        file: &path,
        text: verdict.document.text(),
        document: Some(&verdict.document),
        findings: &verdict.findings,
    }];
    let rules: Vec<_> = guards::GUARDS.iter().map(|guard| &guard.rule).collect();
    let mut printed = Vec::new();
    let about = About {
        tool: &cx.ui.tool,
        rules: &rules,
        color: true,
        width: cx.ui.width(),
        more: None,
        automation: None,
        checkout: None,
        pages: None,
    };
    report::write(format, &reports, &about, &mut printed)
        .map_err(|error| Failure::new(Exit::Failed, format!("could not write the findings: {error}")))?;
    Ok(printed)
}
