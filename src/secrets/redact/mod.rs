//! Finds the values of secrets in a stream of bytes, also where one is cut in two, broken over lines or encoded.
//!
//! One Aho-Corasick automaton knows every form of every value ([`forms`]). Line breaks are left out before the search, so
//! that a value is found in base64 wrapped at any width. What is not covered: compressed or encrypted data, UTF-16, and
//! base64 or hexadecimal digits of values so short that fewer than six digits depend on them alone.

pub mod forms;

use std::borrow::Cow;
use std::io::{self, Read, Write};

use aho_corasick::{AhoCorasick, MatchKind};
use secrecy::SecretString;
use secrecy::zeroize::{Zeroize as _, Zeroizing};

/// Replaces a value.
pub const MASK: &[u8] = b"[redacted]";

const CHUNK: usize = 64 * 1024;

/// The values to look for, in all their forms.
pub struct Redactor {
    automaton: Option<AhoCorasick>,
    /// Sorted, with the index of the value that each is a form of.
    needles: Vec<(Zeroizing<Vec<u8>>, usize)>,
    /// Whether a needle begins with a byte.
    first: [bool; 256],
    longest: usize,
}

/// A value in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which of the values given to [`Redactor::new`].
    pub value: usize,
    /// The line, from 1.
    pub line: usize,
}

impl Redactor {
    /// Looks for these values.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut needles: Vec<(Zeroizing<Vec<u8>>, usize)> = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            for mut form in forms::of(value) {
                form.retain(|byte| !is_break(*byte));
                if !form.is_empty() {
                    needles.push((Zeroizing::new(form), index));
                }
            }
        }
        needles.sort_by(|a, b| a.0.cmp(&b.0));
        needles.dedup_by(|a, b| a.0 == b.0);
        let mut first = [false; 256];
        for (needle, _) in &needles {
            first[usize::from(needle[0])] = true;
        }
        // Of two that begin at the same byte the longer is the whole. Too many needles for an automaton do not occur:
        // a value is at most 65,536 bytes long, and has some fifty forms.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(needles.iter().map(|(needle, _)| needle.as_slice()))
            .ok()
            .filter(|_| !needles.is_empty());
        let longest = needles.iter().map(|(needle, _)| needle.len()).max().unwrap_or_default();
        Self { automaton, needles, first, longest }
    }

    /// Copies a stream to its end with every value masked. Holds back only bytes with which a value may have begun.
    pub fn copy(&self, from: &mut dyn Read, to: &mut dyn Write) -> io::Result<()> {
        let mut clean = Vec::new();
        feed(from, |bytes, end| {
            clean.clear();
            let used = self.pass(bytes, end, |part| match part {
                Part::Clean(bytes) => clean.extend_from_slice(bytes),
                Part::Value { bytes, .. } => {
                    clean.extend_from_slice(MASK);
                    clean.extend(bytes.iter().filter(|byte| is_break(**byte)));
                }
            });
            to.write_all(&clean)?;
            to.flush()?;
            Ok(used)
        })
    }

    /// Every value in a stream.
    pub fn find(&self, from: &mut dyn Read) -> io::Result<Vec<Hit>> {
        let mut hits = Vec::new();
        let mut line = 1;
        feed(from, |bytes, end| {
            Ok(self.pass(bytes, end, |part| {
                let (Part::Clean(bytes) | Part::Value { bytes, .. }) = part;
                if let Part::Value { value, .. } = part {
                    hits.push(Hit { value, line });
                }
                line += memchr::memchr_iter(b'\n', bytes).count();
            }))
        })?;
        Ok(hits)
    }

    /// Splits bytes into what is clean and what is a value; gives the number of bytes used. The rest must wait for more.
    fn pass<'b>(&self, bytes: &'b [u8], end: bool, mut part: impl FnMut(Part<'b>)) -> usize {
        let Some(automaton) = &self.automaton else {
            part(Part::Clean(bytes));
            return bytes.len();
        };
        let (flat, breaks) = without_breaks(bytes);
        // Where a byte of the flat text is in the original.
        let place = |at: usize| at + breaks.partition_point(|before| *before <= at);
        let mut hold = if end { flat.len() } else { self.open(&flat, 0) };
        let mut done = 0;
        for found in automaton.find_iter(flat.as_ref()) {
            if found.start() >= hold {
                break;
            }
            if found.end() > hold {
                hold = self.open(&flat, found.end());
            }
            let (start, stop) = (place(found.start()), place(found.end() - 1) + 1);
            part(Part::Clean(&bytes[done..start]));
            let (_, value) = self.needles[found.pattern().as_usize()];
            part(Part::Value { bytes: &bytes[start..stop], value });
            done = stop;
        }
        let used = if hold == flat.len() { bytes.len() } else { place(hold) };
        part(Part::Clean(&bytes[done..used]));
        used
    }

    /// The first byte from which on the text to its end may be the beginning of a value.
    fn open(&self, flat: &[u8], from: usize) -> usize {
        let window = (flat.len() + 1).saturating_sub(self.longest).max(from);
        let begun = |at: &usize| self.first[usize::from(flat[*at])] && self.begins(&flat[*at..]);
        (window..flat.len()).find(begun).unwrap_or(flat.len())
    }

    fn begins(&self, tail: &[u8]) -> bool {
        let at = self.needles.partition_point(|(needle, _)| needle.as_slice() <= tail);
        self.needles.get(at).is_some_and(|(needle, _)| needle.starts_with(tail))
    }
}

