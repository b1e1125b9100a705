//! The database: RDS for MySQL.

use crate::doctor::class;
use crate::doctor::class::Offer;
use crate::doctor::subject::Subject;
use crate::finding::{Check, Place, Remedy, Rule, Severity, Sink};

const NAME: &str = "/config/rds/db_name";
const VERSION: &str = "/config/rds/engine_version";
const FAMILY: &str = "/config/rds/parameter_group_family";
const CLASS: &str = "/config/rds/instance_class";
const STORAGE: &str = "/config/rds/allocated_storage";
const BACKUPS: &str = "/config/rds/backup_retention_days";

/// The classes of RDS for MySQL.
pub(crate) const CLASSES: Offer = Offer {
    prefix: "db",
    other: "cache",
    families: &[
        "t3", "t4g", "m5", "m5d", "m6g", "m6gd", "m6i", "m6id", "m6idn", "m6in", "m7g", "m7i", "m8g", "m8gd",
        "r5", "r5b", "r5d", "r6g", "r6gd", "r6i", "r6id", "r6idn", "r6in", "r7g", "r7i", "r8g", "r8gd",
        "c6gd", "x1", "x1e", "x2g", "x2idn", "x2iedn", "x2iezn", "z1d",
    ],
    retired: &["t1", "t2", "m1", "m2", "m3", "m4", "r3", "r4", "cr1"],
    example: "db.t4g.small",
};

/// The database.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "RDS001",
            name: "wrong-database-name",
            severity: Severity::Error,
            summary: "The database is not called osmt_db",
            explain: include_str!("../../../docs/rules/RDS001.md"),
        },
        run: name,
    },
    Check {
        rule: Rule {
            code: "RDS002",
            name: "unusable-engine-version",
            severity: Severity::Error,
            summary: "Not a MySQL version that OSMT and RDS can use together",
            explain: include_str!("../../../docs/rules/RDS002.md"),
        },
        run: version,
    },
    Check {
        rule: Rule {
            code: "RDS003",
            name: "family-against-version",
            severity: Severity::Error,
            summary: "The parameter group's family is not the engine version's",
            explain: include_str!("../../../docs/rules/RDS003.md"),
        },
        run: family,
    },
    Check {
        rule: Rule {
            code: "RDS004",
            name: "unknown-instance-class",
            severity: Severity::Error,
            summary: "RDS has no such instance class",
            explain: include_str!("../../../docs/rules/RDS004.md"),
        },
        run: instance_class,
    },
    Check {
        rule: Rule {
            code: "RDS005",
            name: "storage-out-of-range",
            severity: Severity::Error,
            summary: "Storage is 20 to 65536 GiB",
            explain: include_str!("../../../docs/rules/RDS005.md"),
        },
        run: storage,
    },
    Check {
        rule: Rule {
            code: "RDS006",
            name: "retention-out-of-range",
            severity: Severity::Error,
            summary: "Backups are kept 0 to 35 days",
            explain: include_str!("../../../docs/rules/RDS006.md"),
        },
        run: retention,
    },
    Check {
        rule: Rule {
            code: "RDS007",
            name: "no-backups",
            severity: Severity::Warning,
            summary: "Automatic backups are off",
            explain: include_str!("../../../docs/rules/RDS007.md"),
        },
        run: backups,
    },
    Check {
        rule: Rule {
            code: "RDS008",
            name: "single-zone-in-production",
            severity: Severity::Warning,
            summary: "The production database stands in one zone",
            explain: include_str!("../../../docs/rules/RDS008.md"),
        },
        run: multi_az,
    },
    Check {
        rule: Rule {
            code: "RDS009",
            name: "unprotected-production-data",
            severity: Severity::Warning,
            summary: "The production database can be deleted without a trace",
            explain: include_str!("../../../docs/rules/RDS009.md"),
        },
        run: protection,
    },
    Check {
        rule: Rule {
            code: "RDS010",
            name: "engine-life",
            severity: Severity::Note,
            summary: "The engine version costs extra, or was never tried",
            explain: include_str!("../../../docs/rules/RDS010.md"),
        },
        run: life,
    },
];

fn name(subject: &Subject, sink: &mut Sink<'_>) {
    if let Some(name) = subject.text(NAME).filter(|name| *name != "osmt_db") {
        sink.value(NAME, format!("the database is called {name}, but OSMT's first migration uses osmt_db"))
            .remedy(Remedy::write("osmt_db"));
    }
}

