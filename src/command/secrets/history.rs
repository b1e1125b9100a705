//! `history`: the versions of a secret in AWS.

use clap::Args;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::deployment::KeyringArg;
use super::entries::held;
use super::names::Name;
use super::when::when;
use crate::command::{Context, block_on};
use crate::explain::{Exit, Failure};
use crate::report::VERSION;
use crate::secrets::remote::{self, Value};

/// AWS keeps about 100 versions of a secret; these are enough to find one to go back to.
const SHOWN: usize = 20;

#[derive(Args, Clone, Debug)]
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
    /// Whether the version holds the keyring's value; absent where that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_keyring: Option<bool>,
}

impl History {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let secret = self.name.secret(deployment)?;
        let keyring = deployment.keyring()?;
        let local = held(&keyring, &deployment.catalog)?;
        let name = deployment.remote_name(secret.remote);
        let rows = block_on(deployment.ui, async {
            let session = deployment.open().await?;
            let client = session.secretsmanager();
            let versions =
                deployment.ui.during("reading the versions", remote::versions(&client, &name)).await?;
            let mine = local.get(secret);
            let mut rows = Vec::new();
            for version in versions.into_iter().take(SHOWN) {
                // A version that AWS does not show any more, or of a secret that is scheduled for deletion.
                let read = remote::read(&client, &name, Some(&version.id)).await.ok();
                let in_keyring = match (read, &mine) {
                    (Some((_, Value::Object(object), _)), Some(mine)) => Some(
                        object
                            .get(&secret.key)
                            .is_some_and(|value| value.expose_secret() == mine.expose_secret()),
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
