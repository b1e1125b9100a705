//! A fact that may not be known.

use serde::{Deserialize, Serialize};

use crate::aws::CallError;

/// A fact, or why it is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Known<T> {
    /// It was read.
    Known(T),
    /// It could not be: `acm:DescribeCertificate was denied`.
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
