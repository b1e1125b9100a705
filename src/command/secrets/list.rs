//! `osmt-secrets list`: show the secrets of the deployment, and whether the keyring has them.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::deployment::KeyringArg;
use super::entries::read_all;
use super::when::when;
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::report::VERSION;
use crate::secrets::catalog::{Origin, Secret};

/// Show which secrets there are and which of them the keyring holds.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets list\n  osmt-secrets list --format json")]
pub(super) struct List {
    #[command(flatten)]
    keyring: KeyringArg,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    keyring: &'a str,
    service: &'a str,
    secrets: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    state: &'static str,
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// When this machine set the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<Timestamp>,
    /// The version in AWS with the same value.
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_version: Option<String>,
}

impl List {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let keyring = deployment.keyring()?;
        let local = read_all(&keyring, &deployment.catalog)?;
        let mut rows = Vec::new();
        for secret in &deployment.catalog.0 {
            let Secret { name, purpose, origin, .. } = secret;
            let malformed = local.get(secret).and_then(|value| secret.check(&value).err());
            let problem =
                local.unreadable.get(name).cloned().or(malformed.map(|malformed| malformed.problem));
            let base = local.base(secret);
            let is_set = local.values.contains_key(name);
            rows.push(Row {
                name,
                state: match (&problem, is_set, origin) {
                    (Some(_), ..) => "unusable",
                    (None, true, _) => "set",
                    (None, false, Origin::Fixed(_)) => "fixed",
                    (None, false, _) => "missing",
                },
                purpose,
                problem,
                set: base.set.filter(|_| is_set),
                aws_version: base.version().filter(|_| is_set).map(str::to_owned),
            });
        }
        let service = &keyring.service;
        deployment.ui.result(format_args!("{service} in {}", keyring.kind))?;
        for row in &rows {
            let mut notes: Vec<String> = row.problem.iter().cloned().collect();
            notes.extend(row.set.map(|set| format!("set {}", when(set))));
            let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
            deployment
                .ui
                .result(format_args!("  {:<24} {:<9} {}{notes}", row.name, row.state, row.purpose))?;
        }
        deployment.ui.json(&Report {
            version: VERSION,
            tool: &deployment.ui.tool,
            keyring: keyring.kind.flag(),
            service,
            secrets: rows,
        })?;
        Ok(Exit::Done)
    }
}
