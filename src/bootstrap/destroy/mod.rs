//! Takes away what bootstrap made: certificate and validation records, state bucket, lock table, admin role.
//!
//! Never while a state still lists resources or a lock is held, and never what does not carry our tags. Secrets and
//! the hosted zone are not bootstrap's.

mod apply;

use std::collections::BTreeMap;

use super::certificate::proof::proofs;
use super::{Target, admin_role};
use crate::account::{Bucket, Certificate, Lock, Record, Table};
use crate::aws::{CallError, Session, Why};
use crate::config;
use crate::config::Config;
use crate::explain::{Exit, Explain};
use crate::plan::{Action, Line, Verb};

pub use super::certificate::proof::kept;
pub use super::destroy::apply::apply;
use super::destroy::apply::{contents, locks};

/// What is there now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The state bucket, if it exists.
    pub bucket: Option<Contents>,
    /// The lock table, if it exists, and whether it refuses to be deleted.
    pub table: Option<(String, bool)>,
    /// The certificates that bootstrap made.
    pub certificates: Vec<Certificate>,
    /// Their validation records that stand in the zone.
    pub records: Vec<Record>,
    /// The admin role and its policies.
    pub admin: admin_role::Seen,
    /// What stays, and why.
    pub notes: Vec<String>,
    /// Why nothing may be deleted now.
    pub reasons: Vec<Reason>,
}

/// What lies in the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Versions and delete markers.
    pub versions: usize,
    /// The states that still list resources.
    pub states: Vec<State>,
    /// The lock files.
    pub locks: BTreeMap<String, Lock>,
}

/// A state that still lists resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its key.
    pub key: String,
    /// The version that was read.
    pub version: String,
    /// Whether somebody deleted it since.
    pub deleted: bool,
    /// How many resources it lists.
    pub resources: usize,
}

/// One thing to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Delete a certificate by its ARN.
    Certificate(String),
    /// Delete validation records from a zone.
    Records {
        /// The hosted zone.
        zone: String,
        /// What goes.
        records: Vec<Record>,
    },
    /// Delete everything in the bucket; so many versions were seen.
    Empty(String, usize),
    /// Delete the empty bucket.
    Bucket(String),
    /// Let the table be deleted.
    Unprotect(String),
    /// Delete the table.
    Table(String),
    /// Take the admin role apart.
    Admin(super::Step),
}

impl Action for Step {
    fn line(&self) -> Line {
        let delete = |thing: String| Line::new(Verb::Delete, thing);
        match self {
            Self::Certificate(arn) => delete(format!("ACM certificate {arn}")),
            Self::Records { zone, records } => {
                let names: Vec<&str> = records.iter().map(|record| &*record.name).collect();
                delete(format!("{} in hosted zone {zone}", names.join(", ")))
            }
            Self::Empty(bucket, versions) => {
                delete(format!("{versions} versions of objects in S3 bucket {bucket}"))
            }
            Self::Bucket(bucket) => delete(format!("S3 bucket {bucket}")),
            Self::Unprotect(table) => Line::new(Verb::Update, format!("DynamoDB table {table}")).setting(
                "deletion protection",
                Some("on".into()),
                Some("off".into()),
            ),
            Self::Table(table) => delete(format!("DynamoDB table {table}")),
            Self::Admin(step) => step.line(),
        }
    }

    fn lane(&self) -> usize {
        match self {
            Self::Empty(..) | Self::Bucket(_) => 0,
            Self::Unprotect(_) | Self::Table(_) => 1,
            Self::Certificate(_) | Self::Records { .. } => 2,
            Self::Admin(_) => 3,
        }
    }
}

