//! Secrets in the plan. They get into the state or a task definition, where everyone who may read those can read them.

use serde_json::Value;

use super::names::report_unknown;
use crate::doctor::planned::{Change, Planned};
use crate::document::join;
use crate::finding::{Check, Rule, Severity, Sink};
use crate::sensitive;

/// Secrets in plain text.
pub(super) const CHECKS: &[Check<Planned>] = &[Check {
    rule: Rule {
        code: "PLAN013",
        name: "secret-in-plan",
        severity: Severity::Error,
        summary: "A secret's value is in the plan, and after the apply in the state",
        explain: include_str!("../../../../docs/rules/PLAN013.md"),
    },
    run: in_plan,
}];

const CONTAINERS: &str = "container_definitions";

/// Attributes that contain a secret although their name does not say so.
const SECRET_ATTRIBUTES: [(&str, &str); 6] = [
    ("aws_ssm_parameter", "value"),
    ("aws_iam_access_key", "secret"),
    ("aws_iam_access_key", "ses_smtp_password_v4"),
    ("random_password", "result"),
    ("random_password", "bcrypt_hash"),
    ("tls_private_key", "private_key_pem"),
];

/// Attributes that are not searched: tags, and container definitions, which `containers` searches.
const SKIPPED: [&str; 3] = ["tags", "tags_all", CONTAINERS];

/// The names of the environment variables whose values `osmt-secrets` keeps in `osmt/<env>/extra`.
const EXTRA_SECRETS: &str = "/variables/config/value/app/extra_secrets/";

/// A number with fewer digits is a switch, a size or a time rather than a secret.
const SHORTEST_NUMBER: usize = 6;

/// Whether a value under a name that says "secret" is one, rather than a switch, a time or a reference.
fn is_value(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let text = text.trim();
            !text.is_empty() && !["true", "false"].contains(&text) && !sensitive::is_reference(text)
        }
        Value::Number(number) => number.to_string().len() >= SHORTEST_NUMBER,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether this is the name of an environment variable, in the form that the module accepts, and does not look like a secret.
fn is_name(value: &Value) -> bool {
    let is_allowed = |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_';
    value.as_str().is_some_and(|text| text.chars().all(is_allowed)) && !contains_secret(value)
}

/// Whether a text contains a secret, whatever its name is.
fn contains_secret(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        sensitive::has_login(text)
            || sensitive::assigned(text).is_some()
            || sensitive::looks_secret(text).is_some()
    })
}

fn in_plan(plan: &Planned, sink: &mut Sink<'_>) {
    let mut undecided = Vec::new();
    for change in plan.written() {
        attributes(change, sink);
        if plan.is_set_but_unknown(change, CONTAINERS) {
            undecided.push(format!("{CONTAINERS} of {}", change.address));
        }
        containers(change, sink);
    }
    report_unknown(undecided, sink);
    let variables = plan.document["variables"].as_object().into_iter().flatten();
    for (name, variable) in variables {
        let declared = &plan.document["configuration"]["root_module"]["variables"][name];
        let marked = declared["sensitive"] == true;
        let at = join("/variables", name);
        let mut found = secrets_in(name, &variable["value"], &format!("{at}/value"), marked);
        found.retain(|at| !(at.starts_with(EXTRA_SECRETS) && plan.document.pointer(at).is_some_and(is_name)));
        report_plain_text(&found, sink);
    }
    let outputs = plan.document["output_changes"].as_object();
    for (name, output) in outputs.into_iter().flatten() {
        let marked = output["after_sensitive"] == true;
        let at = format!("{}/after", join("/output_changes", name));
        let found = secrets_in(name, &output["after"], &at, marked);
        report_plain_text(&found, sink);
    }
}

fn report_plain_text(found: &[String], sink: &mut Sink<'_>) {
    for at in found {
        let path = at[1..].replace('/', ".");
        sink.value(at, format!("{path} is a secret in plain text"))
            .help("keep secrets in Secrets Manager; `osmt-secrets` writes them");
    }
}

/// The pointers of the secrets in a named value. In a value that is marked as sensitive everything is a secret.
fn secrets_in(name: &str, value: &Value, at: &str, marked: bool) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| {
                let marked =
                    marked || ((value.is_object() || value.is_array()) && sensitive::names_secret(key));
                secrets_in(key, value, &join(at, key), marked)
            })
            .collect(),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.flat_map(|(index, item)| secrets_in(name, item, &format!("{at}/{index}"), marked)).collect()
        }
        value => {
            // `database.secret.arn` is not a secret, although its path contains the word.
            let named = sensitive::names_secret(name) || (marked && !is_metadata(name));
            let found = contains_secret(value) || (named && is_value(value));
            if found { vec![at.to_owned()] } else { Vec::new() }
        }
    }
}

/// Whether a name is that of metadata of a secret: `arn`, `name`, `version`.
fn is_metadata(name: &str) -> bool {
    !sensitive::names_secret(&format!("secret_{name}"))
}

fn attributes(change: &Change, sink: &mut Sink<'_>) {
    for (name, value) in change.after.as_object().into_iter().flatten() {
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let secure = change.kind != "aws_ssm_parameter" || change.after("type") == "SecureString";
        let is_secret = SECRET_ATTRIBUTES.contains(&(change.kind.as_str(), name.as_str())) && secure;
        // The value of such an attribute is a secret, whatever it looks like.
        let exact = ["password", "auth_token", "secret_string", "secret_binary", "master_password"];
        let is_secret = is_secret || exact.contains(&name.as_str());
        let found = if is_secret && value.as_str().is_some_and(|text| !text.is_empty()) {
            vec![change.at(name)]
        } else {
            secrets_in(name, value, &change.at(name), false)
        };
        for at in found {
            let prefix = change.pointer.len() + "/after/".len();
            let path = at.get(prefix..).unwrap_or(name).replace('/', ".");
            let message = format!("{}: the value of {path} is in the plan", change.address);
            sink.value(at, message).help(format!(
                "use the write-only argument {name}_wo if the provider has it, or keep the value out of Terraform"
            ));
        }
    }
}

fn containers(change: &Change, sink: &mut Sink<'_>) {
    let text = change.after(CONTAINERS).as_str().unwrap_or_default();
    if text.is_empty() {
        return;
    }
    let Ok(Value::Array(definitions)) = serde_json::from_str::<Value>(text) else {
        return sink.unknown(format!("{CONTAINERS} of {} is not a JSON list", change.address));
    };
    for container in &definitions {
        let of = container["name"].as_str().unwrap_or_default();
        for one in container["environment"].as_array().into_iter().flatten() {
            let name = one["name"].as_str().unwrap_or_default();
            let value = &one["value"];
            if contains_secret(value) || (sensitive::names_secret(name) && is_value(value)) {
                let message = format!(
                    "{}: {name} of container {of} is a secret in a plain environment variable",
                    change.address
                );
                sink.value(change.at(CONTAINERS), message).help("pass it by `secrets` with `valueFrom`");
            }
        }
        for list in ["command", "entryPoint"] {
            let words = container[list].as_array().into_iter().flatten().filter_map(Value::as_str);
            let line = words.collect::<Vec<_>>().join(" ");
            if contains_secret(&Value::from(line)) {
                let message = format!("{}: {list} of container {of} contains a secret", change.address);
                sink.value(change.at(CONTAINERS), message)
                    .help("pass it by `secrets` with `valueFrom`, and read the variable in the container");
            }
        }
    }
}
