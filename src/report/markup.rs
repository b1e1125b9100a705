//! Text inside HTML and XML.

use std::borrow::Cow;

use super::visible;
use crate::sensitive;

/// Text for an element or an attribute; characters that XML 1.0 does not allow become pictures.
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

/// The text without words that look like a secret or carry a login: what is sent to others is cut once more.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let border = |char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '`' | ',' | '(' | ')');
    let bad = |word: &str| sensitive::has_login(word) || sensitive::looks_secret(word).is_some();
    if !text.split(border).any(bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(border) {
        let word = part.trim_end_matches(border);
        out.push_str(if bad(word) { "***" } else { word });
        out.push_str(&part[word.len()..]);
    }
    Cow::Owned(out)
}

/// A text of which the parts between backticks are code.
pub(super) fn spans(text: &str, plain: impl Fn(&str) -> String, code: impl Fn(&str) -> String) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // Backticks come in pairs, or they are not what they seem.
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
    fn what_looks_like_a_secret_is_cut_and_markup_is_not_markup() {
        assert_eq!(harmless("from \"mysql://a:b@db\" (AKIAIOSFODNN7QWERTY2)"), "from \"***\" (***)");
        assert_eq!(harmless("engine (\"8.4\" → \"8.5\")"), "engine (\"8.4\" → \"8.5\")");
        assert_eq!(escaped("<b a=\"1\">&\u{7}\u{ffff}"), "&lt;b a=&quot;1&quot;&gt;&amp;␇\u{fffd}");
    }
}
