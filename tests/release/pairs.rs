//! Every pair of OSMT's thirteen releases, on a history of the same structure: the files of each release by their versions.

use osmt::release::Osmt;
use osmt::release::migrations::{self, Comparison};

use crate::checkout::{Checkout, MIGRATIONS, import, pom, tag};

const FILES: [(&str, &str); 11] = [
    (
        "2020.09.15",
        "CREATE TABLE skill (id int, author_id int, cat_id int, status_id int, at date, description text);",
    ),
    ("2020.09.17", "ALTER TABLE skill DROP COLUMN status_id;"),
    ("2020.09.25", "ALTER TABLE skill DROP COLUMN at;"),
    ("2020.12.10", "DELETE FROM audit;"),
    ("2021.06.03", "ALTER TABLE skill ADD COLUMN framework varchar(768);"),
    ("2023.01.26", "ALTER TABLE skill ADD status varchar(9) NOT NULL DEFAULT 'draft';"),
    ("2023.02.08", "ALTER TABLE skill ADD COLUMN text text;"),
    ("2023.03.22", "UPDATE skill SET status = 'x';"),
    ("2023.02.20", "ALTER TABLE skill DROP COLUMN author_id;"),
    ("2023.03.07", "ALTER TABLE skill DROP COLUMN cat_id;"),
    ("2023.07.05", "ALTER TABLE skill MODIFY description varchar(767);"),
];

/// A release, how many of the files it has, and its group of releases that have the same.
const RELEASES: [(&str, usize, usize); 13] = [
    ("1.0.5", 5, 0),
    ("1.1.0", 5, 0),
    ("2.0.0", 5, 0),
    ("2.1.0", 5, 0),
    ("2.2.0", 5, 0),
    ("2.3.0", 5, 0),
    ("2.4.0", 5, 0),
    ("2.4.1", 5, 0),
    ("2.4.2", 5, 0),
    ("2.5.0", 7, 1),
    ("2.5.1", 8, 2),
    ("2.5.2", 8, 2),
    ("3.0.0", 11, 3),
];

/// From (row) and to (column), for the groups ≤ 2.4.2, 2.5.0, 2.5.1 and 2.5.2, 3.0.0: migrations in order, out of order,
/// ahead, missing. Where out of order or missing is not 0, Flyway refuses.
const EXPECTED: [[(usize, usize, usize, usize); 4]; 4] = [
    [(0, 0, 0, 0), (2, 0, 0, 0), (3, 0, 0, 0), (6, 0, 0, 0)],
    [(0, 0, 2, 0), (0, 0, 0, 0), (1, 0, 0, 0), (4, 0, 0, 0)],
    [(0, 0, 3, 0), (0, 0, 1, 0), (0, 0, 0, 0), (1, 2, 0, 0)],
    [(0, 0, 6, 0), (0, 0, 4, 0), (0, 0, 1, 2), (0, 0, 0, 0)],
];

fn history() -> Checkout {
    let mut stream = String::new();
    let mut made = 0;
    for (version, count, _) in RELEASES {
        for (of, sql) in &FILES[made..count] {
            import(&mut stream, &format!("{MIGRATIONS}/V{of}__x.sql"), &format!("{sql}\n"));
        }
        made = count;
        import(&mut stream, "pom.xml", &pom(version));
        tag(&mut stream, version);
    }
    Checkout::imported(stream)
}

#[test]
fn all_169_pairs_are_what_flyway_says() {
    let checkout = history();
    let osmt = Osmt::open(&checkout.repo()).unwrap();
    let commits: Vec<String> = RELEASES.iter().map(|(version, _, _)| checkout.id(version)).collect();
    let all = migrations::read(&osmt.repository, &commits).unwrap();
    let mut pairs = 0;
    for (from, (name, _, row)) in all.iter().zip(RELEASES) {
        for (to, (other, _, column)) in all.iter().zip(RELEASES) {
            let found = Comparison::new(from, to);
            let counts =
                (found.added.len(), found.out_of_order.len(), found.ahead.len(), found.missing.len());
            assert_eq!(counts, EXPECTED[row][column], "{name} → {other}");
            assert!(found.changed.is_empty() && found.renamed.is_empty());
            pairs += 1;
        }
    }
    assert_eq!(pairs, 169);
}

#[test]
fn one_pair_of_each_group_is_judged_by_check() {
    // Whether `check` ends with 1: Flyway refuses, or what is ahead cannot be undone.
    const REFUSED: [[i32; 4]; 4] = [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [1, 1, 1, 0]];
    let checkout = history();
    for (from, row) in ["2.4.2", "2.5.0", "2.5.2", "3.0.0"].iter().zip(REFUSED) {
        for (to, refused) in ["1.0.5", "2.5.0", "2.5.1", "3.0.0"].iter().zip(row) {
            let (exit, found, _) = checkout.check(&[to, "--from", from]);
            assert_eq!(exit, refused, "{from} → {to}: {found:?}");
        }
    }
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
