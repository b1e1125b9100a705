//! Subnets: inside the VPC, without overlaps, and large enough for the load balancer and the tasks.

use ipnet::Ipv4Net;

use super::network::{PRIVATE, PUBLIC, VPC};
use crate::doctor::block::{block, usable};
use crate::doctor::subject::Subject;
use crate::document::Place;
use crate::finding::{Check, Rule, Severity, Sink};

/// Subnets.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "NET003",
            name: "subnet-outside-vpc",
            severity: Severity::Error,
            summary: "A subnet is outside the VPC",
            explain: include_str!("../../../docs/rules/NET003.md"),
        },
        run: containment,
    },
    Check {
        rule: Rule {
            code: "NET009",
            name: "overlapping-subnets",
            severity: Severity::Error,
            summary: "Two subnets overlap",
            explain: include_str!("../../../docs/rules/NET009.md"),
        },
        run: overlap,
    },
    Check {
        rule: Rule {
            code: "NET010",
            name: "small-public-subnet",
            severity: Severity::Error,
            summary: "A public subnet is too small for the load balancer",
            explain: include_str!("../../../docs/rules/NET010.md"),
        },
        run: public_size,
    },
    Check {
        rule: Rule {
            code: "NET011",
            name: "too-few-addresses",
            severity: Severity::Error,
            summary: "The private subnets have too few addresses",
            explain: include_str!("../../../docs/rules/NET011.md"),
        },
        run: addresses,
    },
];

/// Every well-formed subnet of a size that AWS accepts, private ones first.
fn subnets(subject: &Subject) -> Vec<(String, Ipv4Net)> {
    let all = [PRIVATE, PUBLIC].into_iter().flat_map(|list| subject.blocks(list));
    all.filter(|(_, block)| (16..=28).contains(&block.prefix_len())).collect()
}

fn containment(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(vpc) = subject.text(VPC).and_then(block).filter(|vpc| (16..=28).contains(&vpc.prefix_len()))
    else {
        return;
    };
    let subnets = subnets(subject);
    let outside: Vec<_> = subnets.iter().filter(|(_, block)| !vpc.contains(block)).collect();
    if outside.len() > 1 && (outside.len() == subnets.len() || is_vpc_too_small(vpc, &subnets)) {
        let finding = sink
            .value(VPC, format!("{} of {} subnets are outside the VPC {vpc}", outside.len(), subnets.len()));
        finding.help(match covering(&subnets) {
            Some(block) => format!("{block} contains all of them"),
            None => "choose subnets inside the VPC's block".to_owned(),
        });
        for (at, _) in outside {
            finding.related(Place::value(at.clone()), "outside");
        }
        return;
    }
    for (at, block) in outside {
        let message = if block.contains(&vpc) {
            format!("subnet {block} is larger than the VPC {vpc}")
        } else {
            format!("subnet {block} is outside the VPC {vpc}")
        };
        sink.value(at.clone(), message)
            .help(format!("pick a block inside {vpc}"))
            .related(Place::value(VPC), "the VPC");
    }
}

/// The smallest block, at most a /16, that contains all subnets.
fn covering(subnets: &[(String, Ipv4Net)]) -> Option<Ipv4Net> {
    let mut found = subnets.first()?.1;
    while !subnets.iter().all(|(_, block)| found.contains(block)) {
        found = found.supernet().filter(|wider| wider.prefix_len() >= 16)?;
    }
    Some(found)
}

/// Whether the mistake is probably that the VPC's block is too small: a larger block contains it and all subnets.
fn is_vpc_too_small(vpc: Ipv4Net, subnets: &[(String, Ipv4Net)]) -> bool {
    covering(subnets).is_some_and(|block| block.contains(&vpc))
}

/// Reports the subnet that overlaps most others, then checks the rest again: one mistake should give one finding.
fn overlap(subject: &Subject, sink: &mut Sink<'_>) {
    let mut left = subnets(subject);
    // No valid config has more subnets than this; other rules report it.
    left.truncate(200);
    if let Some(vpc) = subject.text(VPC).and_then(block) {
        left.retain(|(_, block)| !block.contains(&vpc) || *block == vpc);
    }
    loop {
        let clash = |a: &Ipv4Net, b: &Ipv4Net| a.contains(b) || b.contains(a);
        let clashes = |i: usize| {
            (0..left.len()).filter(|j| *j != i && clash(&left[i].1, &left[*j].1)).collect::<Vec<_>>()
        };
        let Some(worst) =
            (0..left.len()).max_by_key(|i| (clashes(*i).len(), *i)).filter(|i| !clashes(*i).is_empty())
        else {
            return;
        };
        let others = clashes(worst);
        let (at, block) = left[worst].clone();
        let (other_at, other) = &left[others[0]];
        let message = match others.len() {
            1 if block == *other => format!("subnet {block} is listed twice"),
            1 => format!("subnet {block} overlaps {other}"),
            many => format!("subnet {block} overlaps {many} others"),
        };
        sink.value(at, message)
            .help("give each subnet its own part of the VPC")
            .related(Place::value(other_at.clone()), "the other");
        left.remove(worst);
    }
}

fn public_size(subject: &Subject, sink: &mut Sink<'_>) {
    for (at, block) in subject.blocks(PUBLIC) {
        if block.prefix_len() == 28 {
            let message = format!(
                "public subnet {block} has {} addresses; a load balancer needs a /27",
                usable(&block)
            );
            sink.value(at, message).help("use a /27 or larger");
        }
    }
}

fn addresses(subject: &Subject, sink: &mut Sink<'_>) {
    let private = subject.blocks(PRIVATE);
    if Some(private.len()) != subject.count(PRIVATE) || private.is_empty() {
        return;
    }
    let free: u64 = private.iter().map(|(_, block)| usable(block)).sum();
    let count = |name: &str| {
        let at = format!("/config/ecs/task/{name}/desired_count");
        subject.number(&at).and_then(|count| u64::try_from(count).ok()).unwrap_or(1)
    };
    // The database and its standby, and two cache nodes. A rolling deployment runs each service twice.
    let fixed = 4;
    let needed = |app: u64| app.saturating_mul(2) + 2 * count("elasticsearch").min(1) + fixed;
    let app = count("app");
    if needed(app) <= free {
        return;
    }
    let message = format!(
        "{app} app tasks need up to {} addresses during a deployment, but the private subnets have {free}",
        needed(app)
    );
    if needed(2) <= free {
        let at = "/config/ecs/task/app/desired_count";
        sink.value(at, message)
            .help("run fewer tasks, or use larger private subnets")
            .related(Place::value(PRIVATE), "the private subnets");
    } else if let Some((at, block)) = private.iter().max_by_key(|(_, block)| block.prefix_len()) {
        sink.value(at.clone(), message).help(format!("use blocks larger than {block}"));
    }
}
