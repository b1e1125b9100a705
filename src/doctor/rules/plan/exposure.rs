//! What the plan opens to the Internet or leaves unencrypted.

use std::collections::{BTreeMap, HashSet};

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::Value;

use super::names::report_unknown;
use super::weakness::Weakness;
use crate::doctor::planned::{Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Exposure and encryption.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN010",
            name: "open-to-the-world",
            severity: Severity::Error,
            summary: "A security group opens something other than the load balancer's ports 80 and 443 to the Internet",
            explain: include_str!("../../../../docs/rules/PLAN010.md"),
        },
        run: open_to_internet,
    },
    Check {
        rule: Rule {
            code: "PLAN011",
            name: "publicly-reachable",
            severity: Severity::Error,
            summary: "A task, or a resource with data, gets a public address or can be made public",
            explain: include_str!("../../../../docs/rules/PLAN011.md"),
        },
        run: public,
    },
    Check {
        rule: Rule {
            code: "PLAN012",
            name: "unencrypted-storage",
            severity: Severity::Error,
            summary: "A resource stores data unencrypted",
            explain: include_str!("../../../../docs/rules/PLAN012.md"),
        },
        run: unencrypted,
    },
    Check {
        rule: Rule {
            code: "PLAN016",
            name: "unencrypted-listener",
            severity: Severity::Error,
            summary: "The load balancer forwards plain HTTP to the app",
            explain: include_str!("../../../../docs/rules/PLAN016.md"),
        },
        run: plain_http,
    },
];

/// Half of all IPv4 addresses: blocks of this size together count as the Internet.
const HALF_OF_IPV4: u128 = 1 << 31;

/// Half of the /64 networks of `2000::/3`, the part of IPv6 that IANA has assigned (IANA, "IPv6 Global Unicast").
const HALF_OF_IPV6: u128 = 1 << 60;

/// The four settings with which a bucket blocks public access.
const BLOCKS: [&str; 4] =
    ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];

/// An ingress rule. The blocks of several rules may be the Internet together.
struct IngressRule<'a> {
    change: &'a Change,
    at: String,
    rule: &'a Value,
    /// Whether its security group is the load balancer's.
    is_load_balancer: bool,
}

/// What rules must have in common to be judged together: security group, protocol, first and last port.
type Scope = (String, String, Option<i64>, Option<i64>);

impl<'a> IngressRule<'a> {
    fn blocks(&self) -> Vec<&'a str> {
        blocks(self.rule)
    }
}

/// The address blocks of a rule, from all attributes that may contain them.
fn blocks(rule: &Value) -> Vec<&str> {
    let lists = ["cidr_blocks", "ipv6_cidr_blocks"].map(|name| &rule[name]);
    let single = ["cidr_ipv4", "cidr_ipv6"].map(|name| &rule[name]);
    let lists = lists.into_iter().filter_map(Value::as_array).flatten();
    lists.chain(single).filter_map(Value::as_str).collect()
}

fn protocol(rule: &Value) -> String {
    let protocol = rule["ip_protocol"].as_str().or(rule["protocol"].as_str()).unwrap_or("-1");
    match protocol.to_ascii_lowercase().as_str() {
        "-1" | "all" => "-1".to_owned(),
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        other => other.to_owned(),
    }
}

/// First and last port; AWS ignores them if the rule is for every protocol.
fn port_range(rule: &Value) -> (Option<i64>, Option<i64>) {
    if protocol(rule) == "-1" {
        return (None, None);
    }
    (rule["from_port"].as_i64(), rule["to_port"].as_i64())
}

/// Whether blocks together are at least half of the Internet.
fn is_internet<'a>(blocks: impl Iterator<Item = &'a str> + Clone) -> bool {
    let v4: Vec<Ipv4Net> = blocks.clone().filter_map(|block| block.parse().ok()).collect();
    let v6: Vec<Ipv6Net> = blocks.filter_map(|block| block.parse().ok()).collect();
    let v4 = Ipv4Net::aggregate(&v4);
    let v6 = Ipv6Net::aggregate(&v6);
    let addresses: u128 = v4.iter().map(|net| 1_u128 << (32 - net.prefix_len())).sum();
    let networks: u128 = v6.iter().map(|net| 1_u128 << 64_u8.saturating_sub(net.prefix_len())).sum();
    addresses >= HALF_OF_IPV4 || networks >= HALF_OF_IPV6
}

