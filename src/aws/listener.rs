//! Reports every AWS call that ends, and every attempt that is throttled: service, operation, time; never a value.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use super::codes;

/// What receives each report.
pub type CallLog = Arc<dyn Fn(&Call<'_>) + Send + Sync>;

/// How a call, or an attempt at it, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Done,
    /// It failed.
    Failed,
    /// An attempt was refused because there were too many requests; another may follow.
    Throttled,
}

/// One AWS call that has ended, or one attempt that was throttled.
#[derive(Debug)]
pub struct Call<'a> {
    /// `S3`
    pub service: &'a str,
    /// `PutBucketVersioning`
    pub operation: &'a str,
    /// Retries included.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

#[derive(Debug)]
struct Started(Instant);

impl Storable for Started {
    type Storer = StoreReplace<Self>;
}

pub(super) struct Listener(pub(super) CallLog);

impl Listener {
    fn report(&self, cfg: &ConfigBag, outcome: Outcome) {
        let took = cfg.load::<Started>().map_or(Duration::ZERO, |started| started.0.elapsed());
        if let Some(metadata) = cfg.load::<Metadata>() {
            (self.0)(&Call { service: metadata.service(), operation: metadata.name(), took, outcome });
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "osmt call log"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Started(Instant::now()));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let done = context.output_or_error().is_some_and(|result| result.is_ok());
        self.report(cfg, if done { Outcome::Done } else { Outcome::Failed });
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let throttled = context.response().is_some_and(|response| {
            let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
            codes::is_throttled(response.status().as_u16(), &body)
        });
        if throttled {
            self.report(cfg, Outcome::Throttled);
        }
        Ok(())
    }
}
