//! Text inside HTML and XML.

use std::borrow::Cow;

use super::visible;
use crate::sensitive;

/// Text for an element or an attribute. Characters that XML 1.0 does not allow are replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for char in visible::lines(text).chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}

/// The text without words that look like a secret or contain a login. Applied to reports that are sent to other people.
pub(super) fn without_secrets(text: &str) -> Cow<'_, str> {
    let is_separator =
        |char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '`' | ',' | '(' | ')');
    let is_secret = |word: &str| sensitive::has_login(word) || sensitive::looks_secret(word).is_some();
    if !text.split(is_separator).any(is_secret) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(is_separator) {
        let word = part.trim_end_matches(is_separator);
        out.push_str(if is_secret(word) { "***" } else { word });
        out.push_str(&part[word.len()..]);
    }
    Cow::Owned(out)
}

/// Converts a text with one function, and its parts between backticks with another.
pub(super) fn spans(text: &str, plain: impl Fn(&str) -> String, code: impl Fn(&str) -> String) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An unpaired backtick does not mark code.
    if parts.len() % 2 != 1 {
        return plain(text);
    }
    let part = |(index, part): (usize, &&str)| if index % 2 == 1 { code(part) } else { plain(part) };
    parts.iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_removed_and_markup_is_escaped() {
        assert_eq!(without_secrets("from \"mysql://a:b@db\" (AKIAIOSFODNN7QWERTY2)"), "from \"***\" (***)");
        assert_eq!(without_secrets("engine (\"8.4\" → \"8.5\")"), "engine (\"8.4\" → \"8.5\")");
        assert_eq!(escaped("<b a=\"1\">&\u{7}\u{ffff}"), "&lt;b a=&quot;1&quot;&gt;&amp;␇\u{fffd}");
    }
}
