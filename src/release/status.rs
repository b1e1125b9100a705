//! The status: the chain from the config's selection to the running tasks, link by link, and whether all links agree.

use serde::Serialize;

use super::migrations::Migrations;
use super::record::Record;
use super::running::{Running, Service};
use crate::account::Known;
use crate::config::Config;
use crate::registry::Image;

/// Whether a link agrees with the config's selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It agrees.
    Agrees,
    /// Not known.
    Unknown,
    /// It differs.
    Differs,
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// `config`, `source`, `task definition`, `deployment`, `tasks`, `digest`, `record`.
    pub name: &'static str,
    /// Whether it agrees.
    pub verdict: Verdict,
    /// What was found, or why it is not known.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'static str>,
}

/// What git shows about the selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The commit that the selected image was built from.
    pub commit: Known<String>,
    /// The name of that commit in messages.
    pub label: String,
    /// The newest record of the environment.
    pub record: Known<Option<Record>>,
    /// The migrations of the selected commit.
    pub migrations: Option<Migrations>,
}

/// Compares every link with the config's selection.
pub fn chain(config: &Config, source: &Source, running: &Running) -> Vec<Link> {
    let task = &config.ecs.task.app;
    let selected = super::image(&task.docker_image, &task.docker_tag);
    let wanted = i32::try_from(task.desired_count).unwrap_or(i32::MAX);
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
            ..link("deployment", Verdict::Differs, "the ECS service does not exist".into())
        }),
        Known::Known(Some(service)) => {
            links.push(definition(&selected, service, running));
            links.push(deployment(service, wanted));
            links.push(tasks(service, running));
            links.push(targets(service, &running.targets));
            links.push(match running.digest() {
                Known::Known(digest) => link("digest", Verdict::Agrees, digest),
                Known::Unknown(reason) if running.digests().len() > 1 => {
                    link("digest", Verdict::Differs, reason)
                }
                Known::Unknown(reason) => link("digest", Verdict::Unknown, reason),
            });
        }
    }
    links.push(record(&selected, source, running));
    links
}

/// The worst verdict of all links.
pub fn verdict(links: &[Link]) -> Verdict {
    let worst = links.iter().map(|link| link.verdict).max();
    worst.unwrap_or(Verdict::Unknown)
}

pub(super) fn link(name: &'static str, verdict: Verdict, found: String) -> Link {
    Link { name, verdict, found, help: None }
}

/// A link that was not checked.
pub fn not_checked(name: &'static str, reason: &str) -> Link {
    link(name, Verdict::Unknown, reason.to_owned())
}

