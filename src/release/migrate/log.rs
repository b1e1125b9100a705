//! Reads the log of a maintenance task: its progress, the migrations that Flyway applied, and the cause of a failure.
//!
//! It recognises lines of the task's own script, of OSMT's import and of Flyway 7 to 10.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::json;

use super::statements::PREFLIGHT;
use crate::aws::{CallError, Session};
use crate::release::migrations::{HISTORY, History, Row};

/// Rows of the two public lists that OSMT ships (measured with 3.0.0: 1,447 and 1,016).
pub const ROWS: u64 = 2463;
/// The number of last lines that are kept.
const TAIL: usize = 12;
/// Part of the line that the task's script prints after a failed step.
const FAILED: &str = "failed (status";
/// Part of the line that a container prints about the search indices.
const SEARCH_STATE: &str = "osmt: search:";
/// The part of the app's log that is searched for such a line: more than twice the time between two of them.
const APP_LINES_MS: i64 = 40 * 60 * 1000;
/// The beginning of Flyway's report of a failed statement.
const SQL_STATE: &str = "SQL State";
/// The beginnings of lines with a cause, in Flyway's report of a failed statement and in Java's stack traces.
const CAUSES: [&str; 6] = [SQL_STATE, "Error Code", "Message", "Location", "Line", "Caused by:"];

/// What was read from the log so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The current step: `import`, `reindex`.
    pub step: Option<String>,
    /// The number of imported rows.
    pub rows: u64,
    /// The schema version before, as Flyway logs it.
    pub before: Option<String>,
    /// The migrations that Flyway applied or began, in order.
    pub migrated: Vec<String>,
    /// The causes of a failed statement.
    pub causes: Vec<String>,
    /// Rows that a migration would fail on, found before anything was changed.
    pub preflight: Option<String>,
    /// Flyway's history table.
    pub history: History,
    /// The last lines.
    pub tail: VecDeque<String>,
}

impl Reading {
    /// Reads the next line.
    pub fn line(&mut self, line: &str) {
        let text = line.trim();
        if text.is_empty() {
            return;
        }
        if text.contains(HISTORY) {
            self.history.line(text);
            return;
        }
        if let Some(step) = text.strip_prefix("maintenance: ") {
            self.step = Some(step.to_owned());
        }
        if let Some((_, after)) = text.split_once("to version \"")
            && let Some((version, _)) = after.split_once('"')
        {
            self.migrated.push(version.to_owned());
        }
        if let Some((_, after)) = text.split_once("Current version of schema")
            && let Some((_, version)) = after.split_once(": ")
        {
            self.before.get_or_insert_with(|| version.trim().to_owned());
        }
        if let Some((_, found)) = text.split_once(PREFLIGHT) {
            // MySQL quotes the text in its error: near '…' at line 1
            let found = found.split_once('\'').map_or(found, |(found, _)| found);
            self.preflight = Some(found.trim().to_owned());
        }
        if CAUSES.iter().any(|name| text.starts_with(name)) && !self.causes.iter().any(|known| known == text)
        {
            self.causes.push(text.to_owned());
        }
        if text.contains("Importing ") {
            self.rows += 1;
            return;
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(text.to_owned());
    }

    /// Whether the database refused a statement.
    pub fn failed_in_sql(&self) -> bool {
        self.causes.iter().any(|cause| cause.starts_with(SQL_STATE))
    }
}

/// A log stream, read from its beginning.
#[derive(Clone, Debug)]
pub struct Stream {
    group: String,
    name: String,
    token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<Event>,
    next_forward_token: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    events: Vec<Match>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    timestamp: i64,
    log_stream_name: String,
    message: String,
}

impl Stream {
    /// A stream of a group.
    pub fn new(group: &str, name: &str) -> Self {
        Self { group: group.to_owned(), name: name.to_owned(), token: None }
    }

