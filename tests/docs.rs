//! What the documents say is so: generated sections are current, every path, link, verb and flag named exists.
//!
//! A generated section is between `<!-- generated: NAME -->` and `<!-- end -->`. `UPDATE_DOCS=1 cargo test --test docs`
//! rewrites them.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "this test reads and rewrites documents; a panic is how it fails"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use osmt::explain::Exit;
use osmt::finding::Rule;
use osmt::{command, doctor, release};

const START: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Markdown file of the project.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn binaries() -> Vec<clap::Command> {
    let mut all = vec![
        command::bootstrap::Bootstrap::command(),
        command::secrets::Secrets::command(),
        command::doctor::Doctor::command(),
        command::release::Release::command(),
    ];
    all.iter_mut().for_each(clap::Command::build);
    all
}

/// What a generated section holds; `None` where no such section is known.
fn generated(name: &str) -> Option<String> {
    if name == "exits" {
        let row = |exit: &Exit| format!("| {} | {} | {} |\n", exit.code(), exit.name(), exit.meaning());
        let rows: String = Exit::ALL.iter().map(row).collect();
        return Some(format!("| exit | name | meaning |\n|---|---|---|\n{rows}"));
    }
    if name == "rules" {
        return Some(rules(doctor::all_rules()));
    }
    if name == "guards" {
        return Some(rules(release::guards::GUARDS.iter().map(|guard| &guard.rule)));
    }
    let wanted = name.strip_prefix("help ")?;
    let mut binary = binaries().into_iter().find(|one| one.get_name() == wanted)?;
    let help = binary.render_long_help().to_string();
    let lines: Vec<_> = help.lines().map(str::trim_end).collect();
    Some(format!("```text\n{}\n```\n", lines.join("\n")))
}

fn rules(rules: impl IntoIterator<Item = &'static Rule>) -> String {
    let mut text = "| code | severity | name | summary |\n|---|---|---|---|\n".to_owned();
    for rule in rules {
        let (code, name, severity) = (rule.code, rule.name, rule.severity.name());
        let summary = rule.summary.replace('|', "\\|");
        writeln!(text, "| [{code}](rules/{code}.md) | {severity} | `{name}` | {summary} |").unwrap();
    }
    text
}

#[test]
fn generated_sections_are_current() {
    for path in documents() {
        let old = fs::read_to_string(&path).unwrap();
        let mut new = String::new();
        let mut rest = old.as_str();
        while let Some(at) = rest.find(START) {
            let (before, section) = rest.split_at(at);
            let (head, body) = section.split_once("-->").unwrap();
            let name = head[START.len()..].trim();
            let what = format!("{}: section {name}", path.display());
            let content = generated(name).unwrap_or_else(|| panic!("{what} is unknown"));
            let end = body.find(END).unwrap_or_else(|| panic!("{what} has no end"));
            write!(new, "{before}{START}{name} -->\n\n{}\n\n", content.trim()).unwrap();
            rest = &body[end..];
        }
        new += rest;
        if std::env::var_os("UPDATE_DOCS").is_some() && new != old {
            fs::write(&path, &new).unwrap();
        } else {
            let hint = "UPDATE_DOCS=1 cargo test --test docs";
            assert!(new == old, "{} is not current: {hint}", path.display());
        }
    }
}

#[test]
fn the_readme_has_the_steps_of_the_guide() {
    let guide = std::fs::read_to_string(root().join("docs/guide.md")).unwrap();
    let steps = guide.lines().filter_map(|line| line.strip_prefix("## "));
    let steps: Vec<&str> =
        steps.filter(|title| title.starts_with(|first: char| first.is_ascii_digit())).collect();
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let listed = readme.lines().filter_map(|line| {
        let (number, title) = line.split_once(". **")?;
        Some(format!("{number}. {}", title.split_once("**")?.0))
    });
    assert_eq!(listed.collect::<Vec<_>>(), steps);
}

#[test]
fn the_readme_quotes_the_last_line_of_the_rehearsal() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let quoted = readme.split_once("`rehearse: ").unwrap().1.split_once('`').unwrap().0;
    let script = std::fs::read_to_string(root().join("scripts/rehearse")).unwrap();
    assert!(script.contains(&format!("\"{quoted}\"")), "scripts/rehearse does not print {quoted}");
}

/// A page opens with what it is for: prose between its title and the first section, table, list or block.
fn opens_with_prose(page: &str) -> bool {
    let first = page.lines().skip(1).find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.len() > 60 && !["#", "|", "-", "```", "<", "!"].iter().any(|mark| first.starts_with(mark))
}

#[test]
fn every_page_says_what_it_is_for_before_anything_else() {
    let folder = root().join("docs");
    let pages = documents().into_iter().filter(|path| path.parent() == Some(&folder));
    let wrong: Vec<_> = pages.filter(|path| !opens_with_prose(&fs::read_to_string(path).unwrap())).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(!opens_with_prose("# Title\n\n| a | b |\n"));
}

