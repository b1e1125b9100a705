//! What of an environment is deleted, what is kept, and what forbids it. Pure.

use crate::account::{Certificate, Lock, Record};
use crate::bootstrap::destroy::contents::{Contents, State};
use crate::bootstrap::destroy::items::Items;
use crate::bootstrap::{Change, Target};
use crate::bootstrap::{admin_role, ci};
use crate::config::Config;
use crate::explain::{Exit, Explain};
use crate::plan::{Action, Line, Verb};

/// What is there now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The state bucket, if it exists.
    pub bucket: Option<Bucket>,
    /// The lock table, if it exists.
    pub table: Option<Table>,
    /// The certificates that bootstrap made.
    pub certificates: Vec<Certificate>,
    /// Their validation records in the zone.
    pub records: Vec<Record>,
    /// The roles and their policies.
    pub admin: admin_role::Seen,
    /// The CI system's roles.
    pub ci: ci::Seen,
    /// Whether the CI system's provider is deleted: no other role trusts it.
    pub provider: bool,
    /// What is kept, and why.
    pub notes: Vec<String>,
    /// Why nothing may be deleted now.
    pub reasons: Vec<Reason>,
}

/// The state bucket as `destroy` sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Whether it is deleted.
    pub fate: Fate,
    /// What is in it.
    pub contents: Contents,
}

/// The lock table as `destroy` sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Whether it refuses to be deleted.
    pub protected: bool,
    /// Whether it is deleted.
    pub fate: Fate,
    /// What is in it.
    pub items: Items,
}

/// What becomes of a bucket or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted with everything in it.
    Deleted,
    /// It existed before osmt-bootstrap: only this deployment's part is deleted.
    Adopted,
    /// It was made here and holds things of others: only this deployment's part is deleted.
    Shared,
}

impl Fate {
    /// What becomes of something with these tags, in which there are these things of others.
    pub(super) fn new(is_adopted: bool, has_others: bool, everything: bool) -> Self {
        match (everything, is_adopted, has_others) {
            (true, _, _) | (false, false, false) => Self::Deleted,
            (false, true, _) => Self::Adopted,
            (false, false, true) => Self::Shared,
        }
    }

    /// Why something is kept, for the person who runs it.
    pub(super) fn note(&self, thing: &str, others: Option<String>) -> Option<String> {
        let flag = "`--delete-everything` deletes it with all that is in it";
        match (self, others) {
            (Self::Deleted, _) => None,
            (Self::Adopted, None) => Some(format!("{thing}: it existed before osmt-bootstrap; {flag}")),
            (Self::Adopted, Some(others)) => {
                Some(format!("{thing}: it existed before osmt-bootstrap and holds {others}; {flag}"))
            }
            (Self::Shared, others) => {
                Some(format!("{thing}: it holds {}; {flag}", others.unwrap_or_default()))
            }
        }
    }
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
    /// Delete this deployment's objects and nothing else; so many versions were seen.
    Objects(String, usize),
    /// Delete the empty bucket.
    Bucket(String),
    /// Let the table be deleted.
    Unprotect(String),
    /// Delete the table.
    Table(String),
    /// Delete these items of the table and nothing else.
    Items(String, Vec<String>),
    /// Delete a role or a policy, or a part of them.
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
            Self::Unprotect(table) => Line::new(Verb::Update, format!("DynamoDB table {table}")).setting(
                "deletion protection",
                Some("on".into()),
                Some("off".into()),
            ),
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
            Self::Unprotect(_) | Self::Table(_) | Self::Items(..) => 1,
            Self::Certificate(_) | Self::Records { .. } => 2,
            Self::Role(_) => 3,
        }
    }
}

/// `1 version`, `2 versions`
fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Whether the bucket and the table carry this environment's tags.
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
            help: "wait until then, or have the protection removed by its owner".to_owned(),
        }));
    }
    if let Some(Table { name, fate, items, .. }) = &seen.table {
        if !owned.table {
            reasons.push(Reason::foreign(target, &format!("table {name}")));
        }
        let matters = |id: &str| *fate != Fate::Adopted || target.owns_item(id);
        reasons.extend(items.locks.iter().filter(|(id, _)| matters(id)).map(|(id, lock)| held(id, lock)));
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
            text: format!(
                "{key} cannot be read, so the state is locked, or it is not known whether it is ({why})"
            ),
            help: "wait until the lock is released, or run it as a user who may read the lock file"
                .to_owned(),
        };
    }
    Reason {
        text: format!("{key} cannot be read, so it is not known whether it lists resources ({why})"),
        help: format!("run it as a user who may read the state; {DESTROY_FIRST}"),
    }
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

/// That something belongs to others.
pub(super) fn foreign(target: &Target, thing: &str) -> String {
    format!("{thing} does not carry the tags of environment {}: it is not ours", target.deployment.env)
}

fn held(what: &str, lock: &Lock) -> Reason {
    let unlock = if lock.is_unreadable() {
        "; what Terraform noted about it cannot be read: if no Terraform runs, `osmt-bootstrap status` names what to delete"
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

/// What goes, in order; refused while anything forbids it.
pub fn plan(target: &Target, config: &Config, seen: &Seen) -> Result<Vec<Step>, Refused> {
    if !seen.reasons.is_empty() {
        return Err(Refused(seen.reasons.clone()));
    }
    let mut steps = Vec::new();
    // The records first: a run that stops between the two still finds them by the certificate.
    if let Some(zone) = config.domain.hosted_zone_id.as_ref().filter(|_| !seen.records.is_empty()) {
        steps.push(Step::Records { zone: zone.clone(), records: seen.records.clone() });
    }
    for certificate in &seen.certificates {
        steps.push(Step::Certificate(certificate.arn.clone()));
    }
    if let Some(Bucket { name, fate, contents }) = &seen.bucket {
        match fate {
            Fate::Deleted => {
                if contents.versions > 0 {
                    steps.push(Step::Empty(name.clone(), contents.versions));
                }
                steps.push(Step::Bucket(name.clone()));
            }
            Fate::Adopted | Fate::Shared if contents.own == 0 => {}
            Fate::Adopted | Fate::Shared => steps.push(Step::Objects(name.clone(), contents.own)),
        }
    }
    if let Some(Table { name, protected, fate, items }) = &seen.table {
        match fate {
            Fate::Deleted => {
                if *protected {
                    steps.push(Step::Unprotect(name.clone()));
                }
                steps.push(Step::Table(name.clone()));
            }
            Fate::Adopted | Fate::Shared if items.own.is_empty() => {}
            Fate::Adopted | Fate::Shared => {
                steps.push(Step::Items(name.clone(), items.own.iter().cloned().collect()));
            }
        }
    }
    // The CI's roles first: the admin role's policies are attached to one of them.
    let ci = ci::removal(target, &seen.ci, seen.provider).into_iter().map(|judged| judged.map(Change::Ci));
    let admin = admin_role::removal(target, &seen.admin).into_iter().map(|judged| judged.map(Change::Admin));
    let roles = crate::bootstrap::plan(ci.chain(admin).collect());
    steps.extend(roles.actions.into_iter().map(Step::Role));
    Ok(steps)
}

/// Why nothing may be deleted.
#[derive(Debug, thiserror::Error)]
#[error("nothing was deleted: {}", unique(.0.iter().map(|reason| &reason.text)))]
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
