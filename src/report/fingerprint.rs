//! Fingerprints of findings: unique in a report, and unchanged when lines move.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::located::Located;

/// The fingerprints that a report has used.
#[derive(Default)]
pub(super) struct Fingerprints {
    seen: HashMap<String, usize>,
}

impl Fingerprints {
    /// The next finding's fingerprint: 32 hexadecimal digits, and how often the report has used them, including this time.
    pub(super) fn next(&mut self, file: &str, located: &Located<'_>) -> (String, usize) {
        let finding = located.finding;
        let pointer = located.at.as_ref().map_or("", |place| place.pointer);
        let place = finding.stable.as_deref().unwrap_or(pointer);
        // Findings of a rule without a place differ in their message.
        let words =
            if pointer.is_empty() && finding.stable.is_none() { located.message.as_ref() } else { "" };
        self.of(&[&finding.code, file, place, words])
    }

    /// The fingerprint of anything that these words describe.
    pub(super) fn of(&mut self, words: &[&str]) -> (String, usize) {
        let digest = Sha256::digest(words.join("\n"));
        let hex: Vec<_> = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let base = hex.concat();
        let nth = *self.seen.entry(base.clone()).and_modify(|nth| *nth += 1).or_insert(1);
        (base, nth)
    }
}
