//! Whether the account's quotas are high enough for the config.

use super::Audit;
use super::services::offered;
use crate::finding::{Check, Rule, Severity, Sink};

const APP: &str = "/config/ecs/task/app";
const AZS: &str = "/config/vpc/azs";
const INGRESS: &str = "/config/alb/ingress_cidrs";
const VPC: &str = "/config/vpc/vpc_cidr";

/// Quotas.
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
            summary: "The account may not create another VPC in this region",
            explain: include_str!("../../../../docs/rules/QUO003.md"),
        },
        run: vpcs,
    },
    Check {
        rule: Rule {
            code: "QUO004",
            name: "nat-gateway-quota-too-low",
            severity: Severity::Error,
            summary: "The account may not create another NAT gateway in a zone",
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

/// The vCPUs, rounded up, of the tasks in normal operation, and the maximum: during a rolling deployment the app has twice its
/// tasks, and a maintenance task of the app's size may run at the same time.
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
        sink.value(APP, format!("the tasks need {running} vCPUs, but the account may use {limit}"))
            .help(help);
    } else if limit < most {
        let message = format!(
            "a rolling deployment and a migration need {most} vCPUs, but the account may use {limit}"
        );
        sink.value(APP, message).severity(Severity::Warning).help(help);
    }
}

fn addresses(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(quota) = offered(audit, sink, |services| &services.addresses) else {
        return;
    };
    let Some(others) = quota.others else {
        return sink.unknown("the Elastic IP addresses in use were not counted");
    };
    let zones = audit.config.vpc.azs.len() as u64;
    let limit = quota.limit;
    let message = format!(
        "a NAT gateway in each zone needs {zones} Elastic IP addresses; the account may have {limit}, of which other resources use {others}"
    );
    let help = "request more for \"EC2-VPC Elastic IPs\" (L-0263D0A3) in Service Quotas, or set \
                `operations.nat_gateways` to \"single\"";
    if others >= limit {
        sink.value(AZS, message).help(help);
    } else if others + zones > limit {
        // A single gateway, `operations.nat_gateways = "single"`, still fits.
        sink.value(AZS, message).severity(Severity::Warning).help(help);
    }
}

fn vpcs(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(quota) = offered(audit, sink, |services| &services.vpcs) else {
        return;
    };
    let Some(others) = quota.others else {
        return sink.unknown("the account's VPCs were not counted");
    };
    let limit = quota.limit;
    if others >= limit {
        sink.value(VPC, format!("the account may have {limit} VPCs in this region and already has {others}, not counting this one"))
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
        let message =
            format!("{zone} may have {limit} NAT gateways and already has {others}, not counting this one");
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
        return sink.unknown("the other rules of the load balancer's security group were not counted");
    };
    let blocks = &audit.config.alb.ingress_cidrs;
    let of_ipv6 = blocks.iter().filter(|block| block.contains(':')).count();
    // HTTP and HTTPS each need a rule for a block; the quota counts IPv4 and IPv6 separately.
    let needed = 2 * of_ipv6.max(blocks.len() - of_ipv6) as u64;
    let limit = quota.limit;
    if needed + others > limit {
        let message = format!(
            "the blocks need {needed} inbound rules of one family; the load balancer's security group may have {limit}, of which \
             other rules use {others}"
        );
        sink.value(INGRESS, message)
            .help("merge blocks, or request more for \"Inbound or outbound rules per security group\" (L-0EA8095F) in Service Quotas");
    }
}
