//! Draws the stack that a config describes as an SVG, and marks what a plan does to each part.
//!
//! This file chooses the parts, `layout` places them, `marks` adds the plan, and `svg` writes the file.

mod layout;
mod marks;
mod svg;
mod tile;

use std::slice::from_ref;

use serde_json::Value;

use self::marks::Marks;
use self::tile::{Line, Style, Tile, detail, line};
use super::planned::Planned;
use crate::config::Config;
use crate::deployment::{prefix, secret_name};
use crate::explain::count;

/// The arrows: each points from a caller to what it calls.
const ARROWS: [(&str, &str); 5] =
    [("users", "lb"), ("lb", "app"), ("app", "mysql"), ("app", "redis"), ("app", "search")];

/// The picture, as the text of an SVG file.
pub fn draw(config: &Config, plan: Option<&Planned>) -> String {
    let marks = Marks::new(config, plan);
    let mut root = Tile { row: false, children: stack(config, &marks, is_internal(plan)), ..Tile::default() };
    root.lines = heading(config, &marks);
    svg::write(&format!("OSMT stack {}", prefix(&config.env)), &layout::place(&root), &ARROWS)
}

fn heading(config: &Config, marks: &Marks) -> Vec<Line> {
    let mut lines = vec![
        line(Style::Heading, format!("OSMT: {}", prefix(&config.env))),
        detail(format!("account {}, region {}", config.account_id, config.region)),
    ];
    lines.extend(marks.summary());
    lines
}

/// Whether the load balancer has private addresses alone, which the config does not say.
fn is_internal(plan: Option<&Planned>) -> bool {
    let mut changes = plan.into_iter().flat_map(|plan| &plan.changes);
    changes.any(|change| change.kind == "aws_lb" && change.after["internal"] == Value::Bool(true))
}

fn stack(config: &Config, marks: &Marks, is_internal: bool) -> Vec<Tile> {
    let Config { domain, alb, vpc, app, .. } = config;
    let outside = row(vec![
        marks.tile("identity", "Identity provider", from_ref(&app.oauth.issuer)),
        marks.tile("certificate", "Certificate", from_ref(&alb.certificate_arn)),
        marks.tile(
            "dns",
            "DNS record",
            &[
                domain.name.clone(),
                match &domain.hosted_zone_id {
                    Some(id) => format!("hosted zone {id}"),
                    None => "managed by another team".to_owned(),
                },
            ],
        ),
        marks.tile("users", "Users", &[format!("may connect from {}", alb.ingress_cidrs.join(", "))]),
    ]);
    let balancer = balancer(config, marks, is_internal);
    let network = marks.frame(
        "vpc",
        &format!("VPC {} {}", prefix(&config.env), vpc.vpc_cidr),
        if is_internal {
            vec![public(config, marks, None), private(config, marks, Some(balancer))]
        } else {
            vec![public(config, marks, Some(balancer)), private(config, marks, None)]
        },
    );
    let mut around = vec![
        marks.tile("secrets", "Secrets Manager", &secrets(config)),
        marks.tile("watch", "Logs and alarms", &[log_retention(config.log_retention_days)]),
    ];
    around.extend(marks.rest());
    vec![outside, network, row(around)]
}

fn balancer(config: &Config, marks: &Marks, is_internal: bool) -> Tile {
    let Config { alb, .. } = config;
    let mut lines =
        vec![if is_internal { "HTTPS 443, private addresses only" } else { "HTTPS 443" }.to_owned()];
    lines.push(format!("deletion protection {}", switch(alb.enable_deletion_protection)));
    lines.push(format!("access logs {}", switch(alb.access_logs)));
    row(vec![marks.tile("lb", &format!("Load balancer {}", prefix(&config.env)), &lines)])
}

fn public(config: &Config, marks: &Marks, balancer: Option<Tile>) -> Tile {
    let subnets = rows(subnets(config, marks, "public", &config.vpc.subnets.public));
    let subnets = Tile { lane: true, ..subnets };
    plain_frame("public", "Public subnets", balancer.into_iter().chain([subnets]).collect())
}

