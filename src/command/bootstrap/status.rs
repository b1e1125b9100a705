//! `status`: drift of each setting, the lock, and the last change of the state.

use serde::Serialize;

use super::parts::PartFlags;
use super::{Ready, Report, StateFlags, attention, lines};
use crate::account::{Lock, State, observe};
use crate::bootstrap;
use crate::bootstrap::state_bucket;
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
        let session = ready.session(common, ui).await?;
        let target = &ready.target;
        let (seen, state) = ui
            .during("looking", async {
                tokio::join!(bootstrap::observe(&session, target), async {
                    if target.parts.state {
                        observe::state(&session, &target.bucket, &target.state_key).await
                    } else {
                        Ok(State::default())
                    }
                })
            })
            .await;
        let seen = seen?;
        let state = match &seen.bucket {
            Some(_) => state?,
            None => State::default(),
        };
        let judged = bootstrap::judge(target, &seen)?;
        let drift = judged.iter().any(|judged| judged.change.is_some());
        let remarks =
            seen.bucket.as_ref().map(|bucket| state_bucket::remarks(target, bucket)).unwrap_or_default();
        let in_table = seen.table.and_then(|table| table.lock);
        let locks: Vec<Held> = in_table
            .into_iter()
            .chain(state.lock)
            .map(|lock| Held { age: age(&lock.created), lock })
            .collect();
        if ui.is_human() {
            ui.show_plan(&lines(&judged))?;
            if target.parts.state {
                if locks.is_empty() {
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
            ui.result(match (drift, attention) {
                (true, _) => "drift: `osmt-bootstrap apply` mends it",
                (false, Some(_)) => "nothing to mend",
                (false, None) => "everything is as it should be",
            })?;
        }
        let mut plan = Report::new(ui, if drift { "drift" } else { "nothing" }, &judged);
        plan.remarks = remarks;
        ui.json(&StatusReport {
            plan,
            lock: locks.first().cloned(),
            locks,
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
