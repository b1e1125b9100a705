//! The database: RDS for MySQL.

use crate::doctor::class::Wanted;
use crate::doctor::offers::Service;
use crate::doctor::subject::Subject;
use crate::doctor::{class, offers};
use crate::document::Place;
use crate::finding::{Check, Remedy, Rule, Severity, Sink};

const NAME: &str = "/config/rds/db_name";
const VERSION: &str = "/config/rds/engine_version";
const FAMILY: &str = "/config/rds/parameter_group_family";
const CLASS: &str = "/config/rds/instance_class";
const STORAGE: &str = "/config/rds/allocated_storage";
const BACKUPS: &str = "/config/rds/backup_retention_days";

/// The database.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "RDS001",
            name: "wrong-database-name",
            severity: Severity::Error,
            summary: "The database is not named osmt_db",
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
            summary: "The parameter group family does not fit the engine version",
            explain: include_str!("../../../docs/rules/RDS003.md"),
        },
        run: family,
    },
    Check {
        rule: Rule {
            code: "RDS004",
            name: "unknown-instance-class",
            severity: Severity::Error,
            summary: "RDS for MySQL does not offer this instance class",
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
            summary: "The production database has no standby in a second zone",
            explain: include_str!("../../../docs/rules/RDS008.md"),
        },
        run: multi_az,
    },
    Check {
        rule: Rule {
            code: "RDS009",
            name: "unprotected-production-data",
            severity: Severity::Warning,
            summary: "The production database can be deleted without a last snapshot",
            explain: include_str!("../../../docs/rules/RDS009.md"),
        },
        run: protection,
    },
    Check {
        rule: Rule {
            code: "RDS010",
            name: "engine-life",
            severity: Severity::Note,
            summary: "AWS bills the engine version as Extended Support",
            explain: include_str!("../../../docs/rules/RDS010.md"),
        },
        run: life,
    },
    Check {
        rule: Rule {
            code: "RDS011",
            name: "deprecated-engine-version",
            severity: Severity::Warning,
            summary: "RDS has deprecated this minor version of MySQL",
            explain: include_str!("../../../docs/rules/RDS011.md"),
        },
        run: deprecated,
    },
];

fn name(subject: &Subject, sink: &mut Sink<'_>) {
    if let Some(name) = subject.text(NAME).filter(|name| *name != "osmt_db") {
        sink.value(NAME, format!("the database is named {name}, but OSMT's first migration uses osmt_db"))
            .remedy(Remedy::write("osmt_db"));
    }
}

/// What is wrong with an engine version.
enum VersionFault {
    /// It cannot be used.
    Unusable(String),
    /// It is newer than the snapshot.
    Unknown(String),
}

/// The release line of a version: `8.4` for `8.4.6`.
fn line(version: &str) -> Option<&'static str> {
    ["8.0", "8.4"]
        .into_iter()
        .find(|line| version.strip_prefix(line).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// The newest minor version of a release line.
fn newest(line: &str) -> &'static str {
    offers::mysql(line).filter(|version| !version.contains('-')).last().unwrap_or("8.4")
}

fn version_fault(text: &str) -> Option<VersionFault> {
    use VersionFault::{Unknown, Unusable};
    let lower = text.to_lowercase();
    if lower.contains("aurora") || lower.contains("mariadb") || lower.contains("postgres") {
        return Some(Unusable(format!("{text} is not a version of RDS for MySQL")));
    }
    // Security fixes of a line in Extended Support: `8.0.46-rds.20260624`.
    let (numbered, fixes) =
        text.split_once("-rds.").map_or((text, None), |(version, fixes)| (version, Some(fixes)));
    let plain = fixes.is_none_or(|fixes| fixes.len() == 8 && fixes.bytes().all(|byte| byte.is_ascii_digit()));
    let number = |part: &str| {
        let canonical = !part.starts_with('+') && (part == "0" || !part.starts_with('0'));
        part.parse::<u32>().ok().filter(|_| canonical)
    };
    let numbers: Option<Vec<u32>> = numbered.split('.').map(number).collect();
    let Some(numbers) = numbers.filter(|numbers| (1..=3).contains(&numbers.len()) && plain) else {
        return Some(Unusable(format!("{text} is not a version of MySQL")));
    };
    let fault = |what: &str| Some(Unusable(format!("MySQL {text} {what}")));
    match numbers[..] {
        [8, 0, minor] if minor < 30 => fault("is older than 8.0.30 and has no utf8mb3 collations"),
        [8, 0 | 4] if fixes.is_none() => None,
        [8, 0 | 4, minor] if minor > 99 => fault("does not exist"),
        [8, 0 | 4, minor] => {
            let line = line(text)?;
            let newest = newest(line).rsplit('.').next().and_then(number).unwrap_or(0);
            if offers::mysql(line).any(|known| known == text) {
                None
            } else if minor > newest || fixes.is_some() && offers::mysql(line).any(|known| known == numbered)
            {
                Some(Unknown(format!("MySQL {text} is not in the AWS data of {}", offers::date())))
            } else {
                fault("is not offered by RDS")
            }
        }
        [8] => fault("is not a version; give at least major.minor, such as `8.4`"),
        [8, 1..=3, ..] => fault("is an innovation release, which RDS does not offer"),
        [5, ..] => fault("is too old: its support has ended, and it has no utf8mb3 collations"),
        [9, ..] => fault("is not offered by RDS in a release line that OSMT supports"),
        [10 | 11, ..] => Some(Unusable(format!("{text} is a version of MariaDB"))),
        [12..=18, ..] => Some(Unusable(format!("{text} is a version of PostgreSQL"))),
        _ => fault("does not exist"),
    }
}

