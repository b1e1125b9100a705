//! `osmt-bootstrap init`: render `main.tf` and the config, or edit them. On a terminal it asks for what no flag gives.

use std::path::{Path, PathBuf};

use clap::Args;
use similar::TextDiff;

use super::ask::{Decision, Wizard, ask};
use super::doctor_errors::{errors, refuse};
use super::lock;
use super::state_flags::StateFlags;
use crate::arn::Arn;
use crate::bootstrap::init;
use crate::bootstrap::init::Answers;
use crate::command::{Context, SharedArgs, Ui, apply_plan, block_on, carry_out};
use crate::config::Config;
use crate::deployment::main_tf::{self, MainTf, Values};
use crate::deployment::{self, Deployment, Lock, StateBackend, operations};
use crate::document::Document;
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::plan::{Action, Line, Plan, Verb};

/// Render main.tf and config.auto.tfvars.json from answers, or edit them if they exist.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-bootstrap init\n  \
    osmt-bootstrap init --lock s3\n  \
    osmt-bootstrap init --dir terraform/prod --env prod --domain osmt.example.org\n  \
    osmt-bootstrap init --hosted-zone-id none")]
pub(super) struct Init {
    /// The AWS account, 12 digits.
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// The environment's name, like test or prod.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// The host name of OSMT, like osmt.example.org.
    #[arg(long, value_name = "NAME", value_parser = init::host_name)]
    domain: Option<String>,
    /// The id of the Route 53 hosted zone that contains it; `none` if another team manages the domain's DNS.
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
    /// The availability zones [default: two that the account can use; if AWS is not asked, the first two of the region].
    #[arg(long, value_name = "ZONES", value_delimiter = ',')]
    azs: Option<Vec<String>>,
    /// An existing certificate [default: `osmt-bootstrap certificate` requests one].
    #[arg(long, value_name = "ARN")]
    certificate_arn: Option<String>,
    #[command(flatten)]
    state: StateFlags,
    /// Write `--profile` into main.tf, for a directory that only you use.
    #[arg(long)]
    write_profile: bool,
    /// Write `region_in_names = true` into operations.tf: the account has the environment in another region, too.
    #[arg(long)]
    region_in_names: bool,
    /// Write a role into main.tf that Terraform assumes for the state and the account.
    #[arg(long, value_name = "ARN", value_parser = init::role)]
    assume_role: Option<String>,
}

impl Init {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let (mut answers, work) = self.begin(cx)?;
        block_on(ui, async {
            let is_new = work.config.text.is_none();
            let mut wizard = ask(cx, &work.start, is_new, &mut answers).await?;
            loop {
                let other = match &wizard {
                    Some(wizard) => wizard.other_region(&answers).await,
                    None => None,
                };
                let rendered = work.render(&answers, other.as_deref())?;
                if let Some(old) = rendered.moved_from() {
                    lock::refuse_if_held(cx, &rendered.config, old, &rendered.values.backend).await?;
                }
                rendered.show(ui);
                if init::zones_are_open(&work.start, &answers) {
                    ui.say("zones: the first two of the region (the account's zones are not known); `--azs` sets others");
                }
                let exit = match &mut wizard {
                    Some(wizard) if !rendered.plan.is_empty() && !ui.flags.dry_run => {
                        let Some(exit) = rendered.write_after(wizard, &mut answers, ui).await? else {
                            continue;
                        };
                        exit
                    }
                    _ => carry_out(ui, &rendered.plan, "Write?", async |write| write.apply(ui).await).await?,
                };
                if rendered.moved_from().is_some() && exit == Exit::Done {
                    ui.say("next: run `osmt-bootstrap apply` and `terraform init -reconfigure`, because the state lock changes");
                }
                print_next_steps(ui, &rendered.config);
                return Ok(exit);
            }
        })
    }

    /// Reads the present files, and refuses flags that contradict them.
    fn begin(self, cx: &Context) -> Result<(Answers, Work<'_>), Failure> {
        let shared = &cx.shared;
        if !shared.dir.join("variables.tf").is_file() {
            return Err(Failure::new(
                Exit::Refused,
                format!("{} does not contain OSMT's Terraform code", shown(&shared.dir)),
            )
            .help("run this in a checkout of this project, or name its terraform/invocation with `--dir`"));
        }
        self.state.refuse_contradictions()?;
        let profile = profile(shared, self.write_profile)?;
        let config = Present::read(shared.config_path())?;
        let main = Present::read(shared.dir.join("main.tf"))?;
        let operations = Present::read(shared.dir.join(operations::FILE))?;
        let start = match &config.text {
            Some(text) => shared.parse(text.clone())?,
            None => {
                Document::parse(template(&shared.dir.join("config.auto.tfvars.json.tpl"), init::CONFIG)?)?
            }
        };
        let main_tf = main.text.as_deref().map(MainTf::parse).transpose()?;
        if self.state.is_given() {
            main_tf.as_ref().map_or(Ok(()), refuse_other_backend)?;
        }
        let answers = Answers {
            texts: [
                self.account_id,
                shared.region.clone(),
                self.env,
                self.domain,
                self.hosted_zone_id,
                self.oauth_issuer,
                self.oauth_client_id,
                self.oauth_audience,
            ],
            vpc_cidr: self.vpc_cidr,
            azs: self.azs,
            certificate_arn: self.certificate_arn,
        };
        let work = Work {
            cx,
            config,
            main,
            operations,
            start,
            main_tf,
            state: self.state,
            profile,
            assume_role: self.assume_role,
            region_in_names: self.region_in_names,
        };
        Ok((answers, work))
    }
}

