//! The VPC's block, the zones, and the numbers of zones and subnets.

use std::collections::HashMap;

use crate::doctor::subject::Subject;
use crate::doctor::{block, region};
use crate::document::Place;
use crate::finding::{Check, Rule, Severity, Sink};

pub(super) const VPC: &str = "/config/vpc/vpc_cidr";
pub(super) const PRIVATE: &str = "/config/vpc/subnets/private";
pub(super) const PUBLIC: &str = "/config/vpc/subnets/public";
const ZONES: &str = "/config/vpc/azs";

/// VPC and zones.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "NET001",
            name: "malformed-block",
            severity: Severity::Error,
            summary: "A network block is not in the form that AWS accepts",
            explain: include_str!("../../../docs/rules/NET001.md"),
        },
        run: blocks,
    },
    Check {
        rule: Rule {
            code: "NET002",
            name: "block-size",
            severity: Severity::Error,
            summary: "VPC and subnets are /16 to /28",
            explain: include_str!("../../../docs/rules/NET002.md"),
        },
        run: sizes,
    },
    Check {
        rule: Rule {
            code: "NET008",
            name: "public-range",
            severity: Severity::Warning,
            summary: "The VPC uses public addresses of other owners",
            explain: include_str!("../../../docs/rules/NET008.md"),
        },
        run: public_range,
    },
    Check {
        rule: Rule {
            code: "NET004",
            name: "unequal-counts",
            severity: Severity::Error,
            summary: "The numbers of zones, private and public subnets differ",
            explain: include_str!("../../../docs/rules/NET004.md"),
        },
        run: counts,
    },
    Check {
        rule: Rule {
            code: "NET005",
            name: "one-zone",
            severity: Severity::Error,
            summary: "Fewer than two zones",
            explain: include_str!("../../../docs/rules/NET005.md"),
        },
        run: two_zones,
    },
    Check {
        rule: Rule {
            code: "NET006",
            name: "no-zone-of-the-region",
            severity: Severity::Error,
            summary: "The value is not an availability zone of the region",
            explain: include_str!("../../../docs/rules/NET006.md"),
        },
        run: zones,
    },
    Check {
        rule: Rule {
            code: "NET007",
            name: "zone-twice",
            severity: Severity::Error,
            summary: "The same zone is listed twice",
            explain: include_str!("../../../docs/rules/NET007.md"),
        },
        run: distinct_zones,
    },
    Check {
        rule: Rule {
            code: "NET012",
            name: "untrusted-load-balancer",
            severity: Severity::Error,
            summary: "OSMT does not trust a load balancer in the VPC's range",
            explain: include_str!("../../../docs/rules/NET012.md"),
        },
        run: untrusted,
    },
    Check {
        rule: Rule {
            code: "NET013",
            name: "elastic-ip-quota",
            severity: Severity::Note,
            summary: "More zones than the default quota of Elastic IP addresses",
            explain: include_str!("../../../docs/rules/NET013.md"),
        },
        run: addresses,
    },
];

fn blocks(subject: &Subject, sink: &mut Sink<'_>) {
    let vpc = subject.text(VPC).map(|text| (VPC.to_owned(), text));
    let subnets = [PRIVATE, PUBLIC].into_iter().flat_map(|list| subject.texts(list));
    for (at, text) in vpc.into_iter().chain(subnets) {
        if let Some((message, help)) = block::fault(text) {
            sink.value(at, message).remedy(help);
        }
    }
}

fn sizes(subject: &Subject, sink: &mut Sink<'_>) {
    let vpc = subject.text(VPC).and_then(block::block).map(|block| (VPC.to_owned(), block));
    let subnets = [PRIVATE, PUBLIC].into_iter().flat_map(|list| subject.blocks(list));
    for (at, block) in vpc.into_iter().chain(subnets) {
        if !(16..=28).contains(&block.prefix_len()) {
            let what = if at == VPC { "a VPC" } else { "a subnet" };
            let size = if block.prefix_len() < 16 { "large" } else { "small" };
            sink.value(at, format!("{block} is too {size} for {what}")).help("choose a mask from /16 to /28");
        }
    }
}

fn public_range(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(vpc) = subject.text(VPC).and_then(block::block) else {
        return;
    };
    let address = vpc.network();
    if block::is_private(&vpc) || !(16..=28).contains(&vpc.prefix_len()) {
        return;
    }
    let [first, ..] = address.octets();
    let help = "choose a block in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16";
    if first == 0 || first >= 224 || address.is_loopback() || address.is_link_local() {
        sink.value(VPC, format!("AWS refuses {vpc}: the range is reserved"))
            .severity(Severity::Error)
            .help(help);
    } else {
        sink.value(VPC, format!("{vpc} is a range of public addresses that belong to others")).help(help);
    }
}

