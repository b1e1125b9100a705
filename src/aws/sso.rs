//! Tokens of `aws sso login` that the SDK cannot read.
//!
//! The SDK reads only times that end in `Z`. Early versions of the AWS CLI 2 wrote others (`2020-06-17T10:02:08UTC`); then the AWS
//! CLI loads the credentials.

use std::path::{Path, PathBuf};

use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::Value;
use sha1::{Digest as _, Sha1};

/// A token with a time that the SDK cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The file.
    pub file: PathBuf,
    /// The field.
    pub field: &'static str,
    /// What it is.
    pub value: String,
    /// Whether the AWS CLI can read it.
    pub is_time: bool,
}

/// The token of a session or start URL in the cache, if the SDK cannot read it.
pub(super) fn unreadable_token(home: &str, identifier: &str) -> Option<Token> {
    let name =
        Sha1::digest(identifier).iter().fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
    let file = Path::new(home).join(".aws/sso/cache").join(name).with_extension("json");
    let token: Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
    let (field, value) = ["expiresAt", "registrationExpiresAt"]
        .into_iter()
        .filter_map(|field| Some((field, token[field].as_str()?)))
        .find(|(_, value)| DateTime::from_str(value, Format::DateTime).is_err())?;
    Some(Token { file, field, value: value.to_owned(), is_time: is_time(value) })
}

fn is_time(value: &str) -> bool {
    let value =
        value.strip_suffix("UTC").map_or_else(|| value.to_owned(), |time| format!("{}Z", time.trim_end()));
    value.parse::<jiff::Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_the_aws_cli_reads_are_times() {
        for time in ["2020-06-17T10:02:08UTC", "2020-06-17T10:02:08+00:00", "2020-06-17T10:02:08-07:00"] {
            assert!(is_time(time), "{time}");
        }
        for other in ["soon", "", "2020-06-17", "UTC"] {
            assert!(!is_time(other), "{other}");
        }
    }
}
