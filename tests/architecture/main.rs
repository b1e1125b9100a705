//! Holds the floors of the house: who may import whom, what a pure room may not do, how long a file may be.
//!
//! The source is read as text. Imports are grouped by module, so the line that begins a `use` names its room; an import from
//! the crate's root is itself a fault.

#![expect(clippy::unwrap_used, reason = "a panic is how this test fails")]

mod graph;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// One row a room, from the ground up: what it may import beside itself.
const ROOMS: &[(&str, &[&str])] = &[
    // Pure: no I/O, no async, no clock.
    ("arn", &[]),
    ("explain", &[]),
    ("plan", &[]),
    ("sensitive", &[]),
    ("document", &["explain"]),
    ("finding", &["document"]),
    ("config", &["arn", "document", "explain"]),
    ("deployment", &["arn", "config", "explain"]),
    // The outside world, and text.
    ("web", &[]),
    ("child", &[]),
    ("aws", &["arn", "child", "explain", "web"]),
    ("files", &["explain"]),
    ("git", &["child", "explain"]),
    ("keyring", &["explain"]),
    ("account", &["arn", "aws", "config", "deployment", "explain", "web"]),
    ("registry", &["account", "aws", "deployment", "web"]),
    ("report", &["document", "explain", "finding", "plan", "sensitive"]),
    // The products: never each other, never what speaks.
    ("bootstrap", SLICE),
    ("secrets", SLICE),
    ("release", SLICE),
    // A function from documents and facts to findings: of `account` only the types.
    ("doctor", &["account", "arn", "config", "deployment", "document", "explain", "finding", "sensitive"]),
    // The only room that talks to people.
    ("command", &["*"]),
    ("bin", &["command"]),
];

const SLICE: &[&str] = &[
    "account",
    "arn",
    "aws",
    "config",
    "deployment",
    "document",
    "explain",
    "files",
    "finding",
    "git",
    "keyring",
    "plan",
    "registry",
    "web",
];

/// Rooms that do no I/O.
const PURE: &[&str] =
    &["arn", "explain", "sensitive", "plan", "finding", "document", "config", "deployment", "doctor"];

/// What a pure room does not name.
const WORLDLY: &[&str] = &[
    "std::fs",
    "TcpStream",
    "UdpSocket",
    "ToSocketAddrs",
    "std::process",
    "std::env",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "tokio::",
    "aws_sdk",
    "aws_config",
    "async fn",
    "async move",
    "observe::",
    "println!",
    "print!(",
];

const LONGEST: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "__pycache__" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The module that a file belongs to: `doctor` for `src/doctor/rules/plan.rs`.
fn room(path: &Path) -> String {
    let name = path.components().nth(1).unwrap().as_os_str();
    let name = name.to_string_lossy();
    name.strip_suffix(".rs").unwrap_or(&name).to_owned()
}

/// How many modules a file is below the crate's root.
fn depth(path: &Path) -> usize {
    let below = path.components().count() - 1;
    let is_folder = path.file_name().is_some_and(|name| name == "mod.rs");
    if is_folder { below - 1 } else { below }
}

/// The lines of a file that are code, without its tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let product = text.split("\nmod tests {").next().unwrap_or(text);
    product.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// The rooms that a line of a file so deep names, and what is wrong with how it does.
fn imports(line: &str, depth: usize) -> (Vec<String>, Option<&'static str>) {
    let ident = |rest: &str| -> String {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        rest[..end.unwrap_or(rest.len())].to_owned()
    };
    let mut rooms = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("crate::").or_else(|| rest.find("super::")) {
        let supers = rest[at..].split("super::").take_while(|part| part.is_empty());
        let supers = supers.count();
        let from_root = rest[at..].starts_with("crate::");
        let length = "crate::".len() * if from_root { 1 } else { supers.max(1) };
        rest = &rest[at + length..];
        if from_root || supers >= depth {
            match rest.strip_prefix('{').and_then(|list| list.split_once('}')) {
                Some((list, _)) => rooms.extend(list.split(',').map(|name| ident(name.trim()))),
                None => rooms.push(ident(rest)),
            }
        }
    }
    let fault = if rooms.iter().any(String::is_empty) { Some("imports the crate's root") } else { None };
    (rooms, fault)
}

fn may(room: &str, other: &str) -> bool {
    let row = ROOMS.iter().find(|(name, _)| *name == room);
    room == other || row.is_some_and(|(_, may)| may.contains(&"*") || may.contains(&other))
}