/// A file as it is now; `text` is `None` if it does not exist.
struct Present {
    path: PathBuf,
    text: Option<String>,
}

impl Present {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        Ok(Self { text: existing(&path)?, path })
    }

    /// The write that gives the file this text; `None` if it has it already.
    fn write_of(&self, after: String) -> Option<Write> {
        let differs = self.text.as_ref() != Some(&after);
        differs.then(|| Write { path: self.path.clone(), before: self.text.clone(), after })
    }
}

/// The present files and the flags.
struct Work<'a> {
    cx: &'a Context,
    config: Present,
    main: Present,
    operations: Present,
    /// The config, or its template.
    start: Document,
    main_tf: Option<MainTf>,
    state: StateFlags,
    profile: Option<String>,
    assume_role: Option<String>,
    region_in_names: bool,
}

/// The files with the answers.
struct Rendered {
    config: Document,
    values: Values,
    /// The backend before this run.
    old: Option<StateBackend>,
    plan: Plan<Write>,
}

impl Work<'_> {
    /// Renders the files; an answer that the doctor reports as an error is refused. `other` is another region of the account that
    /// has the environment.
    fn render(&self, answers: &Answers, other: Option<&str>) -> Result<Rendered, Failure> {
        let shared = &self.cx.shared;
        let config = init::config(&self.start, answers)?;
        refuse(&errors(&config, true), &answers.given())?;
        for finding in errors(&config, shared.is_local()) {
            self.cx.ui.warn(format_args!("{} {}", finding.code, finding.message));
        }
        let document = shared.parse(config.clone())?;
        Config::from_document(&document)?;
        let old = present_backend(&self.start, self.main_tf.as_ref())?;
        let values = self.values(&document)?;
        refuse_role_of_other_account(&values)?;
        let main = if let Some(main) = &self.main_tf {
            main.with(&values)?
        } else {
            let template = template(&shared.dir.join("main.tf.tpl"), main_tf::TEMPLATE)?;
            main_tf::render(&template, &values)?
        };
        let operations = self.with_region_in_names(other).and_then(|text| self.operations.write_of(text));
        let writes = [self.config.write_of(config), self.main.write_of(main), operations];
        Ok(Rendered { config: document, values, old, plan: writes.into_iter().flatten().collect() })
    }
}

