//! What must be true of a domain's DNS before a certificate is waited for: the world is sent to the zone, and Amazon may
//! issue.
//!
//! ACM tells neither: it says "pending" for three days.

use futures_util::future::join_all;

use crate::account::HostedZone;
use crate::aws::{CallError, Session};
use crate::bootstrap::certificate::dns;
use crate::bootstrap::certificate::resolver::{Resolver, Told};

/// A CAA record set: where it stands and what it says.
pub type Caa = (String, Vec<String>);

/// What is there now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The config's zone.
    pub zone: HostedZone,
    /// Other public zones of that name.
    pub twins: Vec<String>,
    /// The name servers that the zone itself names, which may be its owner's names for Route 53's.
    pub named: Vec<String>,
    /// The name servers that the world is sent to.
    pub delegated: Told<Vec<String>>,
    /// A name between zone and domain that the zone itself delegates on, and to which name servers.
    pub beyond: Option<(String, Vec<String>)>,
    /// The record set that decides, of the zone or above it.
    pub caa: Told<Option<Caa>>,
}

/// Looks at the zone and, through a resolver, at what lies around it; all at the same time.
pub async fn observe(
    session: &Session,
    zone: HostedZone,
    domain: &str,
    resolver: &Resolver,
) -> Result<Seen, CallError> {
    let (twins, named, beyond, caa, delegated, above) = tokio::join!(
        Box::pin(dns::twins(session, &zone)),
        Box::pin(dns::name_servers(session, &zone, &zone.name)),
        Box::pin(dns::beyond(session, &zone, domain)),
        Box::pin(dns::caa(session, &zone, domain)),
        Box::pin(resolver.name_servers(&zone.name)),
        Box::pin(above(resolver, &zone)),
    );
    Ok(Seen {
        twins: twins?,
        named: named?,
        beyond: beyond?,
        delegated,
        // The nearest record set decides alone (RFC 8659, section 3).
        caa: match caa? {
            Some(caa) => Told::This(Some(caa)),
            None => above,
        },
        zone,
    })
}

/// The nearest CAA record set above a zone.
async fn above(resolver: &Resolver, zone: &HostedZone) -> Told<Option<Caa>> {
    let parents = std::iter::successors(parent(&zone.name), |name| parent(name));
    let reads = parents.map(|name| async move { (name, resolver.caa(name).await) });
    for (name, told) in join_all(reads).await {
        match told {
            Told::This(values) if values.is_empty() => {}
            Told::This(values) => return Told::This(Some((name.to_owned(), values))),
            Told::Broken => return Told::Broken,
            Told::Nothing(reason) => return Told::Nothing(reason),
        }
    }
    Told::This(None)
}

fn parent(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, parent)| parent)
}

/// What was found, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why ACM would wait for ever, each with its remedy.
    pub hopeless: Vec<(String, String)>,
    /// What may be wrong.
    pub doubts: Vec<String>,
    /// What was not looked at, and why.
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
    match &seen.caa {
        Told::Nothing(reason) => verdict.unknown.push(format!("CAA records above {}: {reason}", zone.name)),
        Told::Broken => verdict.doubts.push(format!(
            "the CAA records above {} cannot be looked up (SERVFAIL): ACM takes that for a no",
            zone.name
        )),
        Told::This(Some((name, values))) if dns::forbids_amazon(values) => {
            verdict.hopeless.push((
                format!("the CAA record at {name} forbids Amazon to issue ({})", values.join(", ")),
                format!("add `0 issue \"amazon.com\"` to the CAA record at {name} (and to issuewild, where there is one)"),
            ));
        }
        Told::This(_) => {}
    }
    verdict
}

/// Whether the world comes to the zone, and stays in it.
fn delegation(seen: &Seen, verdict: &mut Verdict) {
    let Seen { zone, .. } = seen;
    let ours = |server: &String| zone.name_servers.contains(server) || seen.named.contains(server);
    let servers = zone.name_servers.join(", ");
    match &seen.delegated {
        Told::Nothing(reason) => verdict.unknown.push(format!(
            "whether the world is sent to hosted zone {}: {reason}",
            zone.id
        )),
        Told::Broken => verdict.hopeless.push((
            format!(
                "{} cannot be looked up (SERVFAIL): its delegation leads to servers that do not know it, or its DNSSEC is broken",
                zone.name
            ),
            delegate(zone, &servers),
        )),
        Told::This(told) if told.is_empty() => verdict.hopeless.push((
            format!("{} is not delegated to any name server", zone.name),
            delegate(zone, &servers),
        )),
        Told::This(told) if !told.iter().any(ours) => verdict.hopeless.push((
            format!(
                "the world is sent to {} for {}, hosted zone {} answers elsewhere",
                told.join(", "),
                zone.name,
                zone.id
            ),
            delegate(zone, &servers),
        )),
        Told::This(told) => {
            let others: Vec<&str> = told
                .iter()
                .filter(|one| !ours(one))
                .map(|one| &**one)
                .collect();
            if !others.is_empty() {
                verdict.doubts.push(format!(
                    "{} is delegated to {} too, which hosted zone {} does not name: ACM may ask there",
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
                "hosted zone {} delegates {name} on to {}: ACM would look there",
                zone.id,
                servers.join(", ")
            ),
            format!("set `domain.hosted_zone_id` to the zone of {name}, or remove that NS record"),
        ));
    }
}

fn delegate(zone: &HostedZone, servers: &str) -> String {
    format!(
        "have the parent zone or the registrar name {servers} for {}; behind a split DNS name a public resolver, `--resolver 1.1.1.1`, or ask none, `--resolver none`",
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
            delegated: Told::This(strings(delegated)),
            beyond: None,
            caa: Told::This(None),
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
        assert!(half.doubts[0].contains("delegated to ns.old.example too"));
    }

    #[test]
    fn what_is_not_known_is_neither_right_nor_wrong() {
        let mut nothing = seen(&[]);
        nothing.delegated = Told::Nothing("timed out".into());
        nothing.caa = Told::Nothing("timed out".into());
        let verdict = judge(&nothing);
        assert!(verdict.hopeless.is_empty() && verdict.doubts.is_empty());
        assert_eq!(verdict.unknown.len(), 2);
    }

    #[test]
    fn a_delegation_that_leads_nowhere_or_onwards_is_hopeless() {
        let mut broken = seen(&[]);
        broken.delegated = Told::Broken;
        assert!(judge(&broken).hopeless[0].0.contains("SERVFAIL"));
        let mut onwards = seen(&["ns-1.awsdns-1.org"]);
        onwards.beyond = Some(("osmt.example.org".into(), strings(&["ns1.else.where"])));
        let verdict = judge(&onwards);
        assert!(verdict.hopeless[0].0.contains("osmt.example.org on to ns1.else.where"));
    }

    #[test]
    fn every_obstacle_is_told_at_once() {
        let mut both = seen(&[]);
        both.caa = Told::This(Some(("org".into(), strings(&["0 issue \";\""]))));
        both.twins = strings(&["Z2"]);
        let verdict = judge(&both);
        assert_eq!((verdict.hopeless.len(), verdict.doubts.len()), (2, 1));
    }
}
