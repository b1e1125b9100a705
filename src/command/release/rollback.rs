//! `osmt-release rollback`: select an earlier record.

use clap::Args;

use super::repositories::Repositories;
use super::verdict::{GuardFlags, propose};
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::release;
use crate::release::Wanted;
use crate::release::record::{Record, RollbackTarget, rollback_target};

/// Select what was deployed before, with the same guards as `select`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-release --repo ../osmt rollback --dry-run\n  \
    osmt-release --repo ../osmt rollback osmt/test/2026-01-02T030405Z")]
pub(super) struct Rollback {
    /// A record, by its tag [default: the newest one with another image than the selected one].
    record: Option<String>,
    #[command(flatten)]
    guards: GuardFlags,
    #[command(flatten)]
    repositories: Repositories,
}

impl Rollback {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let (document, config) = cx.shared.load_config()?;
        let osmt = self.repositories.osmt()?;
        let records = osmt.records(&config)?;
        let task = &config.ecs.task.app;
        let selected = release::image(&task.docker_image, &task.docker_tag);
        let record = match &self.record {
            Some(name) => find(&records, name)?,
            None => match rollback_target(&records, &selected) {
                RollbackTarget::Record(record) => record,
                RollbackTarget::AlreadyBack(newer) => {
                    ui.say(format_args!(
                        "{selected} was deployed before {}; give a record to go further back",
                        newer.name
                    ));
                    ui.result("nothing to do")?;
                    ui.plan_json("nothing", &[])?;
                    return Ok(Exit::Done);
                }
                RollbackTarget::Nothing => {
                    let message = "no other deployment was recorded";
                    return Err(Failure::new(Exit::Refused, message).help(
                        "run `git fetch --tags` for the records of other users, or select any revision with `osmt-release select REV`",
                    ));
                }
            },
        };
        ui.say(format_args!("{} recorded {}", record.name, record.image));
        // The oldest snapshot after this record: the database before the next release migrated it.
        let since = records.iter().take_while(|one| one.name != record.name);
        if let Some(snapshot) = since.filter_map(|one| one.snapshot.as_ref()).last() {
            ui.say(format_args!("the database snapshot {snapshot} was taken before the next release"));
        }
        let tag = record
            .tag(&task.docker_image)
            .ok_or_else(|| {
                let message = format!(
                    "{} is in another image repository than the config's {}",
                    record.image, task.docker_image
                );
                Failure::new(Exit::Refused, message)
                    .help("set ecs.task.app.docker_image first, then run this again")
            })?
            .to_owned();
        let wanted = Wanted::Rev(record.commit.clone());
        let verdict = self.guards.judge(cx, document, config, &osmt, wanted, Some(tag))?;
        propose(cx, &verdict)
    }
}

fn find<'a>(records: &'a [Record], name: &str) -> Result<&'a Record, Failure> {
    records.iter().find(|record| record.name == name).ok_or_else(|| {
        let known: Vec<&str> = records.iter().take(5).map(|record| record.name.as_str()).collect();
        let help = match known.as_slice() {
            [] => "nothing was recorded in this repository".to_owned(),
            some => format!("the newest are {}", some.join(", ")),
        };
        Failure::new(Exit::Usage, format!("{name:?} is not a record of this environment")).help(help)
    })
}
