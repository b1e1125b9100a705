//! Checks of a domain's DNS before a certificate is requested: public DNS must delegate the domain to the zone, and CAA records must
//! allow Amazon.
//!
//! ACM does not report a wrong delegation: the certificate stays pending for 72 hours.

use futures_util::future::join_all;

use crate::account::HostedZone;
use crate::aws::{CallError, Session};
use crate::bootstrap::certificate::dns;
use crate::bootstrap::certificate::dns::Issuance;
use crate::bootstrap::certificate::resolver::{Answer, Resolver};

/// A CAA record set: its name and its values.
pub type Caa = (String, Vec<String>);

/// The zone and its public DNS as they are now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The config's zone.
    pub zone: HostedZone,
    /// Ids of other public zones with the same name.
    pub zones_of_same_name: Vec<String>,
    /// The name servers in the zone's own NS record: the owner may have other names for Route 53's servers.
    pub own_ns_record: Vec<String>,
    /// The name servers that public DNS delegates the zone to.
    pub delegated: Answer<Vec<String>>,
    /// The subzone that contains the domain, if the zone delegates one: its name and its name servers.
    pub subzone: Option<(String, Vec<String>)>,
    /// The CAA record set that applies to the domain, in the zone or above it.
    pub caa: Answer<Option<Caa>>,
}

/// Reads the zone from Route 53 and the names above it from a resolver, all at the same time.
pub async fn observe(
    session: &Session,
    zone: HostedZone,
    domain: &str,
    resolver: &Resolver,
) -> Result<Seen, CallError> {
    let (zones_of_same_name, own_ns_record, subzone, issuance, delegated, above) = tokio::join!(
        Box::pin(dns::zones_of_same_name(session, &zone)),
        Box::pin(dns::name_servers(session, &zone, &zone.name)),
        Box::pin(dns::delegated_subzone(session, &zone, domain)),
        Box::pin(dns::issuance(session, &zone, domain)),
        Box::pin(resolver.name_servers(&zone.name)),
        Box::pin(caa_above(resolver, &zone)),
    );
    Ok(Seen {
        zones_of_same_name: zones_of_same_name?,
        own_ns_record: own_ns_record?,
        subzone: subzone?,
        delegated,
        caa: caa_within(resolver, issuance?).await.unwrap_or(above),
        zone,
    })
}

/// The CAA record set within the zone that applies; `None` if the zone has none.
async fn caa_within(resolver: &Resolver, issuance: Vec<(String, Issuance)>) -> Option<Answer<Option<Caa>>> {
    for (name, found) in issuance {
        match found {
            Issuance::Caa(values) => return Some(Answer::Found(Some((name, values)))),
            Issuance::Alias(target) => match resolver.caa(&target).await {
                Answer::Found(values) if values.is_empty() => {}
                Answer::Found(values) => {
                    let at = format!("{target} (the target of the CNAME record {name})");
                    return Some(Answer::Found(Some((at, values))));
                }
                Answer::ServFail => return Some(Answer::ServFail),
                Answer::Unknown(reason) => return Some(Answer::Unknown(reason)),
            },
        }
    }
    None
}

/// The nearest CAA record set above a zone.
async fn caa_above(resolver: &Resolver, zone: &HostedZone) -> Answer<Option<Caa>> {
    match parent(&zone.name) {
        Some(parent) => nearest_caa(resolver, parent).await,
        None => Answer::Found(None),
    }
}

/// The nearest CAA record set at or above a name in public DNS.
pub async fn nearest_caa(resolver: &Resolver, name: &str) -> Answer<Option<Caa>> {
    let names = std::iter::successors(Some(name), |name| parent(name));
    let reads = names.map(|name| async move { (name, resolver.caa(name).await) });
    for (name, answer) in join_all(reads).await {
        match answer {
            Answer::Found(values) if values.is_empty() => {}
            Answer::Found(values) => return Answer::Found(Some((name.to_owned(), values))),
            Answer::ServFail => return Answer::ServFail,
            Answer::Unknown(reason) => return Answer::Unknown(reason),
        }
    }
    Answer::Found(None)
}

fn parent(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, parent)| parent)
}

/// The result of the checks, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Reasons why ACM would never issue the certificate, each with its remedy.
    pub blockers: Vec<(String, String)>,
    /// Possible mistakes, which do not stop the run.
    pub warnings: Vec<String>,
    /// Checks that could not be made, with the reason.
    pub unknown: Vec<String>,
}

/// Judges the delegation and the CAA records.
pub fn judge(seen: &Seen) -> Verdict {
    let mut verdict = Verdict::default();
    judge_delegation(seen, &mut verdict);
    let Seen { zone, .. } = seen;
    for other in &seen.zones_of_same_name {
        verdict.warnings.push(format!(
            "{other} is a second public zone with the name {}; the parent zone must delegate to {} ({})",
            zone.name,
            zone.id,
            zone.name_servers.join(", ")
        ));
    }
    judge_caa(&seen.caa, &zone.name, &mut verdict);
    verdict
}

/// Whether Amazon may issue a certificate for a name.
pub fn judge_caa(caa: &Answer<Option<Caa>>, name: &str, verdict: &mut Verdict) {
    match caa {
        Answer::Unknown(reason) => verdict.unknown.push(format!("CAA records at and above {name}: {reason}")),
        Answer::ServFail => verdict.warnings.push(format!(
            "the CAA records at and above {name} cannot be resolved (SERVFAIL): ACM does not issue a certificate then"
        )),
        Answer::Found(Some((at, values))) if dns::forbids_amazon(values) => {
            verdict.blockers.push((
                format!("the CAA record at {at} does not allow Amazon to issue a certificate ({})", values.join(", ")),
                format!("add `0 issue \"amazon.com\"` to the CAA record at {at}, and `0 issuewild \"amazon.com\"` if it has issuewild values"),
            ));
        }
        Answer::Found(_) => {}
    }
}

