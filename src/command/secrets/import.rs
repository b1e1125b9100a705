//! `osmt-secrets import`: put several values from stdin into the keyring.

use clap::Args;
use secrecy::SecretString;

use super::deployment::{Deployment, KeyringArg};
use super::entries::{Step, carry_out_plan};
use super::input;
use super::names::ExtraArguments;
use crate::command::Context;
use crate::document::{Document, Kind, Member, Node};
use crate::explain::{Exit, Failure};
use crate::plan::Plan;
use crate::secrets::catalog::Secret;
use crate::secrets::dotenv;

/// Put several values into the keyring, from stdin: a JSON object {"rds": {"password": …}, "app": {…}} or a dotenv file.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets import < secrets.env")]
pub(super) struct Import {
    #[command(flatten)]
    keyring: KeyringArg,
    #[command(flatten)]
    extra: ExtraArguments,
}

impl Import {
    /// Puts the values into the keyring. `schemas/secrets.schema.json` describes the JSON; secrets that are left out do not change.
    ///
    /// No key is shown: if key and value are swapped, it is a value.
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        self.extra.refuse(deployment)?;
        let keyring = deployment.keyring()?;
        let text = input::read_stdin(deployment)?;
        let values = if text.trim_start().starts_with(['{', '[', '"']) {
            from_json(deployment, text)?
        } else {
            from_dotenv(deployment, &text)?
        };
        if values.is_empty() {
            return Err(wrong("stdin contains none of this deployment's secrets", deployment));
        }
        let mut steps = Vec::new();
        for (secret, value) in values {
            secret.check(&value)?;
            steps.extend(Step::set(&keyring, secret, value)?);
        }
        let plan: Plan<_> = steps.into_iter().collect();
        carry_out_plan(deployment, &keyring, &plan, Some("Replace these entries?"))
    }
}

type Values<'a> = Vec<(&'a Secret, SecretString)>;

fn from_json<'a>(deployment: &'a Deployment<'_>, text: String) -> Result<Values<'a>, Failure> {
    // The parser's message is left out, because it could quote a value.
    let document = Document::parse(text).map_err(|error| {
        wrong(&format!("stdin is not JSON, line {} column {}", error.at.line, error.at.column), deployment)
    })?;
    let mut values = Vec::new();
    for remote in members(deployment, document.root(), "stdin")? {
        let rows: Vec<_> = deployment.catalog.0.iter().filter(|secret| secret.remote == remote.key).collect();
        let Some(first) = rows.first() else {
            return Err(wrong(&unknown("stdin has", &remote.key), deployment));
        };
        for value in members(deployment, &remote.node, first.remote)? {
            let Some(secret) = rows.iter().find(|secret| secret.key == value.key) else {
                return Err(wrong(&unknown(&format!("{} has", first.remote), &value.key), deployment));
            };
            let Kind::String(text) = &value.node.kind else {
                return Err(wrong(&format!("{} is not a string", secret.name), deployment));
            };
            values.push((*secret, text.as_str().into()));
        }
    }
    Ok(values)
}

fn unknown(what: &str, key: &str) -> String {
    format!("{what} a key that is not one of this deployment's secrets ({} characters)", key.chars().count())
}

fn members<'a>(deployment: &Deployment<'_>, node: &'a Node, what: &str) -> Result<&'a [Member], Failure> {
    let Kind::Object(members) = &node.kind else {
        return Err(wrong(&format!("{what} is not a JSON object"), deployment));
    };
    let mut keys: Vec<_> = members.iter().map(|member| &member.key).collect();
    keys.sort();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(wrong(&format!("{what} has a duplicate key"), deployment));
    }
    Ok(members)
}

fn from_dotenv<'a>(deployment: &'a Deployment<'_>, text: &str) -> Result<Values<'a>, Failure> {
    let variables = dotenv::parse(text).map_err(|error| {
        let message = format!("stdin is not JSON, and line {} is not of the form NAME=value", error.line);
        wrong(&message, deployment)
    })?;
    let mut values: Values<'a> = Vec::new();
    let mut others = 0;
    for (variable, value) in variables {
        let Some(secret) = deployment.catalog.0.iter().find(|secret| secret.variable == variable) else {
            others += 1;
            continue;
        };
        if values.iter().any(|(known, _)| known.name == secret.name) {
            return Err(wrong(&format!("stdin sets {} twice", secret.variable), deployment));
        }
        values.push((secret, value));
    }
    if others > 0 {
        let noun =
            if others == 1 { "variable that is not a secret" } else { "variables that are not secrets" };
        deployment.ui.say(format_args!("ignored {others} {noun} of this deployment"));
    }
    Ok(values)
}

fn wrong(what: &str, deployment: &Deployment<'_>) -> Failure {
    let variables: Vec<_> = deployment.catalog.0.iter().map(|secret| secret.variable.as_str()).collect();
    deployment.unusable(what).help(format!(
        "give an object like {{\"rds\": {{\"password\": …}}, \"app\": {{\"oauth_client_secret\": …}}}} (schemas/secrets.schema.json describes it), or lines NAME=value with the names {}",
        variables.join(", ")
    ))
}
