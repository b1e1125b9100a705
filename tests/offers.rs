//! The shipped snapshot of AWS's offers against the data that it was made from: cfn-lint's own verdict on every combination.
//!
//! `OSMT_OFFERS=all` judges each of the 35,644 combinations; otherwise every seventh is judged, and all are counted.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use osmt::doctor::class::{Wanted, fault};
use osmt::doctor::offers::Service;
use osmt::finding::Severity;

/// Runs the generator, which fetches the pinned packages once.
fn refresh(flag: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test starts what a person would start")]
    let output = Command::new("python3")
        .args(["-B", concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/refresh-offers"), flag])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_snapshot_is_what_the_pinned_packages_say() {
    refresh("--check");
}

#[test]
fn every_combination_is_judged_as_cfn_lint_judges_it() {
    #[expect(clippy::disallowed_methods, reason = "a test is steered by its environment")]
    let step = if std::env::var("OSMT_OFFERS").is_ok_and(|value| value == "all") { 1 } else { 7 };
    let (mut database, mut cache) = ([0; 2], [0; 2]);
    let mut wrong = Vec::new();
    for (index, combination) in refresh("--combinations").lines().enumerate() {
        let words: Vec<&str> = combination.split(' ').collect();
        let [service, region, line, class, offered] = words[..] else { panic!("{combination}") };
        let offered = offered == "yes";
        let (service, line, counts) = match service {
            "db" => (Service::Database, Some(line), &mut database),
            _ => (Service::Cache, None, &mut cache),
        };
        counts[usize::from(offered)] += 1;
        if index % step != 0 {
            continue;
        }
        let found = fault(class, Wanted { service, region: Some(region), line });
        let alarm = found.as_ref().is_some_and(|fault| fault.severity == Severity::Error);
        if alarm == offered {
            wrong.push(format!("{combination}: {found:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{} differ", wrong.len());
    // [not offered, offered]: a newer snapshot changes these; they show that all combinations were there.
    assert_eq!((database, cache), ([21_631, 10_441], [875, 2_697]));
}
