//! `osmt-release tag`: record a deployment in git.

use clap::Args;
use jiff::Timestamp;

use super::repositories::Repositories;
use super::status;
use crate::account::Known;
use crate::command::{Context, block_on, carry_out};
use crate::config::Config;
use crate::explain::{Exit, Failure};
use crate::release;
use crate::release::migrate::snapshot::Snapshot;
use crate::release::record::{Record, Step};
use crate::release::status::Verdict;
use crate::release::{Link, Osmt, record};
use crate::{files, git};

/// Record what was deployed: an annotated git tag with commit, image, digest, account and region.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-release --repo ../osmt tag --push\n  \
    osmt-release --repo ../osmt --records . tag\n  \
    osmt-release --repo ../osmt tag --restored    after a snapshot was restored")]
pub(super) struct Tag {
    /// The commit that the selected image was built from, if the image's tag does not name it.
    rev: Option<String>,
    /// Record that the database was restored from a snapshot that this commit's app had migrated: earlier records are then not
    /// used to compare migrations.
    #[arg(long)]
    restored: bool,
    /// Do not read from AWS what is running; the digest is then recorded as unknown.
    #[arg(long)]
    offline: bool,
    /// Also push the tag [default REMOTE: origin, or the only one].
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, default_missing_value = "")]
    push: Option<String>,
    #[command(flatten)]
    repositories: Repositories,
}

impl Tag {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let (document, config) = cx.shared.load_config()?;
        let osmt = self.repositories.osmt()?;
        let remote = self.push.as_deref().map(|name| remote(&osmt, name));
        let remote = remote.transpose()?;
        let commit = self.commit(&osmt, &config)?;
        let newest = osmt.records(&config)?.into_iter().next();
        let task = &config.ecs.task.app;
        block_on(ui, async {
            let digest = if self.offline {
                Known::Unknown("AWS was not called".to_owned())
            } else {
                running_digest(cx, &config, &osmt, &commit).await?
            };
            if let Known::Unknown(reason) = &digest {
                ui.say(format_args!("the digest is recorded as unknown: {reason}"));
            }
            let time = Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
            let record = Record {
                name: Record::name(&config.env, &time),
                version: osmt.snapshot(&commit)?.version.map(|version| version.text),
                commit,
                image: release::image(&task.docker_image, &task.docker_tag),
                digest: digest.as_result().ok().cloned(),
                account: config.account_id.clone(),
                region: config.region.clone(),
                restored: self.restored,
                snapshot: self.snapshot(cx, &config).await?,
            };
            let current = record::current(&record, newest.as_ref());
            let (repository, place) = osmt.record_target(&record.commit)?;
            let lacking = match remote.as_deref() {
                Some(remote) if lacks(repository, remote, &current.name)? => Some(remote),
                Some(_) | None => None,
            };
            let plan = record::plan(&record, newest.as_ref(), lacking);
            for step in &plan.actions {
                if let Step::Create(record) = step {
                    let message = record.message();
                    let indented = message.trim_end().replace('\n', "\n    ");
                    ui.result(format_args!("    {indented}\n"))?;
                }
            }
            if plan.is_empty() {
                ui.say(format_args!("{} records this deployment already", current.name));
            }
            carry_out(ui, &plan, "Tag it?", async |step: &Step| match step {
                Step::Create(record) => {
                    // The record is about the config as it was before the question.
                    files::check_unchanged(&cx.shared.config_path(), Some(document.text().as_bytes()))?;
                    let message = record.message();
                    Ok::<_, Failure>(repository.create_tag(&record.name, place, &message)?)
                }
                Step::Push { name, remote } => Ok(repository.push_tag(remote, name)?),
            })
            .await
        })
    }

    /// The snapshot that `migrate` took before this release; `None` if snapshots cannot be read.
    async fn snapshot(&self, cx: &Context, config: &Config) -> Result<Option<String>, Failure> {
        if self.offline {
            return Ok(None);
        }
        let session = cx.shared.sign_in(config, &cx.ui).await?;
        let release = Snapshot::release(&config.ecs.task.app.docker_tag);
        let reading = Snapshot::newest(&session, &config.env, &release);
        match cx.ui.during("reading the snapshots", reading).await {
            Ok(found) => Ok(found),
            Err(error) => {
                cx.ui.say(format_args!("no snapshot is recorded: {}", error.reason()));
                Ok(None)
            }
        }
    }

    fn commit(&self, osmt: &Osmt, config: &Config) -> Result<String, Failure> {
        let tag = config.ecs.task.app.docker_tag.as_str();
        let link = osmt.link(tag, &osmt.records(config)?);
        if let Some(rev) = &self.rev {
            let commit = osmt.repository.resolve(rev)?;
            return match link {
                // A commit in the image's tag has precedence over the argument.
                Link::Named(other) if other != commit => {
                    let message = format!(
                        "the config selects {tag}, which is commit {}, not {rev}",
                        git::short(&other)
                    );
                    Err(Failure::new(Exit::Refused, message)
                        .help("`osmt-release tag` without a revision records what is selected"))
                }
                Link::Named(_) | Link::Recorded(_) | Link::Ambiguous(_) | Link::Unknown => Ok(commit),
            };
        }
        match osmt.selected(config)? {
            Known::Known(commit) => Ok(commit),
            Known::Unknown(reason) => Err(Failure::new(
                Exit::Refused,
                format!("the selected image's commit is not known: {reason}"),
            )
            .help("run `git fetch --tags`, or give the commit: `osmt-release tag REV`")),
        }
    }
}