/// Why a text is no usable engine version.
fn version_fault(text: &str) -> Option<(String, &'static str)> {
    const HELP: &str = "write a version of MySQL 8.0, as in 8.0.43";
    let lower = text.to_lowercase();
    if lower.contains("aurora") || lower.contains("mariadb") || lower.contains("postgres") {
        return Some((format!("{text} is no version of RDS for MySQL"), HELP));
    }
    let numbers: Option<Vec<u32>> = text
        .split('.')
        .map(|part| {
            part.parse().ok().filter(|_| !part.starts_with('+') && (part == "0" || !part.starts_with('0')))
        })
        .collect();
    let Some(numbers) = numbers.filter(|numbers| (1..=3).contains(&numbers.len())) else {
        return Some((format!("{text} is no version of MySQL"), HELP));
    };
    let fault = |what: &str| Some((format!("MySQL {text} {what}"), HELP));
    match numbers[..] {
        [8, 0, minor] if minor < 30 => fault("is older than 8.0.30 and knows no utf8mb3 collations"),
        [8, 0 | 4, minor] if minor > 99 => fault("does not exist"),
        [8, 0 | 4] | [8, 0 | 4, _] => None,
        [8] => fault("names no version; two numbers are the least"),
        [8, 1..=3, ..] => fault("is an innovation release, which RDS does not offer"),
        [5, ..] => fault("is too old: its support has ended, and it knows no utf8mb3 collations"),
        [9, ..] => fault("is nothing that OSMT's driver and migrations were made for"),
        [10 | 11, ..] => Some((format!("{text} is a version of MariaDB"), HELP)),
        [12..=18, ..] => Some((format!("{text} is a version of PostgreSQL"), HELP)),
        _ => fault("does not exist"),
    }
}

fn version(subject: &Subject, sink: &mut Sink<'_>) {
    if let Some((message, help)) = subject.text(VERSION).and_then(version_fault) {
        sink.value(VERSION, message).remedy(help);
    }
}

fn family(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(family) = subject.text(FAMILY) else {
        return;
    };
    let version = subject.text(VERSION).filter(|version| version_fault(version).is_none());
    let Some(version) = version else {
        let form = ["mysql5.7", "mysql8.0", "mysql8.4"];
        if !form.contains(&family) {
            sink.value(FAMILY, format!("{family} is no parameter group family of MySQL"))
                .help("write mysql8.0");
        }
        return;
    };
    let wanted = format!("mysql{}", version.split('.').take(2).collect::<Vec<_>>().join("."));
    if family == wanted {
        return;
    }
    let message = if family.starts_with("default.") {
        format!("{family} is the name of a parameter group, not a family")
    } else {
        format!("family {family} does not fit MySQL {version}")
    };
    sink.value(FAMILY, message)
        .remedy(Remedy::write(wanted))
        .related(Place::value(VERSION), "the engine version");
}

fn instance_class(subject: &Subject, sink: &mut Sink<'_>) {
    if let Some((message, help)) = subject.text(CLASS).and_then(|text| class::fault(text, &CLASSES)) {
        sink.value(CLASS, message).remedy(help);
    }
}

fn storage(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(size) = subject.number(STORAGE).filter(|size| !(20..=65536).contains(size)) else {
        return;
    };
    let what = if size < 20 {
        "less than the 20 GiB that gp3 storage begins with"
    } else {
        "more than the 65536 GiB that gp3 storage ends with"
    };
    sink.value(STORAGE, format!("{size} GiB is {what}")).help("write 20 to 65536");
}

fn retention(subject: &Subject, sink: &mut Sink<'_>) {
    if let Some(days) = subject.number(BACKUPS).filter(|days| !(0..=35).contains(days)) {
        sink.value(BACKUPS, format!("backups cannot be kept for {days} days"))
            .help("write 1 to 35; AWS Backup keeps them longer");
    }
}

fn backups(subject: &Subject, sink: &mut Sink<'_>) {
    match subject.number(BACKUPS) {
        Some(0) => {
            let finding = sink.value(BACKUPS, "0 turns backups off: data that is lost is lost");
            finding.help("write 7");
            if subject.is_production() {
                finding.severity(Severity::Error);
            }
        }
        Some(days @ 1..7) if subject.is_production() => {
            let finding = sink.value(BACKUPS, format!("production backups are kept for {days} days only"));
            finding.help("write 7 or more: mistakes are often noticed after a weekend");
            if days > 2 {
                finding.severity(Severity::Note);
            }
        }
        _ => {}
    }
}

fn multi_az(subject: &Subject, sink: &mut Sink<'_>) {
    let at = "/config/rds/multi_az";
    if subject.is_production() && subject.flag(at) == Some(false) {
        sink.value(at, "the production database stands in one zone").help("write true");
    }
}

fn protection(subject: &Subject, sink: &mut Sink<'_>) {
    if !subject.is_production() {
        return;
    }
    let at = "/config/rds/enable_deletion_protection";
    if subject.flag(at) == Some(false) {
        sink.value(at, "the production database can be deleted by mistake")
            .help("write true; turn it off only to destroy");
    }
    let at = "/config/rds/skip_final_snapshot";
    if subject.flag(at) == Some(true) {
        sink.value(at, "the production database is destroyed without a last snapshot").help("write false");
    }
}

fn life(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(version) = subject.text(VERSION).filter(|version| version_fault(version).is_none()) else {
        return;
    };
    if version.starts_with("8.0") && subject.is_production() {
        sink.value(VERSION, "by AWS's calendar MySQL 8.0 is billed as Extended Support since 2026-07-31")
            .help("plan the move to 8.4, and try it in a test environment first");
    }
}
