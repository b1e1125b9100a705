//! `init`: renders `main.tf` and the config. Offline; asks on a terminal for what no flag says.

use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use similar::TextDiff;

use super::Lock;
use super::StateFlags;
use super::ask::ask;
use crate::account::observe;
use crate::aws;
use crate::bootstrap;
use crate::bootstrap::Target;
use crate::bootstrap::backend;
use crate::bootstrap::backend::Backend;
use crate::bootstrap::init;
use crate::bootstrap::init::Answers;
use crate::command::Common;
use crate::command::Ui;
use crate::command::block_on;
use crate::command::carry_out;
use crate::command::doctor::is_loopback;
use crate::config;
use crate::config::Config;
use crate::doctor;
use crate::doctor::Asked;
use crate::document::Document;
use crate::explain::Exit;
use crate::explain::Failure;
use crate::files;
use crate::finding::Severity;
use crate::plan::Action;
use crate::plan::Line;
use crate::plan::Plan;
use crate::plan::Verb;

/// The flags of `init`.
#[derive(Args, Clone, Debug)]
pub(super) struct InitFlags {
    /// The AWS account, 12 digits.
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// The environment's name, like test or prod.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// The host name of OSMT, like osmt.example.org.
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// The Route 53 zone that holds it.
    #[arg(long, value_name = "ID")]
    hosted_zone_id: Option<String>,
    /// The OAuth issuer's URL.
    #[arg(long, value_name = "URL")]
    oauth_issuer: Option<String>,
    /// The OAuth client id; its secret is set with osmt-secrets.
    #[arg(long, value_name = "ID")]
    oauth_client_id: Option<String>,
    /// The OAuth audience.
    #[arg(long, value_name = "TEXT")]
    oauth_audience: Option<String>,
    /// The VPC's address block; the subnets are computed from it.
    #[arg(long, value_name = "CIDR")]
    vpc_cidr: Option<String>,
    /// The availability zones [default: two that the account can use, or by offline knowledge where AWS is not asked].
    #[arg(long, value_name = "ZONES", value_delimiter = ',')]
    azs: Option<Vec<String>>,
    /// A certificate that exists already [default: `osmt-bootstrap certificate` gets one].
    #[arg(long, value_name = "ARN")]
    certificate_arn: Option<String>,
    #[command(flatten)]
    state: StateFlags,
    /// Write `--profile` into main.tf, for a directory that nobody else uses.
    #[arg(long)]
    write_profile: bool,
}

/// A file to be written.
struct Write {
    path: PathBuf,
    before: Option<String>,
    after: String,
}

impl Action for Write {
    fn line(&self) -> Line {
        let verb = if self.before.is_some() {
            Verb::Update
        } else {
            Verb::Create
        };
        Line::new(verb, self.path.display().to_string())
    }
}

pub(super) fn run(common: &Common, ui: &Ui, flags: InitFlags) -> Result<Exit, Failure> {
    if !common.dir.join("variables.tf").is_file() {
        return Err(Failure::new(
            Exit::Refused,
            format!(
                "{} holds no Terraform code to render for; nothing was written",
                common.dir.display()
            ),
        )
        .help(
            "run it in a checkout of this project, or name its terraform/invocation with `--dir`",
        ));
    }
    let config_path = common.config_path();
    let before = existing(&config_path)?;
    let template = template(
        &common.dir.join("config.auto.tfvars.json.tpl"),
        init::CONFIG,
    )?;
    let start = Document::parse(before.clone().unwrap_or(template))?;
    let mut answers = Answers {
        texts: [
            flags.account_id,
            common.region.clone(),
            flags.env,
            flags.domain,
            flags.hosted_zone_id,
            flags.oauth_issuer,
            flags.oauth_client_id,
            flags.oauth_audience,
        ],
        vpc_cidr: flags.vpc_cidr,
        azs: flags.azs,
        certificate_arn: flags.certificate_arn,
    };
    block_on(ui, async {
        ask(common, ui, &start, &mut answers).await?;
        let config = init::config(&start, &answers)?;
        let rendered = Document::parse(config.clone())?;
        let main_path = common.dir.join("main.tf");
        let main_before = existing(&main_path)?;
        let profile = common.profile.clone().filter(|_| flags.write_profile);
        let main = init::main_tf(
            &self::template(&common.dir.join("main.tf.tpl"), init::MAIN_TF)?,
            &names(
                &start,
                &rendered,
                main_before.as_deref(),
                &flags.state,
                profile,
            ),
        )?;
        judge(common, ui, &config);
        let moved = main_before.as_deref().map(backend::read).filter(|old| {
            let new = backend::read(&main);
            flags.state.lock.is_some() && old.use_lockfile != new.use_lockfile
        });
        let lock_moves = moved.is_some();
        if let Some(old) = moved {
            alone(common, ui, &rendered, old).await?;
        }
        let plan: Plan<Write> = [
            (config_path, before, config),
            (main_path, main_before, main),
        ]
        .into_iter()
        .filter(|(_, before, after)| before.as_ref() != Some(after))
        .map(|(path, before, after)| Write {
            path,
            before,
            after,
        })
        .collect();
        for write in &plan.actions {
            show_change(ui, write);
        }
        if answers.azs.is_none() && init::text(&start, "/config/region").is_none() {
            ui.say(
                "zones: the first two of the region, by offline knowledge; `--azs` takes others",
            );
        }
        let exit = carry_out(ui, &plan, "Write?", async |write| {
            files::write(&write.path, write.after.as_bytes())
        })
        .await?;
        if lock_moves {
            ui.say(
                "the lock moves: run `osmt-bootstrap apply`, then `terraform init -reconfigure`",
            );
        }
        if init::text(&rendered, init::CERTIFICATE).is_none() {
            ui.say("next: `osmt-bootstrap apply`, then `osmt-bootstrap certificate` fills in the certificate");
        }
        Ok(exit)
    })
}

