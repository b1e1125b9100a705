//! Text of several lines, and single characters, without what steers a terminal; `explain::visible` does one line.

use std::borrow::Cow;

use crate::explain::{is_steering, visible};

/// The text with its line ends, and every other steering character replaced.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    if text.chars().all(|char| char == '\n' || !is_steering(char)) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    Cow::Owned(lines.join("\n"))
}

/// One character of an excerpt.
pub(super) fn cell(char: char) -> String {
    visible(char.encode_utf8(&mut [0; 4])).into_owned()
}