    /// Reads the new lines. A stream that does not exist yet has no lines.
    pub async fn read(&mut self, session: &Session, reading: &mut Reading) -> Result<(), CallError> {
        loop {
            let mut asked =
                json!({ "logGroupName": self.group, "logStreamName": self.name, "startFromHead": true });
            if let Some(token) = &self.token {
                asked["nextToken"] = json!(token);
            }
            let page: Page = match session.logs("logs:GetLogEvents", &asked).await {
                Err(error) if error.is("ResourceNotFoundException") => return Ok(()),
                answer => answer?.json()?,
            };
            let is_end = page.events.is_empty() || page.next_forward_token == self.token;
            for event in &page.events {
                event.message.lines().for_each(|line| reading.line(line));
            }
            self.token = page.next_forward_token;
            if is_end || self.token.is_none() {
                return Ok(());
            }
        }
    }
}

/// The log group of all maintenance tasks of an environment.
pub fn group(env: &str) -> String {
    format!("/osmt/{env}/maintenance")
}

/// All lines of a log group that contain a text, since a time. A group that does not exist has none.
async fn find(session: &Session, group: &str, text: &str, since: i64) -> Result<Vec<Match>, CallError> {
    let mut found = Vec::new();
    let mut asked =
        json!({ "logGroupName": group, "filterPattern": format!("\"{text}\""), "startTime": since });
    loop {
        let page: Found = match session.logs("logs:FilterLogEvents", &asked).await {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(found),
            answer => answer?.json()?,
        };
        found.extend(page.events);
        match page.next_token {
            Some(token) if asked["nextToken"] != json!(token) => asked["nextToken"] = json!(token),
            _ => return Ok(found),
        }
    }
}

/// The schema version that Flyway logged last, in any maintenance task whose log is kept.
pub async fn database_version(
    session: &Session,
    group: &str,
    since: i64,
) -> Result<Option<String>, CallError> {
    let mut found = find(session, group, "Current version of schema", since).await?;
    found.extend(find(session, group, "now at version", since).await?);
    // Of lines with the same time the last one is the newest.
    let newest = found.iter().rev().max_by_key(|line| line.timestamp);
    Ok(newest.and_then(|line| version_in(&line.message)).map(str::to_owned))
}

/// Flyway's history table as a maintenance task printed it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Whether a migration began afterwards.
    pub is_outdated: bool,
}

/// The newest complete history table in the logs since a time.
pub async fn history(session: &Session, group: &str, since: i64) -> Result<Option<Printed>, CallError> {
    let mut streams: BTreeMap<String, History> = BTreeMap::new();
    let mut newest: Option<(i64, Vec<Row>)> = None;
    for line in find(session, group, HISTORY.trim(), since).await? {
        let stream = streams.entry(line.log_stream_name).or_default();
        if stream.line(&line.message)
            && let Some(rows) = stream.rows()
            && newest.as_ref().is_none_or(|(at, _)| *at <= line.timestamp)
        {
            newest = Some((line.timestamp, rows.to_vec()));
        }
    }
    let Some((at, rows)) = newest else { return Ok(None) };
    let later = find(session, group, "Migrating schema", at).await?;
    Ok(Some(Printed { at, rows, is_outdated: !later.is_empty() }))
}

/// The version in Flyway's `Current version of schema …: 2023.07.05` and `… now at version v2023.07.05 (execution …)`.
fn version_in(line: &str) -> Option<&str> {
    let after = match line.split_once("now at version ") {
        Some((_, after)) => after.strip_prefix('v').unwrap_or(after),
        None => line.split_once("Current version of schema")?.1.split_once(": ")?.1,
    };
    after.split_whitespace().next()
}

/// The time of the last complete import of the lists, in milliseconds since 1970.
pub async fn last_import(session: &Session, group: &str) -> Result<Option<i64>, CallError> {
    last_run(session, group, "maintenance: import").await
}

/// The times of the last complete build of the search index and of the last migration, in milliseconds since 1970.
pub async fn last_reindex(session: &Session, group: &str) -> Result<(Option<i64>, Option<i64>), CallError> {
    let built = last_run(session, group, "maintenance: reindex").await?;
    let migrated = find(session, group, "Migrating schema", 0).await?;
    Ok((built, migrated.iter().map(|line| line.timestamp).max()))
}

/// The last log line about the search indices, and its time in milliseconds since 1970. The app's container prints it every 15
/// minutes (`terraform/module/containers/app.sh`), a maintenance task at its end.
pub async fn search_state(
    session: &Session,
    env: &str,
    now: i64,
) -> Result<Option<(i64, String)>, CallError> {
    let app = format!("/osmt/{env}/app");
    let mut found = find(session, &app, SEARCH_STATE, now.saturating_sub(APP_LINES_MS)).await?;
    found.extend(find(session, &group(env), SEARCH_STATE, 0).await?);
    // Of lines with the same time the last one is the newest.
    let newest = found.iter().rev().max_by_key(|line| line.timestamp);
    Ok(newest.and_then(|line| {
        let (_, state) = line.message.split_once(SEARCH_STATE)?;
        Some((line.timestamp, state.trim().to_owned()))
    }))
}

