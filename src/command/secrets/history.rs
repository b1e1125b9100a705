//! `osmt-secrets history`: show the versions of a secret in AWS.

use clap::Args;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::deployment::KeyringArg;
use super::entries::read_all;
use super::names::Name;
use super::when::when;
use crate::command::{Context, block_on};
use crate::explain::{Exit, Failure};
use crate::report::VERSION;
use crate::secrets::remote::{self, Value};

/// How many versions are shown. AWS keeps about 100 versions of a secret.
const MAX_SHOWN: usize = 20;

/// Show the versions of a secret in AWS.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets history rds/password")]
pub(super) struct History {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    name: Name,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    name: &'a str,
    remote: &'a str,
    versions: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Timestamp>,
    labels: Vec<String>,
    /// Whether the version has the keyring's value; absent if it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_keyring: Option<bool>,
}

impl History {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let secret = self.name.secret(deployment)?;
        let keyring = deployment.keyring()?;
        let local = read_all(&keyring, &deployment.catalog)?;
        let name = deployment.remote_name(secret.remote);
        let rows = block_on(deployment.ui, async {
            let session = deployment.open().await?;
            let client = session.secretsmanager();
            let versions =
                deployment.ui.during("reading the versions", remote::versions(&client, &name)).await?;
            let in_keyring = local.get(secret);
            let mut rows = Vec::new();
            for version in versions.into_iter().take(MAX_SHOWN) {
                // This fails for a version that AWS has removed, and for a secret that is scheduled for deletion.
                let read = remote::read(&client, &name, Some(&version.id)).await.ok();
                let in_keyring = match (read, &in_keyring) {
                    (Some((_, Value::Object(object), _)), Some(in_keyring)) => Some(
                        object
                            .get(&secret.key)
                            .is_some_and(|value| value.expose_secret() == in_keyring.expose_secret()),
                    ),
                    _ => None,
                };
                rows.push(Row {
                    id: version.id,
                    created: version.created,
                    labels: version.labels,
                    in_keyring,
                });
            }
            Ok(rows)
        })?;
        for row in &rows {
            let when = row.created.map_or("date unknown".to_owned(), when);
            let mut notes = row.labels.clone();
            if row.in_keyring == Some(true) {
                notes.push("the keyring's value".to_owned());
            }
            deployment.ui.result(format_args!("  {:<36}  {when}  {}", row.id, notes.join(", ")))?;
        }
        if rows.is_empty() {
            deployment.ui.result(format_args!("{name} is not in AWS"))?;
        }
        deployment.ui.json(&Report {
            version: VERSION,
            tool: &deployment.ui.tool,
            name: &secret.name,
            remote: &name,
            versions: rows,
        })?;
        Ok(Exit::Done)
    }
}
