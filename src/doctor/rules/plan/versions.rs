//! Downgrades, upgrades that AWS does not allow, and a new domain, which is part of the address of every published skill.

use serde_json::Value;

use super::names::{list, report_unknown};
use crate::doctor::planned::{Action, Change, Planned};
use crate::finding::{Check, Rule, Severity, Sink};

/// Versions and domain.
pub(super) const CHECKS: &[Check<Planned>] = &[
    Check {
        rule: Rule {
            code: "PLAN033",
            name: "database-shrinks",
            severity: Severity::Error,
            summary: "The database's storage or engine version is lowered",
            explain: include_str!("../../../../docs/rules/PLAN033.md"),
        },
        run: shrinks,
    },
    Check {
        rule: Rule {
            code: "PLAN036",
            name: "major-upgrade-not-allowed",
            severity: Severity::Error,
            summary: "The database engine gets a new major version, but major upgrades are not allowed",
            explain: include_str!("../../../../docs/rules/PLAN036.md"),
        },
        run: major,
    },
    Check {
        rule: Rule {
            code: "PLAN037",
            name: "search-downgraded",
            severity: Severity::Error,
            summary: "Elasticsearch is downgraded, but its files stay",
            explain: include_str!("../../../../docs/rules/PLAN037.md"),
        },
        run: search_down,
    },
    Check {
        rule: Rule {
            code: "PLAN038",
            name: "app-downgraded",
            severity: Severity::Warning,
            summary: "The app is downgraded",
            explain: include_str!("../../../../docs/rules/PLAN038.md"),
        },
        run: app_down,
    },
    Check {
        rule: Rule {
            code: "PLAN039",
            name: "domain-changed",
            severity: Severity::Warning,
            summary: "The domain of the app changes",
            explain: include_str!("../../../../docs/rules/PLAN039.md"),
        },
        run: domain,
    },
];

const CONTAINERS: &str = "container_definitions";
const ENGINE: &str = "engine_version";

/// A version's numbers: `8.0.43` is `[8, 0, 43]`; the part after a hyphen is left out.
fn version(text: &str) -> Option<Vec<u64>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let numbers = text.split('-').next().unwrap_or(text);
    numbers.split('.').map(|part| part.parse().ok()).collect()
}

fn engine(side: &Value) -> Option<Vec<u64>> {
    side[ENGINE].as_str().and_then(version)
}

fn shrinks(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    let databases = plan.of("aws_db_instance").chain(plan.of("aws_rds_cluster"));
    for change in databases.filter(|change| change.action == Action::Update) {
        let mut say = |name: &str| {
            let message = format!("{}: {} cannot be lowered", change.address, change.difference(name));
            sink.value(change.at(name), message)
                .help("set it back; for a smaller or older database, restore a snapshot into a new one");
        };
        let size = |side: &Value| side["allocated_storage"].as_u64();
        if size(&change.after).is_some() && size(&change.after) < size(&change.before) {
            say("allocated_storage");
        }
        let pair = (engine(&change.before), engine(&change.after));
        // `8.0` in the config means any 8.0.
        if matches!(pair, (Some(now), Some(then)) if then < now && !now.starts_with(&then)) {
            say(ENGINE);
        }
        let names =
            ["allocated_storage", ENGINE].into_iter().filter(|name| plan.is_set_but_unknown(change, name));
        undecided.extend(names.map(|name| format!("{name} of {}", change.address)));
    }
    report_unknown(undecided, sink);
}

/// The major version: two numbers for MySQL and `MariaDB`, one for the others.
fn major_of(side: &Value) -> Option<Vec<u64>> {
    let numbers = engine(side)?;
    let two =
        side["engine"].as_str().is_none_or(|engine| engine.contains("mysql") || engine.contains("maria"));
    Some(numbers.into_iter().take(if two { 2 } else { 1 }).collect())
}

fn major(plan: &Planned, sink: &mut Sink<'_>) {
    const ALLOWED: &str = "allow_major_version_upgrade";
    let mut undecided = Vec::new();
    let databases = plan.of("aws_db_instance").chain(plan.of("aws_rds_cluster"));
    for change in databases.filter(|change| change.action == Action::Update) {
        let pair = (major_of(&change.before), major_of(&change.after));
        let up = matches!(&pair, (Some(now), Some(then)) if then > now);
        if up && plan.is_set_but_unknown(change, ALLOWED) {
            undecided.push(format!("{ALLOWED} of {}", change.address));
        } else if up && change.after(ALLOWED) != true {
            let message = format!(
                "{}: {} is a major upgrade, but {ALLOWED} is not true: AWS refuses it during the apply",
                change.address,
                change.difference(ENGINE)
            );
            sink.value(change.at(ENGINE), message).help(
                "try the upgrade on a restored copy first; then take a snapshot and allow major upgrades for this apply",
            );
        }
        if plan.is_set_but_unknown(change, ENGINE) {
            undecided.push(format!("{ENGINE} of {}", change.address));
        }
    }
    report_unknown(undecided, sink);
}

/// Name and image of each container in a task definition's JSON; `None` if the JSON is not known.
fn images(definitions: &Value) -> Option<Vec<(String, String)>> {
    let parsed: Value = serde_json::from_str(definitions.as_str()?).ok()?;
    let image = |container: &Value| {
        Some((container["name"].as_str()?.to_owned(), container["image"].as_str()?.to_owned()))
    };
    Some(parsed.as_array()?.iter().filter_map(image).collect())
}