fn private(config: &Config, marks: &Marks, balancer: Option<Tile>) -> Tile {
    let name = prefix(&config.env);
    let Config { ecs, rds, elasticache, .. } = config;
    let task = &ecs.task.app;
    let app = marks.tile(
        "app",
        &format!("App {name}-app"),
        &[
            tasks(task.desired_count, task.cpu, task.memory, &task.cpu_architecture),
            image(&task.docker_image, &task.docker_tag),
        ],
    );
    let storage = format!(
        "{} GiB, backups kept {} days, {}",
        rds.allocated_storage,
        rds.backup_retention_days,
        if rds.multi_az { "standby in a second zone" } else { "one zone" }
    );
    let database = marks.tile(
        "mysql",
        &format!("Database {name}"),
        &[
            format!("MySQL {} {}", rds.engine_version, rds.instance_class),
            format!("schema {}", rds.db_name),
            storage,
            format!("deletion protection {}", switch(rds.enable_deletion_protection)),
        ],
    );
    let cache = marks.tile(
        "redis",
        &format!("Cache {name}"),
        &[format!("Redis {} {}", elasticache.engine_version, elasticache.node_type)],
    );
    let task = &ecs.task.elasticsearch;
    let mut lines = vec![
        tasks(task.desired_count, task.cpu, task.memory, &task.cpu_architecture),
        image(&task.docker_image, &task.docker_tag),
        "index on EFS".to_owned(),
    ];
    if task.authentication {
        lines.push("clients need a password".to_owned());
    }
    let search = marks.tile("search", &format!("Search {name}-elasticsearch"), &lines);
    let subnets = subnets(config, marks, "private", &config.vpc.subnets.private);
    let parts = [row(vec![app]), row(vec![database, cache, search]), rows(subnets)];
    plain_frame("private", "Private subnets", balancer.into_iter().chain(parts).collect())
}

/// One box for each zone; if the config has fewer blocks than zones, or more, the box says so.
fn subnets(config: &Config, marks: &Marks, kind: &str, blocks: &[String]) -> Vec<Tile> {
    let zones = &config.vpc.azs;
    let both = |at: usize| (zones.get(at), blocks.get(at));
    (0..zones.len().max(blocks.len()))
        .map(|at| {
            let (zone, block) = both(at);
            let id = format!("{kind}:{}", zone.map_or("", String::as_str));
            let title = zone.map_or_else(|| "no zone for it".to_owned(), |zone| format!("Zone {zone}"));
            marks.tile(&id, &title, &[block.cloned().unwrap_or_else(|| "no block".to_owned())])
        })
        .collect()
}

fn secrets(config: &Config) -> Vec<String> {
    let mut names = vec!["rds", "app", "db-uri"];
    if config.ecs.task.elasticsearch.authentication {
        names.push("elasticsearch");
    }
    if !config.app.extra_secrets.is_empty() {
        names.push("extra");
    }
    let mut lines: Vec<_> = names.into_iter().map(|name| secret_name(&config.env, name)).collect();
    lines.push(format!("revision {}", config.secrets_revision));
    lines
}

fn tasks(number: u32, cpu: u32, memory: u32, architecture: &str) -> String {
    // 1024 CPU units are one virtual CPU, 1024 MiB one GiB.
    let parts = |units: u32| f64::from(units) / 1024.0;
    format!("{} of {} vCPU, {} GiB, {architecture}", count(number, "task"), parts(cpu), parts(memory))
}

fn image(repository: &str, tag: &str) -> String {
    let joint = if tag.starts_with("sha256:") { '@' } else { ':' };
    format!("{repository}{joint}{tag}")
}

/// CloudWatch Logs keeps logs for ever where the retention is 0.
fn log_retention(days: u32) -> String {
    if days == 0 { "logs kept for ever".to_owned() } else { format!("logs kept {days} days") }
}

fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn row(children: Vec<Tile>) -> Tile {
    Tile { children, row: true, ..Tile::default() }
}

/// Boxes of one kind: at most three in a row, and rows of the same length as far as possible.
fn rows(tiles: Vec<Tile>) -> Tile {
    let length = tiles.len().div_ceil(tiles.len().div_ceil(3).max(1));
    let mut rest = tiles.into_iter();
    let mut rows = Vec::new();
    loop {
        let next: Vec<Tile> = rest.by_ref().take(length).collect();
        if next.is_empty() {
            return Tile { children: rows, ..Tile::default() };
        }
        rows.push(row(next));
    }
}

fn plain_frame(id: &str, title: &str, children: Vec<Tile>) -> Tile {
    Tile {
        id: id.to_owned(),
        lines: vec![line(Style::Title, title)],
        children,
        frame: true,
        ..Tile::default()
    }
}

#[cfg(test)]
mod tests;
