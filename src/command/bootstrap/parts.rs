//! Which components a verb is about, and how the admin role is wished for: flags into `Parts`.

use clap::{Args, ValueEnum};

use super::Ready;
use crate::aws::Session;
use crate::bootstrap::admin_role::Wishes;
use crate::bootstrap::parts::{Part, Parts};
use crate::bootstrap::permissions::Need;
use crate::bootstrap::{Seen, Step, Target, admin_role, permissions};
use crate::command::Ui;
use crate::explain::{Exit, Failure};
use crate::plan::Plan;

/// What beside the state, or instead of it.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Components")]
pub(super) struct PartFlags {
    /// These as well: admin, account (looks only), account.ITEM (changes that item).
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with = "only")]
    with: Vec<Part>,
    /// These alone; without it, state: the bucket and the lock table.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<Part>,
    /// Who may assume the admin role: a user, a role, or an account by its root; can be repeated [default: whoever may now].
    #[arg(long, value_name = "ARN", value_parser = admin_role::policy::principal)]
    trust: Vec<String>,
    /// Let them assume it without a second factor, as a CI's role must.
    #[arg(long, requires = "trust")]
    no_mfa: bool,
    /// A policy that limits the admin role [default: the one that does now].
    #[arg(long, value_name = "ARN", value_parser = admin_role::policy::boundary)]
    permissions_boundary: Option<String>,
    /// How long a session of the admin role may last [default: as now, 4 when it is made].
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(i32).range(1..=12))]
    session_hours: Option<i32>,
}

/// When IAM's policy simulator is asked before the first write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckPermissions {
    /// Always, but not on an emulator, which rarely has one.
    #[default]
    Auto,
    /// On an emulator too.
    Always,
    /// Not at all.
    Never,
}

impl PartFlags {
    /// Whether none is given.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn parts(&self, zone: &str) -> Result<Parts, Failure> {
        let named = |part: Part| self.with.contains(&part) || self.only.contains(&part);
        let items = [&self.with, &self.only].into_iter().flatten();
        let items = items.filter_map(|part| match part {
            Part::Account(item) => Some(*item),
            Part::State | Part::Admin => None,
        });
        let wished =
            !self.trust.is_empty() || self.permissions_boundary.is_some() || self.session_hours.is_some();
        if wished && !named(Part::Admin) {
            return Err(Failure::new(
                Exit::Usage,
                "`--trust`, `--permissions-boundary` and `--session-hours` are about the admin role, which is not asked for",
            )
            .help("add `--with admin`"));
        }
        Ok(Parts {
            state: self.only.is_empty() || named(Part::State),
            admin: named(Part::Admin).then(|| Wishes {
                zone: zone.to_owned(),
                trust: self.trust.iter().cloned().collect(),
                mfa: !self.no_mfa,
                boundary: self.permissions_boundary.clone(),
                session_hours: self.session_hours,
            }),
            account: items.clone().next().map(|_| items.clone().flatten().collect()),
        })
    }
}

impl Ready {
    /// The same, about these components.
    pub(super) fn about(mut self, ui: &Ui, flags: &PartFlags) -> Result<Self, Failure> {
        self.target.parts = flags.parts(&self.config.domain.hosted_zone_id)?;
        if let Some(wishes) = &self.target.parts.admin {
            for remark in admin_role::remarks(&self.target, wishes) {
                ui.warn(remark);
            }
        }
        Ok(self)
    }
}

/// Asks the simulator about a plan; refuses where the caller is decidedly not allowed.
pub(super) async fn may(
    ui: &Ui,
    session: &Session,
    (target, seen): (&Target, &Seen),
    plan: &Plan<Step>,
    when: CheckPermissions,
) -> Result<(), Failure> {
    let asked = match when {
        CheckPermissions::Auto => !session.is_local(),
        CheckPermissions::Always => true,
        CheckPermissions::Never => false,
    };
    if !asked {
        return Ok(());
    }
    let needs = permissions::needs(target, plan);
    let of = needs.len();
    let checked = ui
        .during(
            "checking permissions",
            permissions::check(session, target, needs, &permissions::policed(target, seen)),
        )
        .await;
    if !checked.denied.is_empty() {
        let mut failure = Failure::new(
            Exit::Refused,
            format!(
                "{} may not do {} of the {of} things that the plan needs; nothing was written",
                session.caller,
                checked.denied.len()
            ),
        )
        .help(
            "ask for these permissions or sign in as somebody who has them; `--check-permissions never` tries all the same",
        );
        failure.causes = grouped(&checked.denied);
        return Err(failure);
    }
    for (need, reason) in &checked.unsure {
        ui.detail(format_args!("unsure whether {need} is allowed: {reason}"));
    }
    if let Some((_, reason)) = checked.unsure.first() {
        ui.say(format_args!(
            "unsure whether {} of {of} actions are allowed ({reason}); going on",
            checked.unsure.len()
        ));
    }
    Ok(())
}

/// One line an action: `not allowed: iam:CreatePolicy on … and 5 more`.
fn grouped(denied: &[Need]) -> Vec<String> {
    denied
        .chunk_by(|one, next| one.action == next.action)
        .filter_map(|needs| {
            let more = match needs.len() {
                1 => String::new(),
                many => format!(" and {} more", many - 1),
            };
            Some(format!("not allowed: {}{more}", needs.first()?))
        })
        .collect()
}
