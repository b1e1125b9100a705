//! Tells of every AWS call that ends: service, operation, time; never a value.

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

/// Who hears of each call.
pub type CallLog = Arc<dyn Fn(&Call<'_>) + Send + Sync>;

/// One AWS call that has ended.
#[derive(Debug)]
pub struct Call<'a> {
    /// `S3`
    pub service: &'a str,
    /// `PutBucketVersioning`
    pub operation: &'a str,
    /// Retries included.
    pub took: Duration,
    /// Whether it succeeded.
    pub ok: bool,
}

#[derive(Debug)]
struct Started(Instant);

impl Storable for Started {
    type Storer = StoreReplace<Self>;
}

pub(super) struct Listener(pub(super) CallLog);

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
        let took = cfg.load::<Started>().map_or(Duration::ZERO, |started| started.0.elapsed());
        let ok = context.output_or_error().is_some_and(|result| result.is_ok());
        if let Some(metadata) = cfg.load::<Metadata>() {
            (self.0)(&Call { service: metadata.service(), operation: metadata.name(), took, ok });
        }
        Ok(())
    }
}