/// Reads a stream in chunks; what `take` does not use comes again with the next one.
fn feed(from: &mut dyn Read, mut take: impl FnMut(&[u8], bool) -> io::Result<usize>) -> io::Result<()> {
    let mut held = Zeroizing::new(Vec::new());
    loop {
        let start = held.len();
        held.resize(start + CHUNK, 0);
        let count = loop {
            match from.read(&mut held[start..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        held.truncate(start + count);
        let used = take(&held, count == 0)?;
        if count == 0 {
            held.zeroize();
            return Ok(());
        }
        held.drain(..used);
    }
}

/// A stretch of a stream.
#[derive(Clone, Copy)]
enum Part<'a> {
    Clean(&'a [u8]),
    Value { bytes: &'a [u8], value: usize },
}

const fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The bytes without line breaks, and before which byte of the result each was.
fn without_breaks(bytes: &[u8]) -> (Cow<'_, [u8]>, Vec<usize>) {
    let mut breaks = Vec::new();
    let mut flat = Vec::new();
    let mut from = 0;
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        if breaks.is_empty() {
            flat.reserve(bytes.len());
        }
        flat.extend_from_slice(&bytes[from..at]);
        breaks.push(flat.len());
        from = at + 1;
    }
    if breaks.is_empty() {
        return (Cow::Borrowed(bytes), breaks);
    }
    flat.extend_from_slice(&bytes[from..]);
    (Cow::Owned(flat), breaks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives its bytes in pieces of the given sizes.
    struct Pieces<'a>(&'a [u8], Vec<usize>);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let size = self.1.pop().unwrap_or(usize::MAX).max(1).min(self.0.len()).min(into.len());
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
            ("{\"p\":\"secret\\u00261\\\"\"}", "{\"p\":\"[redacted]\"}"),
            ("secret\\&1\\\"", "[redacted]"),
            ("secret&amp;1&quot;", "[redacted]"),
            ("73656372657426 3122 7365637265742631 22", "73656372657426 3122 7365637265742631 22"),
            ("7365637265742631\n22", "[redacted]\n"),
            ("c2VjcmV0JjEi", "[redacted]"),
            ("c2Vjcm\r\nV0JjEi", "[redacted]\r\n"),
            // "user:secret&1\"" as HTTP's basic authentication sends it
            ("Basic dXNlcjpzZWNyZXQmMSI=", "Basic dXNlcjp[redacted]I="),
        ] {
            assert_eq!(redacted(&["secret&1\""], text.as_bytes(), Vec::new()), clean);
        }
        for (value, text) in [
            ("a~b/c-d'e", "a%7Eb%2Fc-d%27e"),
            ("a~b/c-d'e", "a%7Eb%2Fc-d%27e"),
            ("a~b/c-d'e", "a~b%2Fc-d'e"),
            ("a~b/c-d'e", "a~b\\/c-d'e"),
            ("a~b/c-d'e", "a~b/c-d'\\''e"),
            ("a~b/c-d'e", "a~b/c-d\\u0027e"),
            ("a$b", "a\\$b"),
            ("ab", "ab"),
        ] {
            assert_eq!(redacted(&[value], text.as_bytes(), Vec::new()), "[redacted]", "{text}");
        }
    }

    #[test]
    fn of_two_the_longer_is_the_whole() {
        let clean = redacted(&["secret", "secret-longer"], b"secret-longer secret-lo", vec![3, 9]);
        assert_eq!(clean, "[redacted] [redacted]-lo");
    }

    #[test]
    fn base64_is_found_at_every_offset_and_width() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let value = "Canary-9f27b1-not-to-be-seen";
        for before in 0..90 {
            let coded = STANDARD.encode(format!("{}{value} and more", "x".repeat(before)));
            for width in [60, 64, 76] {
                let lines: Vec<&str> =
                    coded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
                let clean = redacted(&[value], lines.join("\n").as_bytes(), vec![50, 50, 50]);
                assert_eq!(clean.matches("[redacted]").count(), 1, "{before} {width}");
                assert!(clean.replace('\n', "").len() <= coded.len() - 26, "{before} {width}");
            }
        }
    }

    #[test]
    fn a_value_is_found_with_its_line() {
        let values = ["first-value".into(), "second-value".into()];
        let text = b"one\ntwo second-value\n\nfour first-value second-\nvalue\n";
        let hits = Redactor::new(&values).find(&mut text.as_slice()).unwrap();
        let hits: Vec<_> = hits.iter().map(|hit| (hit.value, hit.line)).collect();
        assert_eq!(hits, [(1, 2), (0, 4), (1, 4)]);
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
        fn what_holds_no_value_is_untouched(text in "[a-z \r\n]{0,99}", sizes: Vec<usize>) {
            let sizes = sizes.iter().map(|size| size % 7).collect();
            prop_assert_eq!(redacted(&["SECRET"], text.as_bytes(), sizes), text);
        }
    }
}
