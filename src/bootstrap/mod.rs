//! Prepares an AWS account for Terraform: state bucket, lock table, certificate; and takes it away again.
//!
//! One file a component. Each says what it wants ([`judge`](state_bucket::judge)), which is pure, and how a change
//! is made (`apply`), which is one AWS call or a few. Nothing here asks or prints.

pub mod backend;
pub mod certificate;
mod certificate_apply;
pub mod destroy;
mod destroy_apply;
pub mod dns;
pub mod init;
pub mod lock_table;
pub mod network;
pub mod state_bucket;
mod state_bucket_apply;
mod state_bucket_policy;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::account::Bucket;
use crate::account::Table;
use crate::account::observe;
use crate::aws::CallError;
use crate::aws::Session;
use crate::config;
use crate::config::Config;
use crate::explain::Exit;
use crate::explain::Explain;
use crate::plan::Action;
use crate::plan::Line;
use crate::plan::Plan;
use crate::plan::Verb;

/// What Terraform's state needs, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// 12 digits.
    pub account_id: String,
    /// `us-west-2`
    pub region: String,
    /// `test`
    pub env: String,
    /// The state bucket.
    pub bucket: String,
    /// The lock table; `None` where Terraform's own lock file serves.
    pub table: Option<String>,
    /// The state's key in the bucket.
    pub state_key: String,
}

impl Target {
    /// The target of a config. The backend's names are those of `main.tf`, where it says any.
    pub fn new(config: &Config, backend: backend::Backend) -> Self {
        let table = if backend.use_lockfile {
            backend.lock_table
        } else {
            Some(
                backend
                    .lock_table
                    .unwrap_or_else(|| config::prefix(&config.env)),
            )
        };
        Self {
            account_id: config.account_id.clone(),
            region: config.region.clone(),
            env: config.env.clone(),
            bucket: backend.bucket.unwrap_or_else(|| {
                config::state_bucket(&config.env, &config.account_id, &config.region)
            }),
            table,
            state_key: backend
                .key
                .unwrap_or_else(|| config::state_key(&config.env)),
        }
    }

    /// The tags that everything carries.
    pub fn tags(&self) -> BTreeMap<String, String> {
        [
            ("Application", "osmt"),
            ("Environment", &self.env),
            ("ManagedBy", "osmt-bootstrap"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }
}

/// What is there now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The state bucket.
    pub bucket: Option<Bucket>,
    /// The lock table.
    pub table: Option<Table>,
}

/// Reads what is there; bucket and table at the same time.
pub async fn observe(session: &Session, target: &Target) -> Result<Seen, Error> {
    let lock_id = observe::lock_id(&target.bucket, &target.state_key);
    let table = async {
        match &target.table {
            Some(name) => Box::pin(observe::table(session, name, &lock_id)).await,
            None => Ok(None),
        }
    };
    let (bucket, table) = tokio::join!(Box::pin(observe::bucket(session, &target.bucket)), table);
    Ok(Seen {
        bucket: bucket?,
        table: table?,
    })
}

/// One setting, judged: what to do about it, or that it is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<C> {
    /// How it is shown.
    pub line: Line,
    /// What is to be done; `None` where the line says [`Verb::Keep`].
    pub change: Option<C>,
}

impl<C> Judged<C> {
    /// A thing that does not exist yet.
    fn create(thing: &str, what: Option<&str>, change: C) -> Self {
        Self {
            line: Line {
                to: what.map(str::to_owned),
                ..Line::new(Verb::Create, thing)
            },
            change: Some(change),
        }
    }

    /// One setting: kept where `fits`, changed otherwise; part of the creation where there is nothing to change yet.
    fn setting(
        (thing, exists): (&str, bool),
        name: &str,
        (from, to): (Option<String>, &str),
        fits: bool,
        change: C,
    ) -> Self {
        if exists && fits {
            return Self {
                line: Line::new(Verb::Keep, thing).setting(name, None, from),
                change: None,
            };
        }
        let verb = if exists { Verb::Update } else { Verb::Create };
        Self {
            line: Line::new(verb, thing).setting(name, from, Some(to.to_owned())),
            change: Some(change),
        }
    }

