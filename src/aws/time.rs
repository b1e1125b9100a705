//! Times of AWS as text.

use aws_smithy_types::date_time::{DateTime, Format};

/// A time of AWS as RFC 3339; `None` where it is out of range.
pub fn rfc3339(time: &DateTime) -> Option<String> {
    time.fmt(Format::DateTime).ok()
}