#[test]
fn no_module_imports_from_above() {
    let mut faults = Vec::new();
    for path in files("src") {
        let (text, room) = (read(&path), room(&path));
        for line in code(&text) {
            let line = line.replace("osmt::", "crate::");
            let (rooms, fault) = imports(&line, depth(&path));
            let upward = rooms.iter().filter(|other| !may(&room, other) && room != "lib");
            faults.extend(upward.map(|other| format!("{}: {room} imports {other}", path.display())));
            faults.extend(fault.map(|fault| format!("{}: {fault}: {line}", path.display())));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_room_has_a_row_and_every_row_a_reason() {
    let there: BTreeSet<String> = files("src").iter().map(|path| room(path)).collect();
    for room in there.iter().filter(|room| *room != "lib") {
        assert!(ROOMS.iter().any(|(name, _)| name == room), "{room} has no row");
    }
    for (index, (name, may)) in ROOMS.iter().enumerate() {
        assert!(there.contains(*name), "{name} has a row and no module");
        for other in may.iter().filter(|other| **other != "*") {
            let below = ROOMS.iter().position(|(name, _)| name == other);
            assert!(below.unwrap() < index, "{name} looks up to {other}");
        }
    }
}

#[test]
fn pure_rooms_do_not_touch_the_world() {
    for path in files("src") {
        let room = room(&path);
        if PURE.contains(&room.as_str()) {
            let text = read(&path);
            for line in code(&text) {
                // A plan awaits what its caller gives it, and nothing of its own.
                let own = |word: &&&str| room != "plan" || !word.starts_with("async");
                let found = WORLDLY.iter().filter(own).find(|word| line.contains(**word));
                assert_eq!(found, None, "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn no_two_modules_of_a_folder_import_each_other() {
    let edges = graph::imports();
    let folders: BTreeSet<&[String]> = edges.keys().map(|module| &module[..module.len() - 1]).collect();
    for folder in folders {
        let circles = graph::circles(&graph::between_children(&edges, folder));
        assert!(circles.is_empty(), "in src/{}: {circles:?}", folder.join("/"));
    }
}

#[test]
fn no_two_files_import_each_other() {
    let edges = graph::imports();
    assert!(edges.len() > 200, "{}", edges.len());
    let circles = graph::circles(&edges);
    assert!(circles.is_empty(), "{circles:?}");
}

#[test]
fn the_map_in_lib_rs_has_every_module_above_those_that_it_imports() {
    let text = read(Path::new("src/lib.rs"));
    let map = text.split("```").nth(1).unwrap();
    let declared: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    // A level is what is between two arrows; what a line says about its modules is further to the right.
    let levels: Vec<BTreeSet<&str>> = map
        .split('↓')
        .map(|level| {
            let lines = level.lines().filter_map(|line| line.strip_prefix("//! "));
            lines.flat_map(|line| line.split("   ").next().unwrap().split_whitespace()).collect()
        })
        .collect();
    let drawn: BTreeSet<&str> = levels.iter().flatten().copied().filter(|name| *name != "bin").collect();
    assert_eq!(drawn, declared);
    let level = |name: &str| levels.iter().position(|level| level.contains(name)).unwrap();
    for (name, may) in ROOMS {
        for other in may.iter().filter(|other| **other != "*") {
            assert!(level(name) <= level(other), "the map shows {name} below {other}, which it imports");
        }
    }
}

/// The verbs of a binary, as its `enum Verb` lists them: `("plan", "Plan")`.
fn verbs(text: &str) -> Vec<(String, String)> {
    let list = text.split_once("enum Verb {").unwrap().1.split_once("\n}").unwrap().0;
    let lines = list.lines().map(str::trim).filter(|line| line.ends_with("),"));
    let types = lines.map(|line| line.split_once('(').unwrap().1.trim_end_matches([')', ',', '>']));
    let types = types.filter(|path| *path != "Shared").map(|path| path.trim_start_matches("Box<"));
    types.map(|path| path.split_once("::").unwrap()).map(|(file, name)| (file.into(), name.into())).collect()
}

#[test]
fn every_verb_is_one_file_of_one_shape() {
    const SHAPE: &str = "pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {";
    let mut seen = 0;
    for binary in ["bootstrap", "secrets", "doctor", "release"] {
        let folder = Path::new("src/command").join(binary);
        for (file, name) in verbs(&read(&folder.join("mod.rs"))) {
            let path = folder.join(&file).with_extension("rs");
            let path = if root().join(&path).exists() { path } else { folder.join(&file).join("mod.rs") };
            assert_eq!(name.to_lowercase(), file, "{} is the verb {name}", path.display());
            let text = read(&path);
            assert!(text.contains(&format!("pub(super) struct {name}")), "{} has no {name}", path.display());
            assert_eq!(text.matches(SHAPE).count(), 1, "{} has another shape than {SHAPE}", path.display());
            assert_eq!(text.matches("fn run(").count(), 1, "{} has another `run`", path.display());
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

/// A file's name may hold what steers a terminal: `explain::shown` prints a path. Where it is data, it is `to_string_lossy`.
#[test]
fn paths_are_printed_in_one_place() {
    for path in files("src") {
        if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("explain.rs") {
            let text = read(&path);
            let found = code(&text).find(|line| line.contains(".display()"));
            assert_eq!(found, None, "{}", path.display());
        }
    }
}

#[test]
fn no_file_is_long() {
    let mut long = Vec::new();
    for folder in ["src", "tests", "scripts", "terraform"] {
        for path in files(folder) {
            let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or("");
            // Terraform's tests are tables of cases: one run after another, nothing to look for.
            if path.to_string_lossy().ends_with(".tftest.hcl")
                || !["rs", "py", "tf", "hcl", "tpl", "sh", ""].contains(&kind)
            {
                continue;
            }
            let lines = fs::read_to_string(root().join(&path)).map_or(0, |text| text.lines().count());
            if lines > LONGEST {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "\n{}\n", long.join("\n"));
}

/// `observe_bucket.rs` beside `observe.rs`, or beside `observe_table.rs`, is `bucket.rs` in the folder `observe`.
#[test]
fn no_name_spells_a_folder_as_a_prefix() {
    let mut folders: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for path in files("src").into_iter().chain(files("tests")) {
        let is_code = path.extension().is_some_and(|kind| kind == "rs") && !path.starts_with("src/bin");
        for part in path.ancestors().filter(|part| is_code && part.parent().is_some()) {
            let stem = part.file_stem().unwrap().to_string_lossy().into_owned();
            folders.entry(part.parent().unwrap().to_owned()).or_default().insert(stem);
        }
    }
    let spelt = folders.iter().flat_map(|(folder, names)| {
        spelt_prefixes(names).into_iter().map(|name| format!("{}: {name}", folder.display()))
    });
    assert_eq!(spelt.collect::<Vec<_>>(), [""; 0]);
}

/// The names that begin with another name of the folder and an underscore, or with the same word as another such name.
fn spelt_prefixes(names: &BTreeSet<String>) -> Vec<&str> {
    let word = |name: &str| name.split_once('_').map(|(word, _)| word.to_owned());
    let shared = |name: &str, word: &str| {
        names.iter().any(|other| other != name && (other == word || other.starts_with(&format!("{word}_"))))
    };
    let is_spelt = |name: &&str| word(name).is_some_and(|word| shared(name, &word));
    names.iter().map(String::as_str).filter(is_spelt).collect()
}

#[test]
fn no_lint_is_silenced_without_being_expected() {
    let pattern = concat!("#[", "allow(");
    for path in files("src").into_iter().chain(files("tests")) {
        if path.extension().is_some_and(|kind| kind == "rs") {
            assert!(!read(&path).contains(pattern), "{}", path.display());
        }
    }
}

#[test]
fn binaries_are_five_lines() {
    for path in files("src/bin") {
        assert!(read(&path).lines().count() <= 6, "{}", path.display());
    }
}

#[test]
fn a_circle_is_found_also_through_a_re_export() {
    let of = |files: &[(&str, &str)]| {
        let texts = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
        let edges = graph::edges(&texts.collect());
        (graph::circles(&edges), graph::circles(&graph::between_children(&edges, &["a".to_owned()])))
    };
    let hub = ("src/a/mod.rs", "mod b;\nmod c;\npub use self::b::{B, Other as Else};\n");
    let below = ("src/a/b.rs", "use crate::plan::Plan;\n");
    // `c` uses what `b` defines; the folder only shows it.
    let (files, children) = of(&[hub, below, ("src/a/c.rs", "use super::B;\n")]);
    assert!(files.is_empty() && children.is_empty());
    // `b` uses `c` as well, in the code.
    let (files, children) =
        of(&[hub, ("src/a/b.rs", "fn b() { super::c::c() }\n"), ("src/a/c.rs", "use super::{x::Y, B};\n")]);
    assert_eq!(
        (files.as_slice(), children.as_slice()),
        (&["a::b ↔ a::c".to_owned()][..], &["b ↔ c".to_owned()][..])
    );
    // The folder itself uses its child, which uses the folder.
    let (files, children) =
        of(&[("src/a/mod.rs", "fn a() { b::b() }\n"), ("src/a/b.rs", "use crate::a::a;\n")]);
    assert_eq!((files.as_slice(), children.len()), (&["a ↔ a::b".to_owned()][..], 0));
}

#[test]
fn these_checks_can_fail() {
    let names = |names: [&str; 3]| names.map(str::to_owned).into();
    assert_eq!(spelt_prefixes(&names(["observe", "observe_app", "services"])), ["observe_app"]);
    assert_eq!(
        spelt_prefixes(&names(["state_flags", "state_lock", "states"])),
        ["state_flags", "state_lock"]
    );
    assert!(spelt_prefixes(&names(["state_flags", "lock_table", "services"])).is_empty());
    assert_eq!(imports("use crate::report::Format;", 2).0, ["report"]);
    assert_eq!(imports("    super::super::report::write()", 2).0, ["report"]);
    assert!(imports("use super::Finding;", 2).0.is_empty());
    assert_eq!(imports("use crate::{aws, report};", 1).0, ["aws", "report"]);
    assert!(imports("use crate::{", 1).1.is_some());
    assert_eq!(imports("use crate::report::{Format, write};", 2), (vec!["report".to_owned()], None));
    assert!(!may("doctor", "aws") && !may("secrets", "bootstrap") && !may("report", "command"));
    assert_eq!(depth(Path::new("src/doctor/rules/plan/mod.rs")), 3);
    assert_eq!(depth(Path::new("src/doctor/rules/plan/loss.rs")), 4);
    assert_eq!(depth(Path::new("src/finding.rs")), 1);
}