fn definition(selected: &str, service: &Service, running: &Running) -> Link {
    const NAME: &str = "task definition";
    let revision = revision(&service.task_definition);
    if let Known::Known(Some(newest)) = &running.newest
        && *newest != service.task_definition
    {
        let newest = self::revision(newest);
        return Link {
            help: Some(
                "ECS rolled the deployment back, or the service was changed outside of Terraform: `terraform plan` shows which",
            ),
            ..link(NAME, Verdict::Differs, format!("{revision} is deployed, but {newest} is the newest"))
        };
    }
    match &running.image {
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

fn deployment(service: &Service, wanted: i32) -> Link {
    let rollout = service.rollout.as_deref();
    let mut found = format!(
        "{}, {} of {} tasks run",
        rollout.unwrap_or("no rollout state"),
        service.running,
        service.desired
    );
    if service.failed > 0 {
        found = format!("{found}, {} failed to start", service.failed);
    }
    if service.desired < wanted {
        found = format!("{found}; the config wants {wanted}");
    }
    // Autoscaling may start more tasks than the config has, but not fewer.
    let is_complete = service.running == service.desired && service.desired >= wanted;
    let verdict = match rollout {
        Some("COMPLETED") | None if is_complete => Verdict::Agrees,
        _ => Verdict::Differs,
    };
    // Only what is shown: after a rollback the deployment is complete, and ECS says in these words alone that it was one
    // ("How the Amazon ECS deployment circuit breaker detects failures", Amazon ECS Developer Guide).
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
            let found = format!("ECS counts {} tasks but lists none", service.running);
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
    let unfit: Vec<String> = tasks
        .iter()
        .filter(|task| task.status != "RUNNING" || task.health == "UNHEALTHY")
        .map(|task| if task.status == "RUNNING" { task.health.clone() } else { task.status.clone() })
        .collect();
    if !unfit.is_empty() {
        let found = format!("{} of {} are {}", unfit.len(), tasks.len(), unfit.join(", "));
        return link(NAME, Verdict::Differs, found);
    }
    if other.is_empty() {
        let found = format!("{} of {}", tasks.len(), revision(&service.task_definition));
        return link(NAME, Verdict::Agrees, found);
    }
    let found = format!("{} of {} run {}", other.len(), tasks.len(), other.join(", "));
    link(NAME, Verdict::Differs, found)
}

/// The health of the tasks in the load balancer; draining targets do not count.
fn targets(service: &Service, targets: &Known<Vec<super::running::Target>>) -> Link {
    const NAME: &str = "targets";
    let targets = match targets {
        Known::Known(targets) => targets,
        Known::Unknown(reason) => return link(NAME, Verdict::Unknown, reason.clone()),
    };
    if service.target_groups.is_empty() {
        return link(NAME, Verdict::Unknown, "the service has no load balancer".into());
    }
    let serving = targets.iter().filter(|target| target.state == "healthy").count();
    let unfit: Vec<String> = targets
        .iter()
        .filter(|target| !matches!(target.state.as_str(), "healthy" | "draining"))
        .map(|target| format!("{} is {} ({})", target.id, target.state, target.reason))
        .collect();
    let wanted = usize::try_from(service.desired).unwrap_or(0);
    if unfit.is_empty() && serving >= wanted {
        return link(NAME, Verdict::Agrees, format!("{serving} healthy"));
    }
    let unfit = if unfit.is_empty() { String::new() } else { format!(": {}", unfit.join("; ")) };
    link(NAME, Verdict::Differs, format!("{serving} of {wanted} healthy{unfit}"))
}

/// Whether the registry has the running image under the selected tag.
pub fn registry(running: &Running, image: &Known<Option<Image>>) -> Link {
    const NAME: &str = "registry";
    let image = match image {
        Known::Known(Some(image)) => image,
        Known::Known(None) => {
            return Link {
                help: Some("a new task could not pull it"),
                ..link(NAME, Verdict::Differs, "the registry no longer has the image".into())
            };
        }
        Known::Unknown(reason) => return link(NAME, Verdict::Unknown, reason.clone()),
    };
    match running.digest() {
        Known::Known(digest) if image.has_digest(&digest) => {
            link(NAME, Verdict::Agrees, format!("has the running digest, {digest}"))
        }
        Known::Known(_) => Link {
            help: Some(
                "another image was pushed under the tag; `osmt-release select --pin` writes the digest instead",
            ),
            ..link(NAME, Verdict::Differs, format!("the tag is now {}", image.digest))
        },
        Known::Unknown(_) => link(NAME, Verdict::Unknown, format!("the tag is {}", image.digest)),
    }
}

fn record(selected: &str, source: &Source, running: &Running) -> Link {
    const NAME: &str = "record";
    const TAG: Option<&str> = Some("`osmt-release tag` records what runs");
    let record = match &source.record {
        Known::Known(Some(record)) => record,
        Known::Known(None) => {
            return Link { help: TAG, ..link(NAME, Verdict::Unknown, "nothing was recorded yet".into()) };
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
    Link { help: TAG, ..link(NAME, Verdict::Differs, format!("{} {what}", record.name)) }
}

/// The revision in a task definition's ARN: `osmt-test-app:7`.
fn revision(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::super::running::{Target, Task};
    use super::*;
    use crate::document::Document;

    const ARN: &str = "arn:aws:ecs:us-west-2:123456789012:task-definition/osmt-test-app:";

    fn config() -> Config {
        let text = include_str!("../../tests/support/config.json").replace("ENV", "test");
        Config::from_document(&Document::parse(text).unwrap()).unwrap()
    }

    fn task(revision: u32, digest: Option<&str>) -> Task {
        Task {
            task_definition: format!("{ARN}{revision}"),
            digest: digest.map(str::to_owned),
            status: "RUNNING".into(),
            health: "UNKNOWN".into(),
        }
    }

    /// Revision 7 of the selected image, with two of two tasks running.
    fn healthy() -> Running {
        Running {
            service: Known::Known(Some(Service {
                task_definition: format!("{ARN}7"),
                rollout: Some("COMPLETED".into()),
                reason: None,
                running: 2,
                desired: 2,
                target_groups: vec!["group".into()],
                ..Service::default()
            })),
            image: Known::Known(Some("wguopensource/osmt-app:3.0.0".into())),
            tasks: Known::Known(vec![task(7, Some("sha256:a")), task(7, Some("sha256:a"))]),
            newest: Known::Known(Some(format!("{ARN}7"))),
            targets: Known::Known(vec![target("healthy"), target("healthy")]),
            stopped: Known::Known(Vec::new()),
        }
    }

    fn target(state: &str) -> Target {
        Target { id: "10.0.0.1".into(), state: state.into(), reason: "why".into() }
    }

    fn recorded(digest: Option<&str>) -> Source {
        Source {
            commit: Known::Known("c0ffee".into()),
            label: "3.0.0".into(),
            migrations: None,
            record: Known::Known(Some(Record {
                name: "osmt/test/2026-01-02T030405Z".into(),
                commit: "c0ffee".into(),
                version: None,
                image: "wguopensource/osmt-app:3.0.0".into(),
                digest: digest.map(str::to_owned),
                account: "123456789012".into(),
                region: "us-west-2".into(),
                restored: false,
                snapshot: None,
            })),
        }
    }

    fn judge(source: &Source, running: &Running) -> (Verdict, Vec<&'static str>) {
        let links = chain(&config(), source, running);
        let worst = verdict(&links);
        let names = links.iter().filter(|link| link.verdict == worst).map(|link| link.name).collect();
        (worst, names)
    }

    #[test]
    fn a_complete_chain_agrees() {
        let (worst, names) = judge(&recorded(Some("sha256:a")), &healthy());
        assert_eq!((worst, names.len()), (Verdict::Agrees, 8));
    }

    fn service(running: &mut Running) -> &mut Service {
        match &mut running.service {
            Known::Known(Some(service)) => service,
            _ => panic!("there is a service"),
        }
    }

    #[test]
    fn each_link_that_differs_is_named() {
        let source = recorded(Some("sha256:a"));
        let differs = |source: &Source, change: fn(&mut Running)| {
            let mut running = healthy();
            change(&mut running);
            let (worst, names) = judge(source, &running);
            assert_eq!(worst, Verdict::Differs);
            names
        };
        assert_eq!(
            differs(&source, |seen| seen.image = Known::Known(Some("x:1".into()))),
            ["task definition"]
        );
        assert_eq!(differs(&source, |seen| seen.image = Known::Known(None)), ["task definition"]);
        assert_eq!(differs(&source, |seen| service(seen).running = 1), ["deployment"]);
        assert_eq!(
            differs(&source, |seen| {
                (service(seen).running, service(seen).desired) = (0, 0);
                (seen.tasks, seen.targets) = (Known::Known(Vec::new()), Known::Known(Vec::new()));
            }),
            ["deployment"],
            "the config wants two"
        );
        assert_eq!(
            differs(&source, |seen| seen.newest = Known::Known(Some(format!("{ARN}8")))),
            ["task definition"],
            "rolled back, also to the same image"
        );
        for state in ["initial", "unhealthy", "unused"] {
            let mut running = healthy();
            running.targets = Known::Known(vec![target("healthy"), target(state)]);
            assert_eq!(judge(&source, &running), (Verdict::Differs, vec!["targets"]), "{state}");
        }
        assert_eq!(differs(&source, |seen| seen.targets = Known::Known(Vec::new())), ["targets"]);
        for (status, health) in [("PENDING", "UNKNOWN"), ("RUNNING", "UNHEALTHY")] {
            let mut running = healthy();
            let sick = Task { status: status.into(), health: health.into(), ..task(7, Some("sha256:a")) };
            running.tasks = Known::Known(vec![task(7, Some("sha256:a")), sick]);
            assert_eq!(judge(&source, &running), (Verdict::Differs, vec!["tasks"]), "{status} {health}");
        }
        assert_eq!(
            differs(&source, |seen| service(seen).rollout = Some("IN_PROGRESS".into())),
            ["deployment"]
        );
        assert_eq!(
            differs(&source, |seen| seen.tasks =
                Known::Known(vec![task(7, Some("sha256:a")), task(6, Some("sha256:a"))])),
            ["tasks"]
        );
        assert_eq!(differs(&recorded(Some("sha256:b")), |_| {}), ["record"]);
        assert_eq!(differs(&source, |seen| seen.service = Known::Known(None)), ["deployment"]);
    }

    #[test]
    fn an_unknown_link_does_not_agree() {
        let mut running = healthy();
        running.tasks = Known::Unknown("ecs:ListTasks was denied".into());
        let (worst, names) = judge(&recorded(Some("sha256:a")), &running);
        assert_eq!((worst, names), (Verdict::Unknown, vec!["tasks", "digest"]));
        running.tasks = Known::Known(vec![task(7, Some("sha256:a")), task(7, Some("sha256:b"))]);
        let (worst, names) = judge(&recorded(None), &running);
        assert_eq!((worst, names), (Verdict::Differs, vec!["digest"]));
        running = healthy();
        running.targets = Known::Unknown("elasticloadbalancing:DescribeTargetHealth was denied".into());
        assert_eq!(judge(&recorded(None), &running), (Verdict::Unknown, vec!["targets"]));
        running.tasks = Known::Known(vec![task(7, None)]);
        assert!(running.digest().as_result().is_err());
        let nothing = Source {
            commit: Known::Unknown("no checkout".into()),
            label: String::new(),
            migrations: None,
            record: Known::Unknown("no checkout".into()),
        };
        let (worst, names) = judge(&nothing, &healthy());
        assert_eq!((worst, names), (Verdict::Unknown, vec!["source", "record"]));
    }
}
