//! Plans what is deleted and what is kept, and the reasons to refuse. Pure.

use crate::account::{Certificate, Lock, Record};
use crate::bootstrap::destroy::contents::{Contents, State};
use crate::bootstrap::destroy::items::Items;
use crate::bootstrap::{Change, Target};
use crate::bootstrap::{admin_role, ci};
use crate::config::Config;
use crate::explain::{Exit, Explain, count};
use crate::plan::{Action, Line, Verb};

/// What osmt-bootstrap created, as it is now in AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The state bucket; `None` if it does not exist.
    pub bucket: Option<Bucket>,
    /// The lock table; `None` if it does not exist.
    pub table: Option<Table>,
    /// The certificates with our tags.
    pub certificates: Vec<Certificate>,
    /// Their validation records in the zone.
    pub records: Vec<Record>,
    /// The admin role and its policies.
    pub admin: admin_role::Seen,
    /// The CI system's roles.
    pub ci: ci::Seen,
    /// Whether the CI system's provider is deleted: no other role trusts it.
    pub provider: bool,
    /// What is kept, with the reason.
    pub notes: Vec<String>,
    /// Why nothing may be deleted now.
    pub reasons: Vec<Reason>,
}

/// The state bucket with its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub extent: Extent,
    pub contents: Contents,
}

/// The lock table with its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// Whether deletion protection is on.
    pub protected: bool,
    pub extent: Extent,
    pub items: Items,
}

/// How much of a bucket or a table is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The bucket or table with everything in it.
    All,
    /// Only this deployment's objects or items: the bucket or table existed before osmt-bootstrap.
    Adopted,
    /// Only this deployment's objects or items: others use the bucket or table, too.
    Shared,
}

impl Extent {
    pub(super) fn new(is_adopted: bool, has_others: bool, everything: bool) -> Self {
        match (everything, is_adopted, has_others) {
            (true, _, _) | (false, false, false) => Self::All,
            (false, true, _) => Self::Adopted,
            (false, false, true) => Self::Shared,
        }
    }

    /// Why a bucket or a table is kept; `None` if it is deleted.
    pub(super) fn note(&self, thing: &str, others: Option<String>) -> Option<String> {
        let flag = "`--delete-everything` deletes it with everything in it";
        match (self, others) {
            (Self::All, _) => None,
            (Self::Adopted, None) => Some(format!("{thing}: it existed before osmt-bootstrap; {flag}")),
            (Self::Adopted, Some(others)) => {
                Some(format!("{thing}: it existed before osmt-bootstrap and contains {others}; {flag}"))
            }
            (Self::Shared, others) => {
                Some(format!("{thing}: it contains {}; {flag}", others.unwrap_or_default()))
            }
        }
    }
}

/// An action of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Delete a certificate, by ARN.
    Certificate(String),
    /// Delete validation records from a zone.
    Records {
        /// The id of the hosted zone.
        zone: String,
        /// The records to delete.
        records: Vec<Record>,
    },
    /// Delete everything in the bucket: name, number of versions.
    Empty(String, usize),
    /// Delete only this deployment's objects: bucket, number of versions.
    Objects(String, usize),
    /// Delete the empty bucket.
    Bucket(String),
    /// Disable the table's deletion protection.
    DisableProtection(String),
    /// Delete the table.
    Table(String),
    /// Delete only these items of the table.
    Items(String, Vec<String>),
    /// Delete a role or a policy, or detach a policy.
    Role(crate::bootstrap::Step),
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
                delete(format!("{} of objects in S3 bucket {bucket}", count(*versions, "version")))
            }
            Self::Objects(bucket, versions) => delete(format!(
                "{} of this deployment's state in S3 bucket {bucket}",
                count(*versions, "version")
            )),
            Self::Bucket(bucket) => delete(format!("S3 bucket {bucket}")),
            Self::DisableProtection(table) => Line::new(Verb::Update, format!("DynamoDB table {table}"))
                .setting("deletion protection", Some("on".into()), Some("off".into())),
            Self::Table(table) => delete(format!("DynamoDB table {table}")),
            Self::Items(table, ids) => {
                delete(format!("{} in DynamoDB table {table}: {}", count(ids.len(), "item"), ids.join(", ")))
            }
            Self::Role(step) => step.line(),
        }
    }

    fn lane(&self) -> usize {
        match self {
            Self::Empty(..) | Self::Objects(..) | Self::Bucket(_) => 0,
            Self::DisableProtection(_) | Self::Table(_) | Self::Items(..) => 1,
            Self::Certificate(_) | Self::Records { .. } => 2,
            Self::Role(_) => 3,
        }
    }
}

/// Whether the bucket and the table have this environment's tags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned {
    pub(super) bucket: bool,
    pub(super) table: bool,
}

/// Why nothing may be deleted now.
pub(super) fn reasons(target: &Target, seen: &Seen, owned: Owned) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(Bucket { name, contents, .. }) = &seen.bucket {
        if !owned.bucket {
            reasons.push(Reason::foreign(target, &format!("bucket {name}")));
        }
        reasons.extend(contents.states.iter().map(|state| state.reason(name)));
        reasons.extend(contents.locks.iter().map(|(key, lock)| held(key, lock)));
        reasons.extend(contents.unread.iter().map(|(key, why)| unread(key, why)));
        reasons.extend(contents.protected.iter().map(|(key, why)| Reason {
            text: format!("{key} cannot be deleted: {why}"),
            help: "wait until the protection ends, or ask its owner to remove it".to_owned(),
        }));
    }
    if let Some(Table { name, extent, items, .. }) = &seen.table {
        if !owned.table {
            reasons.push(Reason::foreign(target, &format!("table {name}")));
        }
        let is_relevant = |id: &str| *extent != Extent::Adopted || target.owns_item(id);
        reasons.extend(items.locks.iter().filter(|(id, _)| is_relevant(id)).map(|(id, lock)| held(id, lock)));
    }
    let used = seen.certificates.iter().filter(|one| !one.in_use_by.is_empty());
    reasons.extend(used.map(|certificate| {
        let users = certificate.in_use_by.join(", ");
        Reason {
            text: format!("certificate {} is in use by {users}", certificate.arn),
            help: DESTROY_FIRST.to_owned(),
        }
    }));
    reasons
}