/// The end of the last complete run with this step.
async fn last_run(session: &Session, group: &str, step: &str) -> Result<Option<i64>, CallError> {
    let begun = find(session, group, step, 0).await?;
    let done = find(session, group, "maintenance: done", 0).await?;
    let complete =
        done.iter().filter(|done| begun.iter().any(|one| one.log_stream_name == done.log_stream_name));
    Ok(complete.map(|done| done.timestamp).max())
}

/// The failure of the newest run and its time in milliseconds since 1970; `None` if a later run succeeded.
pub async fn last_failure(session: &Session, group: &str) -> Result<Option<(i64, String)>, CallError> {
    let failed = find(session, group, FAILED, 0).await?;
    let Some(newest) = failed.into_iter().max_by_key(|line| line.timestamp) else { return Ok(None) };
    let done = find(session, group, "maintenance: done", 0).await?;
    if done.iter().any(|done| done.timestamp > newest.timestamp) {
        return Ok(None);
    }
    // The text before is the prefix of the script.
    let message = newest.message.trim();
    let text = message.find("the step ").map_or(message, |at| &message[at..]);
    Ok(Some((newest.timestamp, text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reading {
        let mut reading = Reading::default();
        text.lines().for_each(|line| reading.line(line));
        reading
    }

    #[test]
    fn a_run_that_works_reports_its_steps_its_migrations_and_its_rows() {
        let reading = read(
            "maintenance: import\n\
             2026-01-01 INFO o.f.core.internal.command.DbMigrate : Current version of schema `osmt_db`: 2023.02.08\n\
             2026-01-01 INFO o.f.core.internal.command.DbMigrate : Migrating schema `osmt_db` to version \"2023.02.20 - richskill-multiple-authors\" [out of order]\n\
             2026-01-01 INFO o.f.core.internal.command.DbMigrate : Migrating schema `osmt_db` to version \"2023.03.07 - richskill-multiple-categories\"\n\
             Importing 11-1011\nImporting 11-1012\n\nmaintenance: done\n",
        );
        assert_eq!(reading.step.as_deref(), Some("done"));
        assert_eq!(reading.before.as_deref(), Some("2023.02.08"));
        assert_eq!(
            reading.migrated,
            ["2023.02.20 - richskill-multiple-authors", "2023.03.07 - richskill-multiple-categories"]
        );
        assert_eq!((reading.rows, reading.causes.len(), reading.preflight), (2, 0, None));
    }

    #[test]
    fn flyways_version_is_read_from_both_of_its_lines() {
        for (line, version) in [
            ("INFO DbMigrate : Current version of schema `osmt_db`: 2023.03.22", Some("2023.03.22")),
            (
                "Successfully applied 3 migrations to schema `osmt_db`, now at version v2023.07.05 (execution time 00:01.2s)",
                Some("2023.07.05"),
            ),
            ("Current version of schema `osmt_db`: << Empty Schema >>", Some("<<")),
            ("something else", None),
        ] {
            assert_eq!(version_in(line), version, "{line}");
        }
    }

    #[test]
    fn a_failed_statement_is_reported_once_and_the_last_lines_are_kept() {
        let mut text = "x\n".repeat(40);
        text += "Migration V2023.07.05__alter_schema.sql failed\nSQL State  : 22001\nError Code : 1406\n\
                 Message    : Data too long for column 'value' at row 1\nError Code : 1406\n";
        let reading = read(&text);
        assert_eq!(
            reading.causes,
            [
                "SQL State  : 22001",
                "Error Code : 1406",
                "Message    : Data too long for column 'value' at row 1"
            ]
        );
        assert_eq!(reading.tail.len(), TAIL);
        assert_eq!(reading.tail[TAIL - 1], "Error Code : 1406");
    }

    #[test]
    fn the_finding_of_the_preflight_is_cut_out_of_the_error_message() {
        let reading = read(
            "Message    : You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near 'OSMT preflight: V2023.07.05, Keyword 7,12' at line 1",
        );
        assert_eq!(reading.preflight.as_deref(), Some("V2023.07.05, Keyword 7,12"));
    }
}
