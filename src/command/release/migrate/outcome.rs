//! The texts about a maintenance task: its progress, its result and its failure.

use crate::explain::{Exit, Failure};
use crate::release::migrate::log::{self, Reading};
use crate::release::migrate::snapshot::Snapshot;
use crate::release::migrate::watch::{Ended, Started};

/// How to follow a task that is still running.
pub(super) fn follow_help(started: &Started) -> String {
    format!("the task continues; follow it with `osmt-release migrate --watch {}`", started.task)
}

/// The progress of a running task.
pub(super) fn progress(status: &str, reading: &Reading) -> String {
    match (&reading.step, reading.rows) {
        (Some(step), rows) if rows > 0 && step == "import" => {
            format!("{step}: {rows} of about {} rows", log::ROWS.max(rows))
        }
        (Some(step), _) => step.clone(),
        (None, _) => format!("the task is {status}"),
    }
}

/// The result of a successful task.
pub(super) fn summary(reading: &Reading) -> String {
    let migrated = match reading.migrated.as_slice() {
        [] => "no migration was pending".to_owned(),
        some => format!("migrated: {}", some.join(", ")),
    };
    if reading.step.is_none() {
        return "the task ended with exit 0; its log was not read".to_owned();
    }
    if reading.rows > 0 { format!("{migrated}; {} rows imported", reading.rows) } else { migrated }
}

/// Flyway's history as lines of text.
pub(super) fn history(reading: &Reading) -> Vec<String> {
    let Some(rows) = reading.history.rows() else {
        return vec!["the log does not show Flyway's history".to_owned()];
    };
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let state = if row.success { "applied" } else { "failed" };
            let checksum = row.checksum.map_or_else(String::new, |checksum| checksum.to_string());
            let version = row.version.as_deref().unwrap_or("");
            format!("{:>3}  {state:7}  {version:12}  {checksum:>11}  {}", row.rank, row.script)
        })
        .collect();
    if rows.is_empty() {
        lines.push("no migration was applied yet".to_owned());
    }
    lines
}

/// The failure of a task, from exit codes, ECS's reasons and the log; `None` if the task succeeded.
pub(super) fn failure_of(
    ended: &Ended,
    reading: &Reading,
    started: &Started,
    snapshot: Option<&Snapshot>,
) -> Option<Failure> {
    let exit = ended.exit();
    if exit == Some(0) {
        return None;
    }
    if let Some(found) = &reading.preflight {
        let message =
            format!("the database has rows with which a migration would fail: {found}; nothing was migrated");
        return Some(Failure::new(Exit::Failed, message).help(
            "correct these rows in the running version (docs/release.md, \"A migration that failed\"), then run `osmt-release migrate` again",
        ));
    }
    let message = match exit {
        Some(exit) => match reading.step.as_deref() {
            Some(step) => format!("the task failed in step {step} with exit {exit}"),
            None => format!("the task failed with exit {exit}"),
        },
        None => "the task could not be started".to_owned(),
    };
    let mut failure = Failure::new(Exit::Failed, message);
    failure.causes = ended.reasons();
    failure.causes.extend(reading.causes.iter().cloned());
    if exit.is_some() {
        failure.causes.extend(reading.tail.iter().map(|line| format!("log: {line}")));
    }
    failure.help = match (reading.failed_in_sql(), exit, started.log_command()) {
        (true, ..) => {
            let restore = snapshot.map_or_else(
                || "restore the snapshot that was taken before".to_owned(),
                |snapshot| format!("restore the snapshot {}", snapshot.name),
            );
            Some(format!(
                "a migration was partly applied: {restore}, or undo its changes, correct the rows and run `osmt-release migrate --repair`; docs/release.md, \"A migration that failed\""
            ))
        }
        // A container that was not started has no log.
        (false, None, _) => None,
        (false, Some(_), log) => log,
    };
    Some(failure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::migrate::watch::Container;

    fn ended(exit: Option<i32>, reason: &str) -> Ended {
        let container = Container { name: "maintenance".into(), exit, reason: None };
        Ended { code: None, reason: Some(reason.into()), containers: vec![container] }
    }

    fn started() -> Started {
        Started {
            cluster: "c".into(),
            task: "t".into(),
            log: Some(("group".into(), "stream".into())),
            is_info: false,
        }
    }

    #[test]
    fn only_exit_code_0_is_success() {
        let reading = Reading::default();
        let of = |exit, reason: &str| failure_of(&ended(exit, reason), &reading, &started(), None);
        assert_eq!(of(Some(0), "Essential container in task exited"), None);
        let failed = of(Some(137), "OutOfMemoryError").unwrap();
        assert_eq!(failed.exit, Exit::Failed);
        assert_eq!(failed.causes, ["OutOfMemoryError", "container maintenance ended with exit 137"]);
        assert!(failed.help.unwrap().contains("aws logs tail group"));
    }

    #[test]
    fn a_container_that_never_ran_has_no_log() {
        let never =
            failure_of(&ended(None, "CannotPullContainerError"), &Reading::default(), &started(), None)
                .unwrap();
        assert_eq!((never.message.as_str(), never.help), ("the task could not be started", None));
    }

    #[test]
    fn the_help_for_a_failed_statement_names_snapshot_and_repair() {
        let mut reading = Reading::default();
        for line in ["maintenance: import", "SQL State  : 22001", "Error Code : 1406"] {
            reading.line(line);
        }
        let snapshot = Snapshot::named("test", "3.0.0", "1");
        let failed = failure_of(&ended(Some(1), "x"), &reading, &started(), Some(&snapshot)).unwrap();
        assert_eq!(failed.message, "the task failed in step import with exit 1");
        let help = failed.help.unwrap();
        assert!(help.contains(&snapshot.name) && help.contains("migrate --repair"), "{help}");
    }

    #[test]
    fn a_finding_of_the_preflight_states_that_nothing_was_migrated() {
        let mut reading = Reading::default();
        reading.line("near 'OSMT preflight: V2023.07.05, Keyword.value 7' at line 1");
        let failed = failure_of(&ended(Some(1), "x"), &reading, &started(), None).unwrap();
        assert!(failed.message.contains("Keyword.value 7; nothing was migrated"), "{}", failed.message);
    }
}
