//! `osmt-bootstrap status`: show drift, the state lock, and the last change of the state.

use clap::Args;
use serde::Serialize;

use super::component_flags::ComponentFlags;
use super::ready::Ready;
use super::report::{Report, attention, lines};
use super::state_flags::StateFlags;
use crate::account::{Known, Lock, State, observe};
use crate::aws::Session;
use crate::bootstrap;
use crate::bootstrap::admin_role::region;
use crate::bootstrap::{Change, Judged, Seen, Target, digest, state_bucket};
use crate::command::{Context, Ui, block_on};
use crate::explain::{Exit, Failure};

/// Show drift, the owner of the state lock, and when the state last changed. Exit 1 on drift.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-bootstrap status\n  \
    osmt-bootstrap status --with admin,ci,account --format json")]
pub(super) struct Status {
    #[command(flatten)]
    state: StateFlags,
    #[command(flatten)]
    components: ComponentFlags,
}

impl Status {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ready = Ready::new(cx, &self.state)?.with_components(cx, &self.components)?;
        block_on(&cx.ui, async {
            let found = Found::read(cx, &ready).await?;
            if cx.ui.is_human() {
                found.show(&cx.ui)?;
            }
            let is_drift = found.differs() || found.outdated.is_some();
            let mut plan = Report::new(&cx.ui, if is_drift { "drift" } else { "nothing" }, &found.judged);
            plan.remarks = found.remarks;
            cx.ui.json(&StatusReport {
                plan,
                lock: found.locks.first().cloned(),
                locks: found.locks,
                lock_unknown: found.lock_unknown,
                last_state_change: found.last_change,
            })?;
            Ok(if is_drift { Exit::Pending } else { Exit::Done })
        })
    }
}

#[derive(Serialize)]
struct StatusReport<'a> {
    #[serde(flatten)]
    plan: Report<'a>,
    /// The first of `locks`, for scripts that expect one lock.
    lock: Option<Held>,
    /// The lock in the table and the lock file.
    locks: Vec<Held>,
    /// Why the lock file could not be read.
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

/// Everything that `status` shows.
struct Found {
    judged: Vec<Judged<Change>>,
    /// Whether the state bucket and the lock table are selected.
    with_state: bool,
    /// What is wrong with the digest in the lock table, and the remedy.
    outdated: Option<(String, String)>,
    remarks: Vec<String>,
    locks: Vec<Held>,
    lock_unknown: Option<String>,
    last_change: Option<String>,
}

impl Found {
    async fn read(cx: &Context, ready: &Ready) -> Result<Self, Failure> {
        let (target, seen, state, digest) = observe_all(cx, ready).await?;
        let (target, selection) = (&target, &ready.selection);
        let mut judged = bootstrap::judge(target, selection, &seen)?;
        let table = target.backend.lock.table().unwrap_or_default();
        let outdated = digest::stale(&target.deployment.region, &target.backend, digest.as_deref(), &state);
        if let Some((text, _)) = &outdated {
            let thing = format!("DynamoDB table {table}");
            judged.push(Judged::shown(&thing, "digest of the state", text.clone(), false));
        }
        let mut remarks = seen.bucket.as_ref().map(state_bucket::remarks).unwrap_or_default();
        remarks.extend(region::remark(target));
        remarks.extend(outdated.iter().map(|(_, help)| help.clone()));
        let in_table = seen.table.and_then(|table| table.lock);
        let backend = &target.backend;
        let (in_bucket, lock_unknown) = match state.lock {
            Known::Known(lock) => (lock, None),
            Known::Unknown(reason) => (None, Some(reason)),
        };
        let item = format!("the item {} of the DynamoDB table {table}", backend.lock_id());
        let object = format!("the object s3://{}/{}.tflock", backend.bucket, backend.key);
        for (lock, place) in [(&in_table, item), (&in_bucket, object)] {
            if lock.as_ref().is_some_and(Lock::is_unreadable) {
                remarks.push(format!(
                    "the lock has no id for `terraform force-unlock`; if Terraform is not running, delete {place}"
                ));
            }
        }
        let locks = in_table.into_iter().chain(in_bucket);
        Ok(Self {
            judged,
            with_state: selection.state,
            outdated,
            remarks,
            locks: locks.map(|lock| Held { age: age(&lock.created), lock }).collect(),
            lock_unknown,
            last_change: state.last_change,
        })
    }

    /// Whether `apply` would change something.
    fn differs(&self) -> bool {
        self.judged.iter().any(|judged| judged.change.is_some())
    }

    fn show(&self, ui: &Ui) -> Result<(), Failure> {
        ui.show_plan(&lines(&self.judged))?;
        if self.with_state {
            if let Some(reason) = &self.lock_unknown {
                ui.result(format_args!("lock: not known: {reason}"))?;
            } else if self.locks.is_empty() {
                ui.result("lock: free")?;
            }
            for lock in &self.locks {
                ui.result(lock.text())?;
            }
            ui.result(match &self.last_change {
                Some(time) => format!("state last changed: {time}"),
                None => "state: none yet".to_owned(),
            })?;
        }
        for remark in &self.remarks {
            ui.result(format_args!("note: {remark}"))?;
        }
        let attention = attention(&self.judged);
        if let Some(attention) = &attention {
            ui.result(attention)?;
        }
        let unreadable = self.locks.iter().any(|held| held.lock.is_unreadable());
        ui.result(match (self.differs(), self.outdated.is_some(), attention) {
            (true, ..) => "drift: run `osmt-bootstrap apply` to fix it",
            (false, true, _) => "drift: the digest in the lock table does not match the state",
            (false, false, None) if unreadable => "the lock cannot be read",
            (false, false, Some(_)) => "`osmt-bootstrap apply` has nothing to change",
            (false, false, None) => "everything is as it should be",
        })
    }
}

/// The components, the state and the digest of the state in the lock table.
async fn observe_all(cx: &Context, ready: &Ready) -> Result<(Target, Seen, State, Option<String>), Failure> {
    let (target, selection) = (&ready.target, &ready.selection);
    let lock_id = target.backend.lock_id();
    let read = async |session: &Session| {
        let stored = async {
            if selection.state {
                observe::state(session, &target.backend.bucket, &target.backend.key).await
            } else {
                Ok(State::default())
            }
        };
        let digest = async {
            match target.backend.lock.table().filter(|_| selection.state) {
                Some(table) => observe::digest(session, table, &lock_id).await,
                None => Ok(None),
            }
        };
        let components = async {
            let target = bootstrap::with_role_names(session, target, selection).await?;
            let seen = bootstrap::observe(session, &target, selection).await?;
            Ok::<_, bootstrap::Error>((target, seen))
        };
        tokio::join!(Box::pin(components), Box::pin(stored), Box::pin(digest))
    };
    let (_, (found, state, digest)) = ready.sign_in_and(cx, read).await?;
    let ((target, seen), digest) = (found?, digest?);
    let state = match &seen.bucket {
        Some(_) => state?,
        None => State::default(),
    };
    Ok((target, seen, state, digest))
}

impl Held {
    fn text(&self) -> String {
        let or_unknown = |text: &str| {
            if text.is_empty() { "unknown".to_owned() } else { text.to_owned() }
        };
        if self.lock.is_unreadable() {
            return "lock: held, but Terraform's data about it cannot be read".to_owned();
        }
        format!(
            "lock: held by {} for {} ({}), id {}",
            or_unknown(&self.lock.who),
            self.age.as_deref().unwrap_or("an unknown time"),
            or_unknown(&self.lock.operation),
            or_unknown(&self.lock.id),
        )
    }
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
