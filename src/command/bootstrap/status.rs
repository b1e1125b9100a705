//! `status`: drift of each setting, the lock, and the last change of the state.

use serde::Serialize;

use super::parts::PartFlags;
use super::{Ready, Report, StateFlags, attention, lines};
use crate::account::{Known, Lock, State, observe};
use crate::aws::Session;
use crate::bootstrap;
use crate::bootstrap::{Judged, digest, state_bucket};
use crate::command::{Common, Ui, block_on};
use crate::explain::{Exit, Failure};

#[derive(Serialize)]
struct StatusReport<'a> {
    #[serde(flatten)]
    plan: Report<'a>,
    /// The first of `locks`.
    lock: Option<Held>,
    /// Every lock that is held: the table's and the file's.
    locks: Vec<Held>,
    /// Why it is not known whether the lock file is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_unknown: Option<String>,
    /// RFC 3339
    last_state_change: Option<String>,
}

#[derive(Clone, Serialize)]
struct Held {
    #[serde(flatten)]
    lock: Lock,
    age: Option<String>,
}

pub(super) fn run(
    common: &Common,
    ui: &Ui,
    (flags, parts): (&StateFlags, &PartFlags),
) -> Result<Exit, Failure> {
    let ready = Ready::new(common, flags)?.about(ui, parts)?;
    block_on(ui, async {
        let (target, parts) = (&ready.target, &ready.parts);
        let lock_id = target.backend.lock_id();
        let read = async |session: &Session| {
            let stored = async {
                if parts.state {
                    observe::state(session, &target.backend.bucket, &target.backend.key).await
                } else {
                    Ok(State::default())
                }
            };
            let digest = async {
                match target.backend.lock.table().filter(|_| parts.state) {
                    Some(table) => observe::digest(session, table, &lock_id).await,
                    None => Ok(None),
                }
            };
            tokio::join!(
                Box::pin(bootstrap::observe(session, target, parts)),
                Box::pin(stored),
                Box::pin(digest)
            )
        };
        let (_, (seen, state, digest)) = ready.reading(common, ui, read).await?;
        let (seen, digest) = (seen?, digest?);
        let state = match &seen.bucket {
            Some(_) => state?,
            None => State::default(),
        };
        let mut judged = bootstrap::judge(target, parts, &seen)?;
        let table = target.backend.lock.table().unwrap_or_default();
        let outdated = digest::stale(&target.deployment.region, &target.backend, digest.as_deref(), &state);
        if let Some((text, _)) = &outdated {
            let thing = format!("DynamoDB table {table}");
            judged.push(Judged::shown(&thing, "digest of the state", text.clone(), false));
        }
        let drift = judged.iter().any(|judged| judged.change.is_some());
        let mut remarks = seen.bucket.as_ref().map(state_bucket::remarks).unwrap_or_default();
        remarks.extend(outdated.iter().map(|(_, help)| help.clone()));
        let in_table = seen.table.and_then(|table| table.lock);
        let (in_bucket, lock_unknown) = match state.lock {
            Known::Known(lock) => (lock, None),
            Known::Unknown(reason) => (None, Some(reason)),
        };
        let locks: Vec<Held> = in_table
            .into_iter()
            .chain(in_bucket)
            .map(|lock| Held { age: age(&lock.created), lock })
            .collect();
        if ui.is_human() {
            ui.show_plan(&lines(&judged))?;
            if parts.state {
                if let Some(reason) = &lock_unknown {
                    ui.result(format_args!("lock: locked, or not known: {reason}"))?;
                } else if locks.is_empty() {
                    ui.result("lock: free")?;
                }
                for lock in &locks {
                    ui.result(held(lock))?;
                }
                ui.result(match &state.last_change {
                    Some(time) => format!("state last changed: {time}"),
                    None => "state: none yet".to_owned(),
                })?;
            }
            for remark in &remarks {
                ui.result(format_args!("note: {remark}"))?;
            }
            let attention = attention(&judged);
            if let Some(attention) = &attention {
                ui.result(attention)?;
            }
            ui.result(match (drift, outdated.is_some(), attention) {
                (true, ..) => "drift: run `osmt-bootstrap apply` to fix it",
                (false, true, _) => "drift: the digest in the lock table does not fit the state",
                (false, false, Some(_)) => "nothing that `osmt-bootstrap apply` would change",
                (false, false, None) => "everything is as it should be",
            })?;
        }
        let drift = drift || outdated.is_some();
        let mut plan = Report::new(ui, if drift { "drift" } else { "nothing" }, &judged);
        plan.remarks = remarks;
        ui.json(&StatusReport {
            plan,
            lock: locks.first().cloned(),
            locks,
            lock_unknown,
            last_state_change: state.last_change,
        })?;
        Ok(if drift { Exit::Pending } else { Exit::Done })
    })
}

fn held(held: &Held) -> String {
    let or = |text: &str| {
        if text.is_empty() { "unknown".to_owned() } else { text.to_owned() }
    };
    format!(
        "lock: held by {} for {} ({}), id {}",
        or(&held.lock.who),
        held.age.as_deref().unwrap_or("an unknown time"),
        or(&held.lock.operation),
        or(&held.lock.id),
    )
}

/// The time since then, rounded down: `2 h 5 min`.
fn age(since: &str) -> Option<String> {
    let since: jiff::Timestamp = since.parse().ok()?;
    let minutes = jiff::Timestamp::now().duration_since(since).as_mins();
    Some(match minutes {
        ..1 => "less than a minute".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1440 => format!("{} h {} min", minutes / 60, minutes % 60),
        1440..2880 => format!("1 day {} h", minutes % 1440 / 60),
        _ => format!("{} days {} h", minutes / 1440, minutes % 1440 / 60),
    })
}
