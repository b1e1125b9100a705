//! The settings of one thing that could not be read, beside those that could.

use std::collections::BTreeMap;

use crate::aws::CallError;

/// Settings of a bucket or a table that could not be read.
pub(super) type Unread = Vec<(&'static str, CallError)>;

/// The setting, or nothing where it could not be read, which is noted.
pub(super) fn keep<T: Default>(unread: &mut Unread, name: &'static str, read: Result<T, CallError>) -> T {
    read.unwrap_or_else(|error| {
        unread.push((name, error));
        T::default()
    })
}

/// Why settings could not be read, by name.
pub(super) fn reasons(unread: Unread) -> BTreeMap<String, String> {
    unread.into_iter().map(|(name, error)| (name.to_owned(), error.reason())).collect()
}
