//! Dates with their age, as text.

use jiff::Timestamp;

use crate::explain::count;

/// A date with its age: `2026-11-26 21:03 UTC, 3 hours ago`.
pub(super) fn when(at: Timestamp) -> String {
    let seconds = Timestamp::now().duration_since(at).as_secs();
    let (number, unit) = match seconds {
        ..60 => return format!("{}, just now", at.strftime("%Y-%m-%d %H:%M UTC")),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{}, {} ago", at.strftime("%Y-%m-%d %H:%M UTC"), count(number, unit))
}