/// Whether public DNS delegates the domain to the zone, and the zone does not delegate it to a subzone.
fn judge_delegation(seen: &Seen, verdict: &mut Verdict) {
    let Seen { zone, .. } = seen;
    let ours = |server: &String| zone.name_servers.contains(server) || seen.own_ns_record.contains(server);
    let servers = zone.name_servers.join(", ");
    match &seen.delegated {
        Answer::Unknown(reason) => verdict.unknown.push(format!(
            "whether public DNS delegates to hosted zone {}: {reason}",
            zone.id
        )),
        Answer::ServFail => verdict.blockers.push((
            format!(
                "{} cannot be resolved (SERVFAIL): it is delegated to servers that do not answer for it, or its DNSSEC signatures are not valid",
                zone.name
            ),
            delegation_remedy(zone, &servers),
        )),
        Answer::Found(found) if found.is_empty() => verdict.blockers.push((
            format!("{} is not delegated to any name server", zone.name),
            delegation_remedy(zone, &servers),
        )),
        Answer::Found(found) if !found.iter().any(ours) => verdict.blockers.push((
            format!(
                "{} is delegated to {}, which are not the name servers of hosted zone {}",
                zone.name,
                found.join(", "),
                zone.id
            ),
            delegation_remedy(zone, &servers),
        )),
        Answer::Found(found) => {
            let others: Vec<&str> = found
                .iter()
                .filter(|one| !ours(one))
                .map(|one| &**one)
                .collect();
            if !others.is_empty() {
                verdict.warnings.push(format!(
                    "{} is also delegated to {}, which are not name servers of hosted zone {}: ACM may query them",
                    zone.name,
                    others.join(", "),
                    zone.id
                ));
            }
        }
    }
    if let Some((name, servers)) = &seen.subzone {
        verdict.blockers.push((
            format!(
                "hosted zone {} delegates {name} to {}: ACM would query these servers",
                zone.id,
                servers.join(", ")
            ),
            format!("set `domain.hosted_zone_id` to the zone of {name}, or remove that NS record"),
        ));
    }
}

fn delegation_remedy(zone: &HostedZone, servers: &str) -> String {
    format!(
        "ask the owner of the parent zone or the registrar to delegate {} to {servers}; with split DNS use a public resolver (`--resolver 1.1.1.1`) or none (`--resolver none`); if another team manages the domain's DNS, use `--external-dns`",
        zone.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn seen(delegated: &[&str]) -> Seen {
        Seen {
            zone: HostedZone {
                id: "Z1".into(),
                name: "example.org".into(),
                private: false,
                name_servers: strings(&["ns-1.awsdns-1.org", "ns-2.awsdns-2.com"]),
            },
            zones_of_same_name: Vec::new(),
            own_ns_record: strings(&["ns-1.awsdns-1.org", "ns.example.org"]),
            delegated: Answer::Found(strings(delegated)),
            subzone: None,
            caa: Answer::Found(None),
        }
    }

    #[test]
    fn public_dns_must_delegate_to_the_zone() {
        // The owner of the zone may have other names for Route 53's servers.
        for right in [&["ns-1.awsdns-1.org", "ns-2.awsdns-2.com"][..], &["ns.example.org"]] {
            assert_eq!(judge(&seen(right)), Verdict::default());
        }
        for wrong in [&["ns.registrar.example"][..], &[]] {
            let verdict = judge(&seen(wrong));
            assert_eq!(verdict.blockers.len(), 1, "{verdict:?}");
            assert!(verdict.blockers[0].1.contains("ns-1.awsdns-1.org, ns-2"));
        }
        let half = judge(&seen(&["ns-1.awsdns-1.org", "ns.old.example"]));
        assert!(half.blockers.is_empty());
        assert!(half.warnings[0].contains("also delegated to ns.old.example"));
    }

    #[test]
    fn an_unknown_fact_is_neither_a_blocker_nor_a_warning() {
        let mut nothing = seen(&[]);
        nothing.delegated = Answer::Unknown("timed out".into());
        nothing.caa = Answer::Unknown("timed out".into());
        let verdict = judge(&nothing);
        assert!(verdict.blockers.is_empty() && verdict.warnings.is_empty());
        assert_eq!(verdict.unknown.len(), 2);
    }

    #[test]
    fn a_broken_delegation_and_a_delegated_subzone_are_blockers() {
        let mut broken = seen(&[]);
        broken.delegated = Answer::ServFail;
        assert!(judge(&broken).blockers[0].0.contains("SERVFAIL"));
        let mut onwards = seen(&["ns-1.awsdns-1.org"]);
        onwards.subzone = Some(("osmt.example.org".into(), strings(&["ns1.else.where"])));
        let verdict = judge(&onwards);
        assert!(verdict.blockers[0].0.contains("delegates osmt.example.org to ns1.else.where"));
    }

    #[test]
    fn all_blockers_are_reported_together() {
        let mut both = seen(&[]);
        both.caa = Answer::Found(Some(("org".into(), strings(&["0 issue \";\""]))));
        both.zones_of_same_name = strings(&["Z2"]);
        let verdict = judge(&both);
        assert_eq!((verdict.blockers.len(), verdict.warnings.len()), (2, 1));
    }
}
