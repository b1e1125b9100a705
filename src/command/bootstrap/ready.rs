//! The preparation that all verbs that call AWS share, and the wait for eventual consistency.

use std::time::Duration;

use super::state_flags::StateFlags;
use crate::aws::{Policy, Session, retry};
use crate::bootstrap;
use crate::bootstrap::admin_role::region;
use crate::bootstrap::selection::Selection;
use crate::bootstrap::{Seen, Target};
use crate::command::Context;
use crate::config::Config;
use crate::deployment::Deployment;
use crate::explain::{Exit, Failure};

/// The config and the deployment that it describes.
pub(super) struct Ready {
    pub(super) config: Config,
    pub(super) target: Target,
    pub(super) selection: Selection,
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
        Ok(Self { target, selection: Selection::default(), config })
    }

    /// Signs in to the config's account and reads at the same time; another account is refused.
    pub(super) async fn sign_in_and<T>(
        &self,
        cx: &Context,
        read: impl AsyncFnOnce(&Session) -> T,
    ) -> Result<(Session, T), Failure> {
        cx.shared.sign_in_and(&self.config, &cx.ui, "reading the account", read).await
    }

    /// Signs in and reads the selected components. It also sets the target's role names.
    pub(super) async fn sign_in_and_observe(&mut self, cx: &Context) -> Result<(Session, Seen), Failure> {
        let (target, selection) = (&self.target, &self.selection);
        let read = async |session: &Session| {
            let target = bootstrap::with_role_names(session, target, selection).await?;
            let seen = bootstrap::observe(session, &target, selection).await?;
            Ok::<_, bootstrap::Error>((target, seen))
        };
        let (session, found) = self.sign_in_and(cx, read).await?;
        let (target, seen) = found?;
        self.target = target;
        if let Some(remark) = region::remark(&self.target) {
            cx.ui.say(remark);
        }
        Ok((session, seen))
    }

    /// Signs in to the config's account; another account is refused.
    pub(super) async fn session(&self, cx: &Context) -> Result<Session, Failure> {
        cx.shared.sign_in(&self.config, &cx.ui).await
    }
}

/// How long a change may take until it is visible in AWS.
const EVENTUAL_CONSISTENCY: Policy = Policy::new(Duration::from_millis(500), Duration::from_secs(10), 45);

/// Reads again until no step of the plan remains. If some remain in the end, they are in an error with this help.
pub(super) async fn wait_until_done(
    read_remaining: impl AsyncFn() -> Result<Vec<String>, Failure>,
    help: &str,
) -> Result<(), Failure> {
    let differs = |left: &Result<Vec<String>, _>| left.as_ref().is_ok_and(|left| !left.is_empty());
    let left = retry(EVENTUAL_CONSISTENCY, differs, read_remaining).await?;
    if left.is_empty() {
        return Ok(());
    }
    let left = left.join("; ");
    let message = format!("all calls succeeded, but the account still differs from the plan: {left}");
    Err(Failure::new(Exit::Failed, message).help(help))
}
