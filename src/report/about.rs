//! What a report is made of: its format, its files, and what it says of the run.

use std::path::{Component, Path, PathBuf};

use crate::document::Document;
use crate::finding::{Findings, Rule};

/// The format of stdout.
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

/// What a report says of its run, beside the findings.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// Name and version: `osmt-doctor 0.1.0`.
    pub tool: &'a str,
    /// All rules that could have reported something.
    pub rules: &'a [&'static Rule],
    /// Whether the human format is coloured.
    pub color: bool,
    /// Columns of the human format.
    pub width: usize,
    /// The last line of the human format where something was found: how to read more.
    pub more: Option<&'a str>,
    /// What distinguishes this run's SARIF file from others of the tool: `osmt-doctor/check/test/`.
    pub automation: Option<String>,
    /// The checkout that SARIF and GitHub paths are relative to.
    pub checkout: Option<Checkout>,
    /// The start of the address of a rule's page, before `NET003.md`.
    pub pages: Option<String>,
}

/// Columns where the terminal's are not known.
pub const WIDTH: usize = 80;

/// Where the files of a report are, for those who know only the checkout.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The folder with `.git`, absolute.
    pub root: PathBuf,
    /// The folder that relative paths start from, absolute.
    pub here: PathBuf,
    /// The file that is named for what is not in the checkout: a plan, stdin, an account.
    pub fallback: PathBuf,
}

impl Checkout {
    /// The path of a file below the root; the fallback's for a file that is elsewhere.
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
        let own = (file != STDIN).then(|| below(Path::new(file))).flatten();
        own.or_else(|| below(&self.fallback)).unwrap_or_else(|| file.to_owned())
    }
}

/// What the standard input is called on the command line and in reports.
pub const STDIN: &str = "-";

/// The version in every JSON document that the binaries print.
pub const VERSION: u32 = 1;

/// What was found in one file.
#[derive(Clone, Copy, Debug)]
pub struct FileReport<'a> {
    /// Its path, as the user gave it.
    pub file: &'a str,
    /// Its text, also where that is not JSON.
    pub text: &'a str,
    /// The parsed text; `None` where it is not JSON.
    pub document: Option<&'a Document>,
    /// What was found.
    pub findings: &'a Findings,
}
