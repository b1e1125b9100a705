//! The Terraform directory around a config: the rules. `workspace` looks for what breaks them.

use crate::finding::{Rule, Severity};

/// `config-overridden`
pub static OVERRIDDEN: Rule = Rule {
    code: "WKS001",
    name: "config-overridden",
    severity: Severity::Error,
    summary: "Another file of the directory sets the variable `config` too",
    explain: include_str!("../../../docs/rules/WKS001.md"),
};

/// `override-file`
pub static OVERRIDE_FILE: Rule = Rule {
    code: "WKS002",
    name: "override-file",
    severity: Severity::Warning,
    summary: "An override file changes what the other files say",
    explain: include_str!("../../../docs/rules/WKS002.md"),
};

/// `environment-changes-terraform`
pub static ENVIRONMENT: Rule = Rule {
    code: "WKS003",
    name: "environment-changes-terraform",
    severity: Severity::Warning,
    summary: "An environment variable changes what Terraform does here",
    explain: include_str!("../../../docs/rules/WKS003.md"),
};

/// `main-of-another-deployment`
pub static MAIN: Rule = Rule {
    code: "WKS004",
    name: "main-of-another-deployment",
    severity: Severity::Error,
    summary: "main.tf is for another account, region or environment than the config",
    explain: include_str!("../../../docs/rules/WKS004.md"),
};

/// `state-of-another-deployment`
pub static STATE: Rule = Rule {
    code: "WKS005",
    name: "state-of-another-deployment",
    severity: Severity::Error,
    summary: "The state's bucket or key is of another deployment",
    explain: include_str!("../../../docs/rules/WKS005.md"),
};

/// `no-state-lock`
pub static LOCK: Rule = Rule {
    code: "WKS006",
    name: "no-state-lock",
    severity: Severity::Warning,
    summary: "The backend locks the state neither by a table nor by a file",
    explain: include_str!("../../../docs/rules/WKS006.md"),
};

/// `initialised-elsewhere`
pub static INITIALISED: Rule = Rule {
    code: "WKS007",
    name: "initialised-elsewhere",
    severity: Severity::Error,
    summary: "The directory was initialised for another backend than main.tf has",
    explain: include_str!("../../../docs/rules/WKS007.md"),
};

/// `provider-lock-of-one-platform`
pub static PROVIDERS: Rule = Rule {
    code: "WKS008",
    name: "provider-lock-of-one-platform",
    severity: Severity::Note,
    summary: "The provider lock file has checksums of one platform only",
    explain: include_str!("../../../docs/rules/WKS008.md"),
};

/// All rules of the directory.
pub static ALL: [&Rule; 8] =
    [&OVERRIDDEN, &OVERRIDE_FILE, &ENVIRONMENT, &MAIN, &STATE, &LOCK, &INITIALISED, &PROVIDERS];
