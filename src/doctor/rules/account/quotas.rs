//! Whether the account's quotas have room for what the config makes.

use super::Audit;
use super::services::offered;
use crate::finding::{Check, Rule, Severity, Sink};

const APP: &str = "/config/ecs/task/app";
const AZS: &str = "/config/vpc/azs";
const INGRESS: &str = "/config/alb/ingress_cidrs";
const VPC: &str = "/config/vpc/vpc_cidr";

/// What the account may have.
pub(super) const CHECKS: &[Check<Audit>] = &[
    Check {
        rule: Rule {
            code: "QUO001",
            name: "fargate-quota-too-low",
            severity: Severity::Error,
            summary: "The tasks need more Fargate vCPUs than the account may use",
            explain: include_str!("../../../../docs/rules/QUO001.md"),
        },
        run: fargate,
    },
    Check {
        rule: Rule {
            code: "QUO002",
            name: "address-quota-too-low",
            severity: Severity::Error,
            summary: "The NAT gateways need more Elastic IP addresses than the account has left",
            explain: include_str!("../../../../docs/rules/QUO002.md"),
        },
        run: addresses,
    },
    Check {
        rule: Rule {
            code: "QUO003",
            name: "vpc-quota-too-low",
            severity: Severity::Error,
            summary: "The account has no VPC left in this region",
            explain: include_str!("../../../../docs/rules/QUO003.md"),
        },
        run: vpcs,
    },
    Check {
        rule: Rule {
            code: "QUO004",
            name: "nat-gateway-quota-too-low",
            severity: Severity::Error,
            summary: "A zone has no room for another NAT gateway",
            explain: include_str!("../../../../docs/rules/QUO004.md"),
        },
        run: nat_gateways,
    },
    Check {
        rule: Rule {
            code: "QUO005",
            name: "group-rule-quota-too-low",
            severity: Severity::Error,
            summary: "The ingress blocks need more rules than a security group may have",
            explain: include_str!("../../../../docs/rules/QUO005.md"),
        },
        run: group_rules,
    },
];

/// vCPUs, rounded up, of the tasks that run, and of the most that run at once: during a rolling deployment the app has
/// twice its tasks, and a maintenance task of the app's size may run beside them.
fn vcpus(audit: &Audit) -> (u64, u64) {
    let task = &audit.config.ecs.task;
    let app = u64::from(task.app.cpu) * u64::from(task.app.desired_count);
    let search = u64::from(task.elasticsearch.cpu) * u64::from(task.elasticsearch.desired_count);
    let most = 2 * app + search + u64::from(task.app.cpu);
    ((app + search).div_ceil(1024), most.div_ceil(1024))
}

fn fargate(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(quota) = offered(audit, sink, |services| &services.fargate_vcpus) else {
        return;
    };
    let (running, most) = vcpus(audit);
    let limit = quota.limit;
    let help = format!(
        "request at least {most} for \"Fargate On-Demand vCPU resource count\" (L-3032A538) in Service Quotas; tasks of \
         other services count too"
    );
    if limit < running {
        sink.value(APP, format!("the tasks need {running} vCPUs, the account may use {limit}")).help(help);
    } else if limit < most {
        let message =
            format!("a rolling deployment and a migration need {most} vCPUs, the account may use {limit}");
        sink.value(APP, message).severity(Severity::Warning).help(help);
    }
}

fn addresses(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(quota) = offered(audit, sink, |services| &services.addresses) else {
        return;
    };
    let Some(others) = quota.others else {
        return sink.unknown("how many addresses are in use was not counted");
    };
    let zones = audit.config.vpc.azs.len() as u64;
    let limit = quota.limit;
    let message = format!(
        "a NAT gateway in each zone needs {zones} Elastic IP addresses; the account may have {limit}, others use {others}"
    );
    let help = "request more for \"EC2-VPC Elastic IPs\" (L-0263D0A3) in Service Quotas, or set \
                `operations.nat_gateways` to \"single\"";
    if others >= limit {
        sink.value(AZS, message).help(help);
    } else if others + zones > limit {
        // One gateway still fits, where `operations` asks for one only.
        sink.value(AZS, message).severity(Severity::Warning).help(help);
    }
}

fn vpcs(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(quota) = offered(audit, sink, |services| &services.vpcs) else {
        return;
    };
    let Some(others) = quota.others else {
        return sink.unknown("how many VPCs there are was not counted");
    };
    let limit = quota.limit;
    if others >= limit {
        sink.value(VPC, format!("the account may have {limit} VPCs in this region and has {others} others"))
            .help("request more for \"VPCs per Region\" (L-F678F1CE) in Service Quotas");
    }
}

fn nat_gateways(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(quota) = offered(audit, sink, |services| &services.nat_gateways) else {
        return;
    };
    let limit = quota.limit;
    for (at, zone) in audit.config.vpc.azs.iter().enumerate() {
        let others = quota.others.get(zone).copied().unwrap_or_default();
        if others < limit {
            continue;
        }
        let message = format!("{zone} may have {limit} NAT gateways and has {others} others");
        let help = "request more for \"NAT gateways per Availability Zone\" (L-FE5A380F) in Service Quotas, or use another zone";
        let finding = sink.value(format!("{AZS}/{at}"), message);
        if at == 0 {
            finding.help(help);
        } else {
            // `operations.nat_gateways = "single"` makes one in the first zone only.
            finding
                .severity(Severity::Warning)
                .help(format!("{help}, or set `operations.nat_gateways` to \"single\""));
        }
    }
}

fn group_rules(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(quota) = offered(audit, sink, |services| &services.group_rules) else {
        return;
    };
    let Some(others) = quota.others else {
        return sink
            .unknown("how many rules the load balancer's security group has from elsewhere was not counted");
    };
    let blocks = &audit.config.alb.ingress_cidrs;
    let of_ipv6 = blocks.iter().filter(|block| block.contains(':')).count();
    // HTTP and HTTPS each need a rule for a block; IPv4 and IPv6 are counted apart.
    let needed = 2 * of_ipv6.max(blocks.len() - of_ipv6) as u64;
    let limit = quota.limit;
    if needed + others > limit {
        let from = if others == 0 { String::new() } else { format!(", and {others} were made elsewhere") };
        sink.value(INGRESS, format!("the blocks need {needed} inbound rules of one family in a security group{from}; it may have {limit}"))
            .help("merge blocks, or request more for \"Inbound or outbound rules per security group\" (L-0EA8095F) in Service Quotas");
    }
}
