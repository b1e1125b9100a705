//! Whole outputs as files: `UPDATE_SNAPSHOTS=1 cargo test` writes them, every other run compares.

use std::path::Path;

use regex_lite::{Captures, Regex};

/// What differs from run to run, and what a snapshot has in its place. The order matters: what an earlier pattern replaced is not matched again.
const CHANGING: [(&str, &str); 18] = [
    // The account's Regions and zones, which are those of the emulator's version.
    (r"(regions that the account has enabled: ).*", "${1}REGIONS"),
    (r"(zones of [\w-]+ that the account can use: ).*", "${1}ZONES"),
    (r"first two of \d+", "first two of N"),
    // The reason is the emulator's own.
    (r#"(the emulator lacks the service [\w-]+, or cannot start it): [^"\n]*"#, "$1"),
    // Only a slow machine prints it.
    (r"(?m)^still waiting \(\d+ s\): .*\n", ""),
    // Each shell says it in its own way.
    (r"sh: (line )?(\d+: )?aws: (command )?not found", "sh: aws: not found"),
    // Each operating system has its own texts and numbers.
    (r"[A-Z][a-z]+(\s+[a-z]+)*\s+\(os error \d+\)", "OS-ERROR"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00| UTC)?", "TIME"),
    (r"\d{4}-?\d\d-?\d\d[Tt]\d{6}[Zz]", "TIME"),
    (r"(just now|\d+ (second|minute|hour|day)s? ago)", "AGE"),
    (r"(lock: held by \S+ for )\d+ days( \d+ h)?", "${1}AGE"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\bZ[A-Z0-9]{10,}\b", "ZONE"),
    (r"ns-\d+\.awsdns-\d+\.(com|net|org|co\.uk)", "NAME-SERVER"),
    (r"[0-9a-f]{32,}", "ID"),
    (r"(osmt-[a-z]+) \d+\.\d+\.\d+", "$1 VERSION"),
    // Each new rule adds one.
    (r"\d+ checks passed", "N checks passed"),
];

/// Compares a text with `tests/snapshots/NAME.txt`. `own` are texts of this run, with the names that replace them.
#[track_caller]
pub(crate) fn snapshot(name: &str, text: &str, own: &[(&str, &str)]) {
    let path = super::root().join("tests/snapshots").join(name).with_extension("txt");
    if let Some(difference) = difference(&path, &stable(text, own)) {
        panic!("{difference}");
    }
}

/// How a text differs from a file, if it does; with `UPDATE_SNAPSHOTS` it is written instead.
pub(crate) fn difference(path: &Path, text: &str) -> Option<String> {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        super::write(path, text);
        return None;
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    (text != wanted).then(|| {
        format!(
            "the output differs from {}; UPDATE_SNAPSHOTS=1 writes it anew\n{}",
            path.display(),
            similar::TextDiff::from_lines(wanted.as_str(), text).unified_diff().header("snapshot", "output")
        )
    })
}

fn stable(text: &str, own: &[(&str, &str)]) -> String {
    let mut text = own.iter().fold(text.to_owned(), |text, (own, name)| text.replace(own, name));
    text = numbered(&text);
    for (pattern, name) in CHANGING {
        text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

/// Names of records are numbered in the order in which they first appear, so that a snapshot shows which one is meant.
fn numbered(text: &str) -> String {
    let mut seen: Vec<String> = Vec::new();
    let name = |found: &Captures| {
        let number = seen.iter().position(|one| *one == found[2]).unwrap_or_else(|| {
            seen.push(found[2].to_owned());
            seen.len() - 1
        });
        format!("{}TIME{}", &found[1], number + 1)
    };
    Regex::new(r"(\bosmt/[\w-]+/)(\d{4}-\d\d-\d\dT\d{6}Z)").unwrap().replace_all(text, name).into_owned()
}

#[test]
fn what_changes_from_run_to_run_has_a_name() {
    let text = "osmt-doctor 0.1.0 at 2026-01-02T03:04:05Z, 2026-11-26 21:03 UTC, 3 hours ago, 127.0.0.1:4566, /tmp/x/config";
    assert_eq!(
        stable(text, &[("/tmp/x", "FOLDER")]),
        "osmt-doctor VERSION at TIME, TIME, AGE, 127.0.0.1:PORT, FOLDER/config"
    );
    let text = "still waiting (10 s): ec2\ncould not connect: Connection\n    refused (os error 111)\n";
    assert_eq!(stable(text, &[]), "could not connect: OS-ERROR\n");
}

#[test]
fn records_are_numbered() {
    let text = "osmt/test/2026-01-02T030406Z, osmt/test/2026-01-02T030405Z, osmt/test/2026-01-02T030406Z";
    assert_eq!(stable(text, &[]), "osmt/test/TIME1, osmt/test/TIME2, osmt/test/TIME1");
}
