//! Why a secret may not be written.

use serde::Serialize;

use super::catalog;
use crate::explain::{self, Exit, Explain};

/// Which side changed since keyring and AWS last agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Newer {
    /// The keyring.
    Keyring,
    /// AWS.
    Aws,
    /// Both.
    Both,
    /// Unknown: no common version is recorded, and the date of the entry is not known.
    Unknown,
}

impl Newer {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Keyring => "the keyring is newer",
            Self::Aws => "AWS is newer",
            Self::Both => "both changed",
            Self::Unknown => "it is not known which is newer",
        }
    }
}

/// Why a secret may not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither side has a value.
    #[error("{name} is neither in the keyring nor in AWS")]
    Missing {
        /// `rds/password`
        name: String,
        /// How to get one.
        remedy: String,
    },
    /// A value that OSMT or AWS does not accept.
    #[error("{0}")]
    Malformed(catalog::Malformed),
    /// AWS has a value that the keyring's would overwrite.
    #[error("{name}: {}", .newer.words())]
    Newer {
        /// `rds/password`
        name: String,
        /// Which side is newer.
        newer: Newer,
    },
    /// Another service writes it.
    #[error("{name} is not managed by osmt-secrets: {why}")]
    Managed {
        /// `osmt/test/rds`
        name: String,
        /// What manages it.
        why: String,
    },
    /// Binary, or text that is not a JSON object.
    #[error("{name} is not a JSON object{}", if *.encoded_twice { ": it is a JSON string that contains JSON" } else { "" })]
    NotObject {
        /// `osmt/test/rds`
        name: String,
        /// It is JSON inside a JSON string.
        encoded_twice: bool,
    },
    /// Removing the secret would remove keys that osmt-secrets did not write.
    #[error("{name} also contains {} that osmt-secrets does not manage", explain::count(*.count, "key"))]
    Foreign {
        /// `osmt/test/rds`
        name: String,
        /// How many. The keys are not shown: a user may have entered a value as a key.
        count: usize,
    },
    /// AWS does not show the keys of a secret that is scheduled for deletion.
    #[error("{name} is scheduled for deletion and may contain keys that osmt-secrets does not manage")]
    Hidden {
        /// `osmt/test/rds`
        name: String,
    },
    /// AWS refuses to delete a secret that has replicas.
    #[error("{name} is replicated to {}", .regions.join(", "))]
    Replicated {
        /// `osmt/test/rds`
        name: String,
        /// The regions.
        regions: Vec<String>,
    },
}

impl Explain for Refusal {
    fn exit(&self) -> Exit {
        Exit::Refused
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Missing { remedy, .. } => remedy.clone(),
            Self::Malformed(malformed) => malformed.remedy.clone(),
            Self::Newer { name, newer: Newer::Aws } => format!(
                "`osmt-secrets pull {name}` takes the value from AWS; `push {name} --force` overwrites it with the keyring's"
            ),
            Self::Newer { name, .. } => format!(
                "compare with `osmt-secrets diff {name}`; then `pull {name}` takes the value from AWS, or `push {name} --force` writes the keyring's"
            ),
            Self::Managed { .. } => {
                "turn that off in the AWS console first; OSMT's DB_URI would not get the new value".into()
            }
            Self::NotObject { name, .. } => format!(
                "`aws secretsmanager put-secret-value --secret-id {name} --secret-string '{{}}'` replaces it with an empty object (the old content remains as AWSPREVIOUS); then run this again"
            ),
            Self::Foreign { .. } => {
                "move the other keys to another secret first; the AWS console shows them".into()
            }
            Self::Hidden { name } => format!(
                "restore it with `aws secretsmanager restore-secret --secret-id {name}`; then run this again"
            ),
            Self::Replicated { name, regions } => format!(
                "remove the replicas first: `aws secretsmanager remove-regions-from-replication --secret-id {name} --remove-replica-regions {}`",
                regions.join(" ")
            ),
        })
    }
}
