//! Runs the guards on a revision, and writes it into the config, for `select`, `check` and `rollback`.

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

/// A revision, and the flags for the guards.
#[derive(Args, Clone, Debug)]
pub(super) struct RevisionArgs {
    #[command(flatten)]
    which: Which,
    /// The image's tag or digest [default: the version or the commit].
    #[arg(long, value_name = "TAG-OR-DIGEST", value_parser = tag_or_digest)]
    tag: Option<String>,
    #[command(flatten)]
    guards: GuardFlags,
    #[command(flatten)]
    repositories: Repositories,
}

/// The flags for the guards.
#[derive(Args, Clone, Debug)]
pub(super) struct GuardFlags {
    /// The revision whose app migrated the database, or `none` if there is no database yet [default: the config's
    /// selection and all records of the environment since the last restore].
    #[arg(long, value_name = "REV", value_parser = from)]
    from: Option<From>,
    /// Compare with the migrations that the database has applied: with Flyway's history, which a maintenance task printed
    /// (`osmt-release migrate --step info`).
    #[arg(long, conflicts_with = "from")]
    live: bool,
    /// Continue although this guard refuses; can be repeated.
    #[arg(long, value_name = "CODE", value_parser = PossibleValuesParser::new(guards::acceptable()))]
    accept: Vec<String>,
    /// Refuse also if something could not be checked.
    #[arg(long)]
    strict: bool,
    /// Do not call the image's registry; what depends on it is then unknown.
    #[arg(long, env = "OSMT_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    offline: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "a value parser")]
fn from(text: &str) -> Result<From, String> {
    Ok(if text == "none" { From::Nothing } else { From::Rev(text.to_owned()) })
}

/// A revision with the findings of the guards.
pub(super) struct Verdict {
    document: Document,
    config: Config,
    pub(super) candidate: Candidate,
    pub(super) findings: Findings,
    strict: bool,
}

impl Verdict {
    /// Whether there is an error, or with `--strict` anything unknown.
    pub(super) fn refuses(&self) -> bool {
        self.findings.worst() == Some(Severity::Error) || self.strict && !self.findings.unknown.is_empty()
    }
}

impl GuardFlags {
    /// Runs the guards on a revision.
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
                Ok(image::read_image(cx, &config, &candidate.docker_tag, &candidate.platform).await)
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

impl GuardFlags {
    /// Whether there is no database yet. Without a record, only AWS knows this.
    fn has_no_database(&self, cx: &Context, config: &Config) -> bool {
        let ui = &cx.ui;
        let asked = if self.offline {
            Known::Unknown("AWS was not called".to_owned())
        } else {
            let asking = block_on(ui, async {
                let session = cx.shared.sign_in(config, ui).await?;
                let asking = running::database(&session, &config.env);
                Ok(ui.during("reading the database", asking).await?.is_some())
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
                    "nothing was recorded for {env}, and account {} has no database for it: comparing with an empty database \
                     (give `--from REV` if it will be restored from a snapshot)",
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

impl RevisionArgs {
    pub(super) fn judge(&self, cx: &Context) -> Result<Verdict, Failure> {
        // Read first, so that an unreadable config is the first error.
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
        self.guards.judge(cx, document, config, &osmt, wanted, tag)
    }
}

/// The newest record of another environment, of the config's image repository.
fn promoted(osmt: &Osmt, env: &str, config: &Config) -> Result<Record, Failure> {
    let repository = &config.ecs.task.app.docker_image;
    let record = osmt.records_of(&format!("{env}/"))?.into_iter().next();
    let record = record.ok_or_else(|| {
        Failure::new(Exit::Refused, format!("nothing was recorded for the environment {env:?}"))
            .help("record a deployment with `osmt-release tag`, or run `git fetch --tags` for the records of other users")
    })?;
    if record.tag(repository).is_none() {
        let message =
            format!("{} is in another image repository than the config's {repository}", record.image);
        return Err(Failure::new(Exit::Refused, message)
            .help("set ecs.task.app.docker_image first, then run this again"));
    }
    Ok(record)
}

/// The safe order: the database is migrated by the new image before the service runs it.
const NEXT: &str = "next: `terraform apply -target=module.osmt.aws_ecs_task_definition.maintenance`, `osmt-release migrate`, \
    `terraform apply`, `osmt-release status`, `osmt-release tag` (docs/release.md, \"The order of a rollout\")";

/// Prints the findings, shows the edit, asks, writes; refuses if the verdict does.
pub(super) fn propose(cx: &Context, verdict: &Verdict) -> Result<Exit, Failure> {
    let ui = &cx.ui;
    let Verdict { document, config, candidate, findings, strict: _ } = verdict;
    if !findings.findings.is_empty() || !findings.unknown.is_empty() {
        let printed = print_findings(cx, verdict, Format::Human)?;
        ui.say(String::from_utf8_lossy(&printed).trim_end());
    }
    if verdict.refuses() {
        if !ui.is_human() {
            // Programs need the findings to know why it was refused.
            let printed = print_findings(cx, verdict, ui.format)?;
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
        return Err(
            Failure::new(Exit::Refused, message).help("`osmt-release check` runs the guards without writing")
        );
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
        .help("each finding above has a help line; docs/rules has a page for each code")
}

/// The findings in a format, as bytes.
pub(super) fn print_findings(cx: &Context, verdict: &Verdict, format: Format) -> Result<Vec<u8>, Failure> {
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
