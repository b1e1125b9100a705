//! `osmt-bootstrap`: flags in, text and exit out. One file a verb; here what they share.

mod apply;
mod ask;
mod certificate;
mod destroy;
mod doctor_errors;
mod init;
mod lock;
mod parts;
mod plan;
mod prompt;
mod saved;
mod status;

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use super::{Context, Shared, SharedArgs, Tool, Ui};
use crate::aws::{Policy, Session, retry};
use crate::bootstrap;
use crate::bootstrap::admin_role::region;
use crate::bootstrap::parts::Parts;
use crate::bootstrap::{Change, Judged, Seen, Target, lock_table, state_bucket};
use crate::config::Config;
use crate::deployment::{Deployment, Lock};
use crate::explain::{Exit, Failure};
use crate::plan::{Line, Verb as PlanVerb};

/// Prepare an AWS account for OSMT: state bucket, lock table, certificate, configuration.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "osmt-bootstrap",
    version,
    after_help = "Examples:
  osmt-bootstrap init                          ask, and write main.tf and the config
  osmt-bootstrap plan                          show what `apply` would do
  osmt-bootstrap apply                         create the state bucket and the lock table
  osmt-bootstrap certificate                   get the certificate and write its ARN into the config
  osmt-bootstrap apply --with ci --repository github.com/my-org/osmt-infra
  osmt-bootstrap status --with admin,ci,account
  osmt-bootstrap destroy --dry-run"
)]
pub struct Bootstrap {
    #[command(flatten)]
    shared: SharedArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    Init(Box<init::Init>),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Status(status::Status),
    Certificate(certificate::Certificate),
    Destroy(destroy::Destroy),
    #[command(flatten)]
    Shared(Shared),
}

/// Other names than those in main.tf.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct StateFlags {
    /// The state bucket [default: main.tf's, else osmt-ENV-ACCOUNT-REGION].
    #[arg(long, value_name = "NAME", value_parser = state_bucket::name)]
    bucket: Option<String>,
    /// The lock table [default: main.tf's, else osmt-ENV].
    #[arg(long, value_name = "NAME", value_parser = lock_table::name)]
    lock_table: Option<String>,
    /// How Terraform locks the state [default: main.tf's, else dynamodb].
    #[arg(long, value_name = "HOW")]
    lock: Option<LockFlag>,
}

impl StateFlags {
    fn is_given(&self) -> bool {
        self.bucket.is_some() || self.lock_table.is_some() || self.lock.is_some()
    }

    /// Refuses flags that contradict each other.
    fn agree(&self) -> Result<(), Failure> {
        if self.lock == Some(LockFlag::S3) && self.lock_table.is_some() {
            return Err(Failure::new(
                Exit::Usage,
                "`--lock s3` locks with a file, `--lock-table` names a table",
            )
            .help("leave one of them out"));
        }
        Ok(())
    }

    /// How the state is locked where these flags are given.
    fn lock(&self, present: &Lock, deployment: &Deployment) -> Lock {
        let table = || self.lock_table.clone().or_else(|| present.table().map(str::to_owned));
        match self.lock {
            Some(LockFlag::S3) => Lock::File,
            Some(LockFlag::Dynamodb) => Lock::Table(table().unwrap_or_else(|| deployment.prefix())),
            None => Lock::new(table(), present.has_file()),
        }
    }
}

/// The values of `--lock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LockFlag {
    /// An item in a DynamoDB table; works with every Terraform since 0.9.
    Dynamodb,
    /// A lock file next to the state; needs Terraform 1.10 or later.
    S3,
}

impl Tool for Bootstrap {
    const WRITES: &[&str] = &["init", "apply", "certificate", "destroy"];
    const EXAMPLES: &[(&str, &str)] = &[
        (
            "init",
            "  osmt-bootstrap init
  osmt-bootstrap init --lock s3
  osmt-bootstrap init --dir terraform/prod --env prod --domain osmt.example.org
  osmt-bootstrap init --hosted-zone-id none",
        ),
        (
            "plan",
            "  osmt-bootstrap plan
  osmt-bootstrap plan --with admin,ci,account
  osmt-bootstrap plan --out plan.json",
        ),
        (
            "apply",
            "  osmt-bootstrap apply
  osmt-bootstrap apply plan.json
  osmt-bootstrap apply --with admin --trust arn:aws:iam::123456789012:user/ann
  osmt-bootstrap apply --with ci --repository github.com/my-org/osmt-infra --ci-environment test
  osmt-bootstrap apply --yes --dry-run --format json",
        ),
        (
            "status",
            "  osmt-bootstrap status
  osmt-bootstrap status --with admin,ci,account --format json",
        ),
        (
            "certificate",
            "  osmt-bootstrap certificate
  osmt-bootstrap certificate --resolver 1.1.1.1
  osmt-bootstrap certificate --external-dns --zone-file records.zone",
        ),
        (
            "destroy",
            "  osmt-bootstrap destroy --dry-run
  osmt-bootstrap destroy --yes --confirm test",
        ),
    ];

