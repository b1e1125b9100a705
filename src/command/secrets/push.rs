//! `push`: writes the keyring's values to Secrets Manager.

use clap::Args;
use secrecy::ExposeSecret as _;

use super::deployment::{Deployment, KeyringArg};
use super::entries::{held, note_agreement, now, sound};
use super::names::Names;
use super::replace::{bump, none_unfinished};
use crate::command::{Context, block_on, carry_out};
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::keyring::Keyring;
use crate::plan::{self, Line, Plan, Verb};
use crate::secrets::push::{Action, Push as What, apply, plan_push};
use crate::secrets::{Local, State, state};

#[derive(Args, Clone, Debug)]
pub(super) struct Push {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    names: Names,
    /// Overwrite values that are newer in AWS.
    #[arg(long)]
    force: bool,
    /// Also increase `secrets_revision` in the config, so that `terraform apply` deploys what was written.
    #[arg(long)]
    bump: bool,
}

enum Step {
    Write(Action),
    Bump { config: String, from: u64, to: u64 },
}

impl plan::Action for Step {
    fn line(&self) -> Line {
        match self {
            Self::Write(action) => action.line(),
            Self::Bump { config, from, to } => Line::new(Verb::Update, config.clone()).setting(
                "secrets_revision",
                Some(from.to_string()),
                Some(to.to_string()),
            ),
        }
    }
}

impl Push {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let rows = self.names.secrets(deployment)?;
        let keyring = deployment.keyring()?;
        none_unfinished(deployment, &keyring)?;
        let local = held(&keyring, &deployment.catalog)?;
        sound(&local, &rows)?;
        let names: Vec<String> = rows.iter().map(|secret| secret.name.clone()).collect();
        block_on(deployment.ui, async {
            let session = deployment.open().await?;
            let mut seen = deployment.observe(&session).await?;
            let what = What { catalog: &deployment.catalog, names: &names, force: self.force };
            let writes = plan_push(&deployment.config.env, what, &local, &seen)?;
            let (from, wrote) = (deployment.config.secrets_revision, !writes.is_empty());
            let is_first = writes.actions.iter().all(|action| matches!(action, Action::Create { .. }));
            let mut steps: Vec<_> = writes.actions.into_iter().map(Step::Write).collect();
            if self.bump && wrote {
                if !deployment.ui.flags.dry_run {
                    // The last step writes it; the first ones change AWS.
                    files::writable(&deployment.common.config_path())?;
                }
                let config = shown(&deployment.common.config_path());
                steps.push(Step::Bump { config, from, to: from + 1 });
            }
            let plan = Plan { actions: steps };
            let client = session.secretsmanager();
            let question = format!("Write them to account {} in {}?", session.account_id, session.region);
            let exit = carry_out(deployment.ui, &plan, &question, async |step: &Step| match step {
                Step::Write(action) => {
                    look_again(deployment, &keyring, action, &local).await?;
                    let env = &deployment.config.env;
                    apply(&client, env, &deployment.catalog, action, &local).await?;
                    Ok::<_, Failure>(())
                }
                Step::Bump { from, to, .. } => bump(deployment, *from, *to).await,
            })
            .await?;
            if exit == Exit::Done {
                if wrote {
                    seen = deployment.observe(&session).await?;
                }
                for secret in &rows {
                    let value = local.values.get(&secret.name);
                    if let Some(value) = value.filter(|_| state(secret, &local, &seen) == State::Same) {
                        let version = seen.0.get(secret.remote).and_then(|held| held.version.as_deref());
                        note_agreement(&keyring, secret, value, version)?;
                    }
                }
                if wrote && is_first {
                    deployment.ui.say("next: `terraform apply` brings them to the database and the app");
                } else if wrote && !self.bump {
                    deployment.ui.say(format_args!(
                        "next: increase `secrets_revision` in {}, so that `terraform apply` deploys what changed (`push --bump` does both)",
                        shown(&deployment.common.config_path())
                    ));
                }
            }
            Ok(exit)
        })
    }
}

/// Looks at the keyring once more, right before a write: a rotation may have begun, or ended, since the plan was made.
async fn look_again(
    deployment: &Deployment<'_>,
    keyring: &Keyring,
    action: &Action,
    local: &Local,
) -> Result<(), Failure> {
    let (Action::Create { names, .. } | Action::Write { names, .. }) = action else {
        return Ok(());
    };
    deployment.config_is_unchanged()?;
    none_unfinished(deployment, keyring)?;
    for name in names {
        let (before, now) = (local.values.get(name), now(keyring, name).await?);
        let same = match (before, &now) {
            (Some(before), Some(now)) => before.expose_secret() == now.expose_secret(),
            (None, None) => true,
            _ => false,
        };
        if !same {
            let message = format!("{name} was changed in the keyring meanwhile; it was not written");
            return Err(
                Failure::new(Exit::Refused, message).help("look with `osmt-secrets diff`, then run it again")
            );
        }
    }
    Ok(())
}