/// The digest of the running image; refused if it is not what the config selects.
async fn running_digest(
    cx: &Context,
    config: &Config,
    osmt: &Osmt,
    commit: &str,
) -> Result<Known<String>, Failure> {
    let source = release::status::Source {
        commit: Known::Known(commit.to_owned()),
        label: osmt.label(commit),
        record: Known::Known(None),
        migrations: None,
    };
    let running = status::running(cx, config).await?;
    let links = release::status::chain(config, &source, &running);
    let against: Vec<_> = links
        .iter()
        .filter(|link| {
            let must_be_known = matches!(link.name, "deployment" | "task definition" | "tasks");
            link.verdict == Verdict::Differs || (must_be_known && link.verdict == Verdict::Unknown)
        })
        .map(|link| format!("{}: {}", link.name, link.found))
        .collect();
    if against.is_empty() {
        return Ok(running.digest());
    }
    let message = "what is running is not what the config selects, or could not be read";
    let mut failure = Failure::new(Exit::Refused, message)
        .help("run `terraform apply`, wait until `osmt-release status` agrees, then run this again");
    failure.causes = against;
    Err(failure)
}

/// Whether a remote lacks a tag; another tag of this name there is refused.
fn lacks(repository: &git::Repository, remote: &str, name: &str) -> Result<bool, Failure> {
    match repository.remote_tag_object(remote, name)? {
        None => Ok(true),
        Some(there) if repository.tag_object(name)? == Some(there.clone()) => Ok(false),
        Some(_) => Err(taken(remote, name)),
    }
}

/// Another user's record has the same name, which consists of the environment and the time in seconds.
fn taken(remote: &str, name: &str) -> Failure {
    Failure::new(Exit::Refused, format!("{remote} has another tag {name}")).help(format!(
        "another user recorded a deployment in the same second: run `git tag --delete {name}` if the tag exists here, `git fetch --tags`, then run this again"
    ))
}

/// A remote of the repository, by name; for an empty name the only one, or `origin`.
fn remote(osmt: &Osmt, name: &str) -> Result<String, Failure> {
    let remotes = osmt.records_repository.as_ref().unwrap_or(&osmt.repository).remotes()?;
    let found = match (name, remotes.as_slice()) {
        ("", [only]) => Some(only),
        ("", all) => all.iter().find(|remote| *remote == "origin"),
        (name, all) => all.iter().find(|remote| *remote == name),
    };
    found.cloned().ok_or_else(|| {
        let known = match remotes.as_slice() {
            [] => "the repository has no remote".to_owned(),
            all => format!("the repository has the remotes {}", all.join(", ")),
        };
        let message = match name {
            "" => "no remote to push to".to_owned(),
            name => format!("{name:?} is not a remote"),
        };
        Failure::new(Exit::Usage, message).help(known)
    })
}
