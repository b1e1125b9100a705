//! Takes away what bootstrap made: certificate and validation records, state bucket, lock table, admin role.
//!
//! Never while a state still lists resources or a lock is held, and never what does not carry our tags. Secrets and
//! the hosted zone are not bootstrap's.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::Target;
use super::admin_role;
use super::certificate;
use super::certificate_apply::is_ours;
use super::dns;
use crate::account::Bucket;
use crate::account::Certificate;
use crate::account::Lock;
use crate::account::Record;
use crate::account::Table;
use crate::aws::CallError;
use crate::aws::Session;
use crate::aws::Why;
use crate::aws::call;
use crate::config;
use crate::config::Config;
use crate::explain::Exit;
use crate::explain::Explain;
use crate::plan::Action;
use crate::plan::Line;
use crate::plan::Verb;

pub use super::destroy_apply::apply;
use super::destroy_apply::contents;
use super::destroy_apply::locks;

/// What is there now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The state bucket, if it exists.
    pub bucket: Option<Contents>,
    /// The lock table, if it exists, and whether it refuses to be deleted.
    pub table: Option<(String, bool)>,
    /// The certificates that bootstrap made.
    pub certificates: Vec<Certificate>,
    /// Their validation records that stand in the zone and prove nothing else.
    pub records: Vec<Record>,
    /// The admin role and its policies.
    pub admin: admin_role::Seen,
    /// What stays, and why.
    pub notes: Vec<String>,
    /// Why nothing may be deleted now.
    pub reasons: Vec<String>,
}

/// What lies in the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Versions and delete markers.
    pub versions: usize,
    /// The states that still list resources, and how many.
    pub states: BTreeMap<String, usize>,
    /// The lock files.
    pub locks: BTreeMap<String, Lock>,
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
            Self::Empty(bucket, versions) => delete(format!(
                "{versions} versions of objects in S3 bucket {bucket}"
            )),
            Self::Bucket(bucket) => delete(format!("S3 bucket {bucket}")),
            Self::Unprotect(table) => Line::new(Verb::Update, format!("DynamoDB table {table}"))
                .setting("deletion protection", Some("on".into()), Some("off".into())),
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
pub async fn observe(
    session: &Session,
    target: &Target,
    config: &Config,
) -> Result<Seen, super::Error> {
    let (stored, proofs, admin) = tokio::join!(
        Box::pin(stored(session, target)),
        Box::pin(proofs(session, config)),
        Box::pin(admin_role::observe(session, target)),
    );
    let (stored, proofs) = (stored?, proofs?);
    let mut seen = Seen {
        reasons: reasons(target, &stored, &proofs.ours),
        bucket: stored.bucket.map(|(_, contents)| contents),
        table: stored
            .table
            .map(|(table, _)| (table.name, table.deletion_protection)),
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
            if role_tags.is_some_and(|tags| !tagged(target, tags)) {
                let role = format!("role {role}");
                seen.notes.push(foreign(target, &role));
            }
            seen.admin = admin;
        }
        Err(error) if error.why == Why::Denied => seen
            .notes
            .push(format!("role {role}, if there is one, stays: {error}")),
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
    whole
        .table
        .get_or_insert_with(|| config::prefix(&target.env));
    let super::Seen { bucket, table, .. } = super::observe(session, &whole).await?;
    // The table of a lock that moved to a file goes too, if it is ours.
    let spare = target.table.is_none();
    let table = table.filter(|table| !spare || tagged(target, &table.tags));
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
    Ok(Stored {
        bucket: bucket?,
        table: table?,
    })
}

/// Why nothing may be deleted now.
fn reasons(target: &Target, stored: &Stored, certificates: &[Certificate]) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some((bucket, contents)) = &stored.bucket {
        if !tagged(target, &bucket.tags) {
            reasons.push(foreign(target, &format!("bucket {}", bucket.name)));
        }
        for (key, resources) in &contents.states {
            reasons.push(format!("state {key} still lists {resources} resources"));
        }
        reasons.extend(contents.locks.iter().map(|(key, lock)| held(key, lock)));
    }
    if let Some((table, locks)) = &stored.table {
        if !tagged(target, &table.tags) {
            reasons.push(foreign(target, &format!("table {}", table.name)));
        }
        reasons.extend(locks.iter().map(|(id, lock)| held(id, lock)));
    }
    let used = certificates.iter().filter(|one| !one.in_use_by.is_empty());
    reasons.extend(used.map(|certificate| {
        format!(
            "certificate {} is in use by {}",
            certificate.arn,
            certificate.in_use_by.join(", ")
        )
    }));
    reasons
}

fn foreign(target: &Target, thing: &str) -> String {
    format!(
        "{thing} does not carry the tags of environment {}: it is not ours",
        target.env
    )
}

fn held(what: &str, lock: &Lock) -> String {
    format!(
        "{what} is locked by {} since {}",
        or_unknown(&lock.who),
        or_unknown(&lock.created)
    )
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "somebody" } else { text }
}

fn tagged(target: &Target, tags: &BTreeMap<String, String>) -> bool {
    target
        .tags()
        .iter()
        .all(|(key, value)| tags.get(key) == Some(value))
}

/// The certificates that bootstrap made, and the records in the zone that prove nothing else.
struct Proofs {
    ours: Vec<Certificate>,
    records: Vec<Record>,
}

async fn proofs(session: &Session, config: &Config) -> Result<Proofs, CallError> {
    let candidates = certificate::candidates(session, config).await?;
    let whose = try_join_all(candidates.into_iter().map(async |certificate| {
        let request = session
            .acm()
            .list_tags_for_certificate()
            .certificate_arn(&certificate.arn);
        let answer = call("acm:ListTagsForCertificate", request.send().await)?;
        Ok::<_, CallError>((is_ours(answer.tags(), &config.env), certificate))
    }));
    let (ours, others): (Vec<_>, Vec<_>) = whose.await?.into_iter().partition(|(ours, _)| *ours);
    let ours: Vec<Certificate> = ours.into_iter().map(|(_, one)| one).collect();
    // All of an account's certificates for a name are proven by the same record.
    let records: BTreeSet<&Record> = ours
        .iter()
        .flat_map(|certificate| &certificate.validation)
        .filter(|record| {
            let mut others = others.iter();
            !others.any(|(_, other)| other.validation.contains(record))
        })
        .collect();
    let zone = &config.domain.hosted_zone_id;
    let found = try_join_all(records.into_iter().map(async |record| {
        match dns::find_record(session, zone, record).await {
            Err(error) if error.is("NoSuchHostedZone") => Ok(None),
            found => Ok::<_, CallError>(found?.map(|_| record.clone())),
        }
    }));
    let records = found.await?.into_iter().flatten().collect();
    Ok(Proofs { ours, records })
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
#[error("nothing was deleted: {}", .0.join("; "))]
pub struct Refused(pub Vec<String>);

impl Explain for Refused {
    fn exit(&self) -> Exit {
        Exit::Refused
    }

    fn help(&self) -> Option<String> {
        Some(
            "end what holds it first: `terraform destroy` in the Terraform directory (turn its deletion protection off and apply before)"
                .into(),
        )
    }
}
