//! Looks at everything that would be deleted, and at what forbids it.

use jiff::Timestamp;

use crate::aws::Session;
use crate::bootstrap::admin_role::region::other_region;
use crate::bootstrap::certificate::proof::{left_over, proofs};
use crate::bootstrap::destroy::contents::Contents;
use crate::bootstrap::destroy::plan::{Bucket, Fate, Owned, Seen, Table, foreign, reasons};
use crate::bootstrap::destroy::{contents, items};
use crate::bootstrap::parts::Parts;
use crate::bootstrap::{Error, Target, admin_role, ci};
use crate::config::Config;
use crate::deployment::Lock;

/// The target with the names that its roles and policies have. Where they may not be read, they are not deleted either.
pub async fn named(session: &Session, target: &Target) -> Result<Target, Error> {
    match admin_role::region::named(session, target).await {
        Err(error) if error.is_denied() => Ok(target.clone()),
        named => Ok(named?),
    }
}

/// Looks at everything at the same time. `everything` is whether what others keep is to be deleted as well.
pub async fn observe(
    session: &Session,
    target: &Target,
    config: &Config,
    everything: bool,
    now: Timestamp,
) -> Result<Seen, Error> {
    let (stored, proofs, admin, ci) = tokio::join!(
        Box::pin(stored(session, target, everything, now)),
        Box::pin(proofs(session, config)),
        Box::pin(admin_role::observe(session, target)),
        Box::pin(ci::observe(session, target, None)),
    );
    let (mut seen, owned) = stored?;
    let proofs = proofs?;
    seen.certificates = proofs.ours;
    seen.records = proofs.records;
    if config.domain.hosted_zone_id.is_none() {
        let domain = &config.domain.name;
        seen.notes
            .push(format!("the DNS records of {domain}, which another team manages: ask it to remove them"));
    }
    seen.reasons = reasons(target, &seen, owned);
    if seen.certificates.is_empty() {
        seen.notes.extend(left_over(session, config).await);
    }
    match ci {
        Ok(ci) if other_region(target, &ci.policies).is_some() => {}
        Ok(ci) => {
            if let Some(provider) = ci.provider.as_ref().filter(|one| target.owns(&one.tags)) {
                seen.provider = !ci::others_trust(session, target, &provider.arn).await?;
                if !seen.provider {
                    seen.notes.push(format!("{}: other roles trust it", provider.arn));
                }
            }
            seen.ci = ci;
        }
        Err(error) if error.is_denied() => {
            seen.notes.push(format!("the roles of the CI system, if they exist: {error}"));
        }
        Err(error) => return Err(error.into()),
    }
    let role = admin_role::name(target);
    match admin {
        Ok(admin) if admin.role.is_some() && admin_role::is_caller(target, &session.caller) => {
            seen.notes.push(format!(
                "role {role}: you are signed in as it; run this again as another user to delete it"
            ));
        }
        Ok(admin) if other_region(target, &admin.policies).is_some() => {
            let region = other_region(target, &admin.policies).unwrap_or_default();
            let env = &target.deployment.env;
            seen.notes
                .push(format!("the roles of environment {env}: they are for its deployment in {region}"));
        }
        Ok(admin) => {
            let role_tags = admin.role.as_ref().map(|role| &role.tags);
            if role_tags.is_some_and(|tags| !target.owns(tags)) {
                let role = format!("role {role}");
                seen.notes.push(foreign(target, &role));
            }
            seen.admin = admin;
        }
        Err(error) if error.is_denied() => {
            seen.notes.push(format!("role {role}, if it exists: {error}"));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(seen)
}

/// The bucket and the table with what is in them, and whether they carry our tags.
async fn stored(
    session: &Session,
    target: &Target,
    everything: bool,
    now: Timestamp,
) -> Result<(Seen, Owned), Error> {
    let mut both = target.clone();
    if both.backend.lock.table().is_none() {
        both.backend.lock = Lock::TableAndFile(target.deployment.prefix());
    }
    let crate::bootstrap::Seen { bucket, table, .. } =
        crate::bootstrap::observe(session, &both, &Parts::default()).await?;
    // The table of a lock that moved to a file is deleted too, if it is ours.
    let spare = target.backend.lock.table().is_none();
    let table = table.filter(|table| !spare || target.owns(&table.tags));
    let owned = Owned {
        bucket: bucket.as_ref().is_none_or(|bucket| target.owns(&bucket.tags)),
        table: table.as_ref().is_none_or(|table| target.owns(&table.tags)),
    };
    let bucket = async {
        let Some(bucket) = bucket else { return Ok::<_, Error>(None) };
        let is_adopted = target.is_adopted(&bucket.tags);
        let contents = if !owned.bucket {
            Contents::default()
        } else if is_adopted && !everything {
            contents::own(session, target, &bucket.name, now).await?
        } else {
            contents::whole(session, target, &bucket.name, now).await?
        };
        let fate = Fate::new(is_adopted, !contents.others.is_empty(), everything);
        Ok(Some(Bucket { name: bucket.name, fate, contents }))
    };
    let table = async {
        let Some(table) = table else { return Ok::<_, Error>(None) };
        let items = items::items(session, target, &table.name).await?;
        let fate = Fate::new(target.is_adopted(&table.tags), !items.others.is_empty(), everything);
        Ok(Some(Table { name: table.name, protected: table.deletion_protection, fate, items }))
    };
    let (bucket, table) = tokio::join!(Box::pin(bucket), Box::pin(table));
    let mut seen = Seen { bucket: bucket?, table: table?, ..Seen::default() };
    if let Some(Bucket { name, fate, contents }) = &seen.bucket {
        let others = (!contents.others.is_empty()).then(|| contents.others.text("object"));
        seen.notes.extend(fate.note(&format!("S3 bucket {name}"), others));
    }
    if let Some(Table { name, fate, items, .. }) = &seen.table {
        let others = (!items.others.is_empty()).then(|| items.others.text("item"));
        seen.notes.extend(fate.note(&format!("DynamoDB table {name}"), others));
    }
    Ok((seen, owned))
}