    fn map<D>(self, into: impl FnOnce(C) -> D) -> Judged<D> {
        Judged {
            line: self.line,
            change: self.change.map(into),
        }
    }
}

/// A change of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Of the state bucket.
    Bucket(state_bucket::Change),
    /// Of the lock table.
    Table(lock_table::Change),
}

/// A change and how it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How it is shown.
    pub line: Line,
    /// What is done.
    pub change: Change,
}

impl Action for Step {
    fn line(&self) -> Line {
        self.line.clone()
    }

    fn lane(&self) -> usize {
        match self.change {
            Change::Bucket(_) => 0,
            Change::Table(_) => 1,
        }
    }
}

/// Judges every setting of every component; pure.
pub fn judge(target: &Target, seen: &Seen) -> Result<Vec<Judged<Change>>, Error> {
    let mut judged: Vec<_> = state_bucket::judge(target, seen.bucket.as_ref())?
        .into_iter()
        .map(|judged| judged.map(Change::Bucket))
        .collect();
    if let Some(name) = &target.table {
        judged.extend(
            lock_table::judge(target, name, seen.table.as_ref())?
                .into_iter()
                .map(|judged| judged.map(Change::Table)),
        );
    }
    Ok(judged)
}

/// The changes among what was judged, in order.
pub fn plan(judged: Vec<Judged<Change>>) -> Plan<Step> {
    judged
        .into_iter()
        .filter_map(|judged| {
            let line = judged.line;
            judged.change.map(|change| Step { line, change })
        })
        .collect()
}

/// Makes one change.
pub async fn apply(session: &Session, target: &Target, step: &Step) -> Result<(), Error> {
    match &step.change {
        Change::Bucket(change) => state_bucket::apply(session, target, change).await,
        Change::Table(change) => lock_table::apply(session, target, change).await,
    }
}

/// What of the tags is missing or different, as text for the plan.
fn tags_text(tags: &BTreeMap<String, String>) -> String {
    tags.iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The present values of the tags that we want to set.
fn present_tags(
    wanted: &BTreeMap<String, String>,
    present: &BTreeMap<String, String>,
) -> Option<String> {
    let present: BTreeMap<_, _> = present
        .iter()
        .filter(|(key, _)| wanted.contains_key(*key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    (!present.is_empty()).then(|| tags_text(&present))
}

/// Why bootstrap cannot or will not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bucket is not ours, lies elsewhere, or cannot be read.
    #[error(transparent)]
    Bucket(#[from] observe::BucketError),
    /// The bucket's policy is not a JSON policy.
    #[error(
        "the policy of bucket {0} cannot be read, so nothing can be added to it; nothing was written"
    )]
    Policy(String),
    /// A table of that name has another purpose.
    #[error("table {table} cannot hold Terraform's lock: {why}; nothing was written")]
    Table {
        /// Its name.
        table: String,
        /// What is wrong with it.
        why: String,
    },
    /// AWS took longer than it ever should.
    #[error("{thing} is still {state}")]
    Slow {
        /// `table osmt-test`
        thing: String,
        /// `CREATING`
        state: String,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Bucket(error) => error.exit(),
            Self::Policy(_) | Self::Table { .. } => Exit::Refused,
            Self::Slow { .. } => Exit::Failed,
            Self::Call(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Bucket(error) => error.help(),
            Self::Policy(_) => Some("look at the policy in the console and mend or remove it".into()),
            Self::Table { .. } => Some(
                "choose another name with `osmt-bootstrap init --lock-table`, or lock with a file: `--lock s3`".into(),
            ),
            Self::Slow { .. } => Some("run it again in a minute: it goes on from there".into()),
            Self::Call(error) => error.help(),
        }
    }
}
