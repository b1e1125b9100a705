//! What must be true of a domain's DNS before waiting for a certificate: public DNS leads to the zone, and Amazon may issue.
//!
//! ACM reports neither: the certificate stays pending for three days.

use futures_util::future::join_all;

use crate::account::HostedZone;
use crate::aws::{CallError, Session};
use crate::bootstrap::certificate::dns;
use crate::bootstrap::certificate::dns::Issuance;
use crate::bootstrap::certificate::resolver::{Answer, Resolver};

/// A CAA record set: its name and its values.
pub type Caa = (String, Vec<String>);

/// What is there now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The config's zone.
    pub zone: HostedZone,
    /// Other public zones of that name.
    pub twins: Vec<String>,
    /// The name servers in the zone's own NS record, which may be its owner's names for those of Route 53.
    pub named: Vec<String>,
    /// The name servers that public DNS delegates the zone to.
    pub delegated: Answer<Vec<String>>,
    /// A name between zone and domain that the zone delegates to other name servers.
    pub beyond: Option<(String, Vec<String>)>,
    /// The record set that decides, of the zone or above it.
    pub caa: Answer<Option<Caa>>,
}

/// Reads the zone and, through a resolver, the names above it; all at the same time.
pub async fn observe(
    session: &Session,
    zone: HostedZone,
    domain: &str,
    resolver: &Resolver,
) -> Result<Seen, CallError> {
    let (twins, named, beyond, issuance, delegated, above) = tokio::join!(
        Box::pin(dns::twins(session, &zone)),
        Box::pin(dns::name_servers(session, &zone, &zone.name)),
        Box::pin(dns::beyond(session, &zone, domain)),
        Box::pin(dns::issuance(session, &zone, domain)),
        Box::pin(resolver.name_servers(&zone.name)),
        Box::pin(above(resolver, &zone)),
    );
    Ok(Seen {
        twins: twins?,
        named: named?,
        beyond: beyond?,
        delegated,
        caa: within(resolver, issuance?).await.unwrap_or(above),
        zone,
    })
}

