//! File names as Flyway 8.5 reads them (its `ResourceNameParser` and `MigrationVersion`).
//!
//! The longest matching prefix decides. The part before the first `__` is the version. A name without `__` is accepted and has no
//! description. Flyway ignores other names without a message.

use std::cmp::Ordering;

use serde::Serialize;

/// The events after which a callback may be named: Flyway's `Event`.
const EVENTS: &[&str] = &[
    "beforeClean",
    "afterClean",
    "afterCleanError",
    "beforeMigrate",
    "beforeEachMigrate",
    "beforeEachMigrateStatement",
    "afterEachMigrateStatement",
    "afterEachMigrateStatementError",
    "afterEachMigrate",
    "afterEachMigrateError",
    "beforeRepeatables",
    "afterVersioned",
    "afterMigrate",
    "afterMigrateApplied",
    "afterMigrateError",
    "beforeUndo",
    "beforeEachUndo",
    "beforeEachUndoStatement",
    "afterEachUndoStatement",
    "afterEachUndoStatementError",
    "afterEachUndo",
    "afterEachUndoError",
    "afterUndo",
    "afterUndoError",
    "beforeValidate",
    "afterValidate",
    "afterValidateError",
    "beforeBaseline",
    "afterBaseline",
    "afterBaselineError",
    "beforeRepair",
    "afterRepair",
    "afterRepairError",
    "beforeInfo",
    "afterInfo",
    "afterInfoError",
    "createSchema",
    "beforeCreateSchema",
    "beforeConnect",
    "afterConnect",
    "afterCleanOperationFinish",
    "afterMigrateOperationFinish",
    "afterUndoOperationFinish",
    "afterValidateOperationFinish",
    "afterBaselineOperationFinish",
    "afterRepairOperationFinish",
    "afterInfoOperationFinish",
];

/// Whether an event belongs to `migrate` or to a command that it runs first. OSMT never runs the other commands.
pub(super) fn runs_on_migrate(event: &str) -> bool {
    let never = ["Clean", "Undo", "Baseline", "Repair", "Info"];
    !never.iter().any(|command| event.contains(command)) && !event.ends_with("Error")
}

/// A version as Flyway orders it: numbers separated by dots or underscores; zeros at the end do not count.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Version {
    /// `2023.02.20`
    pub text: String,
    /// Each number as the count of its digits and the digits without leading zeros, so that numbers of any length compare.
    #[serde(skip)]
    parts: Vec<(usize, String)>,
}

