//! `osmt-bootstrap init`: renders `main.tf` and the config, or edits those that exist. Asks on a terminal for what no flag says.

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
use crate::command::{Context, SharedArgs, Ui, block_on, carry_out, execute};
use crate::config::Config;
use crate::deployment::main_tf::{self, MainTf, Values};
use crate::deployment::{self, Deployment, Lock, StateBackend, operations};
use crate::document::Document;
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::plan::{Action, Line, Plan, Verb};

/// Render main.tf and config.auto.tfvars.json from answers; edits those that exist.
#[derive(Args, Clone, Debug)]
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
    /// The Route 53 zone that contains it; `none` where another team manages the domain's DNS.
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
    /// The availability zones [default: two that the account can use; where AWS is not asked, the first two of the region].
    #[arg(long, value_name = "ZONES", value_delimiter = ',')]
    azs: Option<Vec<String>>,
    /// A certificate that exists already [default: `osmt-bootstrap certificate` gets one].
    #[arg(long, value_name = "ARN")]
    certificate_arn: Option<String>,
    #[command(flatten)]
    state: StateFlags,
    /// Write `--profile` into main.tf, for a directory that only you use.
    #[arg(long)]
    write_profile: bool,
    /// Write `region_in_names = true` into operations.tf: the environment is in another region of the account, too.
    #[arg(long)]
    region_in_names: bool,
    /// Write a role into main.tf for Terraform to assume, with which it reaches the state and the account.
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
                    ui.say("zones: the first two of the region (those of the account are not known); `--azs` takes others");
                }
                let exit = match &mut wizard {
                    Some(wizard) if !rendered.plan.is_empty() && !ui.flags.dry_run => {
                        let Some(exit) = rendered.write_after(wizard, &mut answers, ui).await? else {
                            continue;
                        };
                        exit
                    }
                    _ => carry_out(ui, &rendered.plan, "Write?", async |write| write.carry(ui).await).await?,
                };
                if rendered.moved_from().is_some() && exit == Exit::Done {
                    ui.say("the lock moves: run `osmt-bootstrap apply`, then `terraform init -reconfigure`");
                }
                say_what_follows(ui, &rendered.config);
                return Ok(exit);
            }
        })
    }

    /// Reads the files that exist, and refuses flags that do not fit them.
    fn begin(self, cx: &Context) -> Result<(Answers, Work<'_>), Failure> {
        let shared = &cx.shared;
        if !shared.dir.join("variables.tf").is_file() {
            return Err(Failure::new(
                Exit::Refused,
                format!("{} does not contain the Terraform code to render for", shown(&shared.dir)),
            )
            .help("run it in a checkout of this project, or name its terraform/invocation with `--dir`"));
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
            main_tf.as_ref().map_or(Ok(()), in_s3)?;
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

/// A file as it is now; without text if it does not exist.
struct Present {
    path: PathBuf,
    text: Option<String>,
}

impl Present {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        Ok(Self { text: existing(&path)?, path })
    }

    /// The write that gives the file this text; `None` if it has it.
    fn written(&self, after: String) -> Option<Write> {
        let differs = self.text.as_ref() != Some(&after);
        differs.then(|| Write { path: self.path.clone(), before: self.text.clone(), after })
    }
}

/// The files and flags that a run begins with.
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

/// The files with the answers in them.
struct Rendered {
    config: Document,
    values: Values,
    /// The backend before this run.
    old: Option<StateBackend>,
    plan: Plan<Write>,
}

impl Work<'_> {
    /// Renders the files; an answer that the doctor reports as an error is refused. `other` is another Region of the account that
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
        in_the_account(&values)?;
        let main = if let Some(main) = &self.main_tf {
            main.with(&values)?
        } else {
            let template = template(&shared.dir.join("main.tf.tpl"), main_tf::TEMPLATE)?;
            main_tf::render(&template, &values)?
        };
        let operations = self.with_region_in_names(other).and_then(|text| self.operations.written(text));
        let writes = [self.config.written(config), self.main.written(main), operations];
        Ok(Rendered { config: document, values, old, plan: writes.into_iter().flatten().collect() })
    }
}

impl Work<'_> {
    /// `operations.tf` with the Region in the names of IAM roles, where another Region has the environment or a flag says so.
    fn with_region_in_names(&self, other: Option<&str>) -> Option<String> {
        let text = self.operations.text.as_deref().unwrap_or_default();
        let is_wanted = self.region_in_names || other.is_some();
        if !is_wanted || operations::region_in_names(text) == Some(true) {
            return None;
        }
        if let Some(other) = other {
            self.cx.ui.say(format_args!(
                "the environment is in {other} of this account already: this deployment's IAM roles get names with the region"
            ));
        }
        let edited = operations::with_region_in_names(text);
        if edited.is_none() {
            let (file, setting) = (operations::FILE, operations::REGION_IN_NAMES);
            self.cx.ui.warn(format_args!(
                "{file} has no literal `operations`: set `{setting} = true` there yourself"
            ));
        }
        edited
    }
}

impl Rendered {
    /// The backend whose lock is replaced with one of another kind or name.
    fn moved_from(&self) -> Option<&StateBackend> {
        self.old.as_ref().filter(|old| old.moves_lock_to(&self.values.backend))
    }

    /// Shows the changes of the files, and which state they leave behind.
    fn show(&self, ui: &Ui) {
        for write in &self.plan.actions {
            show_change(ui, write);
        }
        if let Some(text) = left_behind(self.old.as_ref(), &self.values.backend) {
            ui.warn(text);
        }
    }

