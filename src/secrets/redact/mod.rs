//! Finds the values of secrets in a stream of bytes, even if a value is split between two reads, wrapped over lines or encoded.
//!
//! One Aho-Corasick automaton searches for every encoding of every value ([`forms`]). Line breaks are removed before the search,
//! so that base64 is found at any line width. Not found: compressed or encrypted data, UTF-16, and base64 or hexadecimal digits
//! of values so short that fewer than six digits depend only on the value.

pub mod forms;

use std::borrow::Cow;
use std::io::{self, Read, Write};

use aho_corasick::{AhoCorasick, MatchKind};
use secrecy::SecretString;
use secrecy::zeroize::{Zeroize as _, Zeroizing};

/// The text that replaces a value.
pub const MASK: &[u8] = b"[redacted]";

const CHUNK: usize = 64 * 1024;

/// Searches for some values, in all their encodings.
pub struct Redactor {
    automaton: Option<AhoCorasick>,
    /// The encodings, sorted, each with the index of its value.
    needles: Vec<(Zeroizing<Vec<u8>>, usize)>,
    /// Which bytes some needle begins with.
    first: [bool; 256],
    longest: usize,
}

/// A value that was found in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which of the values given to [`Redactor::new`].
    pub value: usize,
    /// The line, from 1.
    pub line: usize,
}

impl Redactor {
    /// Prepares the search for these values.
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
        // Of two needles that begin at the same byte the longer one counts. The automaton's limits are not reached: a value has
        // at most 65,536 bytes ("CreateSecret", Secrets Manager API Reference) and some fifty encodings.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(needles.iter().map(|(needle, _)| needle.as_slice()))
            .ok()
            .filter(|_| !needles.is_empty());
        let longest = needles.iter().map(|(needle, _)| needle.len()).max().unwrap_or_default();
        Self { automaton, needles, first, longest }
    }

    /// Copies a stream to its end and masks every value. Delays only bytes that may be the beginning of a value.
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

    /// Splits bytes into values and the text between them. Returns the number of bytes used; the rest may be the beginning of a
    /// value and must be passed again with the bytes that follow.
    fn pass<'b>(&self, bytes: &'b [u8], end: bool, mut part: impl FnMut(Part<'b>)) -> usize {
        let Some(automaton) = &self.automaton else {
            part(Part::Clean(bytes));
            return bytes.len();
        };
        let (flat, breaks) = without_breaks(bytes);
        // The offset in the original of a byte of the text without line breaks.
        let place = |at: usize| at + breaks.partition_point(|before| *before <= at);
        let mut hold = if end { flat.len() } else { self.possible_start(&flat, 0) };
        let mut done = 0;
        for found in automaton.find_iter(flat.as_ref()) {
            if found.start() >= hold {
                break;
            }
            if found.end() > hold {
                hold = self.possible_start(&flat, found.end());
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

    /// The first offset from which on the rest of the text may be the beginning of a value.
    fn possible_start(&self, flat: &[u8], from: usize) -> usize {
        let window = (flat.len() + 1).saturating_sub(self.longest).max(from);
        let begun = |at: &usize| self.first[usize::from(flat[*at])] && self.begins(&flat[*at..]);
        (window..flat.len()).find(begun).unwrap_or(flat.len())
    }

    fn begins(&self, tail: &[u8]) -> bool {
        let at = self.needles.partition_point(|(needle, _)| needle.as_slice() <= tail);
        self.needles.get(at).is_some_and(|(needle, _)| needle.starts_with(tail))
    }
}

/// Reads a stream in chunks. Bytes that `take` does not use are passed again, with the next chunk.
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

/// The bytes without line breaks, and for each line break the index of the byte that follows it in the result.
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

    /// A reader that returns its bytes in pieces of the given sizes.
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
    fn every_encoding_is_found() {
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
    fn of_two_values_with_the_same_beginning_the_longer_is_found() {
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
        fn a_value_that_is_split_between_reads_is_found(before in "[a-f]{0,9}", after in "[a-f]{0,9}", sizes: Vec<usize>) {
            let value = "abcabcabd";
            let text = format!("{before}{value}{after}{value}");
            let clean = redacted(&[value], text.as_bytes(), sizes.iter().map(|size| size % 7).collect());
            prop_assert!(!clean.contains(value));
            prop_assert_eq!(clean, text.replace(value, "[redacted]"));
        }

        #[test]
        fn text_without_a_value_is_not_changed(text in "[a-z \r\n]{0,99}", sizes: Vec<usize>) {
            let sizes = sizes.iter().map(|size| size % 7).collect();
            prop_assert_eq!(redacted(&["SECRET"], text.as_bytes(), sizes), text);
        }
    }
}
