//! Hosted zones in Route 53, their records, and whether CAA records allow Amazon.

use futures_util::future::try_join_all;

use crate::account::{HostedZone, Record};
use crate::aws::route53::{From, RecordSet};
use crate::aws::{CallError, Session};

/// The names of Amazon in CAA records (ACM, "Configure a CAA record").
const AMAZON: [&str; 4] = ["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"];

/// Whether a name is the zone's name or below it.
pub fn contains(zone: &HostedZone, name: &str) -> bool {
    let (name, zone) = (name.to_lowercase(), zone.name.to_lowercase());
    name == zone || name.strip_suffix(&zone).is_some_and(|rest| rest.ends_with('.'))
}

/// A name and its parents up to the zone's own, nearest first.
fn ancestors<'a>(zone: &HostedZone, name: &'a str) -> Vec<&'a str> {
    let mut names = Vec::new();
    let mut rest = Some(name);
    while let Some(name) = rest {
        if !contains(zone, name) {
            break;
        }
        names.push(name);
        rest = name.split_once('.').map(|(_, parent)| parent);
    }
    names
}

/// The record at a name that decides which certificate authorities may issue a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuance {
    /// The values of its CAA record set.
    Caa(Vec<String>),
    /// The target of its CNAME record: the CAA records of that name apply.
    Alias(String),
}

