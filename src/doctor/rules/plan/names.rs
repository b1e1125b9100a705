//! Lists of resources and attributes in a message.

use crate::finding::Sink;

/// How many names a message lists; the rest is counted.
const SHOWN: usize = 6;

/// Reports attributes that are known only after the apply, as one unknown.
pub(super) fn report_unknown(mut names: Vec<String>, sink: &mut Sink<'_>) {
    names.sort();
    names.dedup();
    if !names.is_empty() {
        sink.unknown(format!("{}: known only after the apply; plan again then", list(&names)));
    }
}

/// The first names, separated by commas, and the number of the others.
pub(super) fn list(names: &[String]) -> String {
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
