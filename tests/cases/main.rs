//! Every code of the doctor and of `osmt-release`, by its cases: one layout, whatever it judges.
//!
//! `KIND/CODE-name` is the folder of a code, where KIND is what it judges: a config, the
//! directory around it (a workspace), a plan, an account, a release, an ignore file.
//! `wrong.json` lists inputs about which the code reports, `right.json` inputs about which it does not. `findings.txt` has all
//! that is reported of each wrong input: severity, range, message, help, fix. `UPDATE_SNAPSHOTS=1` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod case;
mod config;
mod ignores;
mod judged;
mod plan;
mod release;
#[path = "../support/mod.rs"]
mod support;
mod workspace;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use osmt::doctor;
use serde_json::Value;

use case::Case;
use judged::Judged;

/// What codes judge, and how.
struct Kind {
    name: &'static str,
    /// Codes and names.
    codes: fn() -> Vec<String>,
    base: fn(&str) -> Value,
    judge: fn(&str) -> Judged,
}

const KINDS: [Kind; 6] =
    [config::KIND, workspace::KIND, plan::KIND, account::KIND, release::KIND, ignores::KIND];

impl Kind {
    /// Code, and the folder of its cases.
    fn folders(&self) -> Vec<(String, PathBuf)> {
        let folder = support::root().join("tests/cases").join(self.name);
        let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let code = |path: PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            (name.split_once('-').unwrap().0.to_owned(), path)
        };
        let mut folders: Vec<_> = folders.map(code).collect();
        folders.sort();
        folders
    }

    fn cases(&self, path: &Path) -> Vec<(Case, Judged)> {
        let cases =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let cases: Vec<Case> =
            serde_json::from_str(&cases).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!cases.is_empty(), "{} has no cases", path.display());
        cases
            .into_iter()
            .map(|case| {
                let judged = (self.judge)(&case.text(self.base));
                (case, judged)
            })
            .collect()
    }

    fn holds(&self) {
        let mut wrong_ones = Vec::new();
        for (code, folder) in self.folders() {
            let mut found = String::new();
            for (number, (case, judged)) in self.cases(&folder.join("wrong.json")).into_iter().enumerate() {
                if !judged.has(&code) {
                    wrong_ones.push(format!("{code} does not report: {case}\n{}", judged.of(&code)));
                }
                let _ = writeln!(found, "{}. {case}\n{}", number + 1, judged.of(&code));
            }
            wrong_ones.extend(support::difference(&folder.join("findings.txt"), &found));
            for (case, judged) in self.cases(&folder.join("right.json")) {
                if judged.has(&code) {
                    wrong_ones.push(format!("{code} reports: {case}\n{}", judged.of(&code)));
                }
            }
        }
        assert!(wrong_ones.is_empty(), "{}", wrong_ones.join("\n"));
    }
}

#[test]
fn config() {
    config::KIND.holds();
}

#[test]
fn plan() {
    plan::KIND.holds();
}

#[test]
fn account() {
    account::KIND.holds();
}

#[test]
fn release() {
    release::KIND.holds();
}

#[test]
fn workspace() {
    workspace::KIND.holds();
}

#[test]
fn ignores() {
    ignores::KIND.holds();
}

/// By the pages, so that a rule of a new kind is not forgotten here.
#[test]
fn every_page_of_docs_rules_has_wrong_and_right_cases() {
    let mut cases: Vec<String> = Vec::new();
    for (code, folder) in KINDS.iter().flat_map(Kind::folders) {
        assert!(["wrong.json", "right.json"].iter().all(|name| folder.join(name).is_file()), "{code}");
        cases.push(code);
    }
    let pages = std::fs::read_dir(support::root().join("docs/rules")).unwrap();
    let pages = pages.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
    let missing: Vec<_> = pages.filter(|code| !cases.contains(code)).collect();
    assert_eq!(missing, Vec::<String>::new(), "codes without cases");
}

#[test]
fn every_code_of_each_kind_has_a_folder_of_its_name() {
    for kind in KINDS {
        let folders = kind.folders().into_iter().map(|(_, path)| path);
        let folders = folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
        let codes: BTreeSet<String> = (kind.codes)().into_iter().collect();
        assert_eq!(folders.collect::<BTreeSet<_>>(), codes, "{}", kind.name);
    }
}

#[test]
fn codes_and_names_are_unique_and_explained() {
    let rules = doctor::all_rules();
    let guards = osmt::release::guards::GUARDS.iter().map(|guard| &guard.rule);
    let rules: Vec<_> = rules.into_iter().chain(guards).collect();
    for (index, rule) in rules.iter().enumerate() {
        assert!(
            rules[..index].iter().all(|other| other.code != rule.code && other.name != rule.name),
            "{} {} is there twice",
            rule.code,
            rule.name
        );
        assert!(rule.prose().len() > 80 && !rule.summary.ends_with('.'), "{}", rule.code);
    }
}
