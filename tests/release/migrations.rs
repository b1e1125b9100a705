//! What Flyway would say, known from git alone.

use serde_json::Value;

use crate::checkout::Checkout;
use crate::support::{Ran, run};

/// The findings of `check`, as code and severity, and the exit.
fn check(checkout: &Checkout, args: &[&str]) -> (i32, Vec<(String, String)>) {
    let (exit, printed) = report(checkout, args);
    let findings = printed["findings"].as_array().unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let said = findings.iter().map(|finding| (text(finding, "code"), text(finding, "severity")));
    (exit, said.collect())
}

fn report(checkout: &Checkout, args: &[&str]) -> (i32, Value) {
    let mut tool = checkout.release_tool();
    let Ran { exit, stdout, stderr } = run(tool.args(["--format", "json", "check"]).args(args));
    let printed = serde_json::from_str(&stdout);
    (exit, printed.unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}")))
}

fn count(findings: &[(String, String)], code: &str, severity: &str) -> usize {
    findings.iter().filter(|(is, how)| is == code && how == severity).count()
}

#[test]
fn osmts_own_trap_is_found_and_the_way_around_it_is_clear() {
    let checkout = Checkout::osmt();
    checkout.select("2.5.1");
    let (exit, found) = check(&checkout, &["3.0.0"]);
    assert_eq!((exit, count(&found, "REL010", "error")), (1, 2), "{found:?}");
    assert_eq!(count(&found, "REL014", "warning"), 3);
    checkout.select("2.5.0");
    let (exit, found) = check(&checkout, &["3.0.0"]);
    assert_eq!((exit, count(&found, "REL010", "error")), (0, 0), "{found:?}");
    assert_eq!(count(&found, "REL014", "warning"), 3);
    // After a migration by hand, the database is where the candidate is.
    checkout.select("2.5.1");
    assert_eq!(check(&checkout, &["3.0.0", "--from", "3.0.0"]), (0, vec![]));
}

#[test]
fn going_back_is_refused_where_something_was_taken_away() {
    let checkout = Checkout::osmt();
    let (exit, found) = check(&checkout, &["2.5.0"]);
    assert_eq!((exit, count(&found, "REL013", "error")), (1, 3), "{found:?}");
    assert_eq!(count(&found, "REL013", "warning"), 1);
    assert_eq!(count(&found, "REL009", "error"), 0);
    // 2.5.1 has a newer migration than two that it lacks: Flyway itself would refuse.
    let (exit, found) = check(&checkout, &["2.5.1"]);
    assert_eq!((exit, count(&found, "REL009", "error")), (1, 2), "{found:?}");
    checkout.select("2.5.1");
    let (exit, found) = check(&checkout, &["2.5.0"]);
    assert_eq!((exit, found.len(), count(&found, "REL013", "warning")), (0, 1, 1), "{found:?}");
    checkout.select("2.5.0");
    let (exit, found) = check(&checkout, &["2.4.2"]);
    assert_eq!((exit, found.len(), count(&found, "REL013", "note")), (0, 2, 2), "{found:?}");
}