/// The engine version, unless it is certain that it cannot be used.
fn usable(subject: &Subject) -> Option<&str> {
    let fits = |version: &&str| !matches!(version_fault(version), Some(VersionFault::Unusable(_)));
    subject.text(VERSION).filter(fits)
}

fn version(subject: &Subject, sink: &mut Sink<'_>) {
    match subject.text(VERSION).and_then(version_fault) {
        Some(VersionFault::Unusable(message)) => {
            sink.value(VERSION, message)
                .help(format!("write a version of MySQL 8.4, such as {}", newest("8.4")));
        }
        Some(VersionFault::Unknown(message)) => {
            sink.value(VERSION, message)
                .severity(Severity::Note)
                .help("check that RDS offers it: `aws rds describe-db-engine-versions --engine mysql`");
        }
        None => {}
    }
}

fn deprecated(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(version) = usable(subject) else { return };
    if let Some(line) = line(version).filter(|line| offers::is_deprecated(line, version)) {
        let message = format!("RDS has deprecated MySQL {version} (AWS data of {})", offers::date());
        let newest = newest(line);
        sink.value(VERSION, message)
            .help(format!("write {newest}, or {line} to let RDS install new minor versions"));
    }
}

fn family(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(family) = subject.text(FAMILY) else {
        return;
    };
    let Some(version) = usable(subject) else {
        let form = ["mysql5.7", "mysql8.0", "mysql8.4"];
        if !form.contains(&family) {
            sink.value(FAMILY, format!("{family} is not a parameter group family of MySQL"))
                .help("write mysql8.4");
        }
        return;
    };
    let wanted = format!("mysql{}", version.split('.').take(2).collect::<Vec<_>>().join("."));
    if family == wanted {
        return;
    }
    let other = family.strip_prefix("mysql").filter(|line| ["8.0", "8.4"].contains(line));
    let message = if family.starts_with("default.") {
        format!("{family} is the name of a parameter group, not a family")
    } else {
        format!("the family {family} does not fit MySQL {version}")
    };
    // If both lines can be used, only the user knows which of the two values is wrong.
    let remedy = match other {
        Some(line) => format!("write {wanted} here, or engine_version {line}").into(),
        None => Remedy::write(wanted),
    };
    sink.value(FAMILY, message).remedy(remedy).related(Place::value(VERSION), "the engine version");
}

fn instance_class(subject: &Subject, sink: &mut Sink<'_>) {
    let wanted = Wanted {
        service: Service::Database,
        region: subject.region().map(|region| region.name),
        line: usable(subject).and_then(line),
    };
    if let Some(fault) = subject.text(CLASS).and_then(|text| class::fault(text, wanted)) {
        sink.value(CLASS, fault.message).severity(fault.severity).remedy(fault.remedy);
    }
}

fn storage(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(size) = subject.number(STORAGE).filter(|size| !(20..=65536).contains(size)) else {
        return;
    };
    let what = if size < 20 {
        "less than 20 GiB, the minimum of gp3 storage"
    } else {
        "more than 65536 GiB, the maximum of gp3 storage"
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
            let finding = sink.value(BACKUPS, "0 turns backups off: lost data cannot be restored");
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
        sink.value(at, "the production database has no standby in a second zone").help("write true");
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
    let Some(version) = usable(subject) else { return };
    if line(version) == Some("8.0") && subject.is_production() {
        sink.value(
            VERSION,
            "AWS bills MySQL 8.0 as Extended Support since 2026-07-31, by its release calendar",
        )
        .help("plan the move to 8.4, and try it in a test environment first");
    }
}
