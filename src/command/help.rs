//! The help of each verb: its examples, and those of the shared flags that mean something to it.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Arg, Command, ValueEnum as _};

use super::{FormatFlag, Tool};

const OF_WRITERS: [&str; 2] = ["yes", "dry_run"];
const OF_AWS: [&str; 3] = ["profile", "region", "endpoint_url"];
const OF_THE_CONFIG: [&str; 3] = ["dir", "config", "format"];

/// The command line of a binary, with the help of each verb.
pub(super) fn command<T: Tool>() -> Command {
    let mut command = T::command();
    let shared: Vec<Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    if T::FINDINGS.is_empty() {
        command = command.mut_arg("format", without_findings);
    }
    for verb in verbs {
        command = command.mut_subcommand(&verb, |one| help_of::<T>(&verb, one, &shared));
    }
    command
}

fn help_of<T: Tool>(verb: &str, command: Command, shared: &[Arg]) -> Command {
    let is_about_itself = ["completions", "man"].contains(&verb);
    let mut hidden = Vec::new();
    if !T::WRITES.contains(&verb) {
        hidden.extend(OF_WRITERS);
    }
    if T::OFFLINE.contains(&verb) || is_about_itself {
        hidden.extend(OF_AWS);
    }
    if is_about_itself {
        hidden.extend(OF_THE_CONFIG);
    }
    // A verb that has a flag itself does not get the shared one.
    let has = |arg: &&Arg| command.get_arguments().any(|one| one.get_id() == arg.get_id());
    let own = shared.iter().filter(|arg| !has(arg)).cloned().map(|arg| {
        let name = arg.get_id().as_str().to_owned();
        let arg = if name == "format" && !T::FINDINGS.contains(&verb) { without_findings(arg) } else { arg };
        if hidden.contains(&name.as_str()) { arg.hide(true) } else { arg }
    });
    let own: Vec<Arg> = own.collect();
    let command = command.args(own);
    match T::EXAMPLES.iter().find(|(name, _)| *name == verb) {
        Some((_, examples)) => command.after_help(format!("Examples:\n{examples}")),
        None => command,
    }
}

/// The flag without the formats of findings. They still parse: the verb refuses them with a reason.
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
