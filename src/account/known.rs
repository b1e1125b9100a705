//! A fact that may be unknown.

use serde::{Deserialize, Serialize};

use crate::aws::CallError;

/// A fact, or the reason why it is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Known<T> {
    /// It was read.
    Known(T),
    /// It could not be read: `acm:DescribeCertificate was denied`.
    Unknown(String),
}

impl<T> Known<T> {
    /// The fact, or the reason.
    pub fn as_result(&self) -> Result<&T, &str> {
        match self {
            Self::Known(fact) => Ok(fact),
            Self::Unknown(reason) => Err(reason),
        }
    }
}

impl<T> From<Result<T, CallError>> for Known<T> {
    fn from(read: Result<T, CallError>) -> Self {
        match read {
            Ok(fact) => Self::Known(fact),
            Err(error) => Self::Unknown(error.reason()),
        }
    }
}
