//! The AWS calls that change the OIDC provider and the roles; each can be repeated.

use crate::aws::{CallError, Session, call};
use crate::bootstrap::ci::Change;
use crate::bootstrap::ci::repository::AUDIENCE;
use crate::bootstrap::{Error, Target, admin_role};

/// Makes one change.
pub async fn apply(session: &Session, target: &Target, change: &Change) -> Result<(), Error> {
    let iam = session.iam();
    let done: Result<(), CallError> = match change {
        Change::CreateProvider(issuer) => {
            let request = iam
                .create_open_id_connect_provider()
                .url(format!("https://{issuer}"))
                .client_id_list(AUDIENCE)
                .set_tags(Some(admin_role::tags(target)));
            match call("iam:CreateOpenIDConnectProvider", request.send().await) {
                Err(error) if error.is("EntityAlreadyExists") || error.is("EntityAlreadyExistsException") => {
                    Ok(())
                }
                answer => answer.map(drop),
            }
        }
        Change::AddAudience(arn) => {
            let request = iam
                .add_client_id_to_open_id_connect_provider()
                .open_id_connect_provider_arn(arn)
                .client_id(AUDIENCE);
            call("iam:AddClientIDToOpenIDConnectProvider", request.send().await).map(drop)
        }
        Change::DeleteProvider(arn) => {
            let request = iam.delete_open_id_connect_provider().open_id_connect_provider_arn(arn);
            match call("iam:DeleteOpenIDConnectProvider", request.send().await) {
                Err(error) if error.is("NoSuchEntity") || error.is("NoSuchEntityException") => Ok(()),
                answer => answer.map(drop),
            }
        }
        Change::Policy(change) => return admin_role::apply(session, target, change).await,
        Change::Role(ci_role, change) => {
            return admin_role::apply_to(session, target, &ci_role.name(target), change).await;
        }
    };
    Ok(done?)
}
