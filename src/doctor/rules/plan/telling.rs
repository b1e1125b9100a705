//! Secrets that the plan tells: whoever can read it, the state or a task definition has them.

use serde_json::Value;

use crate::doctor::planned::Planned;
use crate::document::join;
use crate::finding::{Check, Rule, Severity, Sink};

/// Values in plain sight.
pub(super) const CHECKS: &[Check<Planned>] = &[Check {
    rule: Rule {
        code: "PLAN013",
        name: "secret-in-plan",
        severity: Severity::Error,
        summary: "A secret's value stands in the plan, and after apply in the state",
        explain: include_str!("../../../../docs/rules/PLAN013.md"),
    },
    run: told,
}];

/// Whether something of that name should hold a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let sounds = ["password", "passwd", "secret", "token", "credential", "private_key", "api_key"];
    let names = ["_arn", "_name", "_id", "_revision", "_version", "_wo", "_path"];
    sounds.iter().any(|sound| name.contains(sound)) && !names.iter().any(|end| name.ends_with(end))
}

/// Whether a value is one that somebody could use, rather than a switch, a number or a reference.
fn is_value(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        let plain = text.is_empty() || text.parse::<f64>().is_ok();
        !plain && !["true", "false"].contains(&text) && !text.starts_with("arn:")
    })
}

/// Whether a text carries `user:password@`.
fn has_login(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split_once('@').is_some_and(|(login, _)| {
        let parts = login.split_once(':');
        !login.contains('/') && parts.is_some_and(|(user, word)| !user.is_empty() && !word.is_empty())
    })
}

fn told(plan: &Planned, sink: &mut Sink<'_>) {
    const CONTAINERS: &str = "container_definitions";
    let mut dark = Vec::new();
    for change in plan.changes.iter().filter(|change| change.writes()) {
        for (name, value) in change.after.as_object().into_iter().flatten() {
            let holds = ["password", "auth_token", "secret_string", "secret_binary"];
            if (holds.contains(&name.as_str()) || name.ends_with("_password")) && is_value(value) {
                let message = format!("{}: the value of {name} is in the plan", change.address);
                sink.value(change.at(name), message).help(format!("use the write-only argument {name}_wo"));
            }
        }
        if change.is_unknown(CONTAINERS) {
            dark.push(change.address.as_str());
        }
        for (container, name, value) in environment(change.after(CONTAINERS)) {
            if has_login(&value) || (is_secret(&name) && is_value(&value)) {
                let message = format!(
                    "{}: {name} of container {container} is a secret in plain environment",
                    change.address
                );
                sink.value(change.at(CONTAINERS), message).help("pass it by `secrets` with `valueFrom`");
            }
        }
    }
    if !dark.is_empty() {
        sink.unknown(format!(
            "the environment of {} is known only after apply; plan again then",
            dark.join(", ")
        ));
    }
    let variables = plan.document["variables"].as_object().into_iter().flatten();
    for (name, variable) in variables {
        let at = join("/variables", name);
        tell(name, &variable["value"], &format!("{at}/value"), sink);
    }
    let outputs = plan.document["output_changes"].as_object();
    for (name, output) in outputs.into_iter().flatten() {
        tell(name, &output["after"], &format!("{}/after", join("/output_changes", name)), sink);
    }
}

/// Looks for secrets below a name.
fn tell(name: &str, value: &Value, at: &str, sink: &mut Sink<'_>) {
    if let Some(members) = value.as_object() {
        for (key, value) in members {
            tell(key, value, &join(at, key), sink);
        }
    } else if has_login(value) || (is_secret(name) && is_value(value)) {
        let path = at[1..].replace('/', ".");
        sink.value(at, format!("{path} is a secret in plain sight"))
            .help("keep secrets in Secrets Manager; `osmt-secrets` writes them");
    }
}

/// Container, name and value of each variable in a task definition's JSON.
fn environment(definitions: &Value) -> Vec<(String, String, Value)> {
    let parsed: Value =
        definitions.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let mut found = Vec::new();
    for container in parsed.as_array().into_iter().flatten() {
        let of = container["name"].as_str().unwrap_or_default();
        for one in container["environment"].as_array().into_iter().flatten() {
            let name = one["name"].as_str().unwrap_or_default();
            found.push((of.to_owned(), name.to_owned(), one["value"].clone()));
        }
    }
    found
}
