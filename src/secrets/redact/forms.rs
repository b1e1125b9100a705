//! The encodings in which programs print a value.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

/// Fewer digits would also match text that is not the secret.
const MIN_DIGITS: usize = 6;

/// Does not encode RFC 3986's unreserved characters: Python, curl, Go's `QueryEscape`.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// JavaScript's `encodeURIComponent`.
const COMPONENT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');
/// JavaScript's `encodeURI`.
const URI: &AsciiSet = &COMPONENT
    .remove(b';')
    .remove(b',')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b'#');
/// Forms of HTML and Java's `URLEncoder`, which encode `~`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
/// Python's `urllib.parse.quote`.
const QUOTE: &AsciiSet = &UNRESERVED.remove(b'/');
/// Go's `PathEscape` and user information.
const GO: &AsciiSet =
    &UNRESERVED.remove(b'$').remove(b'&').remove(b'+').remove(b':').remove(b'=').remove(b'@');
const GO_USER: &AsciiSet =
    &UNRESERVED.remove(b'$').remove(b'&').remove(b'+').remove(b',').remove(b';').remove(b'=');
/// The user information of the WHATWG's URLs.
const USER: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'=')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'|');

/// Every encoding of a value; some may be equal.
pub fn of(value: &SecretString) -> Vec<Vec<u8>> {
    let value = value.expose_secret();
    let mut forms = vec![value.to_owned()];
    for keep in [NON_ALPHANUMERIC, UNRESERVED, COMPONENT, URI, FORM, QUOTE, GO, GO_USER, USER] {
        let upper = percent_encode(value.as_bytes(), keep).to_string();
        forms.push(lower_percent(&upper));
        forms.push(upper);
    }
    forms.extend(json(value));
    forms.extend(quoted(value));
    forms.extend(html(value));
    let mut forms: Vec<Vec<u8>> = forms.into_iter().map(String::into_bytes).collect();
    for offset in 0..3 {
        forms.extend(base64(value.as_bytes(), offset).map(String::into_bytes));
    }
    for hex in [hex(value.as_bytes(), false), hex(value.as_bytes(), true)] {
        if hex.len() >= MIN_DIGITS {
            forms.push(hex.into_bytes());
        }
    }
    forms
}

/// As JSON strings: with the required escapes, with those that libraries add, and inside another JSON string.
fn json(value: &str) -> Vec<String> {
    let escaped = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let plain = escaped(value);
    let mut forms = vec![plain.clone(), plain.replace('/', "\\/")];
    // Go; Gson; .NET, which prints upper-case digits.
    for (chars, upper) in [("&<>", false), ("&<>='", false), ("&<>'+`", true), ("&<>'\"/", true)] {
        let text = each(&plain, |char| {
            chars.contains(char).then(|| {
                let code = u32::from(char);
                if upper { format!("\\u{code:04X}") } else { format!("\\u{code:04x}") }
            })
        });
        forms.push(text);
    }
    let twice: Vec<String> = forms.iter().map(|form| escaped(form)).collect();
    forms.extend(twice);
    forms
}

/// As shells, programming languages and SQL quote a value.
fn quoted(value: &str) -> Vec<String> {
    let backslash = |chars: &str| each(value, |char| chars.contains(char).then(|| format!("\\{char}")));
    let bash = backslash("'\"\\$`&|;<>()*?[]{}!^, \t");
    let mut forms = vec![
        value.replace('\'', "'\\''"),
        value.replace('\'', "'\"'\"'"),
        value.replace('\'', "''"),
        backslash("'"),
        backslash("'\"\\"),
        backslash("$`\"\\"),
        backslash("$`\"\\!"),
        backslash(":=#! \\"),
        each(value, |char| (!char.is_ascii_alphanumeric() && char != '_').then(|| format!("\\{char}"))),
        each(value, |char| {
            (!char.is_ascii_alphanumeric() && !"_-./:@%+=,".contains(char)).then(|| format!("\\{char}"))
        }),
    ];
    // bash's %q escapes a leading `#` or `~`.
    if bash.starts_with(['#', '~']) {
        forms.push(format!("\\{bash}"));
    }
    forms.push(bash);
    forms
}

fn html(value: &str) -> Vec<String> {
    let tables: [[(char, &str); 5]; 4] = [
        [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")],
        [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&#34;"), ('\'', "&#39;")],
        [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#x27;")],
        [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&apos;")],
    ];
    let mut forms: Vec<String> = tables
        .iter()
        .map(|table| {
            each(value, |char| table.iter().find(|(own, _)| *own == char).map(|(_, name)| (*name).to_owned()))
        })
        .collect();
    // The text of an HTML element may contain quotes.
    forms.push(each(value, |char| {
        tables[0][..3].iter().find(|(own, _)| *own == char).map(|(_, name)| (*name).to_owned())
    }));
    forms
}

fn each(value: &str, replace: impl Fn(char) -> Option<String>) -> String {
    value.chars().map(|char| replace(char).unwrap_or_else(|| char.to_string())).collect()
}

fn lower_percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' && at + 2 < bytes.len() {
            out.push_str(&text[at..at + 3].to_ascii_lowercase());
            at += 3;
        } else {
            let char = text[at..].chars().next().unwrap_or_default();
            out.push(char);
            at += char.len_utf8();
        }
    }
    out
}

fn hex(raw: &[u8], upper: bool) -> String {
    raw.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
}

/// The base64 digits that depend only on the value, if it begins `offset` bytes into a group of three.
fn base64(raw: &[u8], offset: usize) -> impl Iterator<Item = String> {
    let mut padded = Zeroizing::new(vec![0; offset]);
    padded.extend_from_slice(raw);
    let digits = (offset * 8).div_ceil(6)..padded.len() * 8 / 6;
    [STANDARD_NO_PAD, URL_SAFE_NO_PAD].into_iter().filter_map(move |engine| {
        let coded = Zeroizing::new(engine.encode(&*padded));
        (digits.len() >= MIN_DIGITS).then(|| coded[digits.clone()].to_owned())
    })
}
