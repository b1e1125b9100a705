//! Why bootstrap stops, how it ends then, and what to do.

use crate::account::observe;
use crate::aws::CallError;
use crate::explain::{Exit, Explain};

/// Why bootstrap cannot or will not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bucket is not ours, is in another region, or cannot be read.
    #[error(transparent)]
    Bucket(#[from] observe::BucketError),
    /// The bucket's policy is not a JSON policy.
    #[error("the policy of bucket {0} cannot be read, so nothing can be added to it")]
    Policy(String),
    /// The bucket's policy lets everyone in.
    #[error("statement {statement} in the policy of bucket {bucket} allows everyone")]
    PublicPolicy {
        /// Its name.
        bucket: String,
        /// Its `Sid`.
        statement: String,
    },
    /// The role can be assumed by everyone.
    #[error("statement {statement} of the trust policy of role {role} allows everyone to assume it")]
    OpenRole {
        /// Its name.
        role: String,
        /// Its `Sid`.
        statement: String,
    },
    /// The bucket has access lists for others.
    #[error("the access list of bucket {0} grants access to others, so it cannot be turned off")]
    Acl(String, #[source] CallError),
    /// A table of that name has another purpose.
    #[error("table {table} cannot hold Terraform's lock: {why}")]
    Table {
        /// Its name.
        table: String,
        /// What is wrong with it.
        why: String,
    },
    /// It is another environment's.
    #[error("{thing} belongs to environment {other}, the config is for {env}")]
    OtherEnvironment {
        /// `S3 bucket osmt-test-…`
        thing: String,
        /// As its tag says.
        other: String,
        /// The config's.
        env: String,
    },
    /// The roles and policies are those of a deployment in another region.
    #[error(
        "the roles of environment {env} in this account are for its deployment in {other}, the config is for {region}; nothing was written"
    )]
    OtherRegion {
        /// The environment.
        env: String,
        /// As their policies say.
        other: String,
        /// The config's.
        region: String,
    },
    /// The admin role must be made, and no `--trust` says who may assume it.
    #[error("role {0} does not exist yet, and no `--trust` says who may assume it")]
    NobodyTrusted(String),
    /// The CI roles must be made, and it is not said for which repository.
    #[error("role {0} does not exist yet, and no `--repository` says which repository may assume it")]
    NoRepository(String),
    /// A principal is in another partition.
    #[error("{0} is not an ARN of {1}")]
    Partition(String, String),
    /// The trust policy would be too long.
    #[error("{0}")]
    Trust(String),
    /// IAM does not know a principal that is to be trusted.
    #[error("IAM rejected the trust policy: a user or role named in it does not exist")]
    Principal(#[source] CallError),
    /// An item of the account that is to be changed cannot be read.
    #[error("{item} cannot be read, so it is not changed ({why})")]
    Account {
        /// `password policy`
        item: String,
        /// Why.
        why: String,
    },
    /// AWS took longer than it ever should.
    #[error("{thing} is still {state}")]
    Slow {
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
            Self::NobodyTrusted(_) | Self::NoRepository(_) | Self::Partition(..) | Self::Trust(_) => {
                Exit::Usage
            }
            Self::Slow { .. } | Self::Principal(_) | Self::Account { .. } | Self::Acl(..) => Exit::Failed,
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
                "remove or narrow the statement first (`aws iam update-assume-role-policy --role-name {role}`): the role would get permissions over this environment"
            )),
            Self::Acl(bucket, _) => Some(format!(
                "move what others need into the policy, then `aws s3api put-bucket-acl --bucket {bucket} --acl private` and run it again"
            )),
            Self::Table { .. } => Some(
                "choose another name with `osmt-bootstrap init --lock-table`, or lock with a file: `--lock s3`".into(),
            ),
            Self::OtherEnvironment { .. } => Some(
                "correct `env` in the config, or the names in main.tf; where the thing was handed over on purpose, change its tag `Environment` first".into(),
            ),
            Self::OtherRegion { .. } => Some(
                "another run made them in the meantime: run it again, and this deployment's roles get names with the Region".into(),
            ),
            Self::NobodyTrusted(_) => Some(
                "name users, roles or accounts with `--trust arn:aws:iam::…`, once for each".into(),
            ),
            Self::NoRepository(_) => Some("give `--repository github.com/ORG/NAME` or `--repository gitlab.com/GROUP/PROJECT`".into()),
            Self::Partition(_, home) => Some(format!("name users, roles or accounts of {home}")),
            Self::Trust(_) => Some("trust a whole account with `--trust arn:…:root`, and let its own policies decide who".into()),
            Self::Principal(_) => Some("check each `--trust`: the user or role must exist".into()),
            Self::Account { .. } => Some("leave the item out, or run it as a user who may read it".into()),
            Self::Slow { .. } => Some("run it again in a minute: it continues from there".into()),
            Self::Call(error) => error.help(),
        }
    }
}
