//! The chain from the config's selection to the tasks that run, link by link, and whether all agree.

use serde::Serialize;

use super::record::Record;
use super::running::Running;
use super::running::Service;
use crate::account::Known;
use crate::config::Config;

/// Whether a link agrees with the config's selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It does.
    Agrees,
    /// It could not be told.
    Unknown,
    /// It does not.
    Differs,
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// `config`, `source`, `task definition`, `deployment`, `tasks`, `digest`, `record`.
    pub name: &'static str,
    /// Whether it agrees.
    pub verdict: Verdict,
    /// What is there, or why that is not known.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'static str>,
}

/// What git knows of the selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The commit that the selected image is made from.
    pub commit: Known<String>,
    /// That commit as people know it.
    pub label: String,
    /// The newest record of the environment.
    pub record: Known<Option<Record>>,
}

/// Judges every link against the config's selection.
pub fn chain(config: &Config, source: &Source, running: &Running) -> Vec<Link> {
    let task = &config.ecs.task.app;
    let selected = super::image(&task.docker_image, &task.docker_tag);
    let config = link("config", Verdict::Agrees, selected.clone());
    let commit = match &source.commit {
        Known::Known(commit) if *commit == source.label => {
            link("source", Verdict::Agrees, format!("commit {commit}"))
        }
        Known::Known(commit) => {
            let found = format!("{}, commit {commit}", source.label);
            link("source", Verdict::Agrees, found)
        }
        Known::Unknown(reason) => link("source", Verdict::Unknown, reason.clone()),
    };
    let mut links = vec![config, commit];
    match &running.service {
        Known::Unknown(reason) => {
            links.push(link("deployment", Verdict::Unknown, reason.clone()));
        }
        Known::Known(None) => links.push(Link {
            help: Some("`terraform apply` deploys what the config selects"),
            ..link(
                "deployment",
                Verdict::Differs,
                "there is no such service".into(),
            )
        }),
        Known::Known(Some(service)) => {
            links.push(definition(&selected, service, &running.image));
            links.push(deployment(service));
            links.push(tasks(service, running));
            links.push(match running.digest() {
                Known::Known(digest) => link("digest", Verdict::Agrees, digest),
                Known::Unknown(reason) if service.desired == 0 => {
                    link("digest", Verdict::Unknown, format!("{reason}: none should"))
                }
                Known::Unknown(reason) => link("digest", Verdict::Unknown, reason),
            });
        }
    }
    links.push(record(&selected, source, running));
    links
}

/// The worst of all links.
pub fn verdict(links: &[Link]) -> Verdict {
    let worst = links.iter().map(|link| link.verdict).max();
    worst.unwrap_or(Verdict::Unknown)
}

fn link(name: &'static str, verdict: Verdict, found: String) -> Link {
    Link {
        name,
        verdict,
        found,
        help: None,
    }
}

fn definition(selected: &str, service: &Service, image: &Known<Option<String>>) -> Link {
    const NAME: &str = "task definition";
    let revision = revision(&service.task_definition);
    match image {
        Known::Known(Some(image)) if image == selected => {
            link(NAME, Verdict::Agrees, format!("{revision} with {image}"))
        }
        Known::Known(Some(image)) => Link {
            help: Some("`terraform apply` deploys what the config selects"),
            ..link(NAME, Verdict::Differs, format!("{revision} with {image}"))
        },
        Known::Known(None) => {
            let found = format!("{revision} has no container named app");
            link(NAME, Verdict::Differs, found)
        }
        Known::Unknown(reason) => link(NAME, Verdict::Unknown, format!("{revision}: {reason}")),
    }
}

fn deployment(service: &Service) -> Link {
    let rollout = service.rollout.as_deref();
    let mut found = format!(
        "{}, {} of {} tasks run",
        rollout.unwrap_or("no rollout state"),
        service.running,
        service.desired
    );
    let whole = service.running == service.desired;
    let verdict = match rollout {
        Some("COMPLETED") | None if whole => Verdict::Agrees,
        _ => Verdict::Differs,
    };
    let reason = service
        .reason
        .as_ref()
        .filter(|reason| verdict != Verdict::Agrees || reason.contains("circuit breaker"));
    if let Some(reason) = reason {
        found = format!("{found}: {reason}");
    }
    link("deployment", verdict, found)
}

fn tasks(service: &Service, running: &Running) -> Link {
    const NAME: &str = "tasks";
    let tasks = match &running.tasks {
        Known::Known(tasks) if tasks.is_empty() && service.running > 0 => {
            let found = format!("ECS counts {} and lists none", service.running);
            return link(NAME, Verdict::Unknown, found);
        }
        Known::Known(tasks) => tasks,
        Known::Unknown(reason) => return link(NAME, Verdict::Unknown, reason.clone()),
    };
    let other: Vec<&str> = tasks
        .iter()
        .map(|task| task.task_definition.as_str())
        .filter(|definition| *definition != service.task_definition)
        .map(revision)
        .collect();
    if other.is_empty() {
        let found = format!("{} of {}", tasks.len(), revision(&service.task_definition));
        return link(NAME, Verdict::Agrees, found);
    }
    let found = format!(
        "{} of {} run {}",
        other.len(),
        tasks.len(),
        other.join(", ")
    );
    link(NAME, Verdict::Differs, found)
}

fn record(selected: &str, source: &Source, running: &Running) -> Link {
    const NAME: &str = "record";
    const TAG: Option<&str> = Some("`osmt-release tag` records what runs");
    let record = match &source.record {
        Known::Known(Some(record)) => record,
        Known::Known(None) => {
            return Link {
                help: TAG,
                ..link(NAME, Verdict::Unknown, "nothing was recorded yet".into())
            };
        }
        Known::Unknown(reason) => return link(NAME, Verdict::Unknown, reason.clone()),
    };
    let commit = match &source.commit {
        Known::Known(commit) => *commit == record.commit,
        Known::Unknown(_) => true,
    };
    let digest = match (&record.digest, running.digest()) {
        (Some(recorded), Known::Known(digest)) => *recorded == digest,
        _ => true,
    };
    if record.image == selected && commit && digest {
        return link(NAME, Verdict::Agrees, record.name.clone());
    }
    let what = if record.image != selected {
        format!("of {}", record.image)
    } else if !commit {
        format!("of commit {}", record.commit)
    } else {
        format!("of {}", record.digest.as_deref().unwrap_or_default())
    };
    Link {
        help: TAG,
        ..link(NAME, Verdict::Differs, format!("{} {what}", record.name))
    }
}

/// `osmt-test-app:7` of a task definition's ARN.
fn revision(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