impl Work<'_> {
    /// `operations.tf` with the region in the names of IAM roles, if another region has the environment or the flag is given.
    fn with_region_in_names(&self, other: Option<&str>) -> Option<String> {
        let text = self.operations.text.as_deref().unwrap_or_default();
        let is_wanted = self.region_in_names || other.is_some();
        if !is_wanted || operations::region_in_names(text) == Some(true) {
            return None;
        }
        if let Some(other) = other {
            self.cx.ui.say(format_args!(
                "this account has the environment in {other} already: the names of this deployment's IAM roles contain the region"
            ));
        }
        let edited = operations::with_region_in_names(text);
        if edited.is_none() {
            let (file, setting) = (operations::FILE, operations::REGION_IN_NAMES);
            self.cx.ui.warn(format_args!(
                "{file} has no literal `operations` block: set `{setting} = true` in it yourself"
            ));
        }
        edited
    }
}

impl Rendered {
    /// The present backend, if the state's lock changes.
    fn moved_from(&self) -> Option<&StateBackend> {
        self.old.as_ref().filter(|old| old.moves_lock_to(&self.values.backend))
    }

    /// Shows the changes of the files, and warns if they name another state.
    fn show(&self, ui: &Ui) {
        for write in &self.plan.actions {
            show_change(ui, write);
        }
        if let Some(text) = other_state_warning(self.old.as_ref(), &self.values.backend) {
            ui.warn(text);
        }
    }

    /// Writes the files after the user's confirmation; `None` if the user changed an answer instead.
    async fn write_after(
        &self,
        wizard: &mut Wizard<'_>,
        answers: &mut Answers,
        ui: &Ui,
    ) -> Result<Option<Exit>, Failure> {
        ui.show_plan(&self.plan.lines())?;
        if self.old.is_none() {
            ui.say(about_lock(&self.values.backend.lock));
        }
        if let Decision::Again = wizard.decide(answers).await? {
            return Ok(None);
        }
        let exit = apply_plan(ui, &self.plan, async |write| write.apply(ui).await).await?;
        wizard.delete_draft();
        Ok(Some(exit))
    }
}

/// A file to be written.
struct Write {
    path: PathBuf,
    before: Option<String>,
    after: String,
}

impl Write {
    /// Writes the file, unless it was changed while the question was open.
    async fn apply(&self, ui: &Ui) -> Result<(), Failure> {
        ui.rewrite(&self.path, self.before.as_deref(), &self.after).await
    }
}

impl Action for Write {
    fn line(&self) -> Line {
        let verb = if self.before.is_some() { Verb::Update } else { Verb::Create };
        Line::new(verb, shown(&self.path))
    }
}

/// Prints the next steps: the redirect URI at the identity provider, and the certificate if there is none yet.
fn print_next_steps(ui: &Ui, config: &Document) {
    if let Some(domain) = init::text(config, init::DOMAIN) {
        ui.say(format_args!(
            "sign-in: add {} as redirect URI at the identity provider; docs/sign-in.md lists what else it needs",
            deployment::sign_in_redirect(&domain)
        ));
    }
    if init::text(config, init::CERTIFICATE).is_none() {
        ui.say("next: `osmt-bootstrap apply`, then `osmt-bootstrap certificate`, which writes the certificate's ARN into the config");
    }
}

/// Explains how the state is locked, and the alternative.
fn about_lock(lock: &Lock) -> String {
    let switch = "`osmt-bootstrap init --lock s3` and `--lock dynamodb` switch, now or later";
    match lock {
        Lock::Table(table) => format!(
            "lock: Terraform locks the state with the DynamoDB table {table}, which also contains a checksum of the state. Terraform 1.11 and later warn that `dynamodb_table` is deprecated, but it still works. The alternative is a lock file in the bucket, without table, checksum and warning. {switch}"
        ),
        Lock::TableAndFile(table) => format!(
            "lock: Terraform locks the state with the DynamoDB table {table} and with a lock file in the bucket, both at once. {switch} to one of them"
        ),
        Lock::File | Lock::Off => format!(
            "lock: Terraform locks the state with a lock file in the bucket; it needs Terraform 1.10 or later and no table. {switch}"
        ),
    }
}