fn unread(key: &str, why: &str) -> Reason {
    if key.ends_with(".tflock") {
        return Reason {
            text: format!("{key} cannot be read, so the state may be locked ({why})"),
            help: "wait until the lock is released, or run this as a user who may read the lock file"
                .to_owned(),
        };
    }
    Reason {
        text: format!("{key} cannot be read, so it is not known whether it lists resources ({why})"),
        help: format!("run this as a user who may read the state; {DESTROY_FIRST}"),
    }
}

/// A reason to refuse, with its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub text: String,
    pub help: String,
}

const DESTROY_FIRST: &str = "run `terraform destroy` in the Terraform directory first (before it, turn deletion protection off in the config and apply)";

impl Reason {
    fn foreign(target: &Target, thing: &str) -> Self {
        Self {
            text: foreign(target, thing),
            help: format!(
                "if {thing} belongs to this environment, `osmt-bootstrap apply` sets the tags again; if not, correct main.tf or the config"
            ),
        }
    }
}

impl State {
    fn reason(&self, bucket: &str) -> Reason {
        let Self { key, version, resources, .. } = self;
        let count = count(*resources, "resource");
        if !self.deleted {
            return Reason {
                text: format!("state {key} still lists {count}"),
                help: DESTROY_FIRST.to_owned(),
            };
        }
        Reason {
            text: format!("the last version of the deleted state {key} lists {count}"),
            help: format!(
                "restore it (`aws s3api copy-object --bucket {bucket} --key '{key}' --copy-source '{bucket}/{key}?versionId={version}'`) and run `terraform destroy`; remove resources that do not exist any more with `terraform state rm`"
            ),
        }
    }
}

/// The message about a resource without this environment's tags.
pub(super) fn foreign(target: &Target, thing: &str) -> String {
    format!("{thing} does not have the tags of environment {}", target.deployment.env)
}

fn held(what: &str, lock: &Lock) -> Reason {
    let unlock = if lock.is_unreadable() {
        "; Terraform's data about the lock cannot be read: if Terraform is not running, `osmt-bootstrap status` prints what to delete"
            .to_owned()
    } else if lock.id.is_empty() {
        String::new()
    } else {
        format!("; if that run has ended, `terraform force-unlock {}`", lock.id)
    };
    Reason {
        text: format!("{what} is locked{}", lock.holder()),
        help: format!("wait until the lock is released{unlock}"),
    }
}

/// The plan; refused if there is a reason.
pub fn plan(target: &Target, config: &Config, seen: &Seen) -> Result<Vec<Step>, Refused> {
    if !seen.reasons.is_empty() {
        return Err(Refused(seen.reasons.clone()));
    }
    let mut steps = Vec::new();
    // Records before certificates: a second run finds the records by the certificate.
    if let Some(zone) = config.domain.hosted_zone_id.as_ref().filter(|_| !seen.records.is_empty()) {
        steps.push(Step::Records { zone: zone.clone(), records: seen.records.clone() });
    }
    for certificate in &seen.certificates {
        steps.push(Step::Certificate(certificate.arn.clone()));
    }
    if let Some(Bucket { name, extent, contents }) = &seen.bucket {
        match extent {
            Extent::All => {
                if contents.versions > 0 {
                    steps.push(Step::Empty(name.clone(), contents.versions));
                }
                steps.push(Step::Bucket(name.clone()));
            }
            Extent::Adopted | Extent::Shared if contents.own == 0 => {}
            Extent::Adopted | Extent::Shared => steps.push(Step::Objects(name.clone(), contents.own)),
        }
    }
    if let Some(Table { name, protected, extent, items }) = &seen.table {
        match extent {
            Extent::All => {
                if *protected {
                    steps.push(Step::DisableProtection(name.clone()));
                }
                steps.push(Step::Table(name.clone()));
            }
            Extent::Adopted | Extent::Shared if items.own.is_empty() => {}
            Extent::Adopted | Extent::Shared => {
                steps.push(Step::Items(name.clone(), items.own.iter().cloned().collect()));
            }
        }
    }
    // CI roles before the admin role: its policies are attached to one of them.
    let ci = ci::removal(target, &seen.ci, seen.provider).into_iter().map(|judged| judged.map(Change::Ci));
    let admin = admin_role::removal(target, &seen.admin).into_iter().map(|judged| judged.map(Change::Admin));
    let roles = crate::bootstrap::plan(ci.chain(admin).collect());
    steps.extend(roles.actions.into_iter().map(Step::Role));
    Ok(steps)
}

/// The reasons why nothing was deleted.
#[derive(Debug, thiserror::Error)]
#[error("{}", unique(.0.iter().map(|reason| &reason.text)))]
pub struct Refused(pub Vec<Reason>);

fn unique<'a>(texts: impl Iterator<Item = &'a String>) -> String {
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
        Some(unique(self.0.iter().map(|reason| &reason.help)))
    }
}
