//! The load balancer: the addresses that may connect, and its protection in production.

use std::collections::HashMap;

use crate::doctor::block;
use crate::doctor::subject::Subject;
use crate::document::Place;
use crate::finding::{Check, Rule, Severity, Sink};

const INGRESS: &str = "/config/alb/ingress_cidrs";

/// Ingress blocks and protection.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "ALB001",
            name: "malformed-ingress-block",
            severity: Severity::Error,
            summary: "An ingress block is not in the form that AWS accepts",
            explain: include_str!("../../../docs/rules/ALB001.md"),
        },
        run: blocks,
    },
    Check {
        rule: Rule {
            code: "ALB002",
            name: "no-ingress-blocks",
            severity: Severity::Error,
            summary: "The list of ingress blocks is empty",
            explain: include_str!("../../../docs/rules/ALB002.md"),
        },
        run: empty,
    },
    Check {
        rule: Rule {
            code: "ALB003",
            name: "ingress-block-twice",
            severity: Severity::Error,
            summary: "The same ingress block is listed twice",
            explain: include_str!("../../../docs/rules/ALB003.md"),
        },
        run: twice,
    },
    Check {
        rule: Rule {
            code: "ALB004",
            name: "ingress-block-within-another",
            severity: Severity::Warning,
            summary: "An ingress block has no effect beside a wider one",
            explain: include_str!("../../../docs/rules/ALB004.md"),
        },
        run: within,
    },
    Check {
        rule: Rule {
            code: "ALB005",
            name: "private-ingress-only",
            severity: Severity::Note,
            summary: "Only private addresses may connect to the public load balancer",
            explain: include_str!("../../../docs/rules/ALB005.md"),
        },
        run: private_only,
    },
    Check {
        rule: Rule {
            code: "ALB006",
            name: "unguarded-production-entrance",
            severity: Severity::Warning,
            summary: "In production the load balancer is unprotected or keeps no logs",
            explain: include_str!("../../../docs/rules/ALB006.md"),
        },
        run: unguarded,
    },
    Check {
        rule: Rule {
            code: "ALB007",
            name: "ingress-block-quota",
            severity: Severity::Warning,
            summary: "More ingress blocks than a security group accepts by default",
            explain: include_str!("../../../docs/rules/ALB007.md"),
        },
        run: quota,
    },
];

fn blocks(subject: &Subject, sink: &mut Sink<'_>) {
    for (at, text) in subject.texts(INGRESS) {
        if let Some((message, help)) = block::fault(text) {
            sink.value(at, message).remedy(help);
        }
    }
}

fn empty(subject: &Subject, sink: &mut Sink<'_>) {
    if subject.count(INGRESS) == Some(0) {
        sink.value(INGRESS, "the list is empty: no address can reach the load balancer")
            .help("write [\"0.0.0.0/0\"], or leave the key out, to allow every address");
    }
}

fn twice(subject: &Subject, sink: &mut Sink<'_>) {
    let mut seen = HashMap::new();
    for (at, block) in subject.blocks(INGRESS) {
        if let Some(first) = seen.get(&block) {
            sink.value(at, format!("{block} is listed twice"))
                .help("list it once")
                .related(Place::value(String::clone(first)), "the first");
        } else {
            seen.insert(block, at);
        }
    }
}

fn within(subject: &Subject, sink: &mut Sink<'_>) {
    let blocks = subject.blocks(INGRESS);
    // A security group accepts fewer rules than this.
    for (at, block) in blocks.iter().take(1000) {
        if let Some((wider_at, wider)) =
            blocks.iter().find(|(_, wider)| wider != block && wider.contains(block))
        {
            sink.value(at.clone(), format!("{block} is within {wider} and has no effect"))
                .help(format!("remove it, or {wider}"))
                .related(Place::value(wider_at.clone()), "the wider block");
        }
    }
}

fn private_only(subject: &Subject, sink: &mut Sink<'_>) {
    let blocks = subject.blocks(INGRESS);
    if !blocks.is_empty()
        && Some(blocks.len()) == subject.count(INGRESS)
        && blocks.iter().all(|(_, block)| block::is_private(block))
    {
        sink.value(INGRESS, "only private addresses can reach the public load balancer")
            .help("list the public addresses of your networks, unless users connect through a VPN");
    }
}

/// Source: Amazon VPC, "Amazon VPC quotas": 60 inbound rules per security group, adjustable. Each block needs two, HTTP and HTTPS.
fn quota(subject: &Subject, sink: &mut Sink<'_>) {
    let count = subject.blocks(INGRESS).len();
    if count > 30 {
        let message = format!(
            "{count} ingress blocks need {} security group rules; the default quota is 60",
            2 * count
        );
        sink.value(INGRESS, message)
            .help("merge blocks, or first request a higher quota of inbound rules per security group");
    }
}

fn unguarded(subject: &Subject, sink: &mut Sink<'_>) {
    if !subject.is_production() {
        return;
    }
    let off = |key: &str| {
        let at = format!("/config/alb/{key}");
        (subject.flag(&at) == Some(false)).then_some(at)
    };
    if let Some(at) = off("enable_deletion_protection") {
        sink.value(at, "the production load balancer can be deleted by mistake")
            .help("write true; turn it off only to destroy");
    }
    if let Some(at) = off("access_logs") {
        sink.value(at, "the production load balancer keeps no access logs").help("write true");
    }
}