/// The warning for a directory in which main.tf will name another state: the present one is no longer managed from it.
fn other_state_warning(old: Option<&StateBackend>, new: &StateBackend) -> Option<String> {
    let old @ StateBackend { bucket, key, .. } = old?;
    (!old.holds_the_state_of(new)).then(|| {
        format!(
            "main.tf will no longer name the state in {bucket}/{key}: its resources keep running, but are not managed from this directory any more; use one directory for each environment (`osmt-bootstrap init --dir`)"
        )
    })
}

/// Refuses flags for bucket and lock if main.tf has another backend than S3.
fn refuse_other_backend(main: &MainTf) -> Result<(), Failure> {
    if main.is_in_s3() {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "main.tf has another backend than \"s3\"")
        .help("leave `--bucket`, `--lock` and `--lock-table` out, or write a backend \"s3\" block"))
}

/// The profile to write into main.tf.
fn profile(shared: &SharedArgs, wanted: bool) -> Result<Option<String>, Failure> {
    let Some(profile) = shared.profile.clone().filter(|_| wanted) else {
        return Ok(None);
    };
    let odd = |c: char| c.is_control() || matches!(c, '"' | '\\' | '$' | '%' | '{');
    if profile.is_empty() || profile.contains(odd) {
        let message = format!("the profile {profile:?} cannot be written into main.tf");
        return Err(Failure::new(Exit::Usage, message)
            .help("leave `--write-profile` out, and set AWS_PROFILE instead"));
    }
    Ok(Some(profile))
}

fn existing(path: &Path) -> Result<Option<String>, Failure> {
    match files::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(files::Error::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The template in the directory, else the shipped one.
fn template(path: &Path, shipped: &str) -> Result<String, Failure> {
    Ok(existing(path)?.unwrap_or_else(|| shipped.to_owned()))
}

impl Work<'_> {
    /// The values for `main.tf`: flags, else present values that differ from the standard names, else the standard names.
    fn values(&self, rendered: &Document) -> Result<Values, Failure> {
        let main = self.main_tf.as_ref();
        let before = deployment_of(&self.start);
        let chosen = present_backend(&self.start, main)?.unwrap_or_else(|| StateBackend::standard(&before));
        // The deployment that main.tf was rendered for: the config may have been edited since.
        let rendered_for = main.map_or_else(|| before.clone(), |main| main.deployment(&before));
        let deployment = deployment_of(rendered);
        let backend = chosen.renamed(&[before, rendered_for], &deployment, self.state.asked());
        let (profile, assume_role) = (self.profile.clone(), self.assume_role.clone());
        Ok(Values { deployment, backend, profile, assume_role })
    }
}

/// The deployment of a config that may not be complete yet.
fn deployment_of(config: &Document) -> Deployment {
    let text = |pointer| init::text(config, pointer).unwrap_or_default();
    Deployment {
        account_id: text("/config/account_id"),
        region: text("/config/region"),
        env: text("/config/env"),
    }
}

/// The backend in `main.tf`; `None` if there is no `main.tf`, or it has another backend than S3.
fn present_backend(start: &Document, main: Option<&MainTf>) -> Result<Option<StateBackend>, Failure> {
    let Some(main) = main.filter(|main| main.is_in_s3()) else { return Ok(None) };
    Ok(Some(main.backend(&main.deployment(&deployment_of(start)))?))
}

/// Refuses a role of another account: Terraform would stop because of `allowed_account_ids`.
fn refuse_role_of_other_account(values: &Values) -> Result<(), Failure> {
    let Some(role) = &values.assume_role else {
        return Ok(());
    };
    if Arn::parse(role).is_some_and(|role| role.account == values.deployment.account_id) {
        return Ok(());
    }
    let message = format!("{role} is not a role of account {}", values.deployment.account_id);
    Err(Failure::new(Exit::Usage, message).help("give a role of the account in which OSMT runs"))
}

/// Shows the changes of an existing file as a diff.
fn show_change(ui: &Ui, write: &Write) {
    let Some(before) = &write.before else {
        return;
    };
    let name = shown(&write.path);
    let diff = TextDiff::from_lines(before, &write.after);
    ui.say(diff.unified_diff().context_radius(2).header(&name, &format!("{name} (rendered)")));
}
