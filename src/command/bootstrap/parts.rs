//! Which components a verb is about, and how the admin role is wished for: flags into `Parts`.

use clap::{Args, ValueEnum};

use super::ready::Ready;
use crate::aws::Session;
use crate::bootstrap::admin_role::Wishes;
use crate::bootstrap::ci::repository::{Repository, Source, exact};
use crate::bootstrap::parts::{Part, Parts};
use crate::bootstrap::permissions::Need;
use crate::bootstrap::{Seen, Step, admin_role, ci, permissions, state_bucket};
use crate::command::{Context, Ui};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;

/// What beside the state, or instead of it.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Components")]
pub(super) struct PartFlags {
    /// Also these components: admin, ci, account (only shown), account.ITEM (that item is changed).
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with = "only")]
    with: Vec<Part>,
    /// Only these components [default: state, which is the bucket and the lock table].
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<Part>,
    /// Encrypt the state bucket with this KMS key, whose policy must allow its users [default: no change; a
    /// new bucket uses the key that AWS manages].
    #[arg(long, value_name = "ARN", value_parser = state_bucket::kms_key)]
    kms_key: Option<String>,
    /// Who may assume the admin role: a user, a role, or an account by its root; can be repeated [default: no change].
    #[arg(long, value_name = "ARN", value_parser = admin_role::policy::principal)]
    trust: Vec<String>,
    /// Let them assume it without a second factor, as a CI's role must.
    #[arg(long, requires = "trust")]
    no_mfa: bool,
    /// The repository whose CI may assume the roles of `ci`: github.com/ORG/NAME or gitlab.com/GROUP/PROJECT [default:
    /// no change].
    #[arg(long, value_name = "REPOSITORY", value_parser = Repository::parse)]
    repository: Option<Repository>,
    /// A branch from which the CI may apply; can be repeated [default: main on GitLab].
    #[arg(long, value_name = "NAME", value_parser = exact, requires = "repository")]
    branch: Vec<String>,
    /// A GitHub environment from which the CI may apply; can be repeated [default: ENV, unless `--branch` is given].
    #[arg(long, value_name = "NAME", value_parser = exact, requires = "repository")]
    ci_environment: Vec<String>,
    /// A policy that limits the admin role and the roles of `ci` [default: no change].
    #[arg(long, value_name = "ARN", value_parser = admin_role::policy::boundary)]
    permissions_boundary: Option<String>,
    /// How long a session of the admin role may last [default: no change; 4 for a new role].
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(i32).range(1..=12))]
    session_hours: Option<i32>,
}

/// When IAM's policy simulator is asked before the first write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckPermissions {
    /// Ask, except on an emulator, which rarely has one.
    #[default]
    Auto,
    /// Ask, on an emulator too.
    Always,
    /// Do not ask.
    Never,
}

impl PartFlags {
    /// Whether none is given.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Which tokens the roles of `ci` trust; checked against what the CI system puts into them.
    fn source(&self, env: &str) -> Result<Option<Source>, Failure> {
        let Some(repository) = self.repository.clone() else {
            return Ok(None);
        };
        let mut source = Source {
            repository,
            branches: self.branch.iter().cloned().collect(),
            environments: self.ci_environment.iter().cloned().collect(),
        };
        if !source.repository.is_on_github() && !source.environments.is_empty() {
            let message = "`--ci-environment` is for GitHub: GitLab's tokens do not name the environment";
            return Err(Failure::new(Exit::Usage, message).help("give `--branch`, a protected branch"));
        }
        if source.branches.is_empty() && source.environments.is_empty() {
            if source.repository.is_on_github() {
                source.environments.insert(env.to_owned());
            } else {
                source.branches.insert("main".to_owned());
            }
        }
        Ok(Some(source))
    }

    fn parts(&self, zone: Option<&str>, env: &str) -> Result<Parts, Failure> {
        let named = |part: Part| self.with.contains(&part) || self.only.contains(&part);
        let items = [&self.with, &self.only].into_iter().flatten();
        let items = items.filter_map(|part| match part {
            Part::Account(item) => Some(*item),
            Part::State | Part::Admin | Part::Ci => None,
        });
        let lacks = |wished: bool, part: Part, message: &str| {
            if wished && !named(part) {
                let help = format!("add `--with {part}`");
                return Err(Failure::new(Exit::Usage, message).help(help));
            }
            Ok(())
        };
        lacks(
            !self.trust.is_empty() || self.session_hours.is_some(),
            Part::Admin,
            "`--trust` and `--session-hours` are about the admin role, which is not asked for",
        )?;
        lacks(
            self.permissions_boundary.is_some() && !named(Part::Ci),
            Part::Admin,
            "`--permissions-boundary` is about the admin role, which is not asked for",
        )?;
        lacks(
            self.repository.is_some(),
            Part::Ci,
            "`--repository` is about the roles of `ci`, which are not asked for",
        )?;
        Ok(Parts {
            state: self.only.is_empty() || named(Part::State),
            kms_key: self.kms_key.clone(),
            admin: named(Part::Admin).then(|| Wishes {
                zone: zone.map(str::to_owned),
                trust: self.trust.iter().cloned().collect(),
                mfa: !self.no_mfa,
                boundary: self.permissions_boundary.clone(),
                session_hours: self.session_hours,
            }),
            ci: if named(Part::Ci) {
                let source = self.source(env)?;
                Some(ci::Wishes {
                    zone: zone.map(str::to_owned),
                    source,
                    boundary: self.permissions_boundary.clone(),
                })
            } else {
                None
            },
            account: items.clone().next().map(|_| items.clone().flatten().collect()),
        })
    }
}

impl Ready {
    /// The same, with the components that are asked for.
    pub(super) fn with_parts(mut self, cx: &Context, flags: &PartFlags) -> Result<Self, Failure> {
        self.parts = flags.parts(self.config.domain.hosted_zone_id.as_deref(), &self.config.env)?;
        if let Some(wishes) = &self.parts.admin {
            for remark in admin_role::remarks(&self.target, wishes) {
                cx.ui.warn(remark);
            }
        }
        Ok(self)
    }
}

/// Asks the simulator about a plan; refuses where the caller is decidedly not allowed.
pub(super) async fn check_permissions(
    ui: &Ui,
    session: &Session,
    ready: &Ready,
    seen: &Seen,
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
    let target = &ready.target;
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
                "{} lacks {} of the {of} permissions that the plan needs",
                session.caller,
                checked.denied.len()
            ),
        )
        .help(
            "ask for these permissions or sign in as a user who has them; `--check-permissions never` skips this check",
        );
        failure.causes = grouped(&checked.denied);
        return Err(failure);
    }
    for (need, reason) in &checked.unsure {
        ui.detail(format_args!("unsure whether {need} is allowed: {reason}"));
    }
    if let Some((_, reason)) = checked.unsure.first() {
        ui.say(format_args!(
            "unsure whether {} of {of} actions are allowed ({reason}); continuing",
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
