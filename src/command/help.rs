//! The help of each verb: only the shared flags that have an effect on it are shown.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Arg, Command, ValueEnum as _};

use super::{FormatFlag, Tool};

const WRITE_FLAGS: [&str; 2] = ["yes", "dry_run"];
const AWS_FLAGS: [&str; 3] = ["profile", "region", "endpoint_url"];
const CONFIG_FLAGS: [&str; 3] = ["dir", "config", "format"];

/// The clap command of a binary, with the help of each verb.
pub(super) fn command<T: Tool>() -> Command {
    let mut command = T::command();
    let shared: Vec<Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    if T::FINDINGS.is_empty() {
        command = command.mut_arg("format", without_findings);
    }
    for verb in verbs {
        command = command.mut_subcommand(&verb, |one| with_help::<T>(&verb, one, &shared));
    }
    command
}

fn with_help<T: Tool>(verb: &str, command: Command, shared: &[Arg]) -> Command {
    let needs_no_config = ["completions", "man"].contains(&verb);
    let mut hidden = Vec::new();
    if !T::WRITES.contains(&verb) {
        hidden.extend(WRITE_FLAGS);
    }
    if T::OFFLINE.contains(&verb) || needs_no_config {
        hidden.extend(AWS_FLAGS);
    }
    if needs_no_config {
        hidden.extend(CONFIG_FLAGS);
    }
    // A verb may define a flag itself, which replaces the shared one.
    let has = |arg: &&Arg| command.get_arguments().any(|one| one.get_id() == arg.get_id());
    let own = shared.iter().filter(|arg| !has(arg)).cloned().map(|arg| {
        let name = arg.get_id().as_str().to_owned();
        let arg = if name == "format" && !T::FINDINGS.contains(&verb) { without_findings(arg) } else { arg };
        if hidden.contains(&name.as_str()) { arg.hide(true) } else { arg }
    });
    let own: Vec<Arg> = own.collect();
    command.args(own)
}

/// `--format` with the formats of findings hidden. They are still parsed: the verb refuses them with a message.
fn without_findings(arg: Arg) -> Arg {
    let values = FormatFlag::value_variants().iter().filter_map(|format| {
        let is_plain = matches!(format, FormatFlag::Human | FormatFlag::Json);
        Some(format.to_possible_value()?.hide(!is_plain))
    });
    arg.value_parser(
        PossibleValuesParser::new(values)
            .map(|name| FormatFlag::from_str(&name, false).unwrap_or(FormatFlag::Human)),
    )
}
