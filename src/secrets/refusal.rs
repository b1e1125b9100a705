//! Why a secret is not written.

use serde::Serialize;

use super::catalog;
use crate::explain::{Exit, Explain};

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
    /// Not known: they never agreed, and it is not known when the entry was made.
    Unknown,
}

impl Newer {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Keyring => "the keyring is newer",
            Self::Aws => "AWS is newer",
            Self::Both => "both changed",
            Self::Unknown => "which is newer is not known",
        }
    }
}

/// Why nothing may be written.
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
    /// A value that cannot work.
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
    #[error("{name} does not hold a JSON object{}", if *.doubled { ": it holds a JSON string with JSON inside" } else { "" })]
    NotObject {
        /// `osmt/test/rds`
        name: String,
        /// JSON in a JSON string.
        doubled: bool,
    },
    /// Removing it would remove keys that osmt-secrets did not write.
    #[error("{name} also holds {count} {}", if *.count == 1 { "key that osmt-secrets does not manage" } else { "keys that osmt-secrets does not manage" })]
    Foreign {
        /// `osmt/test/rds`
        name: String,
        /// How many; a key may be a value in the wrong place, so none is shown.
        count: usize,
    },
    /// A secret that is scheduled for deletion does not show its keys.
    #[error("{name} is scheduled for deletion and may hold keys that osmt-secrets does not manage")]
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
                "look with `osmt-secrets diff {name}`; `pull {name}` takes the value from AWS, `push {name} --force` writes the keyring's"
            ),
            Self::Managed { .. } => {
                "turn that off in the AWS console first; OSMT's DB_URI could not follow it".into()
            }
            Self::NotObject { name, .. } => format!(
                "`aws secretsmanager put-secret-value --secret-id {name} --secret-string '{{}}'` replaces it by an empty object (the old content stays as AWSPREVIOUS); then run this again"
            ),
            Self::Foreign { .. } => {
                "move the other keys to a secret of their own first; the AWS console shows them".into()
            }
            Self::Hidden { name } => format!(
                "`aws secretsmanager restore-secret --secret-id {name}` shows it again; then run this again"
            ),
            Self::Replicated { name, regions } => format!(
                "`aws secretsmanager remove-regions-from-replication --secret-id {name} --remove-replica-regions {}` removes the replicas",
                regions.join(" ")
            ),
        })
    }
}