    /// Writes once the wizard's user agrees; `None` if an answer was changed instead.
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
        execute(ui, &self.plan, async |write| write.carry(ui).await).await?;
        ui.applied(&self.plan.lines())?;
        ui.plan_json("applied", &self.plan.lines())?;
        wizard.written();
        Ok(Some(Exit::Done))
    }
}

/// A file to be written.
struct Write {
    path: PathBuf,
    before: Option<String>,
    after: String,
}

impl Write {
    /// Writes, unless the file was changed while the question was open.
    async fn carry(&self, ui: &Ui) -> Result<(), Failure> {
        ui.rewrite(&self.path, self.before.as_deref(), &self.after).await
    }
}

impl Action for Write {
    fn line(&self) -> Line {
        let verb = if self.before.is_some() { Verb::Update } else { Verb::Create };
        Line::new(verb, shown(&self.path))
    }
}

/// What a person does next: the entry at the identity provider, and the certificate where there is none yet.
fn say_what_follows(ui: &Ui, config: &Document) {
    if let Some(domain) = init::text(config, init::DOMAIN) {
        ui.say(format_args!(
            "sign-in: enter {} at the identity provider as redirect address; docs/sign-in.md says what else it needs",
            deployment::sign_in_redirect(&domain)
        ));
    }
    if init::text(config, init::CERTIFICATE).is_none() {
        ui.say("next: `osmt-bootstrap apply`, then `osmt-bootstrap certificate` fills in the certificate");
    }
}

/// What the way of locking means, for the person who sees it for the first time.
fn about_lock(lock: &Lock) -> String {
    let way = "`osmt-bootstrap init --lock s3` and `--lock dynamodb` switch, now or later";
    match lock {
        Lock::Table(table) => format!(
            "lock: Terraform locks the state with the DynamoDB table {table}, which also holds a checksum of the state. Terraform 1.11 and later warn that `dynamodb_table` is deprecated; it works all the same. The other way is a lock file in the bucket: no table, no checksum, no warning. {way}"
        ),
        Lock::TableAndFile(table) => format!(
            "lock: Terraform locks the state with the DynamoDB table {table} and with a lock file in the bucket, both at once. {way} to one of them"
        ),
        Lock::File | Lock::Off => format!(
            "lock: Terraform locks the state with a lock file in the bucket; it needs Terraform 1.10 or later and no table. {way}"
        ),
    }
}

/// Says which state is left behind where another environment is written into the same directory.
fn left_behind(old: Option<&StateBackend>, new: &StateBackend) -> Option<String> {
    let old @ StateBackend { bucket, key, .. } = old?;
    (!old.holds_the_state_of(new)).then(|| {
        format!(
            "the state in {bucket}/{key} is left behind: what Terraform created with it keeps running and is no longer managed from this directory; give each environment a directory of its own (`osmt-bootstrap init --dir`)"
        )
    })
}

/// Refuses names of bucket and lock for a state that is kept elsewhere.
fn in_s3(main: &MainTf) -> Result<(), Failure> {
    if main.is_in_s3() {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "main.tf keeps the state elsewhere than in S3")
        .help("leave `--bucket`, `--lock` and `--lock-table` out, or write a backend \"s3\" block"))
}

/// The profile to be written into main.tf.
fn profile(shared: &SharedArgs, wanted: bool) -> Result<Option<String>, Failure> {
    let Some(profile) = shared.profile.clone().filter(|_| wanted) else {
        return Ok(None);
    };
    let odd = |c: char| c.is_control() || matches!(c, '"' | '\\' | '$' | '%' | '{');
    if profile.is_empty() || profile.contains(odd) {
        let message = format!("the profile {profile:?} cannot be written into main.tf");
        return Err(Failure::new(Exit::Usage, message)
            .help("leave `--write-profile` out and name it with AWS_PROFILE"));
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

/// The directory's own template, else the shipped one.
fn template(path: &Path, shipped: &str) -> Result<String, Failure> {
    Ok(existing(path)?.unwrap_or_else(|| shipped.to_owned()))
}

impl Work<'_> {
    /// The values for `main.tf`: flags, else the present values if they were chosen, else the names derived from the config.
    fn values(&self, rendered: &Document) -> Result<Values, Failure> {
        let main = self.main_tf.as_ref();
        let before = deployment_of(&self.start);
        let chosen = present_backend(&self.start, main)?.unwrap_or_else(|| StateBackend::standard(&before));
        // What main.tf was rendered for: the config may have been edited since.
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

/// The backend that `main.tf` names; `None` where there is no `main.tf`, or it keeps the state elsewhere than in S3.
fn present_backend(start: &Document, main: Option<&MainTf>) -> Result<Option<StateBackend>, Failure> {
    let Some(main) = main.filter(|main| main.is_in_s3()) else { return Ok(None) };
    Ok(Some(main.backend(&main.deployment(&deployment_of(start)))?))
}

/// Refuses a role of another account: Terraform would then stop at `allowed_account_ids`.
fn in_the_account(values: &Values) -> Result<(), Failure> {
    let Some(role) = &values.assume_role else {
        return Ok(());
    };
    if Arn::parse(role).is_some_and(|role| role.account == values.deployment.account_id) {
        return Ok(());
    }
    let message = format!("{role} is not a role of account {}", values.deployment.account_id);
    Err(Failure::new(Exit::Usage, message).help("give a role of the account that OSMT runs in"))
}

/// What changes in a file that exists is shown before the question.
fn show_change(ui: &Ui, write: &Write) {
    let Some(before) = &write.before else {
        return;
    };
    let name = shown(&write.path);
    let diff = TextDiff::from_lines(before, &write.after);
    ui.say(diff.unified_diff().context_radius(2).header(&name, &format!("{name} (rendered)")));
}