#[test]
fn a_selection_that_cannot_be_traced_is_never_a_pass() {
    let checkout = Checkout::osmt();
    checkout.select("latest");
    let (exit, printed) = report(&checkout, &["3.0.0"]);
    let found = printed["findings"].as_array().unwrap();
    assert_eq!((exit, found.len()), (1, 1), "{printed}");
    assert_eq!(found[0]["code"], "REL006");
    assert_eq!(found[0]["pointer"], "/config/ecs/task/app/docker_tag");
    let line = found[0]["start"]["line"].as_u64().unwrap();
    let text = checkout.config_text();
    assert!(text.lines().nth(usize::try_from(line).unwrap() - 1).unwrap().contains("latest"));
    let unknown: Vec<&str> =
        printed["unknown"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
    for code in ["REL007", "REL008", "REL009", "REL010", "REL013", "REL014"] {
        assert!(unknown.contains(&code), "{code}");
    }
    let (exit, found) = check(&checkout, &["3.0.0", "--accept", "REL006"]);
    assert_eq!((exit, count(&found, "REL006", "warning")), (0, 1));
    let (exit, found) = check(&checkout, &["3.0.0", "--from", "2.5.1"]);
    assert_eq!((exit, count(&found, "REL010", "error")), (1, 2));
}

#[test]
fn files_that_changed_were_renamed_or_were_removed_are_named() {
    let checkout = Checkout::osmt();
    checkout.migration("V2023.01.26__status.sql", "ALTER TABLE skill ADD status bigint;\n");
    checkout.rename("V2023.02.08__description.sql", "V2023.02.08__text.sql");
    checkout.rename("V2023.03.22__published.sql", "V2023.03.23__published.sql");
    let (exit, printed) = report(&checkout, &["develop"]);
    let messages: Vec<&str> =
        printed["findings"].as_array().unwrap().iter().filter_map(|one| one["message"].as_str()).collect();
    let all = messages.join("\n");
    assert_eq!(exit, 1);
    for part in [
        "V2023.01.26__status.sql has checksum ",
        "V2023.02.08__description.sql of 3.0.0 is V2023.02.08__text.sql in ",
        "V2023.03.22__published.sql of 3.0.0 is not in ",
        "V2023.03.23__published.sql has its content",
        "V2023.03.23__published.sql is new in ",
    ] {
        assert!(all.contains(part), "{part} in\n{all}");
    }
}

#[test]
fn line_ends_and_a_bom_change_nothing() {
    let checkout = Checkout::osmt();
    checkout.migration("V2023.01.26__status.sql", "\u{feff}ALTER TABLE skill ADD status int;\r\n");
    let (_, found) = check(&checkout, &["develop"]);
    assert_eq!(count(&found, "REL007", "error"), 0, "{found:?}");
}

#[test]
fn twins_and_names_that_flyway_passes_over_are_found_and_twins_are_final() {
    let checkout = Checkout::osmt();
    checkout.migration("V2023.7.5__twin.sql", "SELECT 1;\n");
    checkout.migration("V2024.01.01_typo.sql", "SELECT 1;\n");
    let (exit, found) = check(&checkout, &["develop"]);
    assert_eq!((exit, count(&found, "REL011", "error")), (1, 1), "{found:?}");
    assert_eq!(count(&found, "REL012", "warning"), 1);
    let Ran { exit, stderr, .. } =
        run(checkout.release_tool().args(["check", "develop", "--accept", "REL011"]));
    assert_eq!(exit, 2);
    assert!(stderr.contains("REL010") && stderr.contains("possible values"), "{stderr}");
}

#[test]
fn a_tag_whose_pom_says_otherwise_is_a_warning() {
    let checkout = Checkout::osmt();
    checkout.git(&["tag", "3.1.0"]);
    let (exit, found) = check(&checkout, &["3.1.0"]);
    assert_eq!(exit, 0);
    assert_eq!(count(&found, "REL005", "warning"), 1, "{found:?}");
    assert_eq!(count(&found, "REL004", "warning"), 1);
}

#[test]
fn a_file_is_reported_by_one_guard_alone() {
    let checkout = Checkout::osmt();
    for (from, to) in [("3.0.0", "2.5.1"), ("3.0.0", "2.4.2"), ("2.5.1", "2.5.0")] {
        let (_, _, report) = checkout.check(&[to, "--from", from]);
        let messages: Vec<&str> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["code"] == "REL009" || one["code"] == "REL013")
            .map(|one| one["message"].as_str().unwrap())
            .collect();
        for file in ["V2023.02.20", "V2023.03.07", "V2023.03.22", "V2023.07.05", "V2023.01.26"] {
            let count = messages.iter().filter(|message| message.contains(file)).count();
            assert!(count <= 1, "{from} → {to}, {file}: {messages:?}");
        }
        assert!(!messages.is_empty(), "{from} → {to}");
    }
}
