//! Resources that every request passes through, and the network of the databases.

use crate::doctor::planned::{Action, Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Traffic and network.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN007",
            name: "traffic-interrupted",
            severity: Severity::Warning,
            summary: "A resource that every request passes through is destroyed or replaced",
            explain: include_str!("../../../../docs/rules/PLAN007.md"),
        },
        run: interrupted,
    },
    Check {
        rule: Rule {
            code: "PLAN017",
            name: "network-replaced-under-data",
            severity: Severity::Error,
            summary: "The network of a database that stays is destroyed or replaced",
            explain: include_str!("../../../../docs/rules/PLAN017.md"),
        },
        run: network_of_data,
    },
];

/// What does not work while a resource of this type is missing.
fn interruption(change: &Change) -> Option<&'static str> {
    Some(match change.kind.as_str() {
        "aws_lb" | "aws_alb" => "no request reaches the app meanwhile, and its address changes",
        "aws_lb_listener"
        | "aws_alb_listener"
        | "aws_lb_target_group"
        | "aws_ecs_service"
        | "aws_ecs_cluster" => "no request is answered meanwhile",
        "aws_lb_listener_rule" | "aws_alb_listener_rule" => "requests that it matched get another answer",
        "aws_lb_listener_certificate" => "browsers refuse the domain of that certificate",
        "aws_route53_record" => "the domain name does not resolve meanwhile",
        "aws_vpc" | "aws_subnet" => "everything in it is destroyed or replaced too",
        "aws_internet_gateway" | "aws_internet_gateway_attachment" => {
            "nothing reaches the load balancer, and no task reaches the Internet, meanwhile"
        }
        "aws_nat_gateway" => "tasks cannot reach the Internet meanwhile",
        "aws_eip" | "aws_eip_association" => {
            "tasks use another public address afterwards: firewalls that allow the present one must be changed"
        }
        "aws_route" | "aws_route_table" | "aws_route_table_association" => "packets are not routed meanwhile",
        "aws_vpc_endpoint" => "tasks may not reach that AWS service meanwhile",
        "aws_efs_mount_target" => "Elasticsearch cannot reach its files in that zone",
        "aws_service_discovery_service" | "aws_service_discovery_private_dns_namespace" => {
            "the app does not find Elasticsearch meanwhile"
        }
        // A new version replaces the old one without a gap.
        "aws_secretsmanager_secret_version" if change.action == Action::Delete => {
            "no task that reads it can start"
        }
        _ => return None,
    })
}

fn interrupted(plan: &Planned, sink: &mut Sink<'_>) {
    if let Some(network) = plan.teardown() {
        let count = plan.changes.iter().filter(|change| !change.is_data).count();
        let message = format!("the complete environment is taken down: {count} resources are destroyed");
        sink.value(network.at_actions(), message).help("apply it only if this environment is no longer used");
        return;
    }
    // A deposed object is left from an earlier replacement and no longer serves requests.
    let destroyed = plan.changes.iter().filter(|change| change.destroys() && change.deposed.is_none());
    for change in destroyed {
        let Some(what) = interruption(change) else {
            continue;
        };
        let verb = if change.action == Action::Replace { "replaced" } else { "destroyed" };
        let why = change.reason(" because of ");
        let message = format!("{} is {verb}{why}: {what}", change.address);
        sink.value(change.at_actions(), message)
            .help("undo the change, or apply it at an hour when an interruption is acceptable");
    }
}

/// Whether a resource exists and stays.
fn stays(change: &Change) -> bool {
    !change.before.is_null()
        && match change.action {
            Action::Nothing | Action::Read | Action::Update | Action::Forget | Action::Unknown => true,
            Action::Create | Action::Replace | Action::ReplaceAndForget | Action::Delete => false,
        }
}

fn network_of_data(plan: &Planned, sink: &mut Sink<'_>) {
    let kinds = ["aws_db_instance", "aws_rds_cluster", "aws_elasticache_replication_group"];
    let data = plan.changes.iter().find(|change| kinds.contains(&change.kind.as_str()) && stays(change));
    let Some(data) = data else {
        return;
    };
    let groups: Vec<&Change> =
        plan.of("aws_db_subnet_group").chain(plan.of("aws_elasticache_subnet_group")).collect();
    // If no subnet group lists its subnets, every subnet may be one of them.
    let is_in_group = |change: &Change| {
        let mut lists = groups.iter().filter_map(|group| group.before("subnet_ids").as_array()).peekable();
        lists.peek().is_none() || lists.any(|ids| ids.contains(change.before("id")))
    };
    for change in plan.changes.iter().filter(|change| change.destroys() && change.deposed.is_none()) {
        let is_used = match change.kind.as_str() {
            "aws_vpc" | "aws_db_subnet_group" | "aws_elasticache_subnet_group" => true,
            "aws_subnet" => is_in_group(change),
            _ => false,
        };
        if is_used {
            let why = change.reason(" because of ");
            let message = format!(
                "{} is destroyed{why} while {} stays in it: AWS refuses that, but only after other parts of the network are deleted",
                change.address, data.address
            );
            sink.value(change.at_actions(), message)
                .help("undo the change; another network means a new environment and moved data");
        }
    }
}