    fn shared(&self) -> &SharedArgs {
        &self.shared
    }

    fn run(self, cx: &Context) -> Result<Exit, Failure> {
        match self.verb {
            Verb::Init(verb) => verb.run(cx),
            Verb::Plan(verb) => verb.run(cx),
            Verb::Apply(verb) => verb.run(cx),
            Verb::Status(verb) => verb.run(cx),
            Verb::Certificate(verb) => verb.run(cx),
            Verb::Destroy(verb) => verb.run(cx),
            Verb::Shared(shared) => shared.run::<Self>(&cx.ui),
        }
    }
}

/// What the verbs that talk to AWS begin with.
struct Ready {
    config: Config,
    target: Target,
    /// Which components are asked for.
    parts: Parts,
}

impl Ready {
    fn new(cx: &Context, flags: &StateFlags) -> Result<Self, Failure> {
        flags.agree()?;
        let (_, config) = cx.shared.load_config()?;
        let mut backend = cx.shared.backend(&config)?;
        if let Some(bucket) = &flags.bucket {
            backend.bucket.clone_from(bucket);
        }
        let deployment = Deployment::from(&config);
        backend.lock = flags.lock(&backend.lock, &deployment);
        let target = Target { deployment, backend, region_in_names: false };
        Ok(Self { target, parts: Parts::default(), config })
    }

    /// Opens a session with the config's account and reads at the same time; another account is refused.
    async fn reading<T>(
        &self,
        cx: &Context,
        read: impl AsyncFnOnce(&Session) -> T,
    ) -> Result<(Session, T), Failure> {
        cx.shared.sign_in_and(&self.config, &cx.ui, "looking", read).await
    }

    /// Opens a session and reads the components that are asked for; the target's roles then have their names.
    async fn observing(&mut self, cx: &Context) -> Result<(Session, Seen), Failure> {
        let (target, parts) = (&self.target, &self.parts);
        let read = async |session: &Session| {
            let target = bootstrap::named(session, target, parts).await?;
            let seen = bootstrap::observe(session, &target, parts).await?;
            Ok::<_, bootstrap::Error>((target, seen))
        };
        let (session, found) = self.reading(cx, read).await?;
        let (target, seen) = found?;
        self.target = target;
        if let Some(remark) = region::remark(&self.target) {
            cx.ui.say(remark);
        }
        Ok((session, seen))
    }

    /// Opens a session with the config's account; another one is refused.
    async fn session(&self, cx: &Context) -> Result<Session, Failure> {
        cx.shared.sign_in(&self.config, &cx.ui).await
    }
}

/// A plan with what is as it should be, as `--format json` prints it.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    status: &'a str,
    actions: Vec<Line>,
    unchanged: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attention: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
}

impl<'a> Report<'a> {
    fn new(ui: &'a Ui, status: &'a str, judged: &[Judged<Change>]) -> Self {
        let of = |wanted: fn(PlanVerb) -> bool| {
            let lines = judged.iter().map(|judged| &judged.line);
            lines.filter(|line| wanted(line.verb)).cloned().collect()
        };
        Self {
            version: crate::report::VERSION,
            tool: &ui.tool,
            status,
            actions: of(|verb| !matches!(verb, PlanVerb::Keep | PlanVerb::Attention)),
            unchanged: of(|verb| verb == PlanVerb::Keep),
            attention: of(|verb| verb == PlanVerb::Attention),
            remarks: Vec::new(),
        }
    }
}

/// How many lines need attention, in words; nothing where there are none.
fn attention(judged: &[Judged<Change>]) -> Option<String> {
    let lines = judged.iter().map(|judged| judged.line.verb);
    match lines.filter(|verb| *verb == PlanVerb::Attention).count() {
        0 => None,
        1 => Some("1 item needs your attention (marked `!`)".to_owned()),
        many => Some(format!("{many} items need your attention (marked `!`)")),
    }
}

fn lines(judged: &[Judged<Change>]) -> Vec<Line> {
    judged.iter().map(|judged| judged.line.clone()).collect()
}

/// How long a change may take to be visible everywhere in AWS.
const PATIENCE: Policy = Policy::new(Duration::from_millis(500), Duration::from_secs(10), 45);

/// Looks again until nothing is left to do; what is left in the end is an error with this help.
async fn settled(look: impl AsyncFn() -> Result<Vec<String>, Failure>, help: &str) -> Result<(), Failure> {
    let differs = |left: &Result<Vec<String>, _>| left.as_ref().is_ok_and(|left| !left.is_empty());
    let left = retry(PATIENCE, differs, look).await?;
    if left.is_empty() {
        return Ok(());
    }
    let left = left.join("; ");
    let message = format!("all calls succeeded, but the account still differs from the plan: {left}");
    Err(Failure::new(Exit::Failed, message).help(help))
}
