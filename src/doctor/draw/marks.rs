//! What a plan does to each part of the picture.

use std::collections::BTreeMap;

use super::tile::{Line, Style, Tile, detail, line};
use crate::config::Config;
use crate::doctor::planned::{Change, Mark, Planned};

/// The changes of each part of the picture; empty without a plan.
pub(super) struct Marks<'a> {
    is_planned: bool,
    drifted: usize,
    /// By the id of the part; true for a change of the part's main resource.
    of: BTreeMap<String, Vec<(bool, &'a Change)>>,
}

/// How many addresses a box lists; the rest is counted.
const LISTED: usize = 8;

/// The id of the box for changes that belong to no other box.
const REST: &str = "rest";

impl<'a> Marks<'a> {
    pub(super) fn new(config: &Config, plan: Option<&'a Planned>) -> Self {
        let mut of: BTreeMap<String, Vec<(bool, &Change)>> = BTreeMap::new();
        for change in plan.into_iter().flat_map(|plan| &plan.changes) {
            if !change.is_data && Mark::of(change).is_some() {
                let (id, main) = home(config, change);
                // A deposed object is left from an earlier replacement; it is not the part's main resource.
                of.entry(id).or_default().push((main && change.deposed.is_none(), change));
            }
        }
        let drifted = plan.map_or(0, |plan| plan.drift.len());
        Self { is_planned: plan.is_some(), drifted, of }
    }

    /// The counts of all changes in the plan; empty without a plan.
    pub(super) fn summary(&self) -> Vec<Line> {
        if !self.is_planned {
            return Vec::new();
        }
        let all = self.of.values().flatten().map(|(_, change)| *change);
        let counts = counts(all);
        let text = if counts.is_empty() { "nothing".to_owned() } else { counts };
        let mut lines = vec![detail(format!("The plan, by resources: {text}"))];
        if self.drifted > 0 {
            lines.push(detail(format!("Changed outside of Terraform: {}", self.drifted)));
        }
        lines
    }

    /// A box of one part.
    pub(super) fn tile(&self, id: &str, title: &str, details: &[String]) -> Tile {
        let mut lines = vec![line(Style::Title, title)];
        lines.extend(details.iter().map(detail));
        let (mark, more) = self.mark(id);
        lines.extend(more);
        Tile { id: id.to_owned(), lines, mark, share: 1.0, ..Tile::default() }
    }

    /// A box around others.
    pub(super) fn frame(&self, id: &str, title: &str, children: Vec<Tile>) -> Tile {
        Tile { children, frame: true, ..self.tile(id, title, &[]) }
    }

    fn mark(&self, id: &str) -> (Option<&'static str>, Vec<Line>) {
        let Some(changes) = self.of.get(id) else {
            return (None, Vec::new());
        };
        let own = changes.iter().filter(|(main, _)| *main).filter_map(|(_, change)| Mark::of(change)).min();
        let parts = counts(changes.iter().filter(|(main, _)| !*main).map(|(_, change)| *change));
        let mut lines = Vec::new();
        if let Some(own) = own {
            let (sign, word) = own.word();
            lines.push(line(Style::Mark(word), format!("{sign} {word}")));
        }
        let class = own.unwrap_or(Mark::Changed).word().1;
        if !parts.is_empty() {
            lines.push(line(Style::Mark(class), format!("parts: {parts}")));
        }
        (Some(class), lines)
    }

    /// The box of the changes that belong to no part, by address.
    pub(super) fn rest(&self) -> Option<Tile> {
        let changes = self.of.get(REST)?;
        let mut sorted: Vec<_> =
            changes.iter().filter_map(|(_, change)| Some((Mark::of(change)?, &change.address))).collect();
        sorted.sort();
        let mut lines = vec![line(Style::Title, "Elsewhere in the plan")];
        lines.extend(sorted.iter().take(LISTED).map(|(mark, address)| {
            let (sign, word) = mark.word();
            line(Style::Mark(word), format!("{sign} {word} {address}"))
        }));
        if sorted.len() > LISTED {
            lines.push(detail(format!("and {} more", sorted.len() - LISTED)));
        }
        let mark = sorted.first().map(|(mark, _)| mark.word().1);
        Some(Tile { id: REST.to_owned(), lines, mark, share: 2.0, ..Tile::default() })
    }
}

/// `1 destroyed, 2 changed`; empty for no changes.
fn counts<'a>(changes: impl Iterator<Item = &'a Change>) -> String {
    let mut found: BTreeMap<Mark, usize> = BTreeMap::new();
    for mark in changes.filter_map(Mark::of) {
        *found.entry(mark).or_default() += 1;
    }
    let words = found.iter().map(|(mark, count)| format!("{count} {}", mark.word().1));
    words.collect::<Vec<_>>().join(", ")
}

/// The part of the picture that a resource belongs to, and whether it is the part's main resource.
fn home(config: &Config, change: &Change) -> (String, bool) {
    let block = change.block();
    let name = block.rsplit('.').next().unwrap_or_default();
    let kind = change.kind.as_str();
    let zone = config.vpc.azs.iter().find(|zone| change.address.ends_with(&format!("[\"{zone}\"]")));
    let is = |id: &str, main: bool| (id.to_owned(), main);
    match (kind, name) {
        ("aws_subnet", "public" | "private") => match zone {
            Some(zone) => (format!("{name}:{zone}"), true),
            None => is(REST, false),
        },
        ("aws_nat_gateway" | "aws_eip", _) => match zone {
            Some(zone) => (format!("public:{zone}"), false),
            None => is(REST, false),
        },
        ("aws_route53_record", "app") => is("dns", true),
        ("aws_vpc", _) => is("vpc", true),
        ("aws_ecs_service", "app") => is("app", true),
        ("aws_ecs_service" | "aws_efs_file_system", "elasticsearch") => is("search", true),
        ("aws_lb", _) => is("lb", true),
        ("aws_db_instance", _) => is("mysql", true),
        ("aws_elasticache_replication_group", _) => is("redis", true),
        ("aws_secretsmanager_secret", _) => is("secrets", true),
        ("aws_ecs_task_definition", "app" | "maintenance") => is("app", false),
        ("aws_ecs_task_definition", "elasticsearch") => is("search", false),
        _ => (by_kind(kind).unwrap_or(REST).to_owned(), false),
    }
}

/// The part that resources of a type belong to; `None` for types that several parts use, such as roles and security groups.
fn by_kind(kind: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 15] = [
        ("aws_appautoscaling_", "app"),
        ("aws_ecs_cluster", "app"),
        ("aws_efs_", "search"),
        ("aws_service_discovery_", "search"),
        ("aws_lb_", "lb"),
        ("aws_wafv2_web_acl_association", "lb"),
        ("aws_db_", "mysql"),
        ("aws_elasticache_", "redis"),
        ("aws_secretsmanager_", "secrets"),
        ("aws_cloudwatch_", "watch"),
        ("aws_sns_", "watch"),
        ("aws_flow_log", "watch"),
        ("aws_internet_gateway", "vpc"),
        ("aws_route", "vpc"),
        ("aws_vpc_endpoint", "vpc"),
    ];
    KINDS.iter().find(|(start, _)| kind.starts_with(start)).map(|(_, id)| *id)
}
