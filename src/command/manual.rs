//! The verbs `completions` and `man`.

use clap::Subcommand;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Tool, Ui, help};
use crate::explain::{Exit, Failure};

/// Verbs that all four binaries have.
#[derive(Clone, Debug, Subcommand)]
pub enum Shared {
    /// Print the completion script of a shell.
    #[command(after_help = "Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  osmt-doctor completions bash > ~/.local/share/bash-completion/completions/osmt-doctor
  osmt-doctor completions fish > ~/.config/fish/completions/osmt-doctor.fish
  osmt-doctor completions zsh > /usr/local/share/zsh/site-functions/_osmt-doctor")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of one verb: `man check`.
    #[command(after_help = "Examples:
  osmt-doctor man > osmt-doctor.1
  osmt-doctor man check | man -l -")]
    Man {
        /// The verb; without one, the page of the whole command.
        verb: Option<String>,
    },
}

/// The environment variables of all four binaries, with their meaning.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("AWS_PROFILE, AWS_REGION, AWS_ACCESS_KEY_ID, \u{2026}", "As for the AWS CLI; flags have precedence."),
    ("AWS_ENDPOINT_URL", "The endpoint to use instead of AWS, such as an emulator."),
    ("AWS_CA_BUNDLE", "A PEM file with the certificate authorities to trust."),
    ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "The proxy to AWS, and the hosts that are reached without it."),
    (
        "OSMT_TERRAFORM",
        "The program of Terraform or OpenTofu [default: terraform, or tofu if terraform is not installed].",
    ),
    ("NO_COLOR, CLICOLOR_FORCE, TERM", "Whether to use colour with --color auto."),
];

/// The files of all four binaries.
const FILES: &[(&str, &str)] = &[
    ("DIR/config.auto.tfvars.json", "The config of the deployment; --config names another."),
    ("DIR/main.tf", "The Terraform root module: provider and state backend."),
    ("~/.aws/config, ~/.aws/credentials", "Profiles, as for the AWS CLI."),
];

impl Shared {
    /// Prints the completion script or the manual page.
    pub fn run<T: Tool>(&self, ui: &Ui) -> Result<Exit, Failure> {
        let text = match self {
            Self::Completions { shell } => completions::<T>(*shell),
            Self::Man { verb } => manual(&help::command::<T>(), verb.as_deref())?,
        };
        ui.write(|out| out.write_all(text.as_bytes()))?;
        Ok(Exit::Done)
    }
}

fn completions<T: Tool>(shell: clap_complete::Shell) -> String {
    let mut command = T::command();
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, &name, &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    // For a command with a hyphen in its name, clap_complete 4.6 writes bash functions with one name and calls them with another:
    // without this replacement nothing is completed after the verb.
    text.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"))
}

/// The manual page of the command or of one verb, in roff.
fn manual(command: &clap::Command, verb: Option<&str>) -> Result<String, Failure> {
    let mut command = command.clone();
    let name = command.get_name().to_owned();
    command.build();
    let page = match verb {
        None => command.clone(),
        Some(verb) => command
            .get_subcommands()
            .find(|one| one.get_name() == verb && verb != "help")
            .cloned()
            .ok_or_else(|| {
                Failure::new(Exit::Usage, format!("{name} has no verb of this name"))
                    .help(format!("`{name} --help` lists the verbs"))
            })?,
    };
    let title = verb.map_or(name.clone(), |verb| format!("{name}-{verb}"));
    let man = Man::new(page.clone()).title(title);
    let mut text = Vec::new();
    let write = |text: &mut Vec<u8>| -> std::io::Result<()> {
        man.render_title(text)?;
        man.render_name_section(text)?;
        man.render_synopsis_section(text)?;
        man.render_description_section(text)?;
        man.render_options_section(text)?;
        if verb.is_none() {
            man.render_subcommands_section(text)?;
        }
        if let Some(examples) = page.get_after_help() {
            let mut roff = Roff::default();
            roff.control("SH", ["EXAMPLES"]);
            roff.control("nf", []);
            let examples = examples.to_string();
            let lines = examples.lines().filter(|line| line.trim() != "Examples:");
            for line in lines {
                roff.text([roman(line)]);
            }
            roff.control("fi", []);
            roff.to_writer(text)?;
        }
        let exits: Vec<(String, String)> = Exit::ALL
            .iter()
            .map(|exit| (format!("{} ({})", exit.code(), exit.name()), exit.meaning().to_owned()))
            .collect();
        let fixed = |rows: &[(&str, &str)]| -> Vec<(String, String)> {
            rows.iter().map(|(name, meaning)| ((*name).to_owned(), (*meaning).to_owned())).collect()
        };
        list("EXIT STATUS", &exits).to_writer(text)?;
        list("ENVIRONMENT", &fixed(ENVIRONMENT)).to_writer(text)?;
        list("FILES", &fixed(FILES)).to_writer(text)
    };
    write(&mut text)
        .map_err(|error| Failure::new(Exit::Failed, format!("could not write the manual page: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn list(heading: &str, rows: &[(String, String)]) -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", [heading]);
    for (term, meaning) in rows {
        roff.control("TP", []);
        roff.text([bold(term)]);
        roff.text([roman(meaning)]);
    }
    roff
}
