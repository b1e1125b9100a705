//! Names of resources and attributes in one sentence.

use crate::finding::Sink;

/// More names than this in one reason are counted.
const SHOWN: usize = 6;

/// Says in one reason what is known only after apply.
pub(super) fn say_open(mut open: Vec<String>, sink: &mut Sink<'_>) {
    open.sort();
    open.dedup();
    if !open.is_empty() {
        sink.unknown(format!("{}: known only after apply; plan again then", list(&open)));
    }
}

/// Names in a row, the first of many.
pub(super) fn list(names: &[String]) -> String {
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
