//! The secrets in Secrets Manager, without their values.

use super::Audit;
use super::state::fact;
use crate::account::Secret;
use crate::deployment::secret_name;
use crate::finding::{Check, Rule, Severity, Sink};

/// The secrets that must exist before the first apply.
const NEEDED: [&str; 2] = ["app", "rds"];

/// Secrets.
pub(super) const CHECKS: &[Check<Audit>] = &[
    Check {
        rule: Rule {
            code: "ASM001",
            name: "secret-missing",
            severity: Severity::Error,
            summary: "A secret is not in Secrets Manager",
            explain: include_str!("../../../../docs/rules/ASM001.md"),
        },
        run: missing,
    },
    Check {
        rule: Rule {
            code: "ASM002",
            name: "secret-without-value",
            severity: Severity::Error,
            summary: "A secret has no value",
            explain: include_str!("../../../../docs/rules/ASM002.md"),
        },
        run: |audit, sink| {
            each(audit, sink, |secret| {
                (!secret.has_value).then(|| ("has no value".to_owned(), "`osmt-secrets push` writes it"))
            });
        },
    },
    Check {
        rule: Rule {
            code: "ASM003",
            name: "secret-to-be-deleted",
            severity: Severity::Error,
            summary: "A secret is scheduled to be deleted",
            explain: include_str!("../../../../docs/rules/ASM003.md"),
        },
        run: |audit, sink| {
            each(audit, sink, |secret| {
                let when = secret.deleted.as_ref()?;
                let help = "`aws secretsmanager restore-secret --secret-id NAME` restores it";
                Some((format!("is scheduled for deletion since {when}"), help))
            });
        },
    },
    Check {
        rule: Rule {
            code: "ASM004",
            name: "secret-rotated-by-aws",
            severity: Severity::Error,
            summary: "Secrets Manager rotates a secret automatically",
            explain: include_str!("../../../../docs/rules/ASM004.md"),
        },
        run: |audit, sink| {
            each(audit, sink, |secret| {
                let help =
                    "turn it off (`aws secretsmanager cancel-rotate-secret`) and use `osmt-secrets rotate`";
                secret.rotation.then(|| ("is rotated by Secrets Manager".to_owned(), help))
            });
        },
    },
];

fn not_recorded(name: &str, sink: &mut Sink<'_>) {
    sink.unknown(format!("the facts are not about secret {name}; record them again"));
}

fn missing(audit: &Audit, sink: &mut Sink<'_>) {
    for name in NEEDED {
        let name = secret_name(&audit.config.env, name);
        let exists = match audit.facts.secrets.get(&name) {
            None => {
                not_recorded(&name, sink);
                continue;
            }
            Some(known) => fact(known, sink).map(Option::is_some),
        };
        if exists == Ok(false) {
            sink.elsewhere(format!("secret {name} does not exist")).help("`osmt-secrets push` creates it");
        }
    }
}

fn each(audit: &Audit, sink: &mut Sink<'_>, wrong: fn(&Secret) -> Option<(String, &'static str)>) {
    let missing = NEEDED.iter().map(|name| secret_name(&audit.config.env, name));
    for name in missing.filter(|name| !audit.facts.secrets.contains_key(name)) {
        not_recorded(&name, sink);
    }
    for (name, known) in &audit.facts.secrets {
        if let Ok(Some(secret)) = fact(known, sink)
            && let Some((what, help)) = wrong(secret)
        {
            sink.elsewhere(format!("secret {name} {what}")).help(help);
        }
    }
}
