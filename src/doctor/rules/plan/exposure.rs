//! What the plan opens to the Internet or leaves unencrypted.

use std::collections::{BTreeMap, HashSet};

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::Value;

use super::names::say_open;
use super::weakness::Weakness;
use crate::doctor::planned::{Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Doors and ciphers.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN010",
            name: "open-to-the-world",
            severity: Severity::Error,
            summary: "A security group admits the whole Internet to something other than the load balancer's 80 and 443",
            explain: include_str!("../../../../docs/rules/PLAN010.md"),
        },
        run: open,
    },
    Check {
        rule: Rule {
            code: "PLAN011",
            name: "publicly-reachable",
            severity: Severity::Error,
            summary: "Something that holds data, or a task, gets a public address or may be made public",
            explain: include_str!("../../../../docs/rules/PLAN011.md"),
        },
        run: public,
    },
    Check {
        rule: Rule {
            code: "PLAN012",
            name: "unencrypted-storage",
            severity: Severity::Error,
            summary: "Something that stores data does so unencrypted",
            explain: include_str!("../../../../docs/rules/PLAN012.md"),
        },
        run: unencrypted,
    },
    Check {
        rule: Rule {
            code: "PLAN016",
            name: "unencrypted-listener",
            severity: Severity::Error,
            summary: "The load balancer answers plain HTTP with the app",
            explain: include_str!("../../../../docs/rules/PLAN016.md"),
        },
        run: plain_http,
    },
];

/// Half of all IPv4 addresses: less cannot be called the Internet.
const HALF_OF_IPV4: u128 = 1 << 31;

/// Half of the /64 networks of `2000::/3`, which is all of IPv6 that is given out (IANA, "IPv6 Global Unicast").
const HALF_OF_IPV6: u128 = 1 << 60;

/// The four switches of a bucket's block on public access.
const BLOCKS: [&str; 4] =
    ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];

/// Blocks that a rule admits; several rules and blocks may make up the Internet together.
struct Door<'a> {
    change: &'a Change,
    at: String,
    rule: &'a Value,
    is_entrance: bool,
}

/// What the doors of one group have in common: group, protocol, ports.
type Way = (String, String, Option<i64>, Option<i64>);

impl<'a> Door<'a> {
    fn blocks(&self) -> Vec<&'a str> {
        blocks(self.rule)
    }
}

/// The address blocks of a rule, in whichever form.
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

/// First and last port; AWS ignores them where the rule is for every protocol.
fn port_range(rule: &Value) -> (Option<i64>, Option<i64>) {
    if protocol(rule) == "-1" {
        return (None, None);
    }
    (rule["from_port"].as_i64(), rule["to_port"].as_i64())
}

/// Whether blocks are together the whole Internet, or half of it.
fn is_world<'a>(blocks: impl Iterator<Item = &'a str> + Clone) -> bool {
    let v4: Vec<Ipv4Net> = blocks.clone().filter_map(|block| block.parse().ok()).collect();
    let v6: Vec<Ipv6Net> = blocks.filter_map(|block| block.parse().ok()).collect();
    let v4 = Ipv4Net::aggregate(&v4);
    let v6 = Ipv6Net::aggregate(&v6);
    let addresses: u128 = v4.iter().map(|net| 1_u128 << (32 - net.prefix_len())).sum();
    let networks: u128 = v6.iter().map(|net| 1_u128 << 64_u8.saturating_sub(net.prefix_len())).sum();
    addresses >= HALF_OF_IPV4 || networks >= HALF_OF_IPV6
}

/// The ingress rules that a change carries.
fn doors<'a>(plan: &Planned, change: &'a Change, entrances: &HashSet<String>) -> Vec<(String, Door<'a>)> {
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
    let known = !groups.is_empty() && !entrances.is_empty();
    let is_entrance = !known || groups.iter().any(|group| entrances.contains(group));
    let group = match change.after("security_group_id").as_str() {
        Some(id) => id.to_owned(),
        None if groups.is_empty() => change.block(),
        None => groups.join(" "),
    };
    let door = |(at, rule)| (group.clone(), Door { change, at, rule, is_entrance });
    rules.into_iter().map(door).collect()
}