fn existing(path: &Path) -> Result<Option<String>, Failure> {
    match files::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(files::Error::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The directory's own template, else the shipped one.
fn template(path: &Path, shipped: &str) -> Result<String, Failure> {
    Ok(existing(path)?.unwrap_or_else(|| shipped.to_owned()))
}

/// Says what the doctor would say of the config; the certificate comes later.
fn judge(common: &Common, ui: &Ui, config: &str) {
    let loopback = is_loopback(common.endpoint_url.as_deref());
    let asked = Asked {
        loopback,
        ..Asked::default()
    };
    let diagnosis = doctor::diagnose(config.as_bytes().to_vec(), asked);
    for finding in &diagnosis.findings.findings {
        let later = finding
            .at
            .as_ref()
            .is_some_and(|at| at.pointer == init::CERTIFICATE);
        if finding.severity == Severity::Error && !later {
            ui.warn(format_args!("{} {}", finding.code, finding.message));
        }
    }
}

/// Whoever changes how the state is locked must be alone: refused while either kind of lock is held.
async fn alone(
    common: &Common,
    ui: &Ui,
    rendered: &Document,
    backend: Backend,
) -> Result<(), Failure> {
    let config = Config::from_document(rendered)?;
    let target = Target::new(&config, backend);
    let settings = common.aws(Some(&config.region), ui);
    let session = aws::open(&settings, Some(&config.account_id)).await?;
    let (seen, state) = tokio::join!(
        bootstrap::observe(&session, &target),
        Box::pin(observe::state(&session, &target.bucket, &target.state_key))
    );
    match seen?.table.and_then(|table| table.lock).or(state?.lock) {
        None => Ok(()),
        Some(lock) => Err(Failure::new(
            Exit::Refused,
            format!(
                "the state is locked by {} since {}; nothing was written",
                lock.who, lock.created
            ),
        )
        .help("wait until it is free; `osmt-bootstrap status` tells")),
    }
}

/// The values for `main.tf`: flags, else what somebody chose before, else the names that follow from the config.
fn names(
    start: &Document,
    rendered: &Document,
    main: Option<&str>,
    flags: &StateFlags,
    profile: Option<String>,
) -> Vec<(&'static str, Option<String>)> {
    let derived = |config: &Document| {
        let text = |pointer| init::text(config, pointer).unwrap_or_default();
        let (account, region, env) = (
            text("/config/account_id"),
            text("/config/region"),
            text("/config/env"),
        );
        (
            config::state_bucket(&env, &account, &region),
            config::prefix(&env),
            config::state_key(&env),
        )
    };
    let (old_bucket, old_table, old_key) = derived(start);
    let (bucket, table, key) = derived(rendered);
    let chosen = main.map(backend::read).unwrap_or_default();
    let keep = |chosen: Option<String>, old: &str, new: String| {
        Some(chosen.filter(|chosen| chosen != old).unwrap_or(new))
    };
    let lockfile = match flags.lock {
        Some(lock) => lock == Lock::S3,
        None => chosen.use_lockfile && flags.lock_table.is_none(),
    };
    vec![
        (
            "bucket",
            flags
                .bucket
                .clone()
                .or_else(|| keep(chosen.bucket, &old_bucket, bucket)),
        ),
        ("key", keep(chosen.key, &old_key, key)),
        (
            "lock_table",
            flags
                .lock_table
                .clone()
                .or_else(|| keep(chosen.lock_table, &old_table, table))
                .filter(|_| !lockfile),
        ),
        ("use_lockfile", lockfile.then(|| "true".to_owned())),
        ("region", init::text(rendered, "/config/region")),
        ("account_id", init::text(rendered, "/config/account_id")),
        ("env", init::text(rendered, "/config/env")),
        ("profile", profile),
    ]
}

/// A file that exists is never replaced unseen.
fn show_change(ui: &Ui, write: &Write) {
    let Some(before) = &write.before else {
        return;
    };
    let name = write.path.display().to_string();
    let diff = TextDiff::from_lines(before, &write.after);
    ui.say(
        diff.unified_diff()
            .context_radius(2)
            .header(&name, &format!("{name} (rendered)")),
    );
}
