//! The flags that select components, and the check of the plan's permissions.

use clap::{Args, ValueEnum};

use super::ready::Ready;
use crate::aws::Session;
use crate::bootstrap::admin_role::Options;
use crate::bootstrap::ci::repository::{Repository, Source, exact};
use crate::bootstrap::permissions::Need;
use crate::bootstrap::selection::{Component, Selection};
use crate::bootstrap::{Seen, Step, admin_role, ci, permissions, state_bucket};
use crate::command::{Context, Ui};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;

/// The components to use, and their options.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Components")]
pub(super) struct ComponentFlags {
    /// Also these components: admin, ci, account (shown only), account.ITEM (this item is changed).
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with = "only")]
    with: Vec<Component>,
    /// Only these components [default: state, which is the bucket and the lock table].
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<Component>,
    /// Encrypt the state bucket with this KMS key, whose policy must allow its users [default: no change; a
    /// new bucket uses the key that AWS manages].
    #[arg(long, value_name = "ARN", value_parser = state_bucket::kms_key)]
    kms_key: Option<String>,
    /// Who may assume the admin role: a user, a role, or an account by its root; can be repeated [default: no change].
    #[arg(long, value_name = "ARN", value_parser = admin_role::policy::principal)]
    trust: Vec<String>,
    /// Let them assume it without MFA, for example the role of a CI system.
    #[arg(long, requires = "trust")]
    no_mfa: bool,
    /// The repository whose CI jobs may assume the roles of `ci`: github.com/ORG/NAME or gitlab.com/GROUP/PROJECT [default:
    /// no change].
    #[arg(long, value_name = "REPOSITORY", value_parser = Repository::parse)]
    repository: Option<Repository>,
    /// A branch whose CI jobs may apply; can be repeated [default: main on GitLab].
    #[arg(long, value_name = "NAME", value_parser = exact, requires = "repository")]
    branch: Vec<String>,
    /// A GitHub environment whose CI jobs may apply; can be repeated [default: ENV, unless `--branch` is given].
    #[arg(long, value_name = "NAME", value_parser = exact, requires = "repository")]
    ci_environment: Vec<String>,
    /// The permissions boundary of the admin role and the roles of `ci` [default: no change].
    #[arg(long, value_name = "ARN", value_parser = admin_role::policy::boundary)]
    permissions_boundary: Option<String>,
    /// The maximum session duration of the admin role [default: no change; 4 for a new role].
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(i32).range(1..=12))]
    session_hours: Option<i32>,
}

/// When to check permissions with IAM's policy simulator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckPermissions {
    /// Check, except with an emulator, which usually has no simulator.
    #[default]
    Auto,
    /// Check, also with an emulator.
    Always,
    /// Do not check.
    Never,
}

impl ComponentFlags {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The repository, branches and environments whose tokens the roles of `ci` trust.
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

    fn selection(&self, zone: Option<&str>, env: &str) -> Result<Selection, Failure> {
        let is_named =
            |component: Component| self.with.contains(&component) || self.only.contains(&component);
        let items = [&self.with, &self.only].into_iter().flatten();
        let items = items.filter_map(|component| match component {
            Component::Account(item) => Some(*item),
            Component::State | Component::Admin | Component::Ci => None,
        });
        let require = |is_given: bool, component: Component, message: &str| {
            if is_given && !is_named(component) {
                let help = format!("add `--with {component}`");
                return Err(Failure::new(Exit::Usage, message).help(help));
            }
            Ok(())
        };
        require(
            !self.trust.is_empty() || self.session_hours.is_some(),
            Component::Admin,
            "`--trust` and `--session-hours` need the component `admin`, which is not selected",
        )?;
        require(
            self.permissions_boundary.is_some() && !is_named(Component::Ci),
            Component::Admin,
            "`--permissions-boundary` needs the component `admin` or `ci`, which is not selected",
        )?;
        require(
            self.repository.is_some(),
            Component::Ci,
            "`--repository` needs the component `ci`, which is not selected",
        )?;
        Ok(Selection {
            state: self.only.is_empty() || is_named(Component::State),
            kms_key: self.kms_key.clone(),
            admin: is_named(Component::Admin).then(|| Options {
                zone: zone.map(str::to_owned),
                trust: self.trust.iter().cloned().collect(),
                mfa: !self.no_mfa,
                boundary: self.permissions_boundary.clone(),
                session_hours: self.session_hours,
            }),
            ci: if is_named(Component::Ci) {
                let source = self.source(env)?;
                Some(ci::Options {
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
    /// Selects the components, and prints warnings about their options.
    pub(super) fn with_components(mut self, cx: &Context, flags: &ComponentFlags) -> Result<Self, Failure> {
        self.selection = flags.selection(self.config.domain.hosted_zone_id.as_deref(), &self.config.env)?;
        if let Some(options) = &self.selection.admin {
            for remark in admin_role::remarks(&self.target, options) {
                cx.ui.warn(remark);
            }
        }
        Ok(self)
    }
}

/// Checks the plan's permissions with the simulator; refuses if one is denied.
pub(super) async fn check_permissions(
    ui: &Ui,
    session: &Session,
    ready: &Ready,
    seen: &Seen,
    plan: &Plan<Step>,
    when: CheckPermissions,
) -> Result<(), Failure> {
    let is_wanted = match when {
        CheckPermissions::Auto => !session.is_local(),
        CheckPermissions::Always => true,
        CheckPermissions::Never => false,
    };
    if !is_wanted {
        return Ok(());
    }
    let target = &ready.target;
    let needs = permissions::needs(target, plan);
    let total = needs.len();
    let checked = ui
        .during(
            "checking permissions",
            permissions::check(session, target, needs, &permissions::with_own_policy(target, seen)),
        )
        .await;
    if !checked.denied.is_empty() {
        let mut failure = Failure::new(
            Exit::Refused,
            format!(
                "{} lacks {} of the {total} permissions that the plan needs",
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
    for (need, reason) in &checked.undecided {
        ui.detail(format_args!("could not check {need}: {reason}"));
    }
    if let Some((_, reason)) = checked.undecided.first() {
        ui.say(format_args!(
            "could not check {} of {total} permissions ({reason}); continuing",
            checked.undecided.len()
        ));
    }
    Ok(())
}

/// One line for each action: `not allowed: iam:CreatePolicy on … and 5 more`.
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