#[test]
fn every_rule_has_its_page_and_every_page_its_rule() {
    let mut pages: Vec<String> = Vec::new();
    for entry in fs::read_dir(root().join("docs/rules")).unwrap() {
        pages.push(entry.unwrap().file_name().to_string_lossy().into_owned());
    }
    pages.sort();
    let mut wanted = Vec::new();
    let guards = release::guards::GUARDS.iter().map(|guard| &guard.rule);
    for rule in doctor::all_rules().into_iter().chain(guards) {
        wanted.push(format!("{}.md", rule.code));
        assert!(rule.explain.starts_with(&format!("# {} {}\n\n", rule.code, rule.name)), "{}", rule.code);
    }
    wanted.sort();
    assert_eq!(pages, wanted);
}

/// The pieces of a text that are code: spans in backticks, and lines of fenced blocks.
fn code(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 1 {
            let lines = part.lines().skip(1).map(|line| line.trim().trim_start_matches("$ "));
            found.extend(lines.map(str::to_owned));
        } else {
            for line in part.split("\n\n") {
                found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }
    found
}

/// Paths in a piece of code that look as if they were the project's own.
fn paths(code: &str) -> Vec<&str> {
    const OWN: [&str; 7] = ["src/", "docs/", "schemas/", "scripts/", "terraform/", "tests/", ".ci/"];
    code.split([' ', '"', '\'', '(', ')', ',', ';', '='])
        .map(|word| word.trim_start_matches("./").trim_end_matches(['.', ':']))
        .filter(|word| OWN.iter().any(|own| word.starts_with(own)))
        .filter(|word| !word.contains(['<', '>', '*', '{', '$', '…']))
        .collect()
}

/// What the tools make, rather than the repository holds.
fn is_made(path: &str) -> bool {
    let here = path.strip_prefix("terraform/invocation");
    here.is_some_and(|file| {
        let made = ["config.auto.tfvars.json", "main.tf", "doctor.ignore.json", "policies"];
        file.is_empty() || made.iter().any(|name| file.trim_matches('/') == *name)
    })
}

#[test]
fn every_path_and_link_exists() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for code in code(&text) {
            for path in paths(&code) {
                if !is_made(path) && !root().join(path).exists() {
                    wrong.push(format!("{}: `{path}`", document.display()));
                }
            }
        }
        for rest in text.split("](").skip(1) {
            let link = rest.split([')', '#', ' ']).next().unwrap_or_default();
            let there = document.parent().unwrap().join(link);
            if !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:") && !there.exists() {
                wrong.push(format!("{}: link to {link}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The name by which a heading can be linked to, as GitHub and GitLab make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

fn anchors(text: &str) -> Vec<String> {
    let outside = text.split("\n```").step_by(2);
    outside
        .flat_map(str::lines)
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn every_anchor_exists() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for rest in text.split("](").skip(1) {
            let link = rest.split([')', ' ']).next().unwrap_or_default();
            let Some((file, wanted)) = link.split_once('#').filter(|_| !link.contains("://")) else {
                continue;
            };
            let there =
                if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let found = anchors(&fs::read_to_string(&there).unwrap_or_default());
            if !found.iter().any(|one| one == wanted) {
                wrong.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Every text below these folders, and `.` for the files beside them.
fn sources(folders: &[&str]) -> String {
    let mut all = String::new();
    let mut places: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "__pycache__" {
                    places.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                all += &text;
            }
        }
    }
    all
}

#[test]
fn every_variable_of_ours_is_read_somewhere() {
    let all = sources(&["src", "scripts", "terraform", "templates", "tests"]);
    let mut wrong = Vec::new();
    for document in documents() {
        for code in code(&fs::read_to_string(&document).unwrap()) {
            let words = code.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
            let named = words.filter(|word| word.starts_with("OSMT_") && !word.ends_with('_'));
            let missing = named.filter(|word| !all.contains(*word));
            wrong.extend(missing.map(|word| format!("{}: {word}", document.display())));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Who prints a message, and the messages, of each row of the page on symptoms.
fn symptoms(page: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found = Vec::new();
    let mut with_origin = false;
    for line in page.lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        if line.starts_with("| symptom") {
            with_origin = cells[1] == "printed by";
        } else if line.starts_with("| ") && with_origin {
            let spans = cells[0].split('`').skip(1).step_by(2);
            let parts = spans.flat_map(|span| span.split('…')).map(str::trim);
            found.push((cells[1], parts.filter(|part| !part.is_empty()).collect()));
        }
    }
    found
}

#[test]
fn the_symptoms_that_this_project_prints_are_in_its_source() {
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let (toolkit, module) = (sources(&["src"]), sources(&["terraform/module", "src/doctor/rules"]));
    let container = sources(&["terraform/module/containers", "scripts/rehearsal/tests"]);
    let others = ["AWS", "ECS", "Terraform", "provider", "MySQL", "Flyway", "Elasticsearch", "browser"];
    let (mut ours, mut wrong) = (0, Vec::new());
    for (origin, messages) in symptoms(&page) {
        let source = match origin {
            "toolkit" => &toolkit,
            "module" => &module,
            "container" => &container,
            other => {
                assert!(others.contains(&other), "{other}");
                continue;
            }
        };
        ours += messages.len();
        let missing = messages.iter().filter(|one| !source.contains(one.trim_start_matches("osmt: ")));
        wrong.extend(missing.map(|one| format!("{origin}: {one}")));
    }
    assert!(ours >= 6, "{ours}");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// What is wrong with a command line that starts with one of the binaries.
fn fault(line: &str, binaries: &[clap::Command]) -> Option<String> {
    let line = line.split(" | ").next()?.split(" > ").next()?.split(" && ").next()?;
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let name = first.rsplit('/').next()?;
    let binary = binaries.iter().find(|one| one.get_name() == name)?;
    let mut verb = binary;
    for word in words {
        if word == "--" {
            break;
        }
        if let Some(flag) = word.strip_prefix("--") {
            let flag = flag.split(['=', '[', ']', '|', ',', ')']).next().unwrap_or(flag);
            let known = |one: &clap::Command| one.get_arguments().any(|arg| arg.get_long() == Some(flag));
            if !known(verb) && !known(binary) && !["help", "version"].contains(&flag) {
                return Some(format!("`{line}`: no flag --{flag}"));
            }
        } else if std::ptr::eq(verb, binary) && binary.has_subcommands() {
            if word.starts_with('-') || word.chars().any(|c| !(c.is_ascii_lowercase() || c == '-')) {
                continue;
            }
            let Some(found) = binary.find_subcommand(word) else {
                return Some(format!("`{line}`: no verb {word}"));
            };
            verb = found;
        }
    }
    None
}

#[test]
fn every_verb_and_flag_exists() {
    let binaries = binaries();
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let faults = code(&text).into_iter().filter_map(|line| fault(&line, &binaries));
        wrong.extend(faults.map(|fault| format!("{}: {fault}", document.display())));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The hook, the action and the template call verbs and flags that exist.
#[test]
fn other_systems_call_what_exists() {
    let binaries = binaries();
    for file in [".pre-commit-hooks.yaml", "action.yml", "templates/osmt-doctor.yml"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let calls: Vec<&str> = text
            .lines()
            .filter_map(|line| line.find("osmt-doctor ").map(|at| &line[at..]))
            .filter(|call| call.starts_with("osmt-doctor check") || call.starts_with("osmt-doctor plan"))
            .collect();
        assert!(!calls.is_empty(), "{file}");
        for call in calls {
            assert_eq!(fault(call, &binaries), None, "{file}");
        }
    }
}

#[test]
fn the_project_speaks_of_itself_alone() {
    // Put together here, so that this file does not hold them.
    let words = [
        concat!("/wo", "rk/"),
        concat!("/tmp/", "wt"),
        concat!("/opt/", "tf-plugins"),
        concat!("/ro", "ot/"),
        concat!("brief", ".md"),
        concat!("TO", "DO:"),
    ];
    let mut wrong = Vec::new();
    let mut folders: Vec<PathBuf> = ["src", "docs", "schemas", "scripts", "terraform", "tests", ".ci"]
        .iter()
        .map(|folder| root().join(folder))
        .filter(|folder| folder.exists())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "__pycache__" {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let found = words.iter().filter(|word| text.contains(**word));
                wrong.extend(found.map(|word| format!("{}: {word}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn these_checks_can_fail() {
    let binaries = binaries();
    assert!(fault("osmt-doctor chek", &binaries).is_some());
    assert!(fault("target/debug/osmt-doctor check --liv", &binaries).is_some());
    assert_eq!(fault("osmt-doctor check --live --dir X", &binaries), None);
    assert_eq!(fault("osmt-secrets exec -- sh --login", &binaries), None);
    assert_eq!(paths("run scripts/none and src/<x>"), ["scripts/none"]);
    assert_eq!(code("a `b` c\n\n```sh\n$ d e\n```\n"), ["b", "d e"]);
    assert_eq!(anchors("# A `b`-c (d), e\n```sh\n# no heading\n```\n## F\n"), ["a-b-c-d-e", "f"]);
    let page =
        "| symptom | printed by | x |\n| `a … b` at c | toolkit | y |\n\n| symptom | x |\n| `d` | y |\n";
    assert_eq!(symptoms(page), [("toolkit", vec!["a", "b"])]);
    assert!(generated("nothing").is_none());
    for name in ["exits", "rules", "help osmt-release"] {
        assert!(generated(name).is_some());
    }
}
