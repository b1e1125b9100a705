//! The name and the ARN of the admin role. Pure.

use crate::bootstrap::Target;

/// `osmt-<env>-admin`, or `osmt-<env>-<region>-admin` in a second region of the account
pub fn name(target: &Target) -> String {
    format!("{}-admin", target.role_prefix())
}

/// The ARN that the role has or will have.
pub fn arn(target: &Target) -> String {
    role_arn(target, &name(target))
}

pub(in crate::bootstrap) fn role_arn(target: &Target, name: &str) -> String {
    format!("arn:{}:iam::{}:role/{name}", target.deployment.partition(), target.deployment.account_id)
}
