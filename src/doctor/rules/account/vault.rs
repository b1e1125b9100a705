//! The secrets in Secrets Manager, without their values.

use super::Audit;
use super::state::fact;
use crate::account::Secret;
use crate::config::secret_name;
use crate::finding::Check;
use crate::finding::Rule;
use crate::finding::Severity;
use crate::finding::Sink;

/// The secrets that the config's environment needs before the first apply.
const NEEDED: [&str; 2] = ["app", "rds"];

/// Whether they are there, and stay.
pub(super) const CHECKS: &[Check<Audit>] = &[
    Check {
        rule: Rule {
            code: "ASM001",
            name: "secret-missing",
            severity: Severity::Error,
            summary: "A secret is not in Secrets Manager",
            explain: "`osmt/<env>/rds` or `osmt/<env>/app` does not exist.\n\nWhy: `terraform plan` fails when it reads the database's credentials; tasks could not start.\n\n\
Instead: `osmt-secrets push`\n\nSource: AWS, \"DescribeSecret\".",
        },
        run: missing,
    },
    Check {
        rule: Rule {
            code: "ASM002",
            name: "secret-without-value",
            severity: Severity::Error,
            summary: "A secret has no value",
            explain: "No version of the secret carries the label AWSCURRENT.\n\nWhy: reading it fails, in Terraform and when a task starts.\n\n\
Instead: `osmt-secrets push`\n\nSource: AWS, \"What's in a Secrets Manager secret?\".",
        },
        run: |audit, sink| {
            each(audit, sink, |secret| {
                (!secret.has_value)
                    .then(|| ("has no value".to_owned(), "`osmt-secrets push` writes it"))
            });
        },
    },
    Check {
        rule: Rule {
            code: "ASM003",
            name: "secret-to-be-deleted",
            severity: Severity::Error,
            summary: "A secret is scheduled to be deleted",
            explain: "It can be read by nobody, and its name stays taken until it is gone.\n\nWhy: tasks that start fail, and so does `terraform plan`.\n\n\
Instead: `aws secretsmanager restore-secret`, then `osmt-secrets push`.\n\nSource: AWS, \"Delete an AWS Secrets Manager secret\".",
        },
        run: |audit, sink| {
            each(audit, sink, |secret| {
                let when = secret.deleted.as_ref()?;
                let help = "`aws secretsmanager restore-secret --secret-id NAME` brings it back";
                Some((format!("is to be deleted (asked for {when})"), help))
            });
        },
    },
    Check {
        rule: Rule {
            code: "ASM004",
            name: "secret-rotated-by-aws",
            severity: Severity::Error,
            summary: "Secrets Manager rotates a secret by itself",
            explain: "Automatic rotation is on.\n\nWhy: a new password that neither the composed DB_URI nor the running tasks know cuts the app off.\n\n\
Instead: turn it off and rotate with `osmt-secrets rotate`.\n\nSource: AWS, \"Rotate AWS Secrets Manager secrets\".",
        },
        run: |audit, sink| {
            each(audit, sink, |secret| {
                let help = "turn it off (`aws secretsmanager cancel-rotate-secret`) and use `osmt-secrets rotate`";
                secret
                    .rotation
                    .then(|| ("is rotated by Secrets Manager".to_owned(), help))
            });
        },
    },
];

fn missing(audit: &Audit, sink: &mut Sink<'_>) {
    for name in NEEDED {
        let name = secret_name(&audit.config.env, name);
        let there = match audit.facts.secrets.get(&name) {
            None => Ok(false),
            Some(known) => fact(known, sink).map(Option::is_some),
        };
        if there == Ok(false) {
            sink.elsewhere(format!("secret {name} does not exist"))
                .help("`osmt-secrets push` makes it");
        }
    }
}

fn each(audit: &Audit, sink: &mut Sink<'_>, wrong: fn(&Secret) -> Option<(String, &'static str)>) {
    for (name, known) in &audit.facts.secrets {
        if let Ok(Some(secret)) = fact(known, sink)
            && let Some((what, help)) = wrong(secret)
        {
            sink.elsewhere(format!("secret {name} {what}")).help(help);
        }
    }
}
