//! What the verbs that call AWS begin with, and how they wait at the end.

use std::time::Duration;

use super::state_flags::StateFlags;
use crate::aws::{Policy, Session, retry};
use crate::bootstrap;
use crate::bootstrap::admin_role::region;
use crate::bootstrap::parts::Parts;
use crate::bootstrap::{Seen, Target};
use crate::command::Context;
use crate::config::Config;
use crate::deployment::Deployment;
use crate::explain::{Exit, Failure};

/// The config and the deployment that it describes.
pub(super) struct Ready {
    pub(super) config: Config,
    pub(super) target: Target,
    /// Which components are asked for.
    pub(super) parts: Parts,
}

impl Ready {
    pub(super) fn new(cx: &Context, flags: &StateFlags) -> Result<Self, Failure> {
        flags.refuse_contradictions()?;
        let (_, config) = cx.shared.load_config()?;
        let mut backend = cx.shared.backend(&config)?;
        if let Some(bucket) = &flags.bucket {
            backend.bucket.clone_from(bucket);
        }
        let deployment = Deployment::from(&config);
        backend.lock = flags.lock(&backend.lock, &deployment);
        let target = Target { deployment, backend, region_in_names: false };
        Ok(Self { target, parts: Parts::default(), config })
    }

    /// Opens a session with the config's account and reads at the same time; another account is refused.
    pub(super) async fn reading<T>(
        &self,
        cx: &Context,
        read: impl AsyncFnOnce(&Session) -> T,
    ) -> Result<(Session, T), Failure> {
        cx.shared.sign_in_and(&self.config, &cx.ui, "looking", read).await
    }

    /// Opens a session and reads the components that are asked for; the target's roles then have their names.
    pub(super) async fn observing(&mut self, cx: &Context) -> Result<(Session, Seen), Failure> {
        let (target, parts) = (&self.target, &self.parts);
        let read = async |session: &Session| {
            let target = bootstrap::named(session, target, parts).await?;
            let seen = bootstrap::observe(session, &target, parts).await?;
            Ok::<_, bootstrap::Error>((target, seen))
        };
        let (session, found) = self.reading(cx, read).await?;
        let (target, seen) = found?;
        self.target = target;
        if let Some(remark) = region::remark(&self.target) {
            cx.ui.say(remark);
        }
        Ok((session, seen))
    }

    /// Opens a session with the config's account; another one is refused.
    pub(super) async fn session(&self, cx: &Context) -> Result<Session, Failure> {
        cx.shared.sign_in(&self.config, &cx.ui).await
    }
}

/// How long a change may take to be visible everywhere in AWS.
const PATIENCE: Policy = Policy::new(Duration::from_millis(500), Duration::from_secs(10), 45);

/// Looks again until nothing is left to do; what is left in the end is an error with this help.
pub(super) async fn settled(
    look: impl AsyncFn() -> Result<Vec<String>, Failure>,
    help: &str,
) -> Result<(), Failure> {
    let differs = |left: &Result<Vec<String>, _>| left.as_ref().is_ok_and(|left| !left.is_empty());
    let left = retry(PATIENCE, differs, look).await?;
    if left.is_empty() {
        return Ok(());
    }
    let left = left.join("; ");
    let message = format!("all calls succeeded, but the account still differs from the plan: {left}");
    Err(Failure::new(Exit::Failed, message).help(help))
}