/// OSMT accepts `X-Forwarded-Proto` only from addresses that Tomcat considers internal; otherwise it redirects to http.
fn untrusted(subject: &Subject, sink: &mut Sink<'_>) {
    let vpc = subject.text(VPC).and_then(block::block).filter(|vpc| (16..=28).contains(&vpc.prefix_len()));
    let (Some(vpc), Some(line), Some((at, version))) = (vpc, subject.osmt_line(), subject.osmt_version())
    else {
        return;
    };
    if block::is_rfc1918(&vpc) || block::is_private(&vpc) && line.traits().trusts_shared_address_space {
        return;
    }
    let shared = if line.traits().trusts_shared_address_space { ", 100.64.0.0/10" } else { "" };
    sink.value(
        VPC,
        format!(
            "OSMT {version} does not trust a load balancer in {vpc}: sign-in redirects to http and fails"
        ),
    )
    .help(format!("choose a block in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16{shared}"))
    .related(Place::value(at), "the release");
}

/// Source: Amazon EC2, "Elastic IP addresses": five per region by default. Each zone has a NAT gateway with one.
fn addresses(subject: &Subject, sink: &mut Sink<'_>) {
    if let Some(count) = subject.count(ZONES).filter(|count| *count > 5) {
        sink.value(ZONES, format!("{count} zones need {count} Elastic IP addresses; the default quota is 5"))
            .help("use fewer zones, or first request a higher quota");
    }
}

fn counts(subject: &Subject, sink: &mut Sink<'_>) {
    let lists = [ZONES, PRIVATE, PUBLIC];
    let names = ["azs", "private subnets", "public subnets"];
    let Some(counts) = lists.iter().map(|list| subject.count(list)).collect::<Option<Vec<_>>>() else {
        return;
    };
    let odd: &[usize] = match (counts[0] == counts[1], counts[0] == counts[2], counts[1] == counts[2]) {
        (true, true, _) => return,
        (true, false, _) => &[2],
        (false, true, _) => &[1],
        (false, false, true) => &[0],
        (false, false, false) => &[1, 2],
    };
    // NET005 reports fewer than two zones.
    if odd == [0] && counts[0] < 2 {
        return;
    }
    for odd in odd.iter().copied() {
        let other = usize::from(odd == 0);
        let message = format!("{} {}, but {} {}", counts[odd], names[odd], counts[other], names[other]);
        sink.value(lists[odd], message)
            .help("give each zone one private and one public subnet, in the same order")
            .related(Place::value(lists[other]), names[other]);
    }
}

fn two_zones(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(count) = subject.count(ZONES).filter(|count| *count < 2) else {
        return;
    };
    let what = if count == 0 { "no zone" } else { "one zone" };
    sink.value(ZONES, format!("{what}: the load balancer and the database need two"))
        .help("list two zones, and a private and a public subnet for each");
}

fn zones(subject: &Subject, sink: &mut Sink<'_>) {
    let wanted = subject.region();
    if subject.text("/config/region").is_some() && wanted.is_none()
        || subject.region_of_zones_and_certificate().is_some()
    {
        return;
    }
    let region_at = Place::value("/config/region");
    for (at, zone) in subject.texts(ZONES) {
        let (name, letter) = zone.split_at(zone.len() - zone.chars().next_back().map_or(0, char::len_utf8));
        let own = region::find(name).filter(|_| letter.bytes().all(|byte| byte.is_ascii_lowercase()));
        let example = wanted.map_or("us-west-2", |region| region.name);
        if let Some(own) = own {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != own) {
                sink.value(at, format!("zone {zone} is in {}, not in {}", own.name, wanted.name))
                    .help(format!("write {}{letter}", wanted.name))
                    .related(region_at.clone(), "the region");
            } else if own.zones.chars().next_back().is_some_and(|last| letter.chars().any(|own| own > last)) {
                // Accounts differ in the letters up to the last one: us-west-1 has a and c in one account, b and c in another.
                let letters: Vec<String> = own.zones.chars().map(String::from).collect();
                sink.value(at, format!("{} has no zone `{letter}`", own.name))
                    .help(format!("its zones are {}", letters.join(", ")));
            }
            continue;
        }
        let parts: Vec<&str> = zone.split('-').collect();
        let (what, help) = if parts.last().is_some_and(|part| part.starts_with("az")) {
            ("is a zone id", format!("write the zone's name, as in {example}a"))
        } else if parts.len() > 3
            && region::all().iter().any(|region| zone.starts_with(&format!("{}-", region.name)))
        {
            ("is a local or wavelength zone", format!("use zones of the region itself, as in {example}a"))
        } else if region::find(zone).is_some() {
            ("is a region", format!("add the zone's letter: {zone}a"))
        } else {
            ("is not an availability zone", format!("write the region and a letter, as in {example}a"))
        };
        sink.value(at, format!("{zone} {what}")).help(help);
    }
}

fn distinct_zones(subject: &Subject, sink: &mut Sink<'_>) {
    let mut seen: HashMap<&str, String> = HashMap::new();
    for (at, zone) in subject.texts(ZONES) {
        if let Some(first) = seen.get(zone) {
            sink.value(at, format!("zone {zone} is listed twice"))
                .help("list each zone once")
                .related(Place::value(first.clone()), "the first");
        } else {
            seen.insert(zone, at);
        }
    }
}