impl Version {
    /// Parses a version; `None` if Flyway would refuse it.
    pub fn parse(text: &str) -> Option<Self> {
        let part = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let number = part.trim_start_matches('0').to_owned();
            digits.then_some((number.len(), number))
        };
        let mut parts = text.split(['.', '_']).map(part).collect::<Option<Vec<_>>>()?;
        while parts.last().is_some_and(|(length, _)| *length == 0) {
            parts.pop();
        }
        Some(Self { text: text.replace('_', "."), parts })
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

/// What a name means to Flyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// It is applied once, in order: version and description.
    Versioned(Version, String),
    /// It is run whenever it changes.
    Repeatable(String),
    /// It is run at an event: the event and the rest of the name.
    Callback(&'static str, String),
    /// It is ignored; how it would have to be named.
    Ignored(&'static str),
    /// Not known.
    Unsure(&'static str),
}

/// Parses a name without its suffix.
pub(super) fn parse(stem: &str) -> Name {
    let event = EVENTS.iter().filter(|event| stem.starts_with(**event)).max_by_key(|event| event.len());
    if let Some(event) = event {
        return match split(&stem[event.len()..]) {
            ("", rest) => Name::Callback(event, rest),
            _ => Name::Ignored("a callback is named EVENT.sql or EVENT__description.sql"),
        };
    }
    if let Some(rest) = stem.strip_prefix('V') {
        const HELP: &str = "name it V<version>__<description>.sql";
        let (version, description) = split(rest);
        let odd = |part: &str| {
            let digits = part.trim_start_matches(['+', '-']);
            !digits.is_empty() && digits.chars().all(char::is_numeric)
        };
        return match Version::parse(version) {
            Some(version) => Name::Versioned(version, description),
            // Java parses signs and digits of other scripts as numbers.
            None if version.split(['.', '_']).all(odd) => {
                Name::Unsure("its version has a sign or digits that are not ASCII")
            }
            None => Name::Ignored(HELP),
        };
    }
    if let Some(rest) = stem.strip_prefix('R') {
        return match split(rest) {
            ("", description) => Name::Repeatable(description),
            _ => Name::Ignored("name it R__<description>.sql"),
        };
    }
    let kind = stem.split("__").next().unwrap_or(stem);
    match (stem.as_bytes().first(), kind.get(1..).and_then(Version::parse)) {
        (Some(b'U'), Some(_)) => Name::Ignored("undo migrations need Flyway Teams, which OSMT does not use"),
        (Some(b'B'), Some(_)) => {
            Name::Ignored("baseline migrations need Flyway Teams, which OSMT does not use")
        }
        (Some(b'v'), Some(_)) => Name::Ignored("the prefix is a capital V"),
        _ => Name::Ignored("name it V<version>__<description>.sql"),
    }
}

/// Splits at the first `__`; underscores of the description are spaces.
fn split(name: &str) -> (&str, String) {
    let (left, right) = name.split_once("__").unwrap_or((name, ""));
    (left, right.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_flyway_reads_them() {
        let version = |text: &str| Version::parse(text).unwrap();
        for (stem, name) in [
            ("V12", Name::Versioned(version("12"), String::new())),
            ("V2024.04.01__", Name::Versioned(version("2024.4.1"), String::new())),
            ("V2024.03.01_02", Name::Versioned(version("2024.3.1.2"), String::new())),
            ("V1__a_b__c", Name::Versioned(version("1"), "a b  c".into())),
            ("V99999999999999999999__big", Name::Versioned(version("99999999999999999999"), "big".into())),
            ("R__views", Name::Repeatable("views".into())),
            ("R", Name::Repeatable(String::new())),
            ("beforeMigrate", Name::Callback("beforeMigrate", String::new())),
            ("afterMigrate__grants", Name::Callback("afterMigrate", "grants".into())),
            ("afterEachMigrate", Name::Callback("afterEachMigrate", String::new())),
            ("V+1__x", Name::Unsure("its version has a sign or digits that are not ASCII")),
        ] {
            assert_eq!(parse(stem), name, "{stem}");
        }
        for stem in [
            "Views",
            "V__x",
            "V1.__x",
            "V1..2__x",
            "Vx__x",
            "R1__x",
            "U1__x",
            "B1__x",
            "v1__x",
            "notes",
            "afterMigrate2",
        ] {
            assert!(matches!(parse(stem), Name::Ignored(_)), "{stem}");
        }
    }

    #[test]
    fn versions_are_numbers_of_any_length() {
        let version = |text: &str| Version::parse(text).unwrap();
        assert_eq!(Version::parse("1.0"), Version::parse("1_0_0"));
        assert_eq!(Version::parse("0"), Version::parse("00.0"));
        assert!(version("99999999999999999999") > version("2024.1.1"));
        assert!(
            version("10") > version("9.9")
                && version("1.2") > version("1")
                && version("1.10") > version("1.9")
        );
        for bad in ["1..2", "+1", "", ".", "1.", "a", "1a"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn events_of_other_commands_do_not_run_on_migrate() {
        for event in [
            "beforeMigrate",
            "afterEachMigrate",
            "beforeValidate",
            "afterMigrateApplied",
            "createSchema",
            "beforeConnect",
        ] {
            assert!(runs_on_migrate(event), "{event}");
        }
        for event in ["afterClean", "beforeUndo", "afterInfo", "afterMigrateError"] {
            assert!(!runs_on_migrate(event), "{event}");
        }
    }
}
