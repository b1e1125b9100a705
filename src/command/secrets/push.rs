//! `osmt-secrets push`: write the keyring's values to Secrets Manager.

use clap::Args;
use secrecy::ExposeSecret as _;

use super::deployment::{Deployment, KeyringArg};
use super::entries::{read, read_all, record_agreement, refuse_unreadable};
use super::names::Names;
use super::replace::{refuse_unfinished, set_revision};
use crate::command::{Context, block_on, carry_out};
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::keyring::Keyring;
use crate::plan::{self, Line, Plan, Verb};
use crate::secrets::push::{Action, Push as Request, apply, plan_push};
use crate::secrets::{Local, State, state};

/// Write the keyring's values to Secrets Manager, where they differ and the keyring is newer.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets push --dry-run\n  osmt-secrets push")]
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
        refuse_unfinished(deployment, &keyring)?;
        let local = read_all(&keyring, &deployment.catalog)?;
        refuse_unreadable(&local, &rows)?;
        let names: Vec<String> = rows.iter().map(|secret| secret.name.clone()).collect();
        block_on(deployment.ui, async {
            let session = deployment.open().await?;
            let mut seen = deployment.observe(&session).await?;
            let request = Request { catalog: &deployment.catalog, names: &names, force: self.force };
            let writes = plan_push(&deployment.config.env, request, &local, &seen)?;
            let (from, wrote) = (deployment.config.secrets_revision, !writes.is_empty());
            let is_first = writes.actions.iter().all(|action| matches!(action, Action::Create { .. }));
            let mut steps: Vec<_> = writes.actions.into_iter().map(Step::Write).collect();
            if self.bump && wrote {
                if !deployment.ui.flags.dry_run {
                    // Checked first: the last step writes the config, after the others have changed AWS.
                    files::writable(&deployment.shared.config_path())?;
                }
                let config = shown(&deployment.shared.config_path());
                steps.push(Step::Bump { config, from, to: from + 1 });
            }
            let plan = Plan { actions: steps };
            let client = session.secretsmanager();
            let question = format!("Write them to account {} in {}?", session.account_id, session.region);
            let exit = carry_out(deployment.ui, &plan, &question, async |step: &Step| match step {
                Step::Write(action) => {
                    refuse_if_changed(deployment, &keyring, action, &local).await?;
                    let env = &deployment.config.env;
                    apply(&client, env, &deployment.catalog, action, &local).await?;
                    Ok::<_, Failure>(())
                }
                Step::Bump { from, to, .. } => set_revision(deployment, *from, *to).await,
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
                        record_agreement(&keyring, secret, value, version)?;
                    }
                }
                if wrote && is_first {
                    deployment.ui.say("next: `terraform apply` deploys them to the database and the app");
                } else if wrote && !self.bump {
                    deployment.ui.say(format_args!(
                        "next: increase `secrets_revision` in {}, so that `terraform apply` deploys the changed values (`push --bump` does it)",
                        shown(&deployment.shared.config_path())
                    ));
                }
            }
            Ok(exit)
        })
    }
}

/// Refuses if the keyring changed since the plan was made, for example because of a rotation. Called immediately before a write.
async fn refuse_if_changed(
    deployment: &Deployment<'_>,
    keyring: &Keyring,
    action: &Action,
    local: &Local,
) -> Result<(), Failure> {
    let (Action::Create { names, .. } | Action::Write { names, .. }) = action else {
        return Ok(());
    };
    deployment.config_is_unchanged()?;
    refuse_unfinished(deployment, keyring)?;
    for name in names {
        let (before, now) = (local.values.get(name), read(keyring, name).await?);
        let same = match (before, &now) {
            (Some(before), Some(now)) => before.expose_secret() == now.expose_secret(),
            (None, None) => true,
            _ => false,
        };
        if !same {
            let message = format!("{name} changed in the keyring while the question was open");
            return Err(Failure::new(Exit::Refused, message)
                .help("check with `osmt-secrets diff`, then run this again"));
        }
    }
    Ok(())
}