fn open(plan: &Planned, sink: &mut Sink<'_>) {
    let balancers = plan.of("aws_lb").chain(plan.of("aws_alb"));
    let entrances: HashSet<String> =
        balancers.flat_map(|balancer| plan.references(balancer, "security_groups")).collect();
    let mut ways: BTreeMap<Way, Vec<Door<'_>>> = BTreeMap::new();
    let mut dark = Vec::new();
    for change in plan.changes.iter().filter(|change| !change.is_data) {
        if change.writes() && change.kind.contains("security_group") {
            let names = ["ingress", "cidr_ipv4", "cidr_ipv6", "cidr_blocks", "ipv6_cidr_blocks"];
            let is_ingress = !change.kind.contains("egress") && change.after("type") != "egress";
            let names = names.into_iter().filter(|name| is_ingress && plan.is_open(change, name));
            dark.extend(names.map(|name| format!("{name} of {}", change.address)));
        }
        for (group, door) in doors(plan, change, &entrances) {
            let lists = door.rule["prefix_list_ids"].as_array().is_some_and(|lists| !lists.is_empty());
            if change.writes() && (lists || door.rule["prefix_list_id"].is_string()) {
                dark.push(format!("the prefix list that {} admits", change.address));
            }
            let (from, to) = port_range(door.rule);
            ways.entry((group, protocol(door.rule), from, to)).or_default().push(door);
        }
    }
    for ((_, protocol, from, to), doors) in &ways {
        let blocks: Vec<&str> = doors.iter().flat_map(Door::blocks).collect();
        if !is_world(blocks.iter().copied()) {
            continue;
        }
        let web = protocol == "tcp" && from == to && matches!(from, Some(80 | 443));
        let wide = |door: &&Door<'_>| is_world(door.blocks().into_iter());
        let single = doors.iter().any(|door| wide(&door));
        // Where no block is the Internet by itself, all that together are it are named.
        for door in doors.iter().filter(|door| door.change.writes() && (!single || wide(door))) {
            if door.blocks().is_empty() || (web && door.is_entrance) {
                continue;
            }
            let address = &door.change.address;
            let message =
                format!("{address} opens {} to {}", ports(protocol, *from, *to), to_whom(door, single));
            sink.value(door.at.clone(), message)
                .help("name the security group that may connect, or an address block of your own");
        }
    }
    say_open(dark, sink);
}

fn to_whom(door: &Door<'_>, single: bool) -> String {
    let blocks = door.blocks();
    let wide = blocks.iter().find(|block| is_world(std::iter::once(**block)));
    match wide {
        Some(block) => (*block).to_owned(),
        None if single => blocks.join(", "),
        None => format!("{}, with others the whole Internet", blocks.join(", ")),
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

/// What a change made by hand opened.
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
        let world = |ingress: &[(&Value, Vec<&str>)], rule: &Value| {
            let of_group = ingress.iter().flat_map(|(_, blocks)| blocks).copied();
            is_world(of_group.chain(blocks(rule)))
        };
        if world(&after, &drift.after) && (!world(&before, &drift.before) || before != after) {
            let name = if drift.kind.ends_with("_group") { "ingress" } else { "cidr_ipv4" };
            say(name, "it admits the whole Internet".to_owned());
        }
    }
    found
}

/// The ingress of a security group, each entry with its address blocks, without what Terraform's own rule resources explain:
/// after the first apply AWS shows their rules as the group's, which the state did not hold when it made the group.
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
    let mut dark = Vec::new();
    for change in plan.written() {
        let mut say = |at: String, what: &str| {
            sink.value(at, format!("{}: {what}", change.address))
                .help("keep it private: requests come through the load balancer alone");
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
            dark.extend(
                BLOCKS
                    .iter()
                    .filter(|name| plan.is_open(change, name))
                    .map(|name| format!("{name} of {}", change.address)),
            );
        }
        let acl = change.after("acl").as_str().unwrap_or_default();
        if acl.starts_with("public-") || acl == "authenticated-read" {
            say(change.at("acl"), &format!("its ACL is {acl}"));
        }
        if plan.is_open(change, "publicly_accessible") {
            dark.push(format!("publicly_accessible of {}", change.address));
        }
    }
    say_open(dark, sink);
}

fn unencrypted(plan: &Planned, sink: &mut Sink<'_>) {
    let mut dark = Vec::new();
    // Afterwards it is too late, and said each time it would only be noise.
    for change in plan.changes.iter().filter(|change| change.creates()) {
        let name = match change.kind.as_str() {
            "aws_db_instance" | "aws_rds_cluster" => "storage_encrypted",
            "aws_elasticache_replication_group" => "at_rest_encryption_enabled",
            "aws_efs_file_system" | "aws_ebs_volume" => "encrypted",
            _ => continue,
        };
        let on = [Value::Bool(true), Value::from("true")].contains(change.after(name));
        if change.is_unknown(name) {
            dark.push(format!("{name} of {}", change.address));
        } else if !on {
            let message = format!("{} is not encrypted at rest", change.address);
            sink.value(change.at(name), message)
                .help("turn it on now: later it means a new resource and moved data");
        }
    }
    say_open(dark, sink);
}

/// Whether an action of a listener answers with the app.
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
    let mut dark = Vec::new();
    let listeners: Vec<&Change> = plan.of("aws_lb_listener").chain(plan.of("aws_alb_listener")).collect();
    for change in listeners.iter().filter(|change| change.writes()) {
        let is_forward = forwards(change.after("default_action"));
        if change.is_unknown("protocol") && is_forward {
            dark.push(format!("protocol of {}", change.address));
        } else if is_plain(change) && is_forward {
            let message = format!("{} answers plain HTTP with the app", change.address);
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
                let message = format!("{} answers plain HTTP with the app", change.address);
                sink.value(change.at("action"), message).help("redirect to HTTPS");
            }
            Some(_) => {}
            None => dark.push(format!("the listener of {}", change.address)),
        }
    }
    say_open(dark, sink);
}