/// The ingress rules of a change, each with its security group. `load_balancers` are the security groups of load balancers.
fn ingress_rules<'a>(
    plan: &Planned,
    change: &'a Change,
    load_balancers: &HashSet<String>,
) -> Vec<(String, IngressRule<'a>)> {
    let own = || vec![change.block()];
    let (rules, groups): (Vec<(String, &Value)>, _) = match change.kind.as_str() {
        "aws_vpc_security_group_ingress_rule" => (
            vec![(format!("{}/after", change.pointer), &change.after)],
            plan.references(change, "security_group_id"),
        ),
        "aws_security_group_rule" if change.after("type") == "ingress" => (
            vec![(format!("{}/after", change.pointer), &change.after)],
            plan.references(change, "security_group_id"),
        ),
        "aws_security_group" | "aws_default_security_group" => {
            let rules = change.after("ingress").as_array().into_iter().flatten();
            let at = change.at("ingress");
            let rules = rules.enumerate().map(|(i, rule)| (format!("{at}/{i}"), rule));
            (rules.collect(), own())
        }
        _ => return Vec::new(),
    };
    let known = !groups.is_empty() && !load_balancers.is_empty();
    let is_load_balancer = !known || groups.iter().any(|group| load_balancers.contains(group));
    let group = match change.after("security_group_id").as_str() {
        Some(id) => id.to_owned(),
        None if groups.is_empty() => change.block(),
        None => groups.join(" "),
    };
    let ingress = |(at, rule)| (group.clone(), IngressRule { change, at, rule, is_load_balancer });
    rules.into_iter().map(ingress).collect()
}

fn open_to_internet(plan: &Planned, sink: &mut Sink<'_>) {
    let balancers = plan.of("aws_lb").chain(plan.of("aws_alb"));
    let load_balancers: HashSet<String> =
        balancers.flat_map(|balancer| plan.references(balancer, "security_groups")).collect();
    let mut by_scope: BTreeMap<Scope, Vec<IngressRule<'_>>> = BTreeMap::new();
    let mut undecided = Vec::new();
    for change in plan.changes.iter().filter(|change| !change.is_data) {
        if change.writes() && change.kind.contains("security_group") {
            let names = ["ingress", "cidr_ipv4", "cidr_ipv6", "cidr_blocks", "ipv6_cidr_blocks"];
            let is_ingress = !change.kind.contains("egress") && change.after("type") != "egress";
            let names = names.into_iter().filter(|name| is_ingress && plan.is_set_but_unknown(change, name));
            undecided.extend(names.map(|name| format!("{name} of {}", change.address)));
        }
        for (group, ingress) in ingress_rules(plan, change, &load_balancers) {
            let lists = ingress.rule["prefix_list_ids"].as_array().is_some_and(|lists| !lists.is_empty());
            if change.writes() && (lists || ingress.rule["prefix_list_id"].is_string()) {
                undecided.push(format!("the prefix list of {}", change.address));
            }
            let (from, to) = port_range(ingress.rule);
            by_scope.entry((group, protocol(ingress.rule), from, to)).or_default().push(ingress);
        }
    }
    for ((_, protocol, from, to), rules) in &by_scope {
        let blocks: Vec<&str> = rules.iter().flat_map(IngressRule::blocks).collect();
        if !is_internet(blocks.iter().copied()) {
            continue;
        }
        let web = protocol == "tcp" && from == to && matches!(from, Some(80 | 443));
        let wide = |rule: &&IngressRule<'_>| is_internet(rule.blocks().into_iter());
        let single = rules.iter().any(|rule| wide(&rule));
        // If no rule is the Internet by itself, every rule that contributes to it is reported.
        for rule in rules.iter().filter(|rule| rule.change.writes() && (!single || wide(rule))) {
            if rule.blocks().is_empty() || (web && rule.is_load_balancer) {
                continue;
            }
            let address = &rule.change.address;
            let message =
                format!("{address} opens {} to {}", ports(protocol, *from, *to), admitted(rule, single));
            sink.value(rule.at.clone(), message)
                .help("allow a security group, or an address block of your own, instead");
        }
    }
    report_unknown(undecided, sink);
}

