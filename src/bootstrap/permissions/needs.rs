//! The permissions that a plan needs: actions on resources. Pure.

use std::collections::BTreeSet;
use std::fmt;

use crate::bootstrap::{
    Change, Seen, Step, Target, account_baseline, admin_role, ci, lock_table, state_bucket,
};
use crate::plan::Plan;

/// A permission: an action on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// `s3:CreateBucket`
    pub action: &'static str,
    /// An ARN, or `*`.
    pub resource: String,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)
    }
}

/// The resources of a plan that have a resource policy.
pub fn with_own_policy(target: &Target, seen: &Seen) -> BTreeSet<String> {
    let bucket = seen.bucket.as_ref();
    let has_policy = bucket.is_some_and(|bucket| bucket.policy.is_some());
    has_policy.then(|| bucket_arn(target)).into_iter().collect()
}

fn bucket_arn(target: &Target) -> String {
    let partition = target.deployment.partition();
    format!("arn:{partition}:s3:::{}", target.backend.bucket)
}

/// The permissions that a plan needs.
pub fn needs(target: &Target, plan: &Plan<Step>) -> BTreeSet<Need> {
    plan.actions
        .iter()
        .flat_map(|step| {
            let (resource, actions) = of_change(target, &step.change);
            actions.iter().map(move |action| Need { action, resource: resource.clone() })
        })
        .collect()
}

fn of_change(target: &Target, change: &Change) -> (String, &'static [&'static str]) {
    let partition = target.deployment.partition();
    match change {
        Change::Bucket(change) => (bucket_arn(target), of_bucket(change)),
        Change::Table(change) => (
            format!(
                "arn:{partition}:dynamodb:{}:{}:table/{}",
                target.deployment.region,
                target.deployment.account_id,
                target.backend.lock.table().unwrap_or_default()
            ),
            of_table(change),
        ),
        Change::Admin(change) => of_admin(target, &admin_role::arn(target), change),
        Change::Ci(ci::Change::CreateProvider(issuer)) => (
            ci::documents::provider_arn(target, issuer),
            &["iam:CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"],
        ),
        Change::Ci(ci::Change::AddAudience(arn)) => {
            (arn.clone(), &["iam:AddClientIDToOpenIDConnectProvider"])
        }
        Change::Ci(ci::Change::DeleteProvider(arn)) => (arn.clone(), &["iam:DeleteOpenIDConnectProvider"]),
        Change::Ci(ci::Change::Policy(change)) => of_admin(target, "", change),
        Change::Ci(ci::Change::Role(ci_role, change)) => {
            of_admin(target, &admin_role::role_arn(target, &ci_role.name(target)), change)
        }
        Change::Account(account_baseline::Change::Password(_)) => {
            ("*".to_owned(), &["iam:UpdateAccountPasswordPolicy"])
        }
        Change::Account(account_baseline::Change::EncryptVolumes) => {
            ("*".to_owned(), &["ec2:EnableEbsEncryptionByDefault"])
        }
        Change::Account(account_baseline::Change::BlockPublicAccess) => {
            ("*".to_owned(), &["s3:PutAccountPublicAccessBlock"])
        }
    }
}

fn of_bucket(change: &state_bucket::Change) -> &'static [&'static str] {
    use state_bucket::Change as Of;
    match change {
        // The call sets tags and object ownership.
        Of::Create => &["s3:CreateBucket", "s3:PutBucketOwnershipControls", "s3:TagResource"],
        Of::BlockPublicAccess => &["s3:PutBucketPublicAccessBlock"],
        Of::DisableAcls => &["s3:PutBucketOwnershipControls"],
        Of::Encrypt(..) => &["s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration"],
        Of::Policy(_) => &["s3:PutBucketPolicy"],
        Of::EnableVersioning => &["s3:PutBucketVersioning"],
        Of::Lifecycle(..) => &["s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"],
        Of::Tags(_) => &["s3:PutBucketTagging"],
    }
}

fn of_table(change: &lock_table::Change) -> &'static [&'static str] {
    use lock_table::Change as Of;
    match change {
        Of::Create => &["dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:TagResource"],
        Of::EnableDeletionProtection | Of::Encrypt | Of::BillOnDemand => &["dynamodb:UpdateTable"],
        Of::EnablePointInTimeRecovery => &["dynamodb:UpdateContinuousBackups"],
        Of::Tags(_) => &["dynamodb:TagResource"],
    }
}

fn of_admin(target: &Target, role: &str, change: &admin_role::Change) -> (String, &'static [&'static str]) {
    use admin_role::Change as Of;
    let role = role.to_owned();
    let policy = |part| admin_role::policy::arn(target, part);
    match change {
        Of::CreatePolicy(part, _) => (policy(part), &["iam:CreatePolicy", "iam:TagPolicy"]),
        Of::UpdatePolicy(part, _) => {
            (policy(part), &["iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:ListPolicyVersions"])
        }
        Of::TagPolicy(part) => (policy(part), &["iam:TagPolicy"]),
        Of::Create(..) => (role, &["iam:CreateRole", "iam:TagRole"]),
        Of::Trust(_) => (role, &["iam:UpdateAssumeRolePolicy"]),
        Of::SessionDuration(_) => (role, &["iam:UpdateRole"]),
        Of::Boundary(_) => (role, &["iam:PutRolePermissionsBoundary"]),
        Of::Tags => (role, &["iam:TagRole"]),
        Of::Attach(_) => (role, &["iam:AttachRolePolicy"]),
        Of::Detach(_) => (role, &["iam:DetachRolePolicy"]),
        Of::DeleteInline(_) => (role, &["iam:DeleteRolePolicy"]),
        Of::RemoveFromInstanceProfile(_) => (role, &["iam:RemoveRoleFromInstanceProfile"]),
        Of::Delete => (role, &["iam:DeleteRole"]),
        Of::DeletePolicy(part) => (policy(part), &["iam:DeletePolicy"]),
    }
}
