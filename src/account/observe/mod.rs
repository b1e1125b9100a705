//! Reads the facts of an account. Writes nothing, judges nothing.
//!
//! The reads are independent and can run at the same time. For [`facts`] a read that fails is an unknown fact;
//! for the caller of a single read it is an error.

pub mod app;
pub mod baseline;
mod bucket;
mod dns;
pub mod ec2;
pub mod iam;
mod secret;
mod services;
mod sign_in;
mod table;
mod unread;

use futures_util::future::join_all;

pub(crate) use self::bucket::is_unreadable;
use self::bucket::readable_bucket;
pub use self::bucket::{Error as BucketError, bucket, state};
pub use self::dns::{certificate, hosted_zone};
pub use self::secret::secret;
use self::services::services;
use self::sign_in::sign_in;
use self::table::look;
pub use self::table::{digest, table};
use self::unread::reasons;
use super::{Facts, Known, Table};
use crate::aws::Session;
use crate::config::{self, Config};
use crate::deployment::{self, StateBackend};
use crate::web::Web;

/// Reads everything at once; what cannot be read is unknown.
pub async fn facts(
    session: &Session,
    web: &Web,
    config: &Config,
    backend: &StateBackend,
    secrets: &[&str],
) -> Facts {
    let certificate_arn = &config.alb.certificate_arn;
    let hosted_zone_id = &config.domain.hosted_zone_id;
    // Where a lock file serves, a table of the standard name may still be left.
    let table = backend.lock.table().map_or_else(|| deployment::prefix(&config.env), str::to_owned);
    let secrets = async {
        let reads = secrets.iter().map(|name| {
            let name = deployment::secret_name(&config.env, name);
            Box::pin(async move { (name.clone(), secret(session, &name).await.into()) })
        });
        join_all(reads).await.into_iter().collect()
    };
    let lock_id = backend.lock_id();
    let app_role = deployment::app_role(&config.env);
    let (
        state_bucket,
        lock_table,
        state,
        secrets,
        certificate,
        hosted_zone,
        app_role,
        zones,
        services,
        sign_in,
        app,
    ) = tokio::join!(
        readable_bucket(session, &backend.bucket),
        look(session, &table, &lock_id),
        state(session, &backend.bucket, &backend.key),
        secrets,
        certificate(session, certificate_arn),
        async {
            match hosted_zone_id {
                Some(id) => hosted_zone(session, id).await,
                None => Ok(None),
            }
        },
        iam::task_role(session, &app_role),
        ec2::zones(session, &session.region),
        Box::pin(services(session, config)),
        Box::pin(sign_in(web, config)),
        Box::pin(app::deployed(session, web, config)),
    );
    Facts {
        version: 1,
        account_id: Known::Known(session.account_id.clone()),
        region: session.region.clone(),
        recorded: None,
        certificate_arn: Some(certificate_arn.clone()),
        hosted_zone_id: Some(hosted_zone_id.clone().unwrap_or_else(|| config::NO_ZONE.to_owned())),
        state: state.into(),
        state_bucket: match state_bucket {
            Ok(fact) => Known::Known(fact),
            Err(error) => Known::Unknown(error.reason()),
        },
        lock_table: lock_table
            .map(|found| found.map(|(table, unread)| Table { unread: reasons(unread), ..table }))
            .into(),
        secrets,
        certificate: certificate.into(),
        hosted_zone: hosted_zone.into(),
        app_role: app_role.into(),
        zones: zones.into(),
        services: Known::Known(services),
        sign_in: Known::Known(sign_in),
        app: app.into(),
    }
}