/// The blocks that a rule admits, as text.
fn admitted(rule: &IngressRule<'_>, single: bool) -> String {
    let blocks = rule.blocks();
    let wide = blocks.iter().find(|block| is_internet(std::iter::once(**block)));
    match wide {
        Some(block) => (*block).to_owned(),
        None if single => blocks.join(", "),
        None => format!("{}, which together with other rules is the whole Internet", blocks.join(", ")),
    }
}

fn ports(protocol: &str, from: Option<i64>, to: Option<i64>) -> String {
    let of = if ["tcp", "-1"].contains(&protocol) { String::new() } else { format!(" ({protocol})") };
    match (from, to) {
        (Some(from), Some(to)) if from == to && from >= 0 => format!("port {from}{of}"),
        (Some(from), Some(to)) if from >= 0 && to > 0 => format!("ports {from} to {to}{of}"),
        _ if protocol == "-1" => "every port of every protocol".to_owned(),
        _ => format!("every port{of}"),
    }
}

/// What a change outside of Terraform opened.
pub(super) fn opened_by_hand(plan: &Planned, drift: &Change) -> Vec<Weakness> {
    let mut found = Vec::new();
    let mut say = |name, what: String| found.push(Weakness { name, what, severity: Severity::Error });
    if drift.after("publicly_accessible") == true && drift.before("publicly_accessible") != true {
        say("publicly_accessible", "it has a public address".to_owned());
    }
    for name in BLOCKS {
        if drift.turns_off(name) {
            say(name, format!("{name} is off"));
        }
    }
    let is_group = drift.kind.contains("security_group") && !drift.kind.contains("egress");
    if is_group && drift.after("type") != "egress" {
        let (before, after) = (unmanaged_ingress(plan, &drift.before), unmanaged_ingress(plan, &drift.after));
        let opens = |ingress: &[(&Value, Vec<&str>)], rule: &Value| {
            let of_group = ingress.iter().flat_map(|(_, blocks)| blocks).copied();
            is_internet(of_group.chain(blocks(rule)))
        };
        if opens(&after, &drift.after) && (!opens(&before, &drift.before) || before != after) {
            let name = if drift.kind.ends_with("_group") { "ingress" } else { changed_blocks(drift) };
            say(name, "it is open to the whole Internet".to_owned());
        }
    }
    found
}

/// The attribute of a rule whose address blocks differ.
fn changed_blocks(drift: &Change) -> &'static str {
    ["cidr_ipv4", "cidr_ipv6", "cidr_blocks", "ipv6_cidr_blocks"]
        .into_iter()
        .find(|name| drift.before(name) != drift.after(name))
        .unwrap_or("cidr_ipv4")
}

/// The ingress entries of a security group with their address blocks, without the rules that Terraform manages as resources:
/// AWS lists those as the group's too, but the state had none when it created the group, so they would look like drift.
fn unmanaged_ingress<'a>(plan: &Planned, group: &'a Value) -> Vec<(&'a Value, Vec<&'a str>)> {
    let own: Vec<&Value> = plan
        .of("aws_vpc_security_group_ingress_rule")
        .map(|change| &change.before)
        .filter(|rule| rule["security_group_id"].is_string() && rule["security_group_id"] == group["id"])
        .collect();
    let explains = |rule: &Value, entry: &Value, block: &str| {
        protocol(rule) == protocol(entry)
            && port_range(rule) == port_range(entry)
            && blocks(rule).contains(&block)
    };
    let entries = group["ingress"].as_array().into_iter().flatten();
    let entries = entries.filter_map(|entry| {
        let all = blocks(entry);
        let left: Vec<&str> = all
            .iter()
            .copied()
            .filter(|block| !own.iter().any(|rule| explains(rule, entry, block)))
            .collect();
        (all.is_empty() || !left.is_empty()).then_some((entry, left))
    });
    entries.collect()
}

