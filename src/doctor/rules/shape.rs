//! The rules on JSON syntax and on the shape of the config. `document` and `schema` check them.

use crate::finding::{Rule, Severity};

/// `not-json`
pub static NOT_JSON: Rule = Rule {
    code: "JSON001",
    name: "not-json",
    severity: Severity::Error,
    summary: "The file is not JSON (RFC 8259)",
    explain: include_str!("../../../docs/rules/JSON001.md"),
};

/// `duplicate-key`
pub static DUPLICATE_KEY: Rule = Rule {
    code: "JSON002",
    name: "duplicate-key",
    severity: Severity::Error,
    summary: "An object has the same key twice",
    explain: include_str!("../../../docs/rules/JSON002.md"),
};

/// `missing-key`
pub static MISSING_KEY: Rule = Rule {
    code: "CFG001",
    name: "missing-key",
    severity: Severity::Error,
    summary: "A required key is missing",
    explain: include_str!("../../../docs/rules/CFG001.md"),
};

/// `unknown-key`
pub static UNKNOWN_KEY: Rule = Rule {
    code: "CFG002",
    name: "unknown-key",
    severity: Severity::Error,
    summary: "The config has no such key",
    explain: include_str!("../../../docs/rules/CFG002.md"),
};

/// `wrong-type`
pub static WRONG_TYPE: Rule = Rule {
    code: "CFG003",
    name: "wrong-type",
    severity: Severity::Error,
    summary: "A value has the wrong type",
    explain: include_str!("../../../docs/rules/CFG003.md"),
};

/// `unknown-variable`
pub static UNKNOWN_VARIABLE: Rule = Rule {
    code: "CFG004",
    name: "unknown-variable",
    severity: Severity::Error,
    summary: "The file sets another variable than `config`",
    explain: include_str!("../../../docs/rules/CFG004.md"),
};

/// `old-recipe`
pub static OLD_RECIPE: Rule = Rule {
    code: "CFG006",
    name: "old-recipe",
    severity: Severity::Error,
    summary: "The file has the shape of the recipe that OSMT ships",
    explain: include_str!("../../../docs/rules/CFG006.md"),
};

/// `findings-left-out`
pub static TOO_MANY: Rule = Rule {
    code: "CFG008",
    name: "findings-left-out",
    severity: Severity::Note,
    summary: "There are more findings than are shown",
    explain: include_str!("../../../docs/rules/CFG008.md"),
};

/// All rules on syntax and shape.
pub static ALL: [&Rule; 8] = [
    &NOT_JSON,
    &DUPLICATE_KEY,
    &MISSING_KEY,
    &UNKNOWN_KEY,
    &WRONG_TYPE,
    &UNKNOWN_VARIABLE,
    &OLD_RECIPE,
    &TOO_MANY,
];