/// Repository and tag of an image; a digest is not a version.
fn tag(image: &str) -> (&str, Option<&str>) {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let colon = name.rfind(':').filter(|at| !name[*at..].contains('/'));
    match colon {
        Some(at) => (&name[..at], Some(&name[at + 1..])),
        None => (name, digest),
    }
}

/// The program in a container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    App,
    Search,
}

impl Program {
    fn is(self, repository: &str) -> bool {
        let is_search = repository.contains("elasticsearch");
        match self {
            Self::Search => is_search,
            Self::App => {
                !is_search && repository.rsplit('/').next().is_some_and(|name| name.contains("osmt"))
            }
        }
    }

    /// The image in the config that the plan was made from.
    fn configured(self, plan: &Planned) -> Option<String> {
        let task = &plan.made_from.as_ref()?.ecs.task;
        let (image, tag) = match self {
            Self::App => (&task.app.docker_image, &task.app.docker_tag),
            Self::Search => (&task.elasticsearch.docker_image, &task.elasticsearch.docker_tag),
        };
        Some(if tag.starts_with("sha256:") { format!("{image}@{tag}") } else { format!("{image}:{tag}") })
    }
}

/// Each task definition whose image of this program changes (the change, the image now, the image afterwards), and those whose
/// image is not known.
fn new_images(plan: &Planned, program: Program) -> (Vec<(&Change, String, String)>, Vec<String>) {
    let (mut found, mut undecided) = (Vec::new(), Vec::new());
    for change in plan.of("aws_ecs_task_definition") {
        if !change.writes() || change.before.is_null() {
            continue;
        }
        let is_of = |(_, image): &(String, String)| program.is(tag(image).0);
        let Some(before) = images(change.before(CONTAINERS)) else {
            undecided.push(format!("{CONTAINERS} of {}", change.address));
            continue;
        };
        let Some((name, now)) = before.into_iter().find(is_of) else {
            continue;
        };
        let after = match images(change.after(CONTAINERS)) {
            Some(after) => after.into_iter().find(|(other, _)| *other == name).map(|(_, image)| image),
            None => program.configured(plan),
        };
        match after {
            Some(then) if then != now => found.push((change, now, then)),
            Some(_) => {}
            None => undecided.push(format!("{CONTAINERS} of {}", change.address)),
        }
    }
    (found, undecided)
}

/// Calls `report` with both versions for each downgrade of a program.
fn downgrades(
    plan: &Planned,
    program: Program,
    sink: &mut Sink<'_>,
    report: fn(&Change, &str, &str, &mut Sink<'_>),
) {
    let (changed, mut undecided) = new_images(plan, program);
    for (change, now, then) in changed {
        let (old, new) = (tag(&now).1.and_then(version), tag(&then).1.and_then(version));
        match (old, new) {
            (Some(old), Some(new)) if new < old => {
                report(change, tag(&now).1.unwrap_or_default(), tag(&then).1.unwrap_or_default(), sink);
            }
            (Some(_), Some(_)) => {}
            _ => {
                undecided
                    .push(format!("the version of {then}, with which {} replaces {now}", change.address));
            }
        }
    }
    undecided.sort();
    undecided.dedup();
    if !undecided.is_empty() {
        sink.unknown(format!("{}: not known", list(&undecided)));
    }
}

fn search_down(plan: &Planned, sink: &mut Sink<'_>) {
    downgrades(plan, Program::Search, sink, |change, now, then, sink| {
        let message = format!(
            "{}: Elasticsearch {then} does not start on files that {now} has written",
            change.address
        );
        sink.value(change.at(CONTAINERS), message)
            .help("set the version back; or give it an empty file system and rebuild the index");
    });
}

fn app_down(plan: &Planned, sink: &mut Sink<'_>) {
    downgrades(plan, Program::App, sink, |change, now, then, sink| {
        let message = format!(
            "{}: the app is downgraded from {now} to {then}, but the database keeps the schema of {now}",
            change.address
        );
        sink.value(change.at(CONTAINERS), message)
            .help("`osmt-release check` shows whether the older version works with that schema");
    });
}

/// The host that the app's container is configured with.
fn host(definitions: &Value) -> Option<String> {
    let parsed: Value = serde_json::from_str(definitions.as_str()?).ok()?;
    let containers = parsed.as_array()?.iter();
    let mut variables = containers.filter_map(|container| container["environment"].as_array()).flatten();
    let base = variables.find(|one| one["name"] == "BASE_DOMAIN")?;
    base["value"].as_str().map(str::to_owned)
}

fn domain(plan: &Planned, sink: &mut Sink<'_>) {
    let records = plan.of("aws_route53_record").filter_map(|change| {
        let (before, after) = (change.before("name").as_str()?, change.after("name").as_str()?);
        Some((change, "name", before.to_owned(), after.to_owned()))
    });
    let tasks = plan.of("aws_ecs_task_definition").filter_map(|change| {
        let before = host(change.before(CONTAINERS))?;
        let planned = || plan.made_from.as_ref().map(|config| config.domain.name.clone());
        let after =
            if change.writes() { host(change.after(CONTAINERS)).or_else(planned)? } else { before.clone() };
        Some((change, CONTAINERS, before, after))
    });
    let bare = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    let changed = records.chain(tasks).find(|(_, _, before, after)| bare(before) != bare(after));
    if let Some((change, name, before, after)) = changed {
        let message = format!("{}: the domain changes from {before} to {after}", change.address);
        sink.value(change.at(name), message).help(
            "published skills contain the old address; first add the new redirect address at the identity provider, and keep the old name as a redirect",
        );
    }
}
