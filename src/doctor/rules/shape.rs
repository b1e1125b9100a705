//! Syntax and shape: what may be said. `document` and `schema` look for it.

use crate::finding::Rule;
use crate::finding::Severity;

/// `not-json`
pub static NOT_JSON: Rule = Rule {
    code: "JSON001",
    name: "not-json",
    severity: Severity::Error,
    summary: "The file is not JSON (RFC 8259)",
    explain: "Terraform, editors and this toolkit read the file as strict JSON: UTF-8 without byte order mark, no comments, \
no trailing commas, double quotes, no NaN. The place is the first byte that cannot be JSON.\n\n\
Why: `terraform plan` stops while reading the file.\n\n\
Example: `\"cpu\": 2048, }`\n\nInstead: `\"cpu\": 2048 }`\n\nSource: RFC 8259.",
};

/// `duplicate-key`
pub static DUPLICATE_KEY: Rule = Rule {
    code: "JSON002",
    name: "duplicate-key",
    severity: Severity::Error,
    summary: "An object has the same key twice",
    explain: "JSON leaves open which of two equal keys counts, and readers differ: Terraform refuses some and takes the last of others.\n\n\
Why: what a reviewer reads is not what is deployed.\n\n\
Example: `{ \"env\": \"test\", \"env\": \"prod\" }`\n\nInstead: one of the two.\n\nSource: RFC 8259, section 4.",
};

/// `missing-key`
pub static MISSING_KEY: Rule = Rule {
    code: "CFG001",
    name: "missing-key",
    severity: Severity::Error,
    summary: "A required key is missing",
    explain: "Every key is required but those that the schema gives a default.\n\n\
Why: `terraform plan` stops: \"attribute is required\".\n\n\
Example: `\"domain\": { \"name\": \"osmt.my-college.edu\" }`\n\nInstead: `\"domain\": { \"name\": …, \"hosted_zone_id\": … }`\n\n\
Source: `schemas/config.schema.json`.",
};

/// `unknown-key`
pub static UNKNOWN_KEY: Rule = Rule {
    code: "CFG002",
    name: "unknown-key",
    severity: Severity::Error,
    summary: "A key that nothing reads",
    explain: "The config has no such key at this place; often it is misspelt, or stands one level too high or too low.\n\n\
Why: Terraform converts the object to its type and drops unknown attributes without a word, so the setting has no effect.\n\n\
Example: `\"rds\": { \"backup_retention\": 14 }`\n\nInstead: `\"rds\": { \"backup_retention_days\": 14 }`\n\n\
Source: Terraform, \"Type Constraints\": conversion of object types.",
};

/// `wrong-type`
pub static WRONG_TYPE: Rule = Rule {
    code: "CFG003",
    name: "wrong-type",
    severity: Severity::Error,
    summary: "A value of another type than the key wants",
    explain: "A number in quotes, a string where a list is wanted, null, a fraction where a whole number is wanted.\n\n\
Why: Terraform converts some of them silently and stops at others; the other readers of the file refuse them all.\n\n\
Example: `\"cpu\": \"2048\"`\n\nInstead: `\"cpu\": 2048`\n\nSource: `schemas/config.schema.json`.",
};

/// `unknown-variable`
pub static UNKNOWN_VARIABLE: Rule = Rule {
    code: "CFG004",
    name: "unknown-variable",
    severity: Severity::Error,
    summary: "A second variable beside `config`",
    explain: "The file holds one object with one key, `config`.\n\n\
Why: Terraform declares no other variable and ignores the value with a warning, so it has no effect.\n\n\
Example: `{ \"profile\": \"admin\", \"config\": { … } }`\n\nInstead: `{ \"config\": { … } }`\n\n\
Source: Terraform, \"Variable Definitions Files\".",
};

/// `old-recipe`
pub static OLD_RECIPE: Rule = Rule {
    code: "CFG006",
    name: "old-recipe",
    severity: Severity::Error,
    summary: "The file has the shape of the recipe that OSMT ships",
    explain: "OSMT's own `infra/aws` has no `account_id`, `region`, `domain` and `app`, knows a `container_name`, and keeps secrets in a \
second variable. The finding says of each key whether to add, move or drop it.\n\n\
Why: Terraform stops for want of the new keys, and the secrets would lie in the state.\n\n\
Example: `\"secrets\": { \"app\": { \"oauth_issuer\": … } }`\n\nInstead: `\"config\": { \"app\": { \"oauth\": { \"issuer\": … } } }`\n\n\
Source: OSMT, `infra/aws/terraform/invocation/*.tpl`.",
};

/// `findings-left-out`
pub static TOO_MANY: Rule = Rule {
    code: "CFG008",
    name: "findings-left-out",
    severity: Severity::Note,
    summary: "There are more findings than anybody reads",
    explain: "The 500 worst findings are told, the others left out.\n\nWhy: a file with so many is hardly the config.\n\n\
Example: a list of thousands of zones\n\nInstead: mend what is told, and check again\n\nSource: the doctor's own limit.",
};

/// What the shape may be told by.
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
