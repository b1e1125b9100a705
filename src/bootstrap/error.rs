//! The errors of bootstrap, with their exits and help.

use crate::account::observe;
use crate::aws::CallError;
use crate::explain::{Exit, Explain};

/// Why bootstrap stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bucket belongs to another account, is in another region, or cannot be read.
    #[error(transparent)]
    Bucket(#[from] observe::BucketError),
    /// The bucket's policy is not a JSON policy.
    #[error("the policy of bucket {0} is not a valid policy document, so no statement can be added to it")]
    Policy(String),
    /// The bucket's policy allows everyone.
    #[error("statement {statement} in the policy of bucket {bucket} allows everyone")]
    PublicPolicy {
        /// The bucket's name.
        bucket: String,
        /// The `Sid`.
        statement: String,
    },
    /// The role can be assumed by everyone.
    #[error("statement {statement} of the trust policy of role {role} allows everyone to assume it")]
    OpenRole {
        /// The role's name.
        role: String,
        /// The `Sid`.
        statement: String,
    },
    /// The bucket's ACL grants access to others.
    #[error("the ACL of bucket {0} grants access to others, so ACLs cannot be disabled")]
    Acl(String, #[source] CallError),
    /// A table of that name has another purpose.
    #[error("table {table} cannot be used for Terraform's lock: {why}")]
    Table {
        /// The table's name.
        table: String,
        /// What is wrong with it.
        why: String,
    },
    /// The resource has the tags of another environment.
    #[error("{thing} belongs to environment {other}, the config is for {env}")]
    OtherEnvironment {
        /// `S3 bucket osmt-test-…`
        thing: String,
        /// The environment in the resource's tags.
        other: String,
        /// The environment in the config.
        env: String,
    },
    /// The roles and policies are those of a deployment in another region.
    #[error(
        "the roles of environment {env} in this account are for its deployment in {other}, the config is for {region}"
    )]
    OtherRegion {
        /// The environment.
        env: String,
        /// The region in the policies.
        other: String,
        /// The region in the config.
        region: String,
    },
    /// The admin role must be created, and `--trust` is missing.
    #[error("role {0} does not exist yet, and no `--trust` names who may assume it")]
    NoTrust(String),
    /// The CI roles must be created, and `--repository` is missing.
    #[error("role {0} does not exist yet, and no `--repository` names the repository that may assume it")]
    NoRepository(String),
    /// A principal is in another partition.
    #[error("{0} is not an ARN of {1}")]
    OtherPartition(String, String),
    /// The trust policy would be too long.
    #[error("{0}")]
    TrustTooLong(String),
    /// A principal in the trust policy does not exist.
    #[error("IAM rejected the trust policy: a user or role named in it does not exist")]
    UnknownPrincipal(#[source] CallError),
    /// A setting of the account that should be changed cannot be read.
    #[error("{item} cannot be read, so it is not changed ({why})")]
    UnreadableSetting {
        /// `password policy`
        item: String,
        /// Why it cannot be read.
        why: String,
    },
    /// AWS did not finish a change in time.
    #[error("{thing} is still {state}")]
    Timeout {
        /// `table osmt-test`
        thing: String,
        /// `CREATING`
        state: String,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Bucket(error) => error.exit(),
            Self::Policy(_)
            | Self::PublicPolicy { .. }
            | Self::OpenRole { .. }
            | Self::Table { .. }
            | Self::OtherEnvironment { .. }
            | Self::OtherRegion { .. } => Exit::Refused,
            Self::NoTrust(_) | Self::NoRepository(_) | Self::OtherPartition(..) | Self::TrustTooLong(_) => {
                Exit::Usage
            }
            Self::Timeout { .. }
            | Self::UnknownPrincipal(_)
            | Self::UnreadableSetting { .. }
            | Self::Acl(..) => Exit::Failed,
            Self::Call(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Bucket(error) => error.help(),
            Self::Policy(_) => Some("correct or remove the policy in the console".into()),
            Self::PublicPolicy { .. } => Some(
                "the state must not be public: remove or narrow the statement in the console, Permissions, Bucket policy".into(),
            ),
            Self::OpenRole { role, .. } => Some(format!(
                "remove or narrow the statement first (`aws iam update-assume-role-policy --role-name {role}`): otherwise everyone would get permissions over this environment"
            )),
            Self::Acl(bucket, _) => Some(format!(
                "grant this access in the bucket's policy, run `aws s3api put-bucket-acl --bucket {bucket} --acl private`, then run this again"
            )),
            Self::Table { .. } => Some(
                "choose another name with `osmt-bootstrap init --lock-table`, or use a lock file: `--lock s3`".into(),
            ),
            Self::OtherEnvironment { .. } => Some(
                "correct `env` in the config, or the names in main.tf; if this environment takes the resource over on purpose, change its tag `Environment` first".into(),
            ),
            Self::OtherRegion { .. } => Some(
                "another run created them in the meantime: run this again, and this deployment's roles get names with the region".into(),
            ),
            Self::NoTrust(_) => Some(
                "name each user, role or account with `--trust arn:aws:iam::…`".into(),
            ),
            Self::NoRepository(_) => Some("give `--repository github.com/ORG/NAME` or `--repository gitlab.com/GROUP/PROJECT`".into()),
            Self::OtherPartition(_, home) => Some(format!("name users, roles or accounts of {home}")),
            Self::TrustTooLong(_) => Some("trust an account with `--trust arn:…:root`; the account's own policies then decide who may assume the role".into()),
            Self::UnknownPrincipal(_) => Some("check each `--trust`: the user or role must exist".into()),
            Self::UnreadableSetting { .. } => Some("leave the item out, or run this as a user who may read it".into()),
            Self::Timeout { .. } => Some("run this again in a minute: it continues from there".into()),
            Self::Call(error) => error.help(),
        }
    }
}
