//! `import`: several values at once, from a JSON object on stdin.

use crate::document::{Document, Kind, Member, Node};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::secrets::catalog;

use super::local::{Step, carry};
use super::{Context, input};

/// Puts the values into the keyring. The shape is `schemas/secrets.schema.json`; what is left out stays as it is.
pub(super) fn import(context: &Context<'_>) -> Result<Exit, Failure> {
    let keyring = context.keyring()?;
    // Why it is not JSON is not told: the reason could quote a value.
    let document = Document::parse(input::everything()?).map_err(|error| {
        wrong(&format!("stdin is not JSON, line {} column {}", error.at.line, error.at.column))
    })?;
    let mut steps = Vec::new();
    for remote in members(document.root(), "stdin")? {
        for value in members(&remote.node, &remote.key)? {
            let name = format!("{}/{}", remote.key, value.key);
            let secret =
                catalog::find(&name).ok_or_else(|| wrong(&format!("there is no secret named {name}")))?;
            let Kind::String(text) = &value.node.kind else {
                return Err(wrong(&format!("{name} is not a string")));
            };
            let text = text.as_str().into();
            secret.check(&text)?;
            steps.extend(Step::set(&keyring, secret.name, text)?);
        }
    }
    let plan: Plan<_> = steps.into_iter().collect();
    carry(context.ui, &keyring, &plan, Some("Replace these entries?"))
}

fn members<'a>(node: &'a Node, what: &str) -> Result<&'a [Member], Failure> {
    match &node.kind {
        Kind::Object(members) => {
            let mut keys: Vec<_> = members.iter().map(|member| &member.key).collect();
            keys.sort();
            let twice = keys.iter().zip(keys.iter().skip(1)).find(|(a, b)| a == b);
            if let Some((key, _)) = twice {
                return Err(wrong(&format!("{what} has the key {key} twice")));
            }
            Ok(members)
        }
        _ => Err(wrong(&format!("{what} is not a JSON object"))),
    }
}

fn wrong(what: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{what}; nothing was written")).help(
        "give an object like {\"rds\": {\"password\": …}, \"app\": {\"oauth_client_secret\": …}}; schemas/secrets.schema.json describes it",
    )
}
