//! What changes between two commits: the commits, the migrations with their class, and OSMT's CHANGELOG.

use serde::Serialize;

use super::Osmt;
use super::migrations;
use super::migrations::{Comparison, Migration};
use crate::git;
use crate::git::Commit;

const CHANGELOG: &str = "CHANGELOG.md";
const MAX_COMMITS: usize = 500;

/// What changes between two commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notes {
    /// The earlier commit.
    pub from: String,
    /// The later commit.
    pub to: String,
    /// Commits of `to` that `from` does not have, newest first.
    pub commits: Vec<Commit>,
    /// Commits of `from` that `to` does not have.
    pub left_behind: Vec<Commit>,
    /// Migrations that `to` adds, in Flyway's order; then repeatable ones that are new or changed, then callbacks.
    pub migrations: Vec<Migration>,
    /// Migrations of `from` that `to` does not have.
    pub undone: Vec<Migration>,
    /// The sections of OSMT's CHANGELOG that `to` adds, newest first.
    pub changelog: Vec<Section>,
}

/// A release in OSMT's CHANGELOG.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// `3.0.0`
    pub version: String,
    /// Its text, with the heading.
    pub text: String,
}

impl Notes {
    /// Reads what changes between two commits.
    pub fn observe(osmt: &Osmt, from: &str, to: &str) -> Result<Self, git::Error> {
        let repository = &osmt.repository;
        let (before, after) =
            (migrations::read_one(repository, from)?, migrations::read_one(repository, to)?);
        let comparison = Comparison::new(&before, &after);
        let own = |all: Vec<&Migration>| all.into_iter().cloned().collect();
        Ok(Self {
            from: from.to_owned(),
            to: to.to_owned(),
            commits: repository.log(Some(from), to, MAX_COMMITS)?,
            left_behind: repository.log(Some(to), from, MAX_COMMITS)?,
            migrations: own([comparison.pending(), comparison.callbacks.clone()].concat()),
            undone: own(comparison.undone()),
            changelog: changelog(osmt, from, to)?,
        })
    }

    /// Whether the list of commits was cut.
    pub fn is_cut(&self) -> bool {
        self.commits.len() == MAX_COMMITS || self.left_behind.len() == MAX_COMMITS
    }
}

/// The sections that the CHANGELOG of `to` has in addition to that of `from`. If `from` has no CHANGELOG, the newest section.
fn changelog(osmt: &Osmt, from: &str, to: &str) -> Result<Vec<Section>, git::Error> {
    let read = |commit: &str| -> Result<Vec<Section>, git::Error> {
        let file = osmt.repository.file(commit, CHANGELOG)?;
        Ok(file.map_or_else(Vec::new, |file| sections(&String::from_utf8_lossy(&file))))
    };
    let (before, mut after) = (read(from)?, read(to)?);
    if before.is_empty() && from != to {
        after.truncate(1);
    }
    after.retain(|section| before.iter().all(|known| known.version != section.version));
    Ok(after)
}

/// The sections of a CHANGELOG: each begins with a heading that contains a version, all at the same level.
fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut level = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|byte| *byte == b'#').count();
        let version =
            (depth > 0 && level.is_none_or(|level| level == depth)).then(|| version_in(line)).flatten();
        if let Some(version) = version {
            level = Some(depth);
            sections.push(Section { version, text: String::new() });
        }
        if let Some(section) = sections.last_mut() {
            section.text.push_str(line);
            section.text.push('\n');
        }
    }
    for section in &mut sections {
        // A horizontal rule separates the releases.
        let kept = section.text.trim_end().trim_end_matches('-').trim_end().to_owned();
        section.text = kept;
    }
    sections
}

/// The first word of a heading that is a version: `3.0.0`, `v3.0.0`, `[3.0.0]`.
fn version_in(heading: &str) -> Option<String> {
    let words = heading.split_whitespace().map(|word| word.trim_matches(['[', ']', '(', ')', ':', 'v']));
    let is_version = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() >= 2
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    words.into_iter().find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changelog_is_read_release_by_release() {
        let text = "Changes\n\n# The release of 3.0.0\nJan 10\n\n## Upgrade to 8.11.1\n- one\n\n-----\n\
                    # Release v2.5.2\n# Enhancements\n- two\n";
        let found = sections(text);
        let versions: Vec<&str> = found.iter().map(|section| section.version.as_str()).collect();
        assert_eq!(versions, ["3.0.0", "2.5.2"]);
        assert_eq!(found[0].text, "# The release of 3.0.0\nJan 10\n\n## Upgrade to 8.11.1\n- one");
        assert_eq!(found[1].text, "# Release v2.5.2\n# Enhancements\n- two");
        assert!(sections("").is_empty() && sections("# Changelog\n").is_empty());
    }
}
