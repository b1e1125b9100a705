//! Reads everything that would be deleted, and the reasons why it must not be deleted.

use jiff::Timestamp;

use crate::aws::Session;
use crate::bootstrap::admin_role::region::other_region;
use crate::bootstrap::certificate::validation::{leftover_records, own_certificates};
use crate::bootstrap::destroy::contents::Contents;
use crate::bootstrap::destroy::plan::{Bucket, Extent, Owned, Seen, Table, foreign, reasons};
use crate::bootstrap::destroy::{contents, items};
use crate::bootstrap::selection::Selection;
use crate::bootstrap::{Error, Target, admin_role, ci};
use crate::config::Config;
use crate::deployment::Lock;

/// Sets `region_in_names` of the target. If the caller may not read the roles, the target is not changed: they are not deleted then.
pub async fn with_role_names(session: &Session, target: &Target) -> Result<Target, Error> {
    match admin_role::region::with_role_names(session, target).await {
        Err(error) if error.is_denied() => Ok(target.clone()),
        result => Ok(result?),
    }
}

/// Reads everything, all at the same time. `everything` is `--delete-everything`: objects and items of others are deleted as well.
pub async fn observe(
    session: &Session,
    target: &Target,
    config: &Config,
    everything: bool,
    now: Timestamp,
) -> Result<Seen, Error> {
    let (stored, own_certificates, admin, ci) = tokio::join!(
        Box::pin(stored(session, target, everything, now)),
        Box::pin(own_certificates(session, config)),
        Box::pin(admin_role::observe(session, target)),
        Box::pin(ci::observe(session, target, None)),
    );
    let (mut seen, owned) = stored?;
    let own_certificates = own_certificates?;
    seen.certificates = own_certificates.ours;
    seen.records = own_certificates.records;
    if config.domain.hosted_zone_id.is_none() {
        let domain = &config.domain.name;
        seen.notes.push(format!(
            "the DNS records of {domain}, which another team manages: ask that team to delete them"
        ));
    }
    seen.reasons = reasons(target, &seen, owned);
    if seen.certificates.is_empty() {
        seen.notes.extend(leftover_records(session, config).await);
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
            seen.notes.push(format!("the roles of the CI system, if they exist, cannot be read: {error}"));
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
            seen.notes.push(format!("role {role}, if it exists, cannot be read: {error}"));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(seen)
}

/// Reads the bucket and the table with their contents, and whether they have our tags.
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
        crate::bootstrap::observe(session, &both, &Selection::default()).await?;
    // If the lock was moved from a table to a file, the table is deleted, too, if it has our tags.
    let is_former_table = target.backend.lock.table().is_none();
    let table = table.filter(|table| !is_former_table || target.owns(&table.tags));
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
            contents::all(session, target, &bucket.name, now).await?
        };
        let extent = Extent::new(is_adopted, !contents.others.is_empty(), everything);
        Ok(Some(Bucket { name: bucket.name, extent, contents }))
    };
    let table = async {
        let Some(table) = table else { return Ok::<_, Error>(None) };
        let items = items::items(session, target, &table.name).await?;
        let extent = Extent::new(target.is_adopted(&table.tags), !items.others.is_empty(), everything);
        Ok(Some(Table { name: table.name, protected: table.deletion_protection, extent, items }))
    };
    let (bucket, table) = tokio::join!(Box::pin(bucket), Box::pin(table));
    let mut seen = Seen { bucket: bucket?, table: table?, ..Seen::default() };
    if let Some(Bucket { name, extent, contents }) = &seen.bucket {
        let others = (!contents.others.is_empty()).then(|| contents.others.text("object"));
        seen.notes.extend(extent.note(&format!("S3 bucket {name}"), others));
    }
    if let Some(Table { name, extent, items, .. }) = &seen.table {
        let others = (!items.others.is_empty()).then(|| items.others.text("item"));
        seen.notes.extend(extent.note(&format!("DynamoDB table {name}"), others));
    }
    Ok((seen, owned))
}
