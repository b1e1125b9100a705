//! The input of a report: its format, its files, and facts about the run.

use std::path::{Component, Path, PathBuf};

use crate::document::Document;
use crate::finding::{Findings, Rule};

/// The output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// GitHub workflow annotations.
    Github,
    /// A code quality report, as GitLab shows it in merge requests.
    Gitlab,
    /// JUnit XML, as CI systems collect it.
    Junit,
    /// Markdown, for a comment on a pull request.
    Markdown,
}

/// Facts about the run, for the report.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// The binary's name and version: `osmt-doctor 0.1.0`.
    pub tool: &'a str,
    /// All rules that were checked.
    pub rules: &'a [&'static Rule],
    /// Whether the human format is coloured.
    pub color: bool,
    /// The width of the human format, in columns.
    pub width: usize,
    /// The last line of the human format if there are findings: how to read more about them.
    pub more: Option<&'a str>,
    /// SARIF's `automationDetails.id`, which distinguishes this kind of run from others: `osmt-doctor/check/test/`.
    pub automation: Option<String>,
    /// The checkout that SARIF and GitHub paths are relative to.
    pub checkout: Option<Checkout>,
    /// The URL prefix of the rules' pages, before `NET003.md`.
    pub pages: Option<String>,
}

/// The width if the terminal's is not known, in columns.
pub const WIDTH: usize = 80;

/// Converts paths for services that need them relative to the checkout.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The folder with `.git`, absolute.
    pub root: PathBuf,
    /// The working directory, absolute.
    pub here: PathBuf,
    /// The file that is named for input outside the checkout: a plan, stdin, an account.
    pub fallback: PathBuf,
}

impl Checkout {
    /// The path of a file relative to the root; the fallback's path for a file outside the checkout.
    pub(super) fn path(&self, file: &str) -> String {
        let below = |path: &Path| {
            let mut plain = PathBuf::new();
            for part in self.here.join(path).components() {
                match part {
                    Component::ParentDir => drop(plain.pop()),
                    Component::CurDir => {}
                    part => plain.push(part),
                }
            }
            let inside = plain.strip_prefix(&self.root).ok().filter(|path| !path.as_os_str().is_empty());
            inside.map(|path| path.to_string_lossy().into_owned())
        };
        let inside = (file != STDIN).then(|| below(Path::new(file))).flatten();
        inside.or_else(|| below(&self.fallback)).unwrap_or_else(|| file.to_owned())
    }
}

/// The name of the standard input on the command line and in reports.
pub const STDIN: &str = "-";

/// The format version in every JSON document that the binaries print.
pub const VERSION: u32 = 1;

/// The findings in one file.
#[derive(Clone, Copy, Debug)]
pub struct FileReport<'a> {
    /// Its path, as the user wrote it.
    pub file: &'a str,
    /// Its text, even if it is not JSON.
    pub text: &'a str,
    /// The parsed text; `None` if it is not JSON.
    pub document: Option<&'a Document>,
    /// The findings.
    pub findings: &'a Findings,
}
