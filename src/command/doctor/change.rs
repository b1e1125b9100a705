//! The changes of a plan for a report, with who checked them, when, and on which commit.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use crate::command::Context;
use crate::deployment::prefix;
use crate::doctor::planned::{Change, Mark, Planned};
use crate::explain::shown;
use crate::git::Repository;
use crate::report::changes::{Changed, Changes};

/// How many files with uncommitted changes are named; the others are counted.
const MAX_NAMED_FILES: usize = 5;

/// The changes of a plan.
pub(super) fn changes_of(plan: &Planned, file: &str, cx: &Context) -> Changes {
    let made_from = plan.made_from.as_ref().or(plan.config.as_ref());
    let mut facts = Vec::new();
    if let Some(config) = made_from {
        let (env, account, region) = (&config.env, &config.account_id, &config.region);
        facts.push(("Environment", format!("{env}, in AWS account {account}, region {region}")));
    }
    facts.push(("Plan", plan_origin(plan, file)));
    facts.push(("Config", shown(&cx.shared.config_path())));
    facts.push(("Commit of the config", commit(&cx.shared.config_path())));
    let now = Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    facts.push(("Checked", format!("{now} with {} by {}", cx.ui.tool, user())));
    Changes {
        subject: made_from.map_or_else(|| "an OSMT environment".to_owned(), |config| prefix(&config.env)),
        facts,
        warnings: warnings(plan),
        changes: changed(&plan.changes),
        drift: changed(&plan.drift),
    }
}

fn warnings(plan: &Planned) -> Vec<String> {
    let mut warnings = Vec::new();
    if plan.is_of_another_config() {
        warnings.push(
            "The config was changed after the plan was made: the plan does not contain the change."
                .to_owned(),
        );
    }
    if plan.teardown().is_some() {
        warnings.push("The plan destroys the whole environment.".to_owned());
    }
    if plan.document["errored"] == Value::Bool(true) {
        warnings.push(
            "Terraform stopped with an error while it made the plan: the plan is incomplete.".to_owned(),
        );
    }
    warnings
}

fn plan_origin(plan: &Planned, file: &str) -> String {
    let text = |name: &str| plan.document[name].as_str();
    let mut origin = file.to_owned();
    if let Some(time) = text("timestamp") {
        let _ = write!(origin, ", made at {time}");
    }
    if let Some(version) = text("terraform_version") {
        let _ = write!(origin, " by Terraform or OpenTofu {version}");
    }
    origin
}

/// The change of each resource, most severe first.
fn changed(changes: &[Change]) -> Vec<Changed> {
    let managed = changes.iter().filter(|change| !change.is_data);
    let mut found: Vec<_> = managed.filter_map(|change| Some((Mark::of(change)?, change))).collect();
    found.sort_by_key(|(mark, change)| (*mark, &change.address));
    let one = |(mark, change): (Mark, &Change)| Changed {
        mark: mark.word(),
        address: change.address.clone(),
        details: change.differences(),
        consequence: mark.consequence(change),
    };
    found.into_iter().map(one).collect()
}

/// The commit that is checked out in the config's repository, and the files that differ from it.
fn commit(config: &Path) -> String {
    let folder = config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let repository = match Repository::open(folder) {
        Ok(repository) => repository,
        Err(error) => return format!("not known: {error}"),
    };
    let Some(head) = repository.head.clone() else {
        return "not known: the repository has no commit".to_owned();
    };
    let changes = match repository.changes() {
        Ok(changes) => changes,
        Err(error) => return format!("{head}; it is not known whether files were changed since: {error}"),
    };
    let files: Vec<String> = changes.tracked.into_iter().chain(changes.untracked).collect();
    if files.is_empty() {
        return head;
    }
    let named: Vec<&str> = files.iter().take(MAX_NAMED_FILES).map(String::as_str).collect();
    let more = files.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{head}, with uncommitted changes: {}{more}", named.join(", "))
}

/// The user who runs this: the user of a CI job, otherwise the user of this machine.
fn user() -> String {
    #[expect(clippy::disallowed_methods, reason = "this is `command`, which reads the environment")]
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(actor) = variable("GITHUB_ACTOR") {
        let run = (|| {
            let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
            Some(format!("{server}/{repository}/actions/runs/{}", variable("GITHUB_RUN_ID")?))
        })();
        return format!("{actor}, in a GitHub job {}", run.unwrap_or_default()).trim_end().to_owned();
    }
    if let Some(login) = variable("GITLAB_USER_LOGIN") {
        let job = variable("CI_JOB_URL").unwrap_or_default();
        return format!("{login}, in a GitLab job {job}").trim_end().to_owned();
    }
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable);
    user.map_or_else(
        || "a user whose name is not known".to_owned(),
        |user| format!("{user}, on a machine that is not a CI runner"),
    )
}