fn public(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    for change in plan.written() {
        let mut say = |at: String, what: &str| {
            sink.value(at, format!("{}: {what}", change.address))
                .help("keep it private: only the load balancer needs a public address");
        };
        if change.after("publicly_accessible") == true {
            say(change.at("publicly_accessible"), "it gets a public address");
        }
        let task = "/network_configuration/0/assign_public_ip";
        if change.after.pointer(task) == Some(&Value::Bool(true)) {
            let at = format!("{}/after{task}", change.pointer);
            say(at, "its tasks get public addresses");
        }
        if change.kind == "aws_s3_bucket_public_access_block" {
            for name in BLOCKS {
                if change.after(name) != true && !change.is_unknown(name) {
                    say(change.at(name), &format!("{name} is off"));
                }
            }
            undecided.extend(
                BLOCKS
                    .iter()
                    .filter(|name| plan.is_set_but_unknown(change, name))
                    .map(|name| format!("{name} of {}", change.address)),
            );
        }
        let acl = change.after("acl").as_str().unwrap_or_default();
        if acl.starts_with("public-") || acl == "authenticated-read" {
            say(change.at("acl"), &format!("its ACL is {acl}"));
        }
        if plan.is_set_but_unknown(change, "publicly_accessible") {
            undecided.push(format!("publicly_accessible of {}", change.address));
        }
    }
    report_unknown(undecided, sink);
}

fn unencrypted(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    // Encryption cannot be turned on later, so only new resources are reported.
    for change in plan.changes.iter().filter(|change| change.creates()) {
        let name = match change.kind.as_str() {
            "aws_db_instance" | "aws_rds_cluster" => "storage_encrypted",
            "aws_elasticache_replication_group" => "at_rest_encryption_enabled",
            "aws_efs_file_system" | "aws_ebs_volume" => "encrypted",
            _ => continue,
        };
        let on = [Value::Bool(true), Value::from("true")].contains(change.after(name));
        if change.is_unknown(name) {
            undecided.push(format!("{name} of {}", change.address));
        } else if !on {
            let message = format!("{} is not encrypted at rest", change.address);
            sink.value(change.at(name), message)
                .help("turn it on now: later the resource must be replaced and its data moved");
        }
    }
    report_unknown(undecided, sink);
}

/// Whether an action of a listener forwards requests to the app.
fn forwards(actions: &Value) -> bool {
    actions.as_array().into_iter().flatten().any(|action| {
        action["type"] == "forward"
            || action["target_group_arn"].is_string()
            || action["forward"].as_array().is_some_and(|blocks| !blocks.is_empty())
    })
}

fn is_plain(listener: &Change) -> bool {
    let protocol = listener.after("protocol");
    protocol == "HTTP" || (protocol.is_null() && listener.after("port") == 80)
}

fn plain_http(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    let listeners: Vec<&Change> = plan.of("aws_lb_listener").chain(plan.of("aws_alb_listener")).collect();
    for change in listeners.iter().filter(|change| change.writes()) {
        let is_forward = forwards(change.after("default_action"));
        if change.is_unknown("protocol") && is_forward {
            undecided.push(format!("protocol of {}", change.address));
        } else if is_plain(change) && is_forward {
            let message = format!("{} forwards plain HTTP to the app", change.address);
            sink.value(change.at("protocol"), message).help("redirect to HTTPS");
        }
    }
    let rules = plan.of("aws_lb_listener_rule").chain(plan.of("aws_alb_listener_rule"));
    for change in rules.filter(|change| change.writes() && forwards(change.after("action"))) {
        let named = plan.references(change, "listener_arn");
        let arn = change.after("listener_arn");
        let owner = listeners.iter().find(|listener| {
            named.contains(&listener.block()) || (arn.is_string() && listener.before("arn") == arn)
        });
        match owner {
            Some(listener) if is_plain(listener) => {
                let message = format!("{} forwards plain HTTP to the app", change.address);
                sink.value(change.at("action"), message).help("redirect to HTTPS");
            }
            Some(_) => {}
            None => undecided.push(format!("the listener of {}", change.address)),
        }
    }
    report_unknown(undecided, sink);
}
