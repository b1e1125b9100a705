//! Takes the values of secrets out of a stream of bytes, also where one is cut in two or written in another form.
//!
//! Knows the value as it is, in base64 (at each of the three offsets it may have inside something longer), percent-encoded
//! and as a JSON string.

use std::io;
use std::io::{Read, Write};

use secrecy::zeroize::{Zeroize as _, Zeroizing};
use secrecy::{ExposeSecret as _, SecretString};

/// What stands where a value stood.
pub const MASK: &[u8] = b"[redacted]";
/// Shorter forms would also hit what is no secret.
const LEAST: usize = 6;

/// The forms to look for.
pub struct Redactor {
    needles: Vec<Zeroizing<Vec<u8>>>,
}

impl Redactor {
    /// Looks for these values.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut needles: Vec<Vec<u8>> = values.into_iter().flat_map(forms).collect();
        needles.retain(|needle| needle.len() >= LEAST);
        // The longest first: of two that begin at the same byte the longer is the whole.
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        Self { needles: needles.into_iter().map(Zeroizing::new).collect() }
    }

    /// Copies a stream to its end. Holds back only bytes with which a value may have begun.
    pub fn copy(&self, from: &mut dyn Read, to: &mut dyn Write) -> io::Result<()> {
        let mut held = Zeroizing::new(Vec::new());
        let mut chunk = Zeroizing::new([0u8; 8192]);
        loop {
            let count = match from.read(&mut chunk[..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            held.extend_from_slice(&chunk[..count]);
            let (clean, rest) = self.pass(&held, count == 0);
            to.write_all(&clean)?;
            to.flush()?;
            held.zeroize();
            held.extend_from_slice(&rest);
            if count == 0 {
                return Ok(());
            }
        }
    }

    /// What can go on, and what must wait for more bytes.
    fn pass(&self, bytes: &[u8], end: bool) -> (Vec<u8>, Zeroizing<Vec<u8>>) {
        let mut clean = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let begun = |needle: &Zeroizing<Vec<u8>>| needle.len() > rest.len() && needle.starts_with(rest);
            if !end && self.needles.iter().any(begun) {
                break;
            }
            let whole = self.needles.iter().find(|needle| rest.starts_with(needle));
            if let Some(needle) = whole {
                clean.extend_from_slice(MASK);
                at += needle.len();
            } else {
                clean.push(bytes[at]);
                at += 1;
            }
        }
        (clean, Zeroizing::new(bytes[at..].to_vec()))
    }
}

fn forms(value: &SecretString) -> Vec<Vec<u8>> {
    let raw = value.expose_secret().as_bytes();
    let mut forms = vec![raw.to_vec()];
    let hex = b"0123456789ABCDEF";
    let percent = |keep: fn(u8) -> bool, hex: &[u8; 16]| {
        let mut coded = Vec::new();
        for byte in raw {
            if keep(*byte) {
                coded.push(*byte);
            } else {
                coded.extend([b'%', hex[usize::from(byte >> 4)], hex[usize::from(byte & 15)]]);
            }
        }
        coded
    };
    forms.push(percent(|byte| byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte), hex));
    forms.push(percent(|byte| byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte), b"0123456789abcdef"));
    let quoted = serde_json::Value::from(value.expose_secret()).to_string();
    forms.push(quoted.as_bytes()[1..quoted.len() - 1].to_vec());
    for alphabet in [b"+/", b"-_"] {
        for offset in 0..3 {
            forms.push(base64(raw, offset, *alphabet));
        }
    }
    forms
}

/// The base64 digits that depend on the value alone, where it begins `offset` bytes into a group of three.
fn base64(raw: &[u8], offset: usize, last: [u8; 2]) -> Vec<u8> {
    const DIGITS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut padded = Zeroizing::new(vec![0; offset]);
    padded.extend_from_slice(raw);
    let bits = padded.len() * 8;
    let digit = |at: usize| {
        let value = (0..6).fold(0usize, |value, bit| {
            let bit = at * 6 + bit;
            value << 1 | usize::from(padded[bit / 8] >> (7 - bit % 8) & 1)
        });
        DIGITS.get(value).copied().unwrap_or_else(|| last[value - 62])
    };
    ((offset * 8).div_ceil(6)..bits / 6).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives its bytes in pieces of the given sizes.
    struct Pieces<'a>(&'a [u8], Vec<usize>);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let size = self.1.pop().unwrap_or(usize::MAX).max(1).min(self.0.len());
            into[..size].copy_from_slice(&self.0[..size]);
            self.0 = &self.0[size..];
            Ok(size)
        }
    }

    fn redacted(values: &[&str], text: &[u8], sizes: Vec<usize>) -> String {
        let values: Vec<SecretString> = values.iter().map(|value| (*value).into()).collect();
        let mut out = Vec::new();
        let redactor = Redactor::new(&values);
        redactor.copy(&mut Pieces(text, sizes), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_form_is_found() {
        for (text, clean) in [
            ("a secret&1\" b", "a [redacted] b"),
            ("?p=secret%261%22&q", "?p=[redacted]&q"),
            ("{\"p\":\"secret&1\\\"\"}", "{\"p\":\"[redacted]\"}"),
            ("c2VjcmV0JjEi", "[redacted]"),
            // "user:secret&1\"" as HTTP's basic authentication sends it
            ("Basic dXNlcjpzZWNyZXQmMSI=", "Basic dXNlcjp[redacted]I="),
        ] {
            assert_eq!(redacted(&["secret&1\""], text.as_bytes(), Vec::new()), clean);
        }
    }

    #[test]
    fn of_two_the_longer_is_the_whole() {
        let clean = redacted(&["secret", "secret-longer"], b"secret-longer secret-lo", vec![3, 9]);
        assert_eq!(clean, "[redacted] [redacted]-lo");
    }

    proptest! {
        #[test]
        fn no_cut_lets_a_value_through(before in "[a-f]{0,9}", after in "[a-f]{0,9}", sizes: Vec<usize>) {
            let value = "abcabcabd";
            let text = format!("{before}{value}{after}{value}");
            let clean = redacted(&[value], text.as_bytes(), sizes.iter().map(|size| size % 7).collect());
            prop_assert!(!clean.contains(value));
            prop_assert_eq!(clean, text.replace(value, "[redacted]"));
        }

        #[test]
        fn what_holds_no_value_is_untouched(text in "[a-z \n]{0,99}", sizes: Vec<usize>) {
            let sizes = sizes.iter().map(|size| size % 7).collect();
            prop_assert_eq!(redacted(&["SECRET"], text.as_bytes(), sizes), text);
        }
    }
}