/// Looks at everything that would go, and at what forbids it; all at the same time.
pub async fn observe(session: &Session, target: &Target, config: &Config) -> Result<Seen, super::Error> {
    let (stored, proofs, admin) = tokio::join!(
        Box::pin(stored(session, target)),
        Box::pin(proofs(session, config)),
        Box::pin(admin_role::observe(session, target)),
    );
    let (stored, proofs) = (stored?, proofs?);
    let mut seen = Seen {
        reasons: reasons(target, &stored, &proofs.ours),
        bucket: stored.bucket.map(|(_, contents)| contents),
        table: stored.table.map(|(table, _)| (table.name, table.deletion_protection)),
        certificates: proofs.ours,
        records: proofs.records,
        ..Seen::default()
    };
    let role = admin_role::name(target);
    match admin {
        Ok(admin) if admin.role.is_some() && admin_role::is_caller(target, &session.caller) => {
            seen.notes.push(format!(
                "you are role {role}, so it stays; run this again as somebody else to remove it"
            ));
        }
        Ok(admin) => {
            let role_tags = admin.role.as_ref().map(|role| &role.tags);
            if role_tags.is_some_and(|tags| !target.owns(tags)) {
                let role = format!("role {role}");
                seen.notes.push(foreign(target, &role));
            }
            seen.admin = admin;
        }
        Err(error) if error.why == Why::Denied => {
            seen.notes.push(format!("role {role}, if there is one, stays: {error}"));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(seen)
}

/// The bucket with what lies in it, and the table with the locks in it.
struct Stored {
    bucket: Option<(Bucket, Contents)>,
    table: Option<(Table, BTreeMap<String, Lock>)>,
}

async fn stored(session: &Session, target: &Target) -> Result<Stored, super::Error> {
    let mut whole = target.clone();
    whole.table.get_or_insert_with(|| config::prefix(&target.env));
    let super::Seen { bucket, table, .. } = super::observe(session, &whole).await?;
    // The table of a lock that moved to a file goes too, if it is ours.
    let spare = target.table.is_none();
    let table = table.filter(|table| !spare || target.owns(&table.tags));
    let contents = async {
        match bucket {
            Some(bucket) => {
                let contents = contents(session, &bucket.name).await?;
                Ok::<_, CallError>(Some((bucket, contents)))
            }
            None => Ok(None),
        }
    };
    let locks = async {
        match table {
            Some(table) => {
                let locks = locks(session, &table.name).await?;
                Ok::<_, CallError>(Some((table, locks)))
            }
            None => Ok(None),
        }
    };
    let (bucket, table) = tokio::join!(Box::pin(contents), Box::pin(locks));
    Ok(Stored { bucket: bucket?, table: table? })
}

/// Why nothing may be deleted now.
fn reasons(target: &Target, stored: &Stored, certificates: &[Certificate]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some((bucket, contents)) = &stored.bucket {
        if !target.owns(&bucket.tags) {
            reasons.push(Reason::foreign(target, &format!("bucket {}", bucket.name)));
        }
        reasons.extend(contents.states.iter().map(|state| state.reason(&bucket.name)));
        reasons.extend(contents.locks.iter().map(|(key, lock)| held(key, lock)));
    }
    if let Some((table, locks)) = &stored.table {
        if !target.owns(&table.tags) {
            reasons.push(Reason::foreign(target, &format!("table {}", table.name)));
        }
        reasons.extend(locks.iter().map(|(id, lock)| held(id, lock)));
    }
    let used = certificates.iter().filter(|one| !one.in_use_by.is_empty());
    reasons.extend(used.map(|certificate| {
        let users = certificate.in_use_by.join(", ");
        Reason {
            text: format!("certificate {} is in use by {users}", certificate.arn),
            help: DESTROY_FIRST.to_owned(),
        }
    }));
    reasons
}

/// Something that forbids to delete, and what helps against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What there is.
    pub text: String,
    /// What to do.
    pub help: String,
}

const DESTROY_FIRST: &str = "run `terraform destroy` in the Terraform directory first (turn its deletion protection off and apply before)";

impl Reason {
    fn foreign(target: &Target, thing: &str) -> Self {
        Self {
            text: foreign(target, thing),
            help: format!(
                "if {thing} is this environment's, `osmt-bootstrap apply` puts the tags back; if not, correct main.tf or the config"
            ),
        }
    }
}

impl State {
    fn reason(&self, bucket: &str) -> Reason {
        let Self { key, version, resources, .. } = self;
        let count = match resources {
            1 => "1 resource".to_owned(),
            many => format!("{many} resources"),
        };
        if !self.deleted {
            return Reason {
                text: format!("state {key} still lists {count}"),
                help: DESTROY_FIRST.to_owned(),
            };
        }
        Reason {
            text: format!("the last version of the deleted state {key} lists {count}"),
            help: format!(
                "restore it (`aws s3api copy-object --bucket {bucket} --key '{key}' --copy-source '{bucket}/{key}?versionId={version}'`) and run `terraform destroy`; where the resources are gone, `terraform state rm` them then"
            ),
        }
    }
}

fn foreign(target: &Target, thing: &str) -> String {
    format!("{thing} does not carry the tags of environment {}: it is not ours", target.env)
}

fn held(what: &str, lock: &Lock) -> Reason {
    let unlock = if lock.id.is_empty() {
        String::new()
    } else {
        format!("; where nobody is at it, `terraform force-unlock {}`", lock.id)
    };
    Reason {
        text: format!("{what} is locked{}", lock.holder()),
        help: format!("wait until the lock is given back{unlock}"),
    }
}

/// What goes, in order; refused while anything forbids it.
pub fn plan(target: &Target, config: &Config, seen: &Seen) -> Result<Vec<Step>, Refused> {
    if !seen.reasons.is_empty() {
        return Err(Refused(seen.reasons.clone()));
    }
    let mut steps = Vec::new();
    // The records first: a run that stops between the two still finds them by the certificate.
    if !seen.records.is_empty() {
        steps.push(Step::Records {
            zone: config.domain.hosted_zone_id.clone(),
            records: seen.records.clone(),
        });
    }
    for certificate in &seen.certificates {
        steps.push(Step::Certificate(certificate.arn.clone()));
    }
    if let Some(contents) = &seen.bucket {
        if contents.versions > 0 {
            steps.push(Step::Empty(target.bucket.clone(), contents.versions));
        }
        steps.push(Step::Bucket(target.bucket.clone()));
    }
    if let Some((table, protected)) = &seen.table {
        if *protected {
            steps.push(Step::Unprotect(table.clone()));
        }
        steps.push(Step::Table(table.clone()));
    }
    let admin = super::plan(
        admin_role::removal(target, &seen.admin)
            .into_iter()
            .map(|judged| judged.map(super::Change::Admin))
            .collect(),
    );
    steps.extend(admin.actions.into_iter().map(Step::Admin));
    Ok(steps)
}

/// Why nothing may be deleted.
#[derive(Debug, thiserror::Error)]
#[error("nothing was deleted: {}", told(.0.iter().map(|reason| &reason.text)))]
pub struct Refused(pub Vec<Reason>);

fn told<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    let mut once: Vec<&str> = Vec::new();
    for text in texts {
        if !once.contains(&text.as_str()) {
            once.push(text);
        }
    }
    once.join("; ")
}

impl Explain for Refused {
    fn exit(&self) -> Exit {
        Exit::Refused
    }

    fn help(&self) -> Option<String> {
        Some(told(self.0.iter().map(|reason| &reason.help)))
    }
}
