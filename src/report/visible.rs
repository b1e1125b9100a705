//! Replaces control characters in texts of several lines and in single characters; `explain::visible` does it for one line.

use std::borrow::Cow;

use crate::explain::{is_control, visible};

/// The text with every control character replaced, except line breaks.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    if text.chars().all(|char| char == '\n' || !is_control(char)) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    Cow::Owned(lines.join("\n"))
}

/// One character of an excerpt.
pub(super) fn cell(char: char) -> String {
    visible(char.encode_utf8(&mut [0; 4])).into_owned()
}
