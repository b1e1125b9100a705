//! Reads what Secrets Manager shows of a secret, never its value.

use crate::account::Secret;
use crate::aws::{CallError, Session, call, rfc3339};

/// Reads what Secrets Manager shows of a secret without its value; `None` where there is no such secret.
pub async fn secret(session: &Session, name: &str) -> Result<Option<Secret>, CallError> {
    let answer = session.secretsmanager().describe_secret().secret_id(name).send().await;
    match call("secretsmanager:DescribeSecret", answer) {
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        answer => {
            let secret = answer?;
            Ok(Some(Secret {
                has_value: secret
                    .version_ids_to_stages()
                    .is_some_and(|versions| versions.values().flatten().any(|stage| stage == "AWSCURRENT")),
                rotation: secret.rotation_enabled().unwrap_or_default(),
                deleted: secret.deleted_date().and_then(rfc3339),
                arn: secret.arn.unwrap_or_default(),
            }))
        }
    }
}