/// What decides within the zone; `None` where only the names above it do.
async fn within(resolver: &Resolver, issuance: Vec<(String, Issuance)>) -> Option<Answer<Option<Caa>>> {
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
async fn above(resolver: &Resolver, zone: &HostedZone) -> Answer<Option<Caa>> {
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

/// What was found, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why ACM would never issue the certificate, each with its remedy.
    pub hopeless: Vec<(String, String)>,
    /// What may be wrong.
    pub doubts: Vec<String>,
    /// What could not be checked, and why.
    pub unknown: Vec<String>,
}

/// Judges what is there; pure.
pub fn judge(seen: &Seen) -> Verdict {
    let mut verdict = Verdict::default();
    delegation(seen, &mut verdict);
    let Seen { zone, .. } = seen;
    for twin in &seen.twins {
        verdict.doubts.push(format!(
            "{twin} is a second public zone of the name {}; the parent must delegate to {} ({})",
            zone.name,
            zone.id,
            zone.name_servers.join(", ")
        ));
    }
    issuance(&seen.caa, &zone.name, &mut verdict);
    verdict
}

/// Whether Amazon may issue a certificate for a name.
pub fn issuance(caa: &Answer<Option<Caa>>, name: &str, verdict: &mut Verdict) {
    match caa {
        Answer::Unknown(reason) => verdict.unknown.push(format!("CAA records at and above {name}: {reason}")),
        Answer::ServFail => verdict.doubts.push(format!(
            "the CAA records at and above {name} cannot be looked up (SERVFAIL): ACM treats that as a refusal"
        )),
        Answer::Found(Some((at, values))) if dns::forbids_amazon(values) => {
            verdict.hopeless.push((
                format!("the CAA record at {at} does not allow Amazon to issue a certificate ({})", values.join(", ")),
                format!("add `0 issue \"amazon.com\"` to the CAA record at {at} (and to issuewild, where there is one)"),
            ));
        }
        Answer::Found(_) => {}
    }
}

/// Whether public DNS leads to the zone, and the zone does not delegate the domain again.
fn delegation(seen: &Seen, verdict: &mut Verdict) {
    let Seen { zone, .. } = seen;
    let ours = |server: &String| zone.name_servers.contains(server) || seen.named.contains(server);
    let servers = zone.name_servers.join(", ");
    match &seen.delegated {
        Answer::Unknown(reason) => verdict.unknown.push(format!(
            "whether public DNS leads to hosted zone {}: {reason}",
            zone.id
        )),
        Answer::ServFail => verdict.hopeless.push((
            format!(
                "{} cannot be looked up (SERVFAIL): it is delegated to servers that do not answer for it, or its DNSSEC signatures are broken",
                zone.name
            ),
            delegate(zone, &servers),
        )),
        Answer::Found(found) if found.is_empty() => verdict.hopeless.push((
            format!("{} is not delegated to any name server", zone.name),
            delegate(zone, &servers),
        )),
        Answer::Found(found) if !found.iter().any(ours) => verdict.hopeless.push((
            format!(
                "{} is delegated to {}, which are not the name servers of hosted zone {}",
                zone.name,
                found.join(", "),
                zone.id
            ),
            delegate(zone, &servers),
        )),
        Answer::Found(found) => {
            let others: Vec<&str> = found
                .iter()
                .filter(|one| !ours(one))
                .map(|one| &**one)
                .collect();
            if !others.is_empty() {
                verdict.doubts.push(format!(
                    "{} is also delegated to {}, which hosted zone {} does not list: ACM may ask there",
                    zone.name,
                    others.join(", "),
                    zone.id
                ));
            }
        }
    }
    if let Some((name, servers)) = &seen.beyond {
        verdict.hopeless.push((
            format!(
                "hosted zone {} delegates {name} to {}: ACM would look there",
                zone.id,
                servers.join(", ")
            ),
            format!("set `domain.hosted_zone_id` to the zone of {name}, or remove that NS record"),
        ));
    }
}

fn delegate(zone: &HostedZone, servers: &str) -> String {
    format!(
        "ask the owner of the parent zone or the registrar to delegate {} to {servers}; with split DNS use a public resolver (`--resolver 1.1.1.1`) or none (`--resolver none`); where another team manages the domain's DNS, use `--external-dns`",
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
            twins: Vec::new(),
            named: strings(&["ns-1.awsdns-1.org", "ns.example.org"]),
            delegated: Answer::Found(strings(delegated)),
            beyond: None,
            caa: Answer::Found(None),
        }
    }

    #[test]
    fn the_zone_must_be_the_one_that_the_world_is_sent_to() {
        // Also by a name that its owner gave to Route 53's servers.
        for right in [&["ns-1.awsdns-1.org", "ns-2.awsdns-2.com"][..], &["ns.example.org"]] {
            assert_eq!(judge(&seen(right)), Verdict::default());
        }
        for wrong in [&["ns.registrar.example"][..], &[]] {
            let verdict = judge(&seen(wrong));
            assert_eq!(verdict.hopeless.len(), 1, "{verdict:?}");
            assert!(verdict.hopeless[0].1.contains("ns-1.awsdns-1.org, ns-2"));
        }
        let half = judge(&seen(&["ns-1.awsdns-1.org", "ns.old.example"]));
        assert!(half.hopeless.is_empty());
        assert!(half.doubts[0].contains("also delegated to ns.old.example"));
    }

    #[test]
    fn what_is_not_known_is_neither_right_nor_wrong() {
        let mut nothing = seen(&[]);
        nothing.delegated = Answer::Unknown("timed out".into());
        nothing.caa = Answer::Unknown("timed out".into());
        let verdict = judge(&nothing);
        assert!(verdict.hopeless.is_empty() && verdict.doubts.is_empty());
        assert_eq!(verdict.unknown.len(), 2);
    }

    #[test]
    fn a_delegation_that_leads_nowhere_or_onwards_is_hopeless() {
        let mut broken = seen(&[]);
        broken.delegated = Answer::ServFail;
        assert!(judge(&broken).hopeless[0].0.contains("SERVFAIL"));
        let mut onwards = seen(&["ns-1.awsdns-1.org"]);
        onwards.beyond = Some(("osmt.example.org".into(), strings(&["ns1.else.where"])));
        let verdict = judge(&onwards);
        assert!(verdict.hopeless[0].0.contains("delegates osmt.example.org to ns1.else.where"));
    }

    #[test]
    fn every_obstacle_is_found_at_once() {
        let mut both = seen(&[]);
        both.caa = Answer::Found(Some(("org".into(), strings(&["0 issue \";\""]))));
        both.twins = strings(&["Z2"]);
        let verdict = judge(&both);
        assert_eq!((verdict.hopeless.len(), verdict.doubts.len()), (2, 1));
    }
}