/// These records at a name and its parents in the zone, nearest first. The nearest CAA record set decides (RFC 8659, section 3).
pub async fn issuance(
    session: &Session,
    zone: &HostedZone,
    name: &str,
) -> Result<Vec<(String, Issuance)>, CallError> {
    let reads = ancestors(zone, name).into_iter().map(async |name| {
        let (caa, alias) = tokio::join!(
            record_set(session, &zone.id, name, "CAA"),
            record_set(session, &zone.id, name, "CNAME"),
        );
        let alias = alias?.and_then(|set| set.values.into_iter().next());
        let alias = alias.map(|target| Issuance::Alias(target.trim_end_matches('.').to_owned()));
        let found = caa?.map(|set| Issuance::Caa(set.values)).or(alias);
        Ok::<_, CallError>(found.map(|found| (name.to_owned(), found)))
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// The subzone that contains the name, if the zone delegates one: its name and its name servers.
pub async fn delegated_subzone(
    session: &Session,
    zone: &HostedZone,
    name: &str,
) -> Result<Option<(String, Vec<String>)>, CallError> {
    let names = ancestors(zone, name).into_iter().rev().skip(1);
    let reads = names.map(async |name| {
        let servers = name_servers(session, zone, name).await?;
        Ok::<_, CallError>((name.to_owned(), servers))
    });
    let found = try_join_all(reads).await?;
    Ok(found.into_iter().find(|(_, servers)| !servers.is_empty()))
}

/// The name servers in a zone's own NS record for a name, without the last dot.
pub async fn name_servers(
    session: &Session,
    zone: &HostedZone,
    name: &str,
) -> Result<Vec<String>, CallError> {
    let set = record_set(session, &zone.id, name, "NS").await?;
    let servers = set.map(|set| set.values).unwrap_or_default();
    Ok(servers.iter().map(|server| server.trim_end_matches('.').to_lowercase()).collect())
}

/// Whether CAA values forbid Amazon to issue a certificate for the name or its wildcard.
pub fn forbids_amazon(values: &[String]) -> bool {
    let allowed = |tag: &str| {
        let issuers: Vec<&str> = values
            .iter()
            .filter_map(|value| {
                let mut parts = value.splitn(3, char::is_whitespace);
                let (_, found, issuer) = (parts.next()?, parts.next()?, parts.next()?);
                found.eq_ignore_ascii_case(tag).then(|| {
                    let issuer = issuer.trim().trim_matches('"');
                    issuer.split(';').next().unwrap_or_default().trim()
                })
            })
            .collect();
        (!issuers.is_empty())
            .then(|| issuers.iter().any(|issuer| AMAZON.iter().any(|name| issuer.eq_ignore_ascii_case(name))))
    };
    let issue = allowed("issue");
    let wild = allowed("issuewild").or(issue);
    issue == Some(false) || wild == Some(false)
}

/// The record set with this record, if the zone has it.
pub async fn find_record(
    session: &Session,
    zone_id: &str,
    record: &Record,
) -> Result<Option<RecordSet>, CallError> {
    let set = record_set(session, zone_id, &record.name, &record.kind).await?;
    Ok(set.filter(|set| set.values.iter().any(|found| same_name(found, &record.value))))
}

/// The public zone of the account that is nearest to a name.
pub async fn nearest_zone(session: &Session, name: &str) -> Result<Option<HostedZone>, CallError> {
    let mut parent = Some(name);
    while let Some(name) = parent.filter(|name| name.contains('.')) {
        let wanted = HostedZone { name: name.to_owned(), ..HostedZone::default() };
        if let Some(id) = zones_of_same_name(session, &wanted).await?.into_iter().next() {
            return Ok(Some(HostedZone { id, ..wanted }));
        }
        parent = name.split_once('.').map(|(_, rest)| rest);
    }
    Ok(None)
}

/// Ids of the account's other public zones with the same name.
pub async fn zones_of_same_name(session: &Session, zone: &HostedZone) -> Result<Vec<String>, CallError> {
    let zones = session.route53().list_hosted_zones_by_name(&zone.name, 20).await?;
    let others = zones.into_iter().filter(|other| same_name(&other.name, &zone.name) && !other.is_private);
    Ok(others.map(|other| other.id).filter(|id| *id != zone.id).collect())
}

/// ACM's validation records at or below a domain, among the first page of the zone's records from there on.
pub async fn validation_records(
    session: &Session,
    zone_id: &str,
    domain: &str,
) -> Result<Vec<Record>, CallError> {
    let from = From { name: domain, kind: None };
    let sets = session.route53().list_resource_record_sets(zone_id, from).await?;
    let below = HostedZone { name: domain.to_owned(), ..HostedZone::default() };
    let undotted = |name: &str| name.trim_end_matches('.').to_owned();
    let records = sets.into_iter().filter(|set| set.kind == "CNAME").filter_map(|set| {
        let value = undotted(set.values.first()?);
        let name = undotted(&set.name);
        let validates = contains(&below, &name) && value.ends_with(".acm-validations.aws");
        validates.then(|| Record { name, kind: "CNAME".to_owned(), value })
    });
    Ok(records.collect())
}

async fn record_set(
    session: &Session,
    zone_id: &str,
    name: &str,
    kind: &str,
) -> Result<Option<RecordSet>, CallError> {
    let from = From { name, kind: Some(kind) };
    let sets = session.route53().list_resource_record_sets(zone_id, from).await?;
    // The listing starts at the name, or at the next record if the name does not exist.
    Ok(sets.into_iter().find(|set| set.kind == kind && same_name(&set.name, name)))
}

fn same_name(one: &str, other: &str) -> bool {
    one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> HostedZone {
        HostedZone { name: name.into(), ..HostedZone::default() }
    }

    #[test]
    fn a_zone_contains_its_name_and_names_below_it() {
        assert!(contains(&zone("example.org"), "example.org"));
        assert!(contains(&zone("example.org"), "a.B.Example.org"));
        assert!(!contains(&zone("example.org"), "badexample.org"));
        assert!(!contains(&zone("a.example.org"), "example.org"));
    }

    #[test]
    fn the_nearest_name_comes_first() {
        assert_eq!(
            ancestors(&zone("example.org"), "a.b.example.org"),
            ["a.b.example.org", "b.example.org", "example.org"]
        );
    }

    #[test]
    fn caa_values_are_read_as_rfc_8659_demands() {
        let forbids = |values: &[&str]| {
            forbids_amazon(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        assert!(!forbids(&[]));
        assert!(!forbids(&["0 iodef \"mailto:a@example.org\""]));
        assert!(!forbids(&["0 issue \"letsencrypt.org\"", "0 issue \"amazon.com\""]));
        assert!(!forbids(&["0 issue \"amazontrust.com; x=y\""]));
        assert!(forbids(&["0 issue \"letsencrypt.org\""]));
        assert!(forbids(&["0 issue \";\""]));
        assert!(forbids(&["0 issue \"amazon.com\"", "0 issuewild \";\""]));
        assert!(forbids(&["0 issue \"letsencrypt.org\"", "0 issuewild \"amazon.com\""]));
    }
}
